"""Routes that classify an image and read the digits on it: `/v1/classify` and `/v1/read`."""

import json
from math import exp
from typing import TYPE_CHECKING, Annotated, Any

import torch
from fastapi import Query, Request, Response
from pydantic import BaseModel
from torch import Tensor

from holmdel.classifier import nothing_on
from holmdel.errors import UserError
from holmdel.images.framing import Framed
from holmdel.server.beside import BESIDE, reader_of
from holmdel.server.errors import RequestError, error_responses, image_error
from holmdel.server.router import Direct, Router
from holmdel.server.services import Services, services
from holmdel.server.uploads import (
    IMAGE_BODY,
    Upload,
    framed,
    image_body,
    image_pages,
    sent,
    stored_form,
)

if TYPE_CHECKING:
    from holmdel.reading import Reader
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


class Unusable(BaseModel):
    """An image that could not be used, and why."""

    path: str
    error: str


class ReadDigit(BaseModel):
    """A digit of a line; the box is x, y, width and height in pixels."""

    char: str
    confidence: float
    box: list[int]


class ReadLine(BaseModel):
    """A string of digits; `raw` has the marks between them where the pattern has any.

    `value` is what it is worth, such as cents or a date; `field` the name of its field.
    """

    field: str | None = None
    text: str
    raw: str | None = None
    value: dict[str, Any] | None = None
    confidence: float
    status: str
    box: list[int]
    digits: list[ReadDigit]


class SkippedPart(BaseModel):
    """What was seen on an image and not read, and why."""

    field: str | None = None
    box: list[int]
    reason: str


class ReadImage(BaseModel):
    """The strings on one image, as `holmdel read --format jsonl` prints them.

    `page` is the number of the page in a file of several, from 1; `record` what a file of cheques
    says of the item, and `agrees` whether the amount on it is that.
    """

    path: str
    page: int | None = None
    record: dict[str, Any] | None = None
    agrees: bool | None = None
    lines: list[ReadLine]
    skipped: list[SkippedPart] = []


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


@router.post(
    "/v1/read",
    response_model=ReadImage | list[ReadImage | Unusable],
    responses=_IMAGE_ERRORS,
    openapi_extra=image_body(*BESIDE),
    summary="Read the digits on an image",
)
async def read(
    request: Request,
    pattern: Annotated[
        str, Query(max_length=200, description="What may be written, as for `holmdel read`.")
    ] = "digits",
    lines: Annotated[bool, Query(description="The image is one line.")] = False,
    max_error: Annotated[
        float, Query(ge=0, le=1, description="The part of strings that may be read wrongly.")
    ] = 0.01,
) -> Response:
    """Returns an image's strings of digits, or an array of such for several files or pages.

    A form may have, beside the images, the files `template` and `reference` of a form, whose fields
    are read, or the file `codes`, a list of what may be written.
    """
    shared = services(request)
    files, beside = await sent(request, *BESIDE)
    uploads = await image_pages(shared, files, cheques=True)
    made = await shared.pages.run(reader_of, beside, pattern, lines, max_error)
    if len(uploads) == 1:
        return _json(await _reading(shared, made, uploads[0]))
    readings = []
    for upload in uploads:
        try:
            readings.append(await _reading(shared, made, upload))
        except RequestError as error:
            readings.append(_unusable(upload, error))
    return _json(readings)


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
            outcomes.append(_unusable(upload, error))
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


async def _reading(shared: Services, reader: "Reader", upload: Upload) -> dict[str, Any]:
    """Returns what `read` prints of an image.

    Raises:
        RequestError: if it cannot be used, or too many wait.
    """
    if upload.error:
        raise upload.error
    try:
        found = await shared.pages.run(reader.read, upload.image)
    except UserError as error:
        raise image_error(error) from None
    for line in found.lines:
        shared.metrics.lines.labels(line.status).inc()
    return found.to_json() | {"path": upload.name}


def _unusable(upload: Upload, error: RequestError) -> dict[str, Any]:
    """Returns what stands for an image that cannot be used; raises what is not its fault."""
    if error.status == 503:
        raise error
    return {"path": upload.name, "error": str(error)}


def _json(values: Any) -> Response:
    return Response(json.dumps(values), media_type="application/json")
