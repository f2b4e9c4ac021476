"""The methods of the Open Inference Protocol over gRPC, and of Triton's extensions of it."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import grpc
import numpy as np
from google.protobuf.message import DecodeError

from holmdel.errors import UserError
from holmdel.server.errors import RequestError
from holmdel.server.inference import outputs_for
from holmdel.server.protocol.description import configuration, metadata, server_metadata
from holmdel.server.protocol.repository import index, load, unload
from holmdel.server.protocol.request import Body, read
from holmdel.server.protocol.tensors import bytes_of, selected
from holmdel.server.rpc.messages import MESSAGES, METHODS, SERVICE, STREAM, made, values
from holmdel.server.statistics import statistics

if TYPE_CHECKING:
    from holmdel.server.models import Model
    from holmdel.server.services import Services

_OPEN = ("ServerLive", "ServerReady")  # without a token
_CODES = {
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    408: grpc.StatusCode.DEADLINE_EXCEEDED,
    413: grpc.StatusCode.RESOURCE_EXHAUSTED,
    500: grpc.StatusCode.INTERNAL,
    503: grpc.StatusCode.UNAVAILABLE,
}
_CONTENTS = {
    "FP32": ("fp32_contents", "<f4"),
    "UINT8": ("uint_contents", "<u4"),
    "BYTES": ("bytes_contents", None),
}


def code(failure: RequestError) -> grpc.StatusCode:
    """Returns gRPC's status for one of HTTP."""
    return _CODES.get(failure.status, grpc.StatusCode.INVALID_ARGUMENT)


class TokenCheck(grpc.aio.ServerInterceptor):  # type: ignore[misc]  # grpcio has no types
    """Refuses calls without the token before their message is read, those for health excepted.

    Args:
        services: for the gate.
        open_services: names of services that need no token.
    """

    def __init__(self, services: "Services", open_services: tuple[str, ...]) -> None:
        self._gate = services.gate
        self._open = (
            *(f"/{name}/" for name in open_services),
            *(f"/{SERVICE}/{name}" for name in _OPEN),
        )

    async def intercept_service(self, continuation: Any, details: Any) -> Any:
        """Returns what answers a call."""
        if not details.method.startswith(self._open):
            given = dict(details.invocation_metadata or ()).get("authorization", "")
            try:
                self._gate.check_token(given if isinstance(given, bytes) else given.encode())
            except RequestError as failure:
                return _refusal(failure)
        return await continuation(details)


def _refusal(failure: RequestError) -> Any:
    async def refuse(requests: Any, context: Any) -> None:
        await context.abort(code(failure), str(failure))

    return grpc.stream_stream_rpc_method_handler(refuse)


class InferenceService:
    """The methods of the protocol's service.

    Args:
        services: the models, limits and metrics.
    """

    def __init__(self, services: "Services") -> None:
        self._services = services
        self._gate = services.gate

    def handlers(self) -> Any:
        """Returns what grpc calls for each method."""
        found = {}
        for name in METHODS:
            answered = MESSAGES[f"{name}Response"]
            kind = "stream_stream" if name == STREAM else "unary_unary"
            make = getattr(grpc, f"{kind}_rpc_method_handler")
            found[name] = make(
                self._streamed if name == STREAM else self._answering(name),
                response_serializer=answered.SerializeToString,
            )
        return grpc.method_handlers_generic_handler(SERVICE, found)

    def _answering(self, name: str) -> Callable[[Any, Any], Awaitable[Any]]:
        """Returns what answers a method: a message, or a status and a sentence."""

        async def answer(data: bytes, context: Any) -> Any:
            try:
                return await self._answer(name, _read(name, data), context)
            except RequestError as failure:
                await context.abort(code(failure), str(failure))

        return answer

    async def _streamed(self, requests: Any, context: Any) -> AsyncIterator[Any]:
        """Yields an answer for each inference request of a stream; a mistake does not end it."""
        make = MESSAGES["ModelStreamInferResponse"]
        async for data in requests:
            id_ = ""
            try:
                request = _read("ModelInfer", data)
                id_ = request.id
                yield make(infer_response=await self._answer("ModelInfer", request, context))
            except RequestError as failure:
                yield make(error_message=str(failure), infer_response={"id": id_})

    async def _answer(self, name: str, request: Any, context: Any) -> Any:
        """Returns what a method answers, with the checks and errors of all.

        Raises:
            RequestError: for every error.
        """
        given = dict(context.invocation_metadata() or ()).get("x-request-id", "")
        id_ = self._gate.name(str(given))
        size = 0 if name in _OPEN else request.ByteSize()
        began, status = time.perf_counter(), 200
        self._gate.under_way += 1
        try:
            if name not in _OPEN:
                self._gate.check_open()
                self._gate.weigh(size, size)
            async with asyncio.timeout(self._gate.settings.seconds):
                return await getattr(self, name)(request)
        except Exception as error:
            failure = self._gate.failure(error, id_)
            status = failure.status
            raise failure from None
        except asyncio.CancelledError:
            status = 499  # the client has gone
            raise
        finally:
            self._gate.under_way -= 1
            self._gate.forget(size)
            self._gate.note(
                f"grpc {name}",
                status,
                time.perf_counter() - began,
                request=id_,
                method="gRPC",
                path=f"/{SERVICE}/{name}",
                bytes=size,
            )

    def _model(self, name: str, version: str) -> "Model":
        if not name:
            raise UserError("the request names no model; expected one")
        return self._services.models.get(name, version)

    async def ServerLive(self, request: Any) -> Any:  # noqa: N802 - the protocol's names
        """Returns that the server runs."""
        return made("ServerLiveResponse", {"live": True})

    async def ServerReady(self, request: Any) -> Any:  # noqa: N802
        """Returns whether the server accepts requests."""
        return made("ServerReadyResponse", {"ready": not self._gate.draining.is_set()})

    async def ServerMetadata(self, request: Any) -> Any:  # noqa: N802
        """Returns the server's name and version, and what it does beyond the protocol."""
        said = server_metadata(loading=self._gate.settings.model_control is not None)
        return made("ServerMetadataResponse", said)

    async def ModelReady(self, request: Any) -> Any:  # noqa: N802
        """Returns whether a model accepts requests: one that is not loaded does not."""
        try:
            self._model(request.name, request.version)
        except RequestError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            return made("ModelReadyResponse", {"ready": False})
        return made("ModelReadyResponse", {"ready": True})

    async def ModelMetadata(self, request: Any) -> Any:  # noqa: N802
        """Returns a model's inputs and outputs."""
        model = self._model(request.name, request.version)
        versions = [one.version for one in self._services.models.each(model.name)]
        return made("ModelMetadataResponse", metadata(model, versions))

    async def ModelConfig(self, request: Any) -> Any:  # noqa: N802
        """Returns a model's configuration."""
        settings = self._gate.settings
        model = self._model(request.name, request.version)
        found = configuration(model, settings.rows, settings.batch)
        return made("ModelConfigResponse", {"config": found})

    async def ModelStatistics(self, request: Any) -> Any:  # noqa: N802
        """Returns what a model has done, or what all have done where none is named."""
        models = self._services.models
        named = [models.get(request.name, request.version)] if request.version else []
        meant = named or models.each(request.name or None)
        found = statistics(self._gate.metrics, [(one.name, one.version) for one in meant])
        return made("ModelStatisticsResponse", {"model_stats": found})

    async def RepositoryIndex(self, request: Any) -> Any:  # noqa: N802
        """Returns the models."""
        found = index(self._services, ready=request.ready)
        return made("RepositoryIndexResponse", {"models": found})

    async def RepositoryModelLoad(self, request: Any) -> Any:  # noqa: N802
        """Loads a model, or loads it anew."""
        await load(self._services, request.model_name, values(request.parameters))
        return made("RepositoryModelLoadResponse", {})

    async def RepositoryModelUnload(self, request: Any) -> Any:  # noqa: N802
        """Unloads a model."""
        await unload(self._services, request.model_name)
        return made("RepositoryModelUnloadResponse", {})

    async def ModelInfer(self, request: Any) -> Any:  # noqa: N802
        """Returns a model's outputs for one input tensor, all of them raw."""
        model = self._model(request.model_name, request.model_version)
        contract, rows = model.classifier.contract, self._gate.settings.rows
        with model.statistics.request():
            ask = read(_body(request), contract, rows)
            outputs = await outputs_for(self._services, model, ask)
            answer = MESSAGES["ModelInferResponse"](
                model_name=model.name, model_version=model.version, id=request.id
            )
            if ask.doubts:
                answer.parameters["warning"].string_param = "; ".join(ask.doubts)
            for wanted, datatype, output in selected(outputs, ask.wanted, model.classifier.classes):
                answer.outputs.add(name=wanted.name, datatype=datatype, shape=output.shape)
                answer.raw_output_contents.append(bytes_of(output))
        return answer


def _read(name: str, data: bytes) -> Any:
    """Returns the message that a method is asked with.

    Raises:
        RequestError: if it is none.
    """
    try:
        return MESSAGES[f"{name}Request"].FromString(data)
    except DecodeError:
        raise RequestError(400, f"the message is not a {name}Request; expected one") from None


def _body(request: Any) -> Body:
    """Returns a request as over HTTP: a header and binary data.

    Raises:
        UserError: for raw contents that are not one for each input.
    """
    raw = list(request.raw_input_contents)
    if raw and len(raw) != len(request.inputs):
        raise UserError(
            f"{len(raw)} raw_input_contents were given for {len(request.inputs)} inputs; expected "
            "one for each, or none"
        )
    parts = raw or [_contents(tensor) for tensor in request.inputs]
    inputs = [
        {
            "name": tensor.name,
            "datatype": tensor.datatype,
            "shape": list(tensor.shape),
            "parameters": values(tensor.parameters) | {"binary_data_size": len(part)},
        }
        for tensor, part in zip(request.inputs, parts, strict=True)
    ]
    outputs = [
        {"name": one.name, "parameters": values(one.parameters) | {"binary_data": True}}
        for one in request.outputs
    ]
    asked = values(request.parameters) | {"binary_data_output": True}
    header = {"parameters": asked, "inputs": inputs, "outputs": outputs}
    return Body(header, memoryview(b"".join(parts)))


def _contents(tensor: Any) -> bytes:
    """Returns the contents of a tensor as its binary data."""
    if tensor.datatype not in _CONTENTS:
        return b""  # the datatype is refused where all are
    field, dtype = _CONTENTS[tensor.datatype]
    found = getattr(tensor.contents, field)
    if dtype is None:
        return bytes_of(np.array(list(found), np.object_))
    numbers = np.array(found, dtype)
    if tensor.datatype != "UINT8":
        return numbers.tobytes()
    if numbers.max(initial=0) > 255:
        raise UserError("the data of an UINT8 tensor is out of range; expected 0..255")
    return numbers.astype(np.uint8).tobytes()
