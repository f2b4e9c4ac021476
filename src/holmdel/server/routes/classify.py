"""The route that classifies images: `/v1/classify`."""

import json
from math import exp
from typing import TYPE_CHECKING, Annotated, Any

import torch
from fastapi import Query, Request, Response
from pydantic import BaseModel
from torch import Tensor

from holmdel.classifier import nothing_on
from holmdel.images.framing import Framed
from holmdel.server.errors import RequestError, error_responses
from holmdel.server.router import Direct, Router
from holmdel.server.routes.asking import Unusable, unusable
from holmdel.server.services import Services, services
from holmdel.server.uploads import (
    IMAGE_BODY,
    Upload,
    framed,
    image_pages,
    sent,
    stored_form,
)

if TYPE_CHECKING:
    from holmdel.server.models import Model


router = Router(route_class=Direct)


class Probability(BaseModel):
    """A class and its probability."""

    label: str
    probability: float


class Classified(BaseModel):
    """What a network says of one image, as `holmdel predict --format jsonl` prints it.

    `found` is `one`, or `several` where the largest digit of several is named.
    """

    path: str
    page: int | None = None
    label: str
    index: int
    probability: float
    top: list[Probability]
    found: str


_IMAGE_ERRORS = error_responses(404, 415, 422)


@router.post(
    "/v1/classify",
    response_model=Classified | list[Classified | Unusable],
    responses=_IMAGE_ERRORS,
    openapi_extra=IMAGE_BODY,
    summary="Classify an image",
)
async def classify(
    request: Request,
    model: Annotated[str | None, Query(description="A model's name; the first if none.")] = None,
    top: Annotated[int, Query(ge=1, le=1000, description="How many classes to name.")] = 3,
) -> Response:
    """Returns an image's prediction, or an array of them for several files or pages."""
    shared = services(request)
    found = shared.models.get(model)
    uploads = await image_pages(shared, (await sent(request)).images)
    with found.statistics.request():
        if len(uploads) == 1:
            return _json(await _prediction(shared, found, uploads[0], top))
        return _json(await _predictions(shared, found, uploads, top))


async def _prediction(shared: Services, model: "Model", upload: Upload, top: int) -> dict[str, Any]:
    """Returns what `predict` prints of an image.

    Raises:
        RequestError: if it cannot be used, nothing is on it, or too many wait.
    """
    seen = _with_something(upload, await framed(shared, model, upload))
    answer = await shared.batcher.ask(model, seen.image)
    return _named(shared, model, upload, answer.logits.view(-1), top) | {"found": seen.found}


def _with_something(upload: Upload, seen: Framed) -> Framed:
    """Returns what was framed; raises where nothing was found."""
    if seen.found == "nothing":
        named = "the image" if upload.name == "-" else upload.name
        raise RequestError(422, nothing_on(named))
    return seen


async def _predictions(
    shared: Services, model: "Model", uploads: list[Upload], top: int
) -> list[dict[str, Any]]:
    """Returns what `predict` prints of several images; they go through the network together.

    Raises:
        RequestError: if too many wait.
    """
    outcomes: list[Framed | dict[str, Any]] = []
    for upload in uploads:
        try:
            seen = await shared.run(stored_form, model, upload)
            outcomes.append(_with_something(upload, seen))
        except RequestError as error:
            outcomes.append(unusable(upload, error))
    usable = [outcome.image for outcome in outcomes if isinstance(outcome, Framed)]
    logits = (await shared.batcher.ask(model, torch.cat(usable))).logits if usable else ()
    rows = iter(logits)
    return [
        _named(shared, model, upload, next(rows), top) | {"found": outcome.found}
        if isinstance(outcome, Framed)
        else outcome
        for upload, outcome in zip(uploads, outcomes, strict=True)
    ]


def _named(
    shared: Services, model: "Model", upload: Upload, logits: Tensor, top: int
) -> dict[str, Any]:
    """Returns what `predict` prints of logits (classes,), and counts the class."""
    # By hand: for ten classes torch and NumPy take longer to be asked than to answer.
    said = logits.tolist()
    largest = max(said)
    shares = [exp(value - largest) for value in said]
    whole = sum(shares)
    order = sorted(range(len(said)), key=said.__getitem__, reverse=True)[:top]
    header = model.classifier.header
    classes = header.classes
    best = [{"label": classes[i], "probability": shares[i] / whole} for i in order]
    others = sum(share for at, share in enumerate(shares) if at != order[0])
    label, index = header.named(order[0], others / whole)
    shared.metrics.named(model.name, label)
    return {
        "path": upload.name,
        **({} if upload.page is None else {"page": upload.page}),
        "label": label,
        "index": index,
        "probability": best[0]["probability"],
        "top": best,
    }


def _json(values: Any) -> Response:
    return Response(json.dumps(values), media_type="application/json")
