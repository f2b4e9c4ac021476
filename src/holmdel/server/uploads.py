"""The images of a request: its raw body, or the files of a form."""

from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException

from holmdel.errors import UserError
from holmdel.images.decoding import measure
from holmdel.images.formats import FRONT, is_cheques, may_have_pages
from holmdel.images.framing import Framed
from holmdel.images.opening import TooLarge
from holmdel.images.pages import DocumentPage, pages
from holmdel.server.errors import RequestError, image_error
from holmdel.server.services import Services, services

if TYPE_CHECKING:
    from holmdel.server.models import Model

_NAME = "file"
_KINDS = ("application/octet-stream", "application/pdf")  # of a body, besides images
SMALL = 32 * 32  # pixels; decoding so few is faster than handing them to a thread

_FILE = {"type": "string", "format": "binary"}


def image_body(*beside: str) -> dict[str, Any]:
    """Returns the OpenAPI description of a body that is an image, or a form with files beside."""
    properties = {
        _NAME: {"type": "array", "minItems": 1, "items": _FILE},
        **dict.fromkeys(beside, _FILE),
    }
    form = {"type": "object", "properties": properties, "required": [_NAME]}
    raw = {kind: {"schema": _FILE} for kind in ("image/*", *_KINDS)}
    content = {**raw, "multipart/form-data": {"schema": form}}
    return {"requestBody": {"required": True, "content": content}}


IMAGE_BODY = image_body()


@dataclass(frozen=True)
class Upload:
    """An image file that was sent, or a page of one.

    Attributes:
        name: the file's name in the form, "-" for a raw body. It is repeated in the answer only: no
            file is ever opened by this name.
        content: the bytes of the file.
        pixels: height x width as the file's header says; 0 if it cannot be used.
        error: why it cannot be used, or None.
        page: the number of the page from 1, where the file has several; else None.
    """

    name: str
    content: bytes
    pixels: int
    error: RequestError | None
    page: int | None = None

    @property
    def image(self) -> bytes | DocumentPage:
        """The file, or the page of it that is meant."""
        return self.content if self.page in (None, 1) else DocumentPage(self.content, self.page)

    @property
    def small(self) -> bool:
        """Whether decoding it is faster than handing it to a thread."""
        return self.pixels <= SMALL


class Sent(NamedTuple):
    """What was sent: at least one image, and by their fields the files beside in a form."""

    images: list[Upload]
    beside: dict[str, bytes]


async def sent(request: Request, *beside: str) -> Sent:
    """Returns the images of a request, and the files beside them that a route asks for.

    Args:
        request: with images.
        beside: fields of a form that may have a file each.

    Raises:
        RequestError: 400 if there is none or the form is broken, 413 if there are too many, 415 for
            a body of another content type, 507 if there is no room for it.
    """
    kind = request.headers.get("content-type", "application/octet-stream").partition(";")[0]
    kind = kind.strip().lower()
    if kind == "multipart/form-data":
        return await _in_form(request, beside)
    if not kind.startswith("image/") and kind not in _KINDS:
        raise RequestError(
            415,
            f"the Content-Type of the body is {kind}; expected an image as image/*, "
            f"application/pdf or application/octet-stream, or multipart/form-data with a field "
            f"{_NAME!r}",
        )
    content = await request.body()
    if not content:
        raise RequestError(400, "the body is empty; expected the bytes of an image file")
    return Sent([examined("-", content, services(request).settings.pixels)], {})


async def one_image(request: Request) -> Upload:
    """Returns the only image of a request.

    Raises:
        RequestError: as `sent` does; 400 if there are several; if the image cannot be used.
    """
    found = (await sent(request)).images
    if len(found) > 1:
        raise RequestError(400, f"{len(found)} images were given; expected one")
    if found[0].error:
        raise found[0].error
    return found[0]


async def _in_form(request: Request, beside: tuple[str, ...]) -> Sent:
    """Returns the files of a form."""
    settings = services(request).settings
    most = settings.images
    try:
        async with request.form(max_files=most + len(beside), max_fields=most) as form:
            files = [file for file in form.getlist(_NAME) if isinstance(file, UploadFile)]
            if not files:
                raise RequestError(
                    400, f"the form has no file; expected an image in the field {_NAME!r}"
                )
            if len(files) > most:
                raise _broken("Too many files", most)
            found = [
                examined(file.filename or "-", await file.read(), settings.pixels) for file in files
            ]
            others = {name: form.get(name) for name in beside}
            return Sent(found, {
                name: await file.read()
                for name, file in others.items()
                if isinstance(file, UploadFile)
            })  # fmt: skip
    except MultiPartException as error:
        raise _broken(error.message, most) from None
    except HTTPException as error:  # Starlette's form of it inside an application
        raise _broken(error.detail, most) from None
    except OSError as error:  # large files are kept in the system's folder for temporary ones
        raise RequestError(
            507,
            f"the server has no room for the upload ({error.strerror or error}); send it again "
            "later, or in parts",
        ) from None


def _broken(reason: str, most: int) -> RequestError:
    if reason.startswith("Too many"):
        return RequestError(
            413, f"the form has more than {most} images; send them in several requests"
        )
    return RequestError(400, f"the form cannot be read ({reason}); expected multipart/form-data")


async def image_pages(
    shared: Services, files: list[Upload], *, cheques: bool = False
) -> list[Upload]:
    """Returns files and their further pages, in order.

    Args:
        shared: by the routes.
        files: that were sent.
        cheques: the items of a file of cheques are pages, too.

    Raises:
        RequestError: as `each_page` does; 413 if there are too many pages together.
    """
    most = shared.settings.images
    found = []
    for file in files:
        if cheques and is_cheques(file.content[:FRONT]):
            found += await shared.pages.run(_cheques_of, file, most, shared.settings.pixels)
        else:
            found += await each_page(shared, file)
    if len(found) > most:
        raise RequestError(
            413, f"the files have {len(found)} pages, and at most {most} are allowed; send them in "
            "several requests"
        )  # fmt: skip
    return found


def page_of(uploads: list[Upload], number: int) -> Upload:
    """Returns one of all pages, counted from 1.

    Raises:
        RequestError: 404 if there are fewer; its own where it cannot be used.
    """
    if number > len(uploads):
        raise RequestError(404, f"page {number} was asked for; the file has {len(uploads)}")
    upload = uploads[number - 1]
    if upload.error:
        raise upload.error
    return upload


async def each_page(shared: Services, upload: Upload) -> list[Upload]:
    """Returns the pages of a file, `name#2` being the second, or the file alone.

    Raises:
        RequestError: 413 if there are more than images may be in a request.
    """
    if upload.error or not may_have_pages(upload.content[:FRONT]):
        return [upload]
    most = shared.settings.images
    found = await shared.pages.run(lambda: len(list(islice(pages(upload.content), most + 1))))
    if found > most:
        raise RequestError(
            413, f"the file has more than {most} pages; send them in several requests"
        )
    further = range(2, found + 1)
    return [
        replace(upload, page=1 if further else None),
        *(examined(upload.name, upload.content, shared.settings.pixels, n) for n in further),
    ]


def examined(name: str, content: bytes, most: int, page: int | None = None) -> Upload:
    """Returns an upload after a look at the file's header; its `error` says if it cannot be used.

    Args:
        name: the name that the answer repeats.
        content: the bytes of the file.
        most: the largest number of pixels.
        page: its number, from 2; None for the first.
    """
    named = "the file" if name == "-" else name
    name = name if page is None else f"{name}#{page}"
    upload = Upload(name, content, 0, None, page)
    try:
        height, width = measure(upload.image, named)
        if height * width > most:
            raise TooLarge(
                f"{named} has {width} x {height} pixels, and at most {most:,} are allowed; "
                "make it smaller"
            )
    except UserError as error:
        return replace(upload, error=image_error(error))
    return replace(upload, pixels=height * width)


def _cheques_of(upload: Upload, most: int, pixels: int) -> list[Upload]:
    """Returns the items of a file of cheques, `name#2` being the second; one more than `most`."""
    from holmdel.reading.cheques import items, open_cheque  # when the first such file comes

    found = []
    for number, item in enumerate(islice(items(upload.content), most + 1), start=1):
        name = upload.name if number == 1 else f"{upload.name}#{number}"
        one = Upload(name, upload.content, 0, None, number)
        try:
            front = examined(name, open_cheque(item)[1], pixels)
        except UserError as error:
            found.append(replace(one, error=image_error(error)))
        else:
            found.append(replace(one, pixels=front.pixels, error=front.error))
    return found


async def framed(shared: Services, model: "Model", upload: Upload) -> Framed:
    """Returns an image in the stored form, as `stored_form` does; a large one in a thread."""
    if upload.small:
        return stored_form(model, upload)
    return await shared.run(stored_form, model, upload)


def stored_form(model: "Model", upload: Upload) -> Framed:
    """Returns an image in the stored form of a model, uint8 (1, C, H, W), and what is on it.

    Raises:
        RequestError: if the image cannot be used.
    """
    if upload.error:
        raise upload.error
    try:
        return model.framed(upload.image)
    except UserError as error:
        raise image_error(error) from None
