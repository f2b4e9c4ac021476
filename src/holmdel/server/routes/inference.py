"""Routes of the Open Inference Protocol, version 2, with the binary tensor data extension.

github.com/kserve/open-inference-protocol, specification/protocol/inference_rest.md; the extension
is docs/protocol/extension_binary_data.md of github.com/triton-inference-server/server.
"""

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import torch
from fastapi import APIRouter, Header, Request, Response
from torch import Tensor

from holmdel.errors import UserError
from holmdel.server.errors import RequestError, error_responses, image_error
from holmdel.server.protocol.request import INPUT, Ask, Given, read, split, unpacked
from holmdel.server.protocol.schemas import (
    INFERENCE_ANSWER,
    INFERENCE_BODY,
    VERSION,
    Live,
    ModelMetadata,
    ModelReady,
    Ready,
    ServerMetadata,
)
from holmdel.server.protocol.tensors import OUTPUTS, Output, write
from holmdel.server.services import Services, services
from holmdel.server.uploads import examined, framed, stored_form
from holmdel.version import __version__

if TYPE_CHECKING:
    from holmdel.server.models import Model

router = APIRouter()

_VERSION = "1"
_LENGTH = "Inference-Header-Content-Length"
_SHORT = 65_536  # bytes; such a body is read faster than handed to a thread


@router.get("/v2", responses=error_responses(), summary="Name the server and its extensions")
@router.get("/v2/", include_in_schema=False)
async def server_metadata() -> ServerMetadata:
    """Returns the server's name and version, and what it does beyond the protocol."""
    return ServerMetadata(name="holmdel", version=__version__, extensions=["binary_tensor_data"])


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
    """Returns that a model accepts requests."""
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
    outputs = _outputs_of(shared, model, await _logits_of(shared, model, ask.given))
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
            responses=error_responses(404),
            openapi_extra=extra,
            summary="Describe a model's inputs and outputs",
        )(model_metadata)
        router.get(
            f"{path}/ready",
            responses=error_responses(404),
            openapi_extra=extra,
            summary="Health: a model accepts requests",
        )(model_ready)
        router.post(
            f"{path}/infer",
            responses=error_responses(404, 415, 422) | INFERENCE_ANSWER,
            openapi_extra=INFERENCE_BODY | extra,
            summary="Run a model on an input tensor",
        )(infer)


_add_model_routes()


def _model(request: Request, name: str) -> "Model":
    version = request.path_params.get("version", _VERSION)
    model = services(request).models.get(name)
    if version != _VERSION:
        raise RequestError(
            404, f"the model {name!r} has no version {version!r}; its only version is 1"
        )
    return model


def _expect_open(shared: Services) -> None:
    if shared.draining.is_set():
        raise RequestError(503, "the server is stopping; try again later", retry_after=1)


def _read(
    shared: Services, model: "Model", body: bytes, encoding: str | None, header_length: str | None
) -> Ask:
    contract, settings = model.classifier.contract, shared.settings
    plain = unpacked(body, encoding, settings.body_bytes)
    return read(split(plain, header_length), contract.input, contract.stored, settings.rows)


async def _logits_of(shared: Services, model: "Model", given: Given) -> Tensor:
    """Returns a model's logits for an input, float32 (N, classes).

    Args:
        shared: the server's services.
        model: whose network computes them.
        given: float32 (N, C, H, W) as the network sees it, uint8 in the stored form, or images.

    Raises:
        RequestError: for an image that cannot be used, numbers too large for the network, or if too
            many wait.
    """
    if isinstance(given, list):
        answers = [await _ask(shared, model, await _images(shared, model, given))]
    else:
        # In parts, as one large request would fill the queue for all others.
        size = min(model.classifier.contract.batch_size, shared.settings.batch)
        parts = torch.split(torch.from_numpy(given), size)
        answers = [await _ask(shared, model, part) for part in parts]
    logits = torch.cat(answers)
    if not bool(logits.isfinite().all()):
        raise RequestError(
            400, "the network's outputs for this input are not finite; give smaller numbers"
        )
    return logits


def _outputs_of(shared: Services, model: "Model", logits: Tensor) -> dict[str, Output]:
    """Returns all outputs by name, and counts the predicted classes.

    Args:
        shared: the server's services.
        model: whose logits they are.
        logits: float32 (N, classes).
    """
    probabilities = logits.softmax(dim=1)
    index = probabilities.argmax(dim=1)
    labels = [model.classifier.classes[i] for i in index.tolist()]
    for label, count in Counter(labels).items():
        shared.metrics.predictions.labels(model.name, label).inc(count)
    return {
        "probabilities": probabilities.numpy(),
        "logits": logits.numpy(),
        "index": index.numpy(),
        "label": labels,
    }


async def _ask(shared: Services, model: "Model", images: Tensor) -> Tensor:
    try:
        return (await shared.batcher.ask(model, images)).logits
    except UserError as error:
        raise image_error(error) from None


async def _images(shared: Services, model: "Model", files: list[bytes]) -> Tensor:
    """Returns encoded images in the stored form, uint8 (N, C, H, W)."""
    settings = shared.settings
    if len(files) > settings.images:
        raise RequestError(
            413, f"the tensor has {len(files)} images, and at most {settings.images} are allowed; "
            "send them in several requests"
        )  # fmt: skip
    uploads = [
        examined(f"image {place}", content, settings.pixels) for place, content in enumerate(files)
    ]
    for upload in uploads:
        if upload.error:
            raise upload.error
    if len(uploads) == 1:
        return (await framed(shared, model, uploads[0])).image
    return torch.cat([(await shared.run(stored_form, model, upload)).image for upload in uploads])
