"""The pictures of a request: its raw body, or the files of a form."""

from dataclasses import dataclass
from typing import Any

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from torch import Tensor

from holmdel.errors import UserError
from holmdel.images import NotPicture, TooLarge, measure
from holmdel.server.models import Model
from holmdel.server.refusals import Refusal
from holmdel.server.services import Services, services

_NAME = "file"
SMALL = 32 * 32  # pixels; such a picture is decoded and framed faster than handed to a thread

# What the OpenAPI document says of a body that is a picture.
PICTURE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "image/*": {"schema": {"type": "string", "format": "binary"}},
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {_NAME: {"type": "string", "format": "binary"}},
                    "required": [_NAME],
                }
            },
        },
    }
}


@dataclass(frozen=True)
class Upload:
    """A picture that was sent.

    Attributes:
        name: the file's name in a form, "-" for a raw body; it is repeated in answers and nothing
            else: no file is ever opened by it.
        content: the bytes of the file.
        pixels: how many it has, by its head.
        refusal: why it cannot be used, or None.
    """

    name: str
    content: bytes
    pixels: int
    refusal: Refusal | None

    @property
    def small(self) -> bool:
        """Whether it is decoded and framed faster than handed to a thread."""
        return self.pixels <= SMALL


async def pictures(request: Request) -> list[Upload]:
    """Returns the pictures of a request, one at least.

    Raises:
        Refusal: 400 if there is none or the form is broken, 413 if there are too many, 415 for a
            body of another kind.
    """
    kind = request.headers.get("content-type", "application/octet-stream").partition(";")[0]
    kind = kind.strip().lower()
    if kind == "multipart/form-data":
        return await _in_form(request)
    if not kind.startswith("image/") and kind != "application/octet-stream":
        raise Refusal(
            415,
            f"the body was given as {kind}; expected a picture as image/* or "
            f"application/octet-stream, or multipart/form-data with a field {_NAME!r}",
        )
    content = await request.body()
    if not content:
        raise Refusal(400, "the body is empty; expected the bytes of a picture")
    return [examined("-", content, services(request).settings.pixels)]


async def one_picture(request: Request) -> Upload:
    """Returns the one picture of a request.

    Raises:
        Refusal: as `pictures`, 400 if there are several, and if it cannot be used.
    """
    found = await pictures(request)
    if len(found) > 1:
        raise Refusal(400, f"{len(found)} pictures were given; expected one")
    if found[0].refusal:
        raise found[0].refusal
    return found[0]


def unusable(error: UserError) -> Refusal:
    """Returns the refusal of a picture that turned out damaged or of no use."""
    if isinstance(error, Refusal):
        return error
    statuses = {NotPicture: 415, TooLarge: 413}
    return Refusal(statuses.get(type(error), 422), str(error))


async def _in_form(request: Request) -> list[Upload]:
    """Returns the files of a form."""
    settings = services(request).settings
    most = settings.pictures
    try:
        async with request.form(max_files=most, max_fields=most) as form:
            files = [file for file in form.getlist(_NAME) if isinstance(file, UploadFile)]
            if not files:
                raise Refusal(
                    400, f"the form has no file; expected a picture in the field {_NAME!r}"
                )
            return [
                examined(file.filename or "-", await file.read(), settings.pixels) for file in files
            ]
    except MultiPartException as error:
        raise _broken(error.message, most) from None
    except HTTPException as error:  # which Starlette makes of it inside an application
        raise _broken(error.detail, most) from None


def _broken(reason: str, most: int) -> Refusal:
    if reason.startswith("Too many"):
        return Refusal(
            413, f"the form has more than {most} pictures; send them in several requests"
        )
    return Refusal(400, f"the form cannot be read ({reason}); expected multipart/form-data")


def examined(name: str, content: bytes, most: int) -> Upload:
    """Returns an upload whose head has been looked at, and which says if it cannot be used.

    Args:
        name: what answers call it.
        content: the bytes of the file.
        most: pixels that it may have.
    """
    named = "the file" if name == "-" else name
    try:
        height, width = measure(content, named)
        if height * width > most:
            raise TooLarge(
                f"{named} has {width} x {height} pixels, where {most:,} are the most; make it "
                "smaller"
            )
    except UserError as error:
        return Upload(name, content, 0, unusable(error))
    return Upload(name, content, height * width, None)


async def framed(shared: Services, model: Model, upload: Upload) -> Tensor:
    """Returns a picture in the stored form, as `stored_form`; a large one by way of a thread.

    A small picture is framed faster than handed over.
    """
    if upload.small:
        return stored_form(model, upload)
    return await shared.run(stored_form, model, upload)


def stored_form(model: Model, upload: Upload) -> Tensor:
    """Returns a picture in the stored form of a model, uint8 (1, C, H, W).

    Raises:
        Refusal: if it cannot be used.
    """
    if upload.refusal:
        raise upload.refusal
    try:
        return model.framed(upload.content)
    except UserError as error:
        raise unusable(error) from None
