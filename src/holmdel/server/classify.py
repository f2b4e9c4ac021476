"""What is on a picture, and which digits are written on it: `POST /v1/classify` and `/v1/read`."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from holmdel.classifier import Failure
from holmdel.errors import UserError
from holmdel.reading import Reading
from holmdel.server.models import Model
from holmdel.server.refusals import Refusal, documented
from holmdel.server.services import Services, reader, services
from holmdel.server.uploads import PICTURE_BODY, Upload, pictures, unusable

router = APIRouter()


class Probability(BaseModel):
    """A class and its probability."""

    label: str
    probability: float


class Classified(BaseModel):
    """What a network says of one picture, as `holmdel predict --format jsonl` prints it."""

    path: str
    label: str
    index: int
    probability: float
    top: list[Probability]


class Unusable(BaseModel):
    """A picture that could not be used, and why."""

    path: str
    error: str


class ReadDigit(BaseModel):
    """A digit of a line; the box is x, y, width and height in pixels."""

    char: str
    confidence: float
    box: list[int]


class ReadLine(BaseModel):
    """A string of digits; `raw` has the marks between them where the pattern has any."""

    text: str
    raw: str | None = None
    confidence: float
    status: str
    box: list[int]
    digits: list[ReadDigit]


class ReadPicture(BaseModel):
    """The strings on one picture, as `holmdel read --format jsonl` prints them."""

    path: str
    lines: list[ReadLine]


_PICTURE_ERRORS = documented(404, 415, 422)


@router.post(
    "/v1/classify",
    response_model=Classified | list[Classified | Unusable],
    responses=_PICTURE_ERRORS,
    openapi_extra=PICTURE_BODY,
    summary="Name what is on a picture",
)
async def classify(
    request: Request,
    model: Annotated[str | None, Query(description="A model's name; the first if none.")] = None,
    top: Annotated[int, Query(ge=1, le=1000, description="How many classes to name.")] = 3,
) -> Response:
    """Returns a picture's prediction, or an array of them for several files."""
    shared = services(request)
    found = shared.models.get(model)
    uploads = await pictures(request)
    if len(uploads) == 1:
        return _json(await _prediction(shared, found, uploads[0], top))
    return _json([await _or_error(shared, found, upload, top) for upload in uploads])


@router.post(
    "/v1/read",
    response_model=ReadPicture | list[ReadPicture | Unusable],
    responses=_PICTURE_ERRORS,
    openapi_extra=PICTURE_BODY,
    summary="Read the strings of digits on a picture",
)
async def read(
    request: Request,
    pattern: Annotated[
        str, Query(max_length=200, description="What may be written, as for `holmdel read`.")
    ] = "digits",
    lines: Annotated[bool, Query(description="The picture is one line.")] = False,
    max_error: Annotated[
        float, Query(ge=0, le=1, description="The part of strings that may be read wrongly.")
    ] = 0.01,
) -> Response:
    """Returns a picture's strings of digits, or an array of such for several files."""
    shared = services(request)
    uploads = await pictures(request)
    made = await shared.run(reader, pattern, lines, max_error)
    usable = [upload for upload in uploads if upload.refusal is None]
    read = iter(await shared.run(lambda: list(made.read_each([u.content for u in usable]))))
    results: list[dict[str, Any] | Refusal] = []
    for upload in uploads:
        results.append(upload.refusal or _reading(shared, upload, next(read)))
    if len(results) == 1:
        if isinstance(results[0], Refusal):
            raise results[0]
        return _json(results[0])
    return _json(
        [
            {"path": upload.name, "error": str(result)} if isinstance(result, Refusal) else result
            for upload, result in zip(uploads, results, strict=True)
        ]
    )


async def _or_error(shared: Services, model: Model, upload: Upload, top: int) -> dict[str, Any]:
    try:
        return await _prediction(shared, model, upload, top)
    except Refusal as error:
        if error.status == 503:
            raise
        return {"path": upload.name, "error": str(error)}


async def _prediction(shared: Services, model: Model, upload: Upload, top: int) -> dict[str, Any]:
    """Returns what `predict` prints of a picture.

    Raises:
        Refusal: if it cannot be used, or too many wait.
    """
    if upload.refusal:
        raise upload.refusal
    try:
        given = upload.content if upload.small else await shared.run(model.framed, upload.content)
        answer = await shared.batcher.ask(model, given)
    except UserError as error:
        raise unusable(error) from None
    classes = model.classifier.classes
    values, indices = answer.logits[0].softmax(dim=0).topk(min(top, len(classes)))
    best: list[dict[str, Any]] = [
        {"label": classes[i], "probability": p}
        for i, p in zip(indices.tolist(), values.tolist(), strict=True)
    ]
    shared.metrics.predictions.labels(model.name, best[0]["label"]).inc()
    return {
        "path": upload.name,
        "label": best[0]["label"],
        "index": int(indices[0]),
        "probability": best[0]["probability"],
        "top": best,
    }


def _reading(
    shared: Services, upload: Upload, found: Reading | Failure
) -> dict[str, Any] | Refusal:
    if isinstance(found, Failure):
        return Refusal(422, found.error)
    for line in found.lines:
        shared.metrics.lines.labels(line.status).inc()
    return found.to_json() | {"path": upload.name}


def _json(values: Any) -> Response:
    return Response(json.dumps(values), media_type="application/json")
