"""The Open Inference Protocol over gRPC, beside the routes; needs the extra `grpc`."""

import asyncio
import hmac
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import grpc
import numpy as np

from holmdel.errors import UserError
from holmdel.server.errors import RequestError
from holmdel.server.inference import outputs_for
from holmdel.server.protocol.description import EXTENSIONS, metadata
from holmdel.server.protocol.messages import MESSAGES, SERVICE, values
from holmdel.server.protocol.request import Body, read
from holmdel.server.protocol.schemas import MODEL_VERSION
from holmdel.server.protocol.tensors import bytes_of, selected
from holmdel.version import __version__

if TYPE_CHECKING:
    from holmdel.server.models import Model
    from holmdel.server.services import Services

_CODES = {
    401: grpc.StatusCode.UNAUTHENTICATED,
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
_log = logging.getLogger("holmdel.grpc")


async def start(services: "Services", host: str, port: int) -> tuple[Any, int]:
    """Returns a gRPC server that answers, and its port.

    Args:
        services: what it shares with the routes.
        host: the address to listen on.
        port: the port; 0 for a free one.

    Raises:
        UserError: if the address cannot be used.
    """
    settings = services.settings
    server = grpc.aio.server(
        maximum_concurrent_rpcs=settings.requests,
        options=[
            ("grpc.max_receive_message_length", settings.body_bytes),
            ("grpc.max_send_message_length", -1),
            ("grpc.so_reuseport", 0),
        ],
    )
    server.add_generic_rpc_handlers((_handlers(InferenceService(services)),))
    try:
        bound = server.add_insecure_port(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
    except RuntimeError:
        bound = 0
    if not bound:
        raise UserError(f"the server cannot listen on {host}:{port}; choose another --grpc-port")
    await server.start()
    return server, bound


def _handlers(service: "InferenceService") -> Any:
    """Returns what grpc calls for each method of the protocol."""
    methods = {
        "ServerLive": service.server_live,
        "ServerReady": service.server_ready,
        "ServerMetadata": service.server_metadata,
        "ModelReady": service.model_ready,
        "ModelMetadata": service.model_metadata,
        "ModelInfer": service.model_infer,
    }
    return grpc.method_handlers_generic_handler(
        SERVICE,
        {
            name: grpc.unary_unary_rpc_method_handler(
                service.answering(name, method),
                request_deserializer=MESSAGES[f"{name}Request"].FromString,
                response_serializer=MESSAGES[f"{name}Response"].SerializeToString,
            )
            for name, method in methods.items()
        },
    )


class InferenceService:
    """The methods of the protocol's service.

    Args:
        services: the models, limits and metrics.
    """

    def __init__(self, services: "Services") -> None:
        self._services = services

    def answering(self, name: str, method: Callable[[Any], Awaitable[Any]]) -> Any:
        """Returns a method with the checks and errors of all: a status and a sentence."""

        async def answer(request: Any, context: Any) -> Any:
            began, status, sentence, found = time.perf_counter(), 200, "", None
            try:
                if name not in ("ServerLive", "ServerReady"):
                    self._check(context)
                async with asyncio.timeout(self._services.settings.seconds):
                    found = await method(request)
            except UserError as error:
                status = error.status if isinstance(error, RequestError) else 400
                sentence = str(error)
            except TimeoutError:
                seconds = self._services.settings.seconds
                status = 408
                sentence = f"the request took longer than {seconds:g} seconds; send less at once"
            except Exception:
                _log.exception("%s failed", name)
                status, sentence = 500, "the server failed at this request; its log has the reason"
            self._services.metrics.answered(f"grpc {name}", status, time.perf_counter() - began)
            if status != 200:
                code = _CODES.get(status, grpc.StatusCode.INVALID_ARGUMENT)
                await context.abort(code, sentence)
            return found

        return answer

    def _check(self, context: Any) -> None:
        token = self._services.settings.token
        given = dict(context.invocation_metadata() or ()).get("authorization", "")
        if token and not hmac.compare_digest(str(given).encode(), b"Bearer " + token.encode()):
            raise RequestError(
                401,
                "the request has no token or a wrong one; send the metadata "
                "authorization: Bearer TOKEN",
            )
        if self._services.draining.is_set():
            raise RequestError(503, "the server is stopping; try again later")

    def _model(self, name: str, version: str) -> "Model":
        if not name:
            raise UserError("the request names no model; expected one")
        return self._services.models.of_version(name, version or MODEL_VERSION)

    async def server_live(self, request: Any) -> Any:
        """Returns that the server runs."""
        return MESSAGES["ServerLiveResponse"](live=True)

    async def server_ready(self, request: Any) -> Any:
        """Returns whether the server accepts requests."""
        return MESSAGES["ServerReadyResponse"](ready=not self._services.draining.is_set())

    async def server_metadata(self, request: Any) -> Any:
        """Returns the server's name and version, and what it does beyond the protocol."""
        return MESSAGES["ServerMetadataResponse"](
            name="holmdel", version=__version__, extensions=EXTENSIONS
        )

    async def model_ready(self, request: Any) -> Any:
        """Returns that a model accepts requests."""
        self._model(request.name, request.version)
        return MESSAGES["ModelReadyResponse"](ready=True)

    async def model_metadata(self, request: Any) -> Any:
        """Returns a model's inputs and outputs."""
        said = metadata(self._model(request.name, request.version))
        for tensor in said["inputs"]:
            del tensor["parameters"]  # which gRPC has no field for
        return MESSAGES["ModelMetadataResponse"](**said)

    async def model_infer(self, request: Any) -> Any:
        """Returns a model's outputs for one input tensor, all of them raw."""
        model = self._model(request.model_name, request.model_version)
        contract, rows = model.classifier.contract, self._services.settings.rows
        with model.statistics.request():
            ask = read(_body(request), contract, rows)
            outputs = await outputs_for(self._services, model, ask)
            answer = MESSAGES["ModelInferResponse"](
                model_name=model.name, model_version=MODEL_VERSION, id=request.id
            )
            if ask.doubts:
                answer.parameters["warning"].string_param = "; ".join(ask.doubts)
            for wanted, datatype, output in selected(outputs, ask.wanted, model.classifier.classes):
                answer.outputs.add(name=wanted.name, datatype=datatype, shape=output.shape)
                answer.raw_output_contents.append(bytes_of(output))
        return answer


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
