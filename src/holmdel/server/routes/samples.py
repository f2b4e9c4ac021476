"""Routes for images of the data sets on this machine: `/v1/samples` and `/v1/sample`."""

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from fastapi import Query, Request, Response
from PIL import Image
from torch import Tensor

from holmdel import samples
from holmdel.errors import UserError
from holmdel.server.errors import RequestError, error_responses
from holmdel.server.router import Router
from holmdel.server.routes.asking import png_url
from holmdel.server.routes.insight_schemas import SamplesAnswer
from holmdel.server.services import services

if TYPE_CHECKING:
    from holmdel.server.models import Model

router = Router()

DataName = Annotated[
    str | None,
    Query(max_length=100, description="A data set's name; if none, one that the model knows."),
]
ModelName = Annotated[
    str | None, Query(description="A model's name, where no data set is; the first if none.")
]
Size = tuple[int, int, int]


class _NoDataError(RequestError):
    """No data set that a model knows is here."""


@router.get(
    "/v1/samples",
    response_model=SamplesAnswer,
    responses=error_responses(404),
    summary="Draw images of a data set",
)
async def some(
    request: Request,
    model: ModelName = None,
    data: DataName = None,
    count: Annotated[int, Query(ge=1, le=200, description="How many at most.")] = 24,
    seed: Annotated[int, Query(ge=0, lt=2**31, description="Another gives others.")] = 0,
) -> Response:
    """Returns images of a test split, each class as often as the next; nothing is downloaded.

    None where no data set that the model knows is here.
    """
    shared = services(request)
    found = None if data is not None else shared.models.get(model)

    def work() -> str:
        try:
            name, size = _chosen(found, data)
        except _NoDataError:
            return json.dumps({"data": None, "samples": []})
        drawn = [
            {
                "index": sample.index,
                "label": sample.label,
                "picture": png_url(_png(sample.image)),
            }
            for sample in samples.draw(name, count, seed, size)
        ]
        return json.dumps({"data": Path(name).name, "samples": drawn})

    return Response(await shared.run(work), media_type="application/json")


@router.get(
    "/v1/sample",
    responses=error_responses(404)
    | {200: {"description": "The image.", "content": {"image/png": {}}}},
    response_class=Response,
    summary="Show one image of a data set",
)
async def one(
    request: Request,
    index: Annotated[int, Query(ge=0, lt=2**31, description="Its place in the test split.")],
    model: ModelName = None,
    data: DataName = None,
) -> Response:
    """Returns one image of a test split as a PNG in the stored form."""
    shared = services(request)
    found = None if data is not None else shared.models.get(model)

    def work() -> bytes:
        name, size = _chosen(found, data)
        try:
            return _png(samples.sample(name, index, size).image)
        except UserError as error:
            raise RequestError(404, str(error)) from None

    return Response(await shared.run(work), media_type="image/png")


def _chosen(model: "Model | None", data: str | None) -> tuple[str, Size | None]:
    """Returns the name of the data set that is meant, and the size a folder's images get.

    A name from a request is looked up among the sets that are here, never used as a path.

    Raises:
        RequestError: 404 if there is no such set, or none here for the model (`_NoDataError`).
    """
    if model is None:
        here = [found.name for found in samples.named_sets() if found.here]
        if data not in here:
            raise RequestError(
                404, f"there is no data set {data!r} on this machine; choose from {', '.join(here)}"
            )
        return data, None
    contract = model.classifier.contract
    try:
        name = samples.set_for(model.classifier.classes, model.data, contract.stored)
    except UserError as error:
        raise _NoDataError(404, str(error)) from None
    return name, contract.stored


def _png(image: Tensor) -> bytes:
    """Returns uint8 (C, H, W) as the bytes of a PNG file."""
    pixels = image.permute(1, 2, 0).numpy()
    file = io.BytesIO()
    Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).save(file, "PNG")
    return file.getvalue()
