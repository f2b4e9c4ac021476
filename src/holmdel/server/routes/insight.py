"""Routes that look inside a model: activations, kernels, units, saliency, occlusion."""

from importlib import resources
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Query, Request, Response

from holmdel.errors import UserError
from holmdel.insight import (
    Activation,
    encoded,
    explain,
    has_kernels,
    kernels,
    occlusion,
    plain,
    saliency,
    scaled,
    squares,
)
from holmdel.server.errors import error_responses
from holmdel.server.router import Router
from holmdel.server.routes import insight_schemas as schemas
from holmdel.server.routes.asking import (
    LayerName,
    Maps,
    ModelName,
    UnitName,
    asked,
    index_of,
    json_answer,
)
from holmdel.server.services import services
from holmdel.server.uploads import IMAGE_BODY
from holmdel.version import __version__

if TYPE_CHECKING:
    from holmdel.server.activation_cache import ImageActivations
    from holmdel.server.models import Model

router = Router()

MOST_UNITS = 4096  # of a vector that are shown
TOP = 3
WINDOW, STRIDE, SIDE = 5, 2, 28  # the occluding square's, for images of 28x28
MOST_MACS = 4e11  # of an occlusion: half a minute of one core

Target = Annotated[
    int | None, Query(alias="class", ge=0, description="A class's index; the predicted if none.")
]
_IMAGE_ERRORS = error_responses(404, 415, 422)


@router.get(
    "/v1/models",
    response_model=schemas.AllModels,
    responses=error_responses(),
    summary="List the models",
)
async def models(request: Request) -> Response:
    """Returns the models, the default, and whether strings can be read."""
    shared = services(request)
    return json_answer(
        {
            "models": [_model(model) for model in shared.models],
            "default": shared.models.default,
            "reader": _reader_state(),
            "version": __version__,
        }
    )


@router.post(
    "/v1/activations",
    response_model=schemas.ActivationsAnswer,
    responses=_IMAGE_ERRORS,
    openapi_extra=IMAGE_BODY,
    summary="Compute every layer's activations for an image",
)
async def activations(request: Request, model: ModelName = None, maps: Maps = 32) -> Response:
    """Returns what a network makes of an image, layer by layer, in float64 as bytes."""
    shared, found, content = await asked(request, model)
    return await shared.run(
        lambda: json_answer(_activations(shared.activations.get(found, content), maps))
    )


@router.get(
    "/v1/kernels",
    response_model=schemas.KernelsAnswer,
    responses=error_responses(404),
    summary="Show the kernels of a convolution",
)
async def layer_kernels(
    request: Request, layer: LayerName, model: ModelName = None, maps: Maps = 32
) -> Response:
    """Returns the kernels of a convolution; those that a map has not are zeros."""
    whole = kernels(services(request).models.get(model).network, layer)
    shown = whole[:maps, :maps]
    head = {"layer": layer, "shape": list(whole.shape), "shown": list(shown.shape[:2])}
    return json_answer(head | scaled(shown).to_json())


@router.post(
    "/v1/unit",
    response_model=schemas.UnitAnswer,
    responses=_IMAGE_ERRORS,
    openapi_extra=IMAGE_BODY,
    summary="Explain the value of one unit",
)
async def unit(
    request: Request,
    layer: LayerName,
    unit: UnitName,
    model: ModelName = None,
) -> Response:
    """Returns the patch, the kernel and the products of a unit, as 64-bit floats."""
    shared, found, content = await asked(request, model)
    index = index_of(unit)

    def work() -> Response:
        return json_answer(
            explain(shared.activations.get(found, content).layers, layer, index).to_json()
        )

    return await shared.run(work)


@router.post(
    "/v1/saliency",
    response_model=schemas.MapAnswer,
    responses=_IMAGE_ERRORS,
    openapi_extra=IMAGE_BODY,
    summary="Saliency: the gradient of a class's logit by each pixel",
)
async def gradient(request: Request, model: ModelName = None, target: Target = None) -> Response:
    """Returns the absolute gradient of a class's logit by each pixel of the network's input."""
    shared, found, content = await asked(request, model)

    def work() -> Response:
        look = shared.activations.get(found, content)
        at = int(look.layers.logits.argmax()) if target is None else target
        slopes = saliency(found.double, look.layers["input"].value, at)
        head = _map_head(found, at, look) | {"method": "gradient"}
        return json_answer(head | scaled(slopes).to_json())

    return await shared.run(work)


@router.post(
    "/v1/occlusion",
    response_model=schemas.OcclusionAnswer,
    responses=_IMAGE_ERRORS,
    openapi_extra=IMAGE_BODY,
    summary="Occlusion: the drop of a class's probability where the image is covered",
)
async def cover(
    request: Request,
    model: ModelName = None,
    target: Target = None,
    window: Annotated[
        int | None,
        Query(ge=1, le=1024, description="Side of the square; 5 of 28 pixels if none."),
    ] = None,
    stride: Annotated[
        int | None,
        Query(ge=1, le=1024, description="From one square to the next; 2 of 5 pixels if none."),
    ] = None,
) -> Response:
    """Returns the mean drop over all squares that cover a pixel."""
    shared, found, content = await asked(request, model)

    def work() -> Response:
        look = shared.activations.get(found, content)
        side, step = _square(look, window, stride)
        contract = found.classifier.contract
        result = occlusion(
            found.logits_of_input,
            look.input[0],
            target,
            window=side,
            stride=step,
            background=-contract.mean / contract.std,
        )
        head = _map_head(found, result.target, look) | {
            "method": "occlusion",
            "probability": plain(result.probability),
            "window": side,
            "stride": step,
        }
        return json_answer(head | scaled(result.drop).to_json())

    return await shared.run(work)


def _activations(look: "ImageActivations", maps: int) -> dict[str, Any]:
    classes = look.model.classifier.classes
    probabilities = look.layers.probabilities
    best = probabilities.topk(min(TOP, len(classes)))
    stored = look.stored[0]
    return {
        "model": look.model.name,
        "network": look.model.classifier.header.network,
        "classes": list(classes),
        "logits": plain(look.layers.logits),
        "probabilities": plain(probabilities),
        "top": [
            {"label": classes[index], "probability": plain(probability)}
            for index, probability in zip(best.indices.tolist(), best.values.tolist(), strict=True)
        ],
        "seen": {"shape": list(stored.shape), "data": encoded(stored)},
        "found": look.found,
        "layers": [_layer(layer, look, maps) for layer in look.layers.layers],
    }


def _layer(activation: Activation, look: "ImageActivations", maps: int) -> dict[str, Any]:
    row, value = activation.layer, activation.value
    shown = value[: MOST_UNITS if value.ndim == 1 else maps]
    return {
        "name": row.name,
        "kind": row.kind,
        "detail": row.detail,
        "inputs": list(row.inputs),
        "shape": list(value.shape),
        "shown": len(shown),
        **scaled(shown).to_json(),
        "receptive_field": row.receptive_field and row.receptive_field.to_json(),
        "explained": row.name in look.architecture.explained,
        "kernels": has_kernels(activation.module),
    }


def _square(look: "ImageActivations", window: int | None, stride: int | None) -> tuple[int, int]:
    """Returns the side of the occluding square and its stride.

    Raises:
        UserError: if covering with it takes too long.
    """
    size = look.input.shape[2:]
    side = round(min(size) * WINDOW / SIDE) if window is None else window
    side = max(1, side)
    step = max(1, round(side * STRIDE / WINDOW)) if stride is None else stride
    looks = len(squares(size, side, step))
    macs = looks * look.architecture.anatomy.totals.macs
    if macs > MOST_MACS:
        raise UserError(
            f"a square of {side} pixels at a stride of {step} is {looks} looks of this network, "
            f"{macs:.1e} multiplications; give a window and a stride so that there are at most "
            f"{int(looks * MOST_MACS / macs)}"
        )
    return side, step


def _map_head(model: "Model", target: int, look: "ImageActivations") -> dict[str, Any]:
    classes = model.classifier.classes
    if target >= len(classes):
        raise UserError(f"class was given as {target}; expected 0 to {len(classes) - 1}")
    return {"class": target, "label": classes[target], "shape": list(look.input.shape[2:])}


def _model(model: "Model") -> dict[str, Any]:
    header = model.classifier.header
    return {
        "name": model.name,
        "network": header.network,
        "classes": list(header.classes),
        "input": list(header.image.input),
        "stored": list(header.image.stored),
        "framing": header.image.framing,
        "parameters": model.parameters,
        "source": model.source,
        "data": model.data_name,
        "engine": model.engine,
    }


def _reader_state() -> dict[str, Any]:
    """Returns whether a reader ships, without loading it."""
    there = (resources.files("holmdel") / "weights" / "reader.safetensors").is_file()
    return {"available": there, "why": None if there else "no reader ships with this version"}
