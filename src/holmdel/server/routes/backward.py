"""Routes for the way back: a loss, its gradients, the sums that these are, a step of training."""

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Query, Request, Response
from pydantic import BaseModel, Field

from holmdel.insight.backward import Gradients, Term, gradients, has_step, step, terms
from holmdel.insight.scaling import plain, scaled
from holmdel.server.errors import error_responses
from holmdel.server.router import Router
from holmdel.server.routes.asking import (
    LayerName,
    Maps,
    ModelName,
    UnitName,
    asked,
    index_of,
    json_answer,
)
from holmdel.server.routes.insight_schemas import Bytes
from holmdel.server.uploads import IMAGE_BODY

if TYPE_CHECKING:
    from holmdel.server.activation_cache import ImageActivations

router = Router()

_ERRORS = error_responses(404, 415, 422)
Truth = Annotated[int, Query(alias="class", ge=0, description="The index of the true class.")]


class GradientsOfLayer(Bytes):
    """The loss by a layer's values: the first `shown` maps of `shape`, or units."""

    name: str
    shape: list[int]
    shown: int


class GradientsAnswer(BaseModel):
    """The loss of the true class and its gradients; null for what is no finite number."""

    class_: int = Field(alias="class")
    label: str
    loss: float | None
    probabilities: list[float | None]
    layers: list[GradientsOfLayer]


class TermAnswer(BaseModel):
    """What a unit behind hands back: its gradient times the slope between the two."""

    layer: str
    unit: list[int]
    gradient: float | None
    weight: float | None


class BackwardAnswer(BaseModel):
    """A unit's gradient as the sum of its terms; `weights`: whether /v1/step has its weights."""

    layer: str
    kind: str
    unit: list[int]
    gradient: float | None
    output: bool = Field(description="Of a logit: its probability less the truth.")
    weights: bool
    terms: list[TermAnswer]


class WeightAnswer(BaseModel):
    """One weight's gradient as a sum: what it saw times the gradient there, place by place."""

    plane: int
    at: list[int]
    gradient: float | None
    seen: list[float | None]
    slopes: list[float | None]


class StepAnswer(BaseModel):
    """The weights of a unit, (I, K, K), before and after a step: after = before - rate gradient."""

    layer: str
    unit: list[int]
    rate: float
    before: Any
    gradient: Any
    after: Any
    weight: WeightAnswer


@router.post(
    "/v1/gradients",
    response_model=GradientsAnswer,
    responses=_ERRORS,
    openapi_extra=IMAGE_BODY,
    summary="Compute the gradients of a loss by every layer",
)
async def all_gradients(
    request: Request, target: Truth, model: ModelName = None, maps: Maps = 32
) -> Response:
    """Returns the cross entropy of an image's true class, and its gradients in float64 as bytes."""
    shared, found, content = await asked(request, model)

    def work() -> Response:
        look = shared.activations.get(found, content)
        slopes = _gradients(look, target)
        layers = [_layer(name, slope, maps) for name, slope in slopes.layers.items()]
        head = {"class": target, "label": found.classifier.classes[target]}
        loss = {"loss": plain(slopes.loss), "probabilities": plain(look.layers.probabilities)}
        return json_answer(head | loss | {"layers": layers})

    return await shared.run(work)


@router.post(
    "/v1/backward",
    response_model=BackwardAnswer,
    responses=_ERRORS,
    openapi_extra=IMAGE_BODY,
    summary="Explain the gradient of one unit",
)
async def unit_backward(
    request: Request, layer: LayerName, unit: UnitName, target: Truth, model: ModelName = None
) -> Response:
    """Returns the gradient of a unit, and what each unit behind it adds to that."""
    shared, found, content = await asked(request, model)
    index = index_of(unit)

    def work() -> Response:
        look = shared.activations.get(found, content)
        return json_answer(_backward(look, _gradients(look, target), layer, index))

    return await shared.run(work)


@router.post(
    "/v1/step",
    response_model=StepAnswer,
    responses=_ERRORS,
    openapi_extra=IMAGE_BODY,
    summary="Show a unit's weights before and after one step",
)
async def one_step(
    request: Request,
    layer: LayerName,
    unit: UnitName,
    target: Truth,
    rate: Annotated[float, Query(ge=0, le=1000, description="The learning rate.")] = 0.1,
    model: ModelName = None,
) -> Response:
    """Returns a kernel before and after a step of gradient descent on this image alone."""
    shared, found, content = await asked(request, model)
    index = index_of(unit)

    def work() -> Response:
        look = shared.activations.get(found, content)
        done = step(_gradients(look, target), layer, index[0], rate)
        weight = {
            "plane": done.at[0],
            "at": list(done.at[1:]),
            "gradient": plain(float(done.gradient[done.at])),
            "seen": plain(done.seen),
            "slopes": plain(done.slopes),
        }
        kernels = {name: plain(getattr(done, name)) for name in ("before", "gradient", "after")}
        return json_answer(
            {"layer": layer, "unit": list(index), "rate": rate, **kernels, "weight": weight}
        )

    return await shared.run(work)


def _gradients(look: "ImageActivations", target: int) -> Gradients:
    return gradients(look.model.double, look.layers, target)


def _layer(name: str, slope: Any, maps: int) -> dict[str, Any]:
    shown = slope if slope.ndim == 1 else slope[:maps]
    return {
        "name": name,
        "shape": list(slope.shape),
        "shown": len(shown),
        **scaled(shown).to_json(),
    }


def _backward(
    look: "ImageActivations", found: Gradients, layer: str, index: tuple[int, ...]
) -> dict[str, Any]:
    activation = look.layers[layer]
    activation.expect(index)
    slope = found.layers.get(layer)
    last = activation is look.layers.layers[-1]
    if last:
        share = float(look.layers.probabilities[index])
        truth = float(index[0] == found.target)
        parts = [Term(layer, index, share - truth, 1.0)]
    else:
        parts = terms(found, layer, index)
    return {
        "layer": layer,
        "kind": activation.layer.kind,
        "unit": list(index),
        "gradient": None if slope is None else plain(float(slope[index])),
        "output": last,
        "weights": has_step(activation),
        "terms": [_term(part) for part in parts],
    }


def _term(term: Term) -> dict[str, Any]:
    return {
        "layer": term.layer,
        "unit": list(term.index),
        "gradient": plain(term.gradient),
        "weight": plain(term.weight),
    }
