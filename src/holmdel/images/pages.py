"""The pages of image files: `scan.pdf#2` is the second one of `scan.pdf`."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count, islice
from pathlib import Path
from typing import BinaryIO, TypeAlias

from PIL import Image

from holmdel.errors import UserError
from holmdel.images.formats import is_pdf, may_have_pages
from holmdel.images.opening import binary, cut_short, open_image, refuse_size
from holmdel.images.pdf import MOST_PAGES, count_pages, draw_page, no_page
from holmdel.images.pixels import Pixels

_OF_PAGES = ("TIFF", "GIF")  # formats, as PIL calls them; other files have one page
_KIND, _NO_PAGE = 254, 0b101  # TIFF 6.0, "NewSubfileType": a smaller copy, or a mask
_MARK = re.compile(r"(.+)#([1-9]\d*)", re.DOTALL)


@dataclass(frozen=True)
class DocumentPage:
    """A page of a file that is there as bytes.

    Attributes:
        content: the bytes of the file.
        number: of the page, from 1.
    """

    content: bytes = field(repr=False)
    number: int


FileLike: TypeAlias = str | Path | bytes | DocumentPage  # what has pages


@dataclass(frozen=True)
class Source:
    """A file, and which page of it is meant.

    Attributes:
        file: its path, or its bytes.
        page: from 1; None for the first, where none was named.
        name: what an error calls it.
    """

    file: Path | bytes
    page: int | None
    name: str


@dataclass(frozen=True, eq=False)
class Opened:
    """A page of an open file.

    Attributes:
        image: its pixels perhaps not loaded; or the pixels, upright, uint8 (H, W, C).
        number: of the page, from 1; None where the file has no other.
        density: pixels a unit across, and down; zeros where that is not known.
    """

    image: Image.Image | Pixels
    number: int | None
    density: tuple[float, float] = (0.0, 0.0)


def name_of(image: object) -> str | None:
    """Returns how an answer calls an image: its path, `-#2` for a page of bytes, else None."""
    if isinstance(image, DocumentPage):
        return f"-#{image.number}"
    return str(image) if isinstance(image, str | Path) else None


def locate(image: FileLike) -> Source:
    """Returns the file and the page that are meant; a file whose name ends in #2 is that file."""
    if isinstance(image, DocumentPage):
        return Source(image.content, image.number, f"page {image.number} of the file")
    if isinstance(image, bytes):
        return Source(image, None, f"the image of {len(image):,} bytes")
    name = str(image)
    marked = _MARK.fullmatch(name)
    if marked is None or Path(name).exists():
        return Source(Path(name), None, name)
    return Source(Path(marked[1]), int(marked[2]), name)


def page_of(image: FileLike, number: int) -> FileLike:
    """Returns a page of a file, the first being 1."""
    return DocumentPage(image, number) if isinstance(image, bytes) else f"{image}#{number}"


def pages(image: FileLike) -> Iterator[FileLike]:
    """Gives the pages of a file, each of which can be decoded: itself, then `path#2`, `path#3`.

    What cannot be opened is given once, so that decoding it says why; so is what was given as a
    page. A TIFF's smaller copies and masks are no pages; each frame of a GIF is one.
    """
    yield image
    source = locate(image)
    if source.page is not None:
        return
    try:
        for number in _further(source):
            yield page_of(image, number)
    except UserError:
        return


def _further(source: Source) -> Iterator[int]:
    """Gives the numbers of the pages after the first."""
    with binary(source.file, source.name) as (file, front):
        if not may_have_pages(front):
            return
        if is_pdf(front):
            total = count_pages(source.file, source.name)
            yield from range(2, total + 1 if total <= MOST_PAGES else 2)
            return
        image = open_image(file, front, source.name)
        frames = _frames(image, file, source.name)
        yield from (number for number, _ in enumerate(frames, 2))


@contextmanager
def open_page(source: Source, channels: int) -> Iterator[Opened]:
    """Gives the page that is meant.

    Args:
        source: the file and the page.
        channels: of the pixels of a PDF, 1 or 3.

    Raises:
        NotAnImage: if the file is not an image of a supported format.
        TooLarge: if the page has more than `MOST_PIXELS`.
        UserError: if there is no such file or page, or it cannot be read.
    """
    with binary(source.file, source.name) as (file, front):
        yield _of_pdf(source, channels) if is_pdf(front) else _of_image(source, file, front)


def _of_pdf(source: Source, channels: int) -> Opened:
    total = count_pages(source.file, source.name)
    if source.page is None and total > MOST_PAGES:
        raise UserError(
            f"{source.name} has {total:,} pages, where {MOST_PAGES:,} are the most; split it, or "
            f"name pages, such as {source.name}#{MOST_PAGES + 1}"
        )
    pixels, grid = draw_page(source.file, source.page or 1, channels, source.name)
    return Opened(pixels, _number(source, total > 1), (grid.across, grid.down))


def _of_image(source: Source, file: BinaryIO, front: bytes) -> Opened:
    image = open_image(file, front, source.name)
    wanted = source.page or 1
    if wanted == 1:
        several = any(True for _ in _frames(image, file, source.name))
        if several:  # the first anew: PIL's may keep the size of a frame that it has been at
            file.seek(0)
            image = open_image(file, front, source.name)
        return Opened(image, _number(source, several))
    found = list(islice(_frames(image, file, source.name), wanted - 1))
    if len(found) < wanted - 1:
        raise no_page(source.name, wanted, len(found) + 1)
    fault = found[-1]
    if fault is not None:
        raise fault if isinstance(fault, UserError) else cut_short(source.name, fault)
    return Opened(image, wanted)


def _number(source: Source, several: bool) -> int | None:
    return source.page or (1 if several else None)


def _frames(image: Image.Image, file: BinaryIO, name: str) -> Iterator[Exception | None]:
    """Gives what is wrong with each page after the first, or None where the image now stands at it.

    The last one may be a page that cannot be found, or is too large, so that those behind it cannot
    be found either: each frame of a GIF is drawn on those before it.
    findings/frames-that-are-no-pages.sh shows what else is a frame.

    Args:
        image: whose first page is open.
        file: that it was opened from.
        name: what an error calls it.
    """
    if image.format not in _OF_PAGES:
        return
    for index in count(1):
        fault: Exception | None = None
        try:
            image.seek(index)
            refuse_size(image, file, name)  # a frame may be larger than the first
        except EOFError:
            return
        except Exception as error:  # a foreign parser on foreign bytes raises anything
            fault = error
        lost = image.tell() != index or (fault is not None and image.format == "GIF")
        if lost or not getattr(image, "tag_v2", {}).get(_KIND, 0) & _NO_PAGE:
            yield fault
        if lost:
            return
