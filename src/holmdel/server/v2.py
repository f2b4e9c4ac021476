"""The Open Inference Protocol, version 2, over REST, with the binary tensor data extension.

github.com/kserve/open-inference-protocol, specification/protocol/inference_rest.md; the extension
is docs/protocol/extension_binary_data.md of github.com/triton-inference-server/server.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response

from holmdel.server.models import Model
from holmdel.server.refusals import Refusal, documented
from holmdel.server.services import Services, services
from holmdel.server.tensors import INPUT, OUTPUTS, Ask, read
from holmdel.server.tensors_answer import write
from holmdel.server.tensors_body import split, unpacked
from holmdel.server.v2_documents import (
    INFERENCE_ANSWER,
    INFERENCE_BODY,
    VERSION,
    Live,
    ModelMetadata,
    ModelReady,
    Ready,
    ServerMetadata,
)
from holmdel.server.v2_inference import logits_of, outputs_of
from holmdel.version import __version__

router = APIRouter()

_VERSION = "1"
_LENGTH = "Inference-Header-Content-Length"
_SHORT = 65_536  # bytes; such a body is read faster than handed to a thread


@router.get("/v2", responses=documented(), summary="Name the server and its extensions")
@router.get("/v2/", include_in_schema=False)
async def server_metadata() -> ServerMetadata:
    """Returns the server's name and version, and what it does beyond the protocol."""
    return ServerMetadata(name="holmdel", version=__version__, extensions=["binary_tensor_data"])


@router.get("/v2/health/live", responses=documented(), summary="Say that the server is there")
async def live() -> Live:
    """Returns that the server is there."""
    return Live(live=True)


@router.get("/v2/health/ready", responses=documented(), summary="Say whether it takes requests")
async def ready(request: Request) -> Ready:
    """Returns that the server takes requests."""
    _expect_open(services(request))
    return Ready(live=True, ready=True)


async def model_metadata(request: Request, name: str) -> ModelMetadata:
    """Returns a model's inputs and outputs."""
    model = _model(request, name)
    classes = len(model.classifier.classes)
    shapes = {"probabilities": [-1, classes], "logits": [-1, classes]}
    seen = [-1, *model.classifier.contract.input]
    return ModelMetadata.model_validate(
        {
            "name": model.name,
            "versions": [_VERSION],
            "platform": "holmdel",
            "inputs": [{"name": INPUT, "datatype": "FP32", "shape": seen}],
            "outputs": [
                {"name": name, "datatype": datatype, "shape": shapes.get(name, [-1])}
                for name, datatype in OUTPUTS.items()
            ],
        }
    )


async def model_ready(request: Request, name: str) -> ModelReady:
    """Returns that a model takes requests."""
    model = _model(request, name)
    _expect_open(services(request))
    return ModelReady(name=model.name, ready=True)


async def infer(
    request: Request,
    name: str,
    header_length: Annotated[
        str | None,
        Header(
            alias=_LENGTH,
            description="The length of the JSON that binary data follows.",
            json_schema_extra={"pattern": "^[0-9]+$"},
        ),
    ] = None,
    encoding: Annotated[
        str | None,
        Header(
            alias="Content-Encoding",
            description="How the body is compressed; an answer never is.",
            json_schema_extra={"enum": ["gzip", "deflate"]},
        ),
    ] = None,
) -> Response:
    """Returns a model's outputs for one input tensor."""
    shared, model = services(request), _model(request, name)
    body = await request.body()
    given = shared, model, body, encoding, header_length
    slow = encoding is not None or len(body) > _SHORT
    ask = await shared.run(_read, *given) if slow else _read(*given)
    outputs = outputs_of(shared, model, await logits_of(shared, model, ask.given))
    head = {"model_name": model.name, "model_version": _VERSION}
    written = write(head if ask.id is None else head | {"id": ask.id}, outputs, ask.wanted)
    if written.header_length is None:
        return Response(written.body, media_type="application/json")
    headers = {_LENGTH: str(written.header_length)}
    return Response(written.body, headers=headers, media_type="application/octet-stream")


def _add_model_routes() -> None:
    """Adds each route of a model twice: without and with a version."""
    documents: tuple[tuple[str, dict[str, Any]], ...] = (
        ("/v2/models/{name}", {}),
        ("/v2/models/{name}/versions/{version}", VERSION),
    )
    for path, extra in documents:
        router.get(
            path,
            responses=documented(404),
            openapi_extra=extra,
            summary="Describe a model's inputs and outputs",
        )(model_metadata)
        router.get(
            f"{path}/ready",
            responses=documented(404),
            openapi_extra=extra,
            summary="Say whether a model takes requests",
        )(model_ready)
        router.post(
            f"{path}/infer",
            responses=documented(404, 415, 422) | INFERENCE_ANSWER,
            openapi_extra=INFERENCE_BODY | extra,
            summary="Ask a model",
        )(infer)


_add_model_routes()


def _model(request: Request, name: str) -> Model:
    version = request.path_params.get("version", _VERSION)
    model = services(request).models.get(name)
    if version != _VERSION:
        raise Refusal(404, f"the model {name!r} has no version {version!r}; it has version 1")
    return model


def _expect_open(shared: Services) -> None:
    if shared.draining.is_set():
        raise Refusal(503, "the server is stopping; try another or later", retry_after=1)


def _read(
    shared: Services, model: Model, body: bytes, encoding: str | None, header_length: str | None
) -> Ask:
    contract, settings = model.classifier.contract, shared.settings
    plain = unpacked(body, encoding, settings.body_bytes)
    return read(split(plain, header_length), contract.input, contract.stored, settings.rows)
