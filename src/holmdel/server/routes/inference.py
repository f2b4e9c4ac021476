"""Routes of the Open Inference Protocol, version 2, and Triton's extensions of it.

github.com/kserve/open-inference-protocol, specification/protocol/inference_rest.md; the extensions
are docs/protocol/extension_*.md of github.com/triton-inference-server/server.
"""

from typing import TYPE_CHECKING, Any

from fastapi import Request, Response

from holmdel.server.errors import RequestError, error_responses
from holmdel.server.inference import outputs_for
from holmdel.server.log import WARNING
from holmdel.server.protocol.description import configuration, metadata, server_metadata
from holmdel.server.protocol.request import Ask, read, split, unpacked
from holmdel.server.protocol.schemas import (
    INFERENCE_ANSWER,
    INFERENCE_BODY,
    INFERENCE_PARAMETERS,
    LENGTH,
    VERSION,
    Live,
    ModelConfiguration,
    ModelMetadata,
    ModelReady,
    Ready,
    ServerMetadata,
    Statistics,
)
from holmdel.server.protocol.tensors import write
from holmdel.server.router import Direct, Router
from holmdel.server.services import Services, services
from holmdel.server.statistics import statistics

if TYPE_CHECKING:
    from holmdel.server.models import Model

router = Router()

_LENGTH = LENGTH.lower().encode()
_SHORT = 65_536  # bytes; such a body is read faster than handed to a thread


@router.get("/v2", responses=error_responses(), summary="Name the server and its extensions")
@router.get("/v2/", include_in_schema=False)
async def server(request: Request) -> ServerMetadata:
    """Returns the server's name and version, and what it does beyond the protocol."""
    loading = services(request).settings.model_control is not None
    return ServerMetadata(**server_metadata(loading=loading))


@router.get("/v2/health/live", responses=error_responses(), summary="Health: the server runs")
async def live() -> Live:
    """Returns that the server runs."""
    return Live(live=True)


@router.get(
    "/v2/health/ready", responses=error_responses(), summary="Health: the server accepts requests"
)
async def ready(request: Request) -> Ready:
    """Returns that the server accepts requests."""
    _expect_open(services(request))
    return Ready(live=True, ready=True)


async def model_metadata(request: Request, name: str) -> ModelMetadata:
    """Returns a model's inputs and outputs."""
    model = _model(request, name)
    versions = [one.version for one in services(request).models.each(model.name)]
    return ModelMetadata(**metadata(model, versions))


async def model_configuration(request: Request, name: str) -> ModelConfiguration:
    """Returns a model's configuration."""
    settings = services(request).settings
    found = configuration(_model(request, name), settings.rows, settings.batch)
    return ModelConfiguration(**found)


@router.get("/v2/models/stats", responses=error_responses(), summary="Count what models have done")
async def all_statistics(request: Request) -> Statistics:
    """Returns what all models have done since the server started."""
    return _statistics(request, services(request).models.each())


async def model_statistics(request: Request, name: str) -> Statistics:
    """Returns what a model has done since the server started."""
    return _statistics(request, [_model(request, name)])


def _statistics(request: Request, models: list["Model"]) -> Statistics:
    named = [(model.name, model.version) for model in models]
    return Statistics.model_validate({"model_stats": statistics(services(request).metrics, named)})


async def model_ready(request: Request, name: str) -> ModelReady:
    """Returns that a model accepts requests."""
    model = _model(request, name)
    _expect_open(services(request))
    return ModelReady(name=model.name, ready=True)


async def infer(request: Request) -> Response:
    """Returns a model's outputs for one input tensor."""
    shared, model = services(request), _model(request, request.path_params["name"])
    headers = dict(request.scope["headers"])
    encoding, header_length = _text(headers, b"content-encoding"), _text(headers, _LENGTH)
    body = await request.body()
    with model.statistics.request():
        given = shared, model, body, encoding, header_length
        slow = encoding is not None or len(body) > _SHORT
        ask = await shared.run(_read, *given) if slow else _read(*given)
        outputs = await outputs_for(shared, model, ask)
        written = write(_head(request, model, ask), outputs, ask.wanted, model.classifier.classes)
    if written.header_length is None:
        return Response(written.body, media_type="application/json")
    told = {LENGTH: str(written.header_length)}
    return Response(written.body, headers=told, media_type="application/octet-stream")


def _text(headers: dict[bytes, bytes], name: bytes) -> str | None:
    found = headers.get(name)
    return None if found is None else found.decode("latin-1")


def _head(request: Request, model: "Model", ask: Ask) -> dict[str, Any]:
    """Returns the answer's fields before the outputs; a doubt goes into the log too."""
    head: dict[str, Any] = {"model_name": model.name, "model_version": model.version}
    if ask.id is not None:
        head["id"] = ask.id
    if ask.doubts:
        head["parameters"] = {"warning": "; ".join(ask.doubts)}
        request.scope[WARNING] = head["parameters"]["warning"]
    return head


def _add_model_routes() -> None:
    """Adds each route of a model twice: without and with a version."""
    documents: tuple[tuple[str, dict[str, Any]], ...] = (
        ("/v2/models/{name}", {}),
        ("/v2/models/{name}/versions/{version}", VERSION),
    )
    for path, extra in documents:
        for ending, summary, function in (
            ("", "Describe a model's inputs and outputs", model_metadata),
            ("/ready", "Health: a model accepts requests", model_ready),
            ("/config", "Describe a model's configuration", model_configuration),
            ("/stats", "Count what a model has done", model_statistics),
        ):
            router.get(
                f"{path}{ending}",
                responses=error_responses(404),
                response_model_exclude_none=True,
                openapi_extra=extra,
                summary=summary,
            )(function)
        parameters = INFERENCE_PARAMETERS + extra.get("parameters", [])
        router.add_api_route(
            f"{path}/infer",
            infer,
            methods=["POST"],
            route_class_override=Direct,
            responses=error_responses(404, 415, 422) | INFERENCE_ANSWER,
            openapi_extra=INFERENCE_BODY | {"parameters": parameters},
            summary="Run a model on an input tensor",
        )


_add_model_routes()


def _model(request: Request, name: str) -> "Model":
    return services(request).models.get(name, request.path_params.get("version"))


def _expect_open(shared: Services) -> None:
    if shared.draining.is_set():
        raise RequestError(503, "the server is stopping; try again later", retry_after=1)


def _read(
    shared: Services, model: "Model", body: bytes, encoding: str | None, header_length: str | None
) -> Ask:
    contract, settings = model.classifier.contract, shared.settings
    plain = unpacked(body, encoding, settings.body_bytes)
    return read(split(plain, header_length), contract, settings.rows)
