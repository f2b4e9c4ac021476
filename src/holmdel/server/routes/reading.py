"""Routes that read the digits on an image: `/v1/read`, and `/v1/read/inside`, which shows how."""

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Query, Request, Response
from pydantic import BaseModel, Field

from holmdel.errors import UserError
from holmdel.server.beside import BESIDE, reader_of
from holmdel.server.errors import RequestError, error_responses, image_error
from holmdel.server.router import Direct, Router
from holmdel.server.routes.asking import Unusable, in_text, json_answer, png_url, unusable
from holmdel.server.services import Services, services
from holmdel.server.uploads import Upload, image_body, image_pages, page_of, sent

if TYPE_CHECKING:
    from holmdel.reading import Reader, Reading

router = Router(route_class=Direct)

Written = Annotated[
    str, Query(max_length=200, description="What may be written, as for `holmdel read`.")
]
OneLine = Annotated[bool, Query(description="The image is one line.")]
Wrong = Annotated[
    float, Query(ge=0, le=1, description="The part of strings that may be read wrongly.")
]


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


class PlacedDigit(BaseModel):
    """A digit of the answer, and the first and the last step at which it stands."""

    char: str
    first: int
    last: int


class Likely(BaseModel):
    """What a line may say, and how probable that is: the mean of all views."""

    text: str
    probability: float


class InsideLine(BaseModel):
    """How the network read a line, in its first view; of a comb in one go, not cell by cell.

    The picture is the line as the network sees it, 32 rows. At each step, every two columns, it
    says how probable each character is there; the last, an empty text, stands for nothing.
    """

    text: str
    box: list[int]
    picture: str = Field(description="base64, a byte a pixel, dark ink on white, 32 rows.")
    width: int = Field(description="Columns of the picture.")
    characters: list[str]
    steps: list[list[float]] = Field(description="For each step a probability a character.")
    digits: list[PlacedDigit]
    texts: list[Likely] = Field(description="The answer first.")
    views: int = Field(description="How many views of the line were read.")


class StepPicture(BaseModel):
    """A picture of what was done before lines were read."""

    name: str
    picture: str = Field(description="A PNG image as a data URL.")


class Inside(BaseModel):
    """How an image was read."""

    lines: list[InsideLine]
    pictures: list[StepPicture]


_OF_THE_PAGE = ("light", "clean", "lines", "fields", "form")  # pictures of the steps to its lines
_IMAGE_ERRORS = error_responses(404, 415, 422)


@router.post(
    "/v1/read",
    response_model=ReadImage | list[ReadImage | Unusable],
    responses=_IMAGE_ERRORS,
    openapi_extra=image_body(*BESIDE),
    summary="Read the digits on an image",
)
async def read(
    request: Request,
    pattern: Written = "digits",
    lines: OneLine = False,
    max_error: Wrong = 0.01,
) -> Response:
    """Returns an image's strings of digits, or an array of such for several files or pages.

    A form may have, beside the images, the files `template` and `reference` of a form, whose fields
    are read, or the file `codes`, a list of what may be written.
    """
    shared = services(request)
    made, uploads = await _asked(request, pattern, lines, max_error)
    if len(uploads) == 1:
        return json_answer(await _reading(shared, made, uploads[0]))
    readings = []
    for upload in uploads:
        try:
            readings.append(await _reading(shared, made, upload))
        except RequestError as error:
            readings.append(unusable(upload, error))
    return json_answer(readings)


@router.post(
    "/v1/read/inside",
    response_model=Inside,
    responses=_IMAGE_ERRORS,
    openapi_extra=image_body(*BESIDE),
    summary="See how the digits on an image are read",
)
async def inside(
    request: Request,
    pattern: Written = "digits",
    lines: OneLine = False,
    max_error: Wrong = 0.01,
    number: Annotated[int, Query(alias="page", ge=1, description="From 1.")] = 1,
) -> Response:
    """Returns for each line of `/v1/read` what the network said of it, step by step."""
    shared = services(request)
    made, uploads = await _asked(request, pattern, lines, max_error)
    found = await _read(shared, made, page_of(uploads, number), steps=True)
    return json_answer(await shared.pages.run(_inside, found))


async def _asked(
    request: Request, pattern: str, lines: bool, max_error: float
) -> tuple["Reader", list[Upload]]:
    """Returns what reads as a request asks, and the images and pages that it sent."""
    shared = services(request)
    files, beside = await sent(request, *BESIDE)
    uploads = await image_pages(shared, files, cheques=True)
    return await shared.pages.run(reader_of, beside, pattern, lines, max_error), uploads


def _inside(found: "Reading") -> dict[str, Any]:
    """Returns how an image was read, as JSON-ready values."""
    from holmdel.reading.answers import to_png

    lines = [
        {"text": line.text, "box": list(line.box)}
        | line.look.to_json()
        | {"picture": in_text(line.look.picture.tobytes())}
        for line in found.lines
        if line.look is not None
    ]
    steps = [step for step in found.steps if step[0] in _OF_THE_PAGE]
    pictures = [{"name": name, "picture": png_url(to_png(pixels))} for name, pixels in steps]
    return {"lines": lines, "pictures": pictures}


async def _reading(shared: Services, reader: "Reader", upload: Upload) -> dict[str, Any]:
    """Returns what `read` prints of an image; counts its lines.

    Raises:
        RequestError: if it cannot be used, or too many wait.
    """
    found = await _read(shared, reader, upload)
    for line in found.lines:
        shared.metrics.lines.labels(line.status).inc()
    return found.to_json() | {"path": upload.name}


async def _read(
    shared: Services, reader: "Reader", upload: Upload, *, steps: bool = False
) -> "Reading":
    """Returns what stands on an image; raises as `_reading`."""
    if upload.error:
        raise upload.error
    try:
        return await shared.pages.run(partial(reader.read, upload.image, steps=steps))
    except UserError as error:
        raise image_error(error) from None
