"""Pages of PDF files as images: a scanned page pixel by pixel as it was scanned.

PDFium draws them. A page that is rendered at some resolution is a resampled scan, even at the
scan's own: a sheet of A4 is 1653.54 pixels wide at 200 dpi, and the scan has 1654. So the page is
drawn on the grid of the scan that lies on it, and what lies above the scan, such as notes made with
a pen on a tablet, is drawn with it.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holmdel.errors import UserError
from holmdel.images.opening import cut_short, refuse_large
from holmdel.images.pixels import Pixels

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfImage, PdfPage

MOST_PAGES = 5_000  # of a file that is read from its first page to its last
_DPI = 200  # of a page that is no scan
_POINTS = 72  # an inch, ISO 32000-1, 8.3.2.3
_LEAST_DPI = 100  # of a scan with text or lines above it, which a coarser grid would lose
_SHARE = 0.6  # of a page that its scan covers at least
_MOST_OBJECTS = 2_000  # that are looked at for a scan
_LOCKED, _SECURED = 4, 5  # PDFium's errors: no password given, a security scheme not known
_INSET = 0.01  # pixels, by which a scan is drawn smaller than its grid on each side
_UNSEEN = 3  # text render mode of ISO 32000-1, 9.3.6, as text recognition lays over scans

_PDFIUM = threading.Lock()  # it is for one thread at a time


@dataclass(frozen=True)
class Grid:
    """The pixels of a page.

    Attributes:
        width: in pixels.
        height: in pixels.
        across: pixels a point.
        down: pixels a point.
        left: pixels by which the page is moved to the right.
        top: pixels by which it is moved down.
    """

    width: int
    height: int
    across: float
    down: float
    left: float = 0.0
    top: float = 0.0


def count_pages(file: Path | bytes, name: str) -> int:
    """Returns how many pages a PDF has.

    Raises:
        UserError: if it is locked or damaged.
    """
    with _document(file, name) as document:
        return len(document)


def measure_page(file: Path | bytes, number: int, name: str) -> Grid:
    """Returns the pixels that a page gives, the first being 1; nothing is drawn.

    Raises:
        TooLarge: for more than `MOST_PIXELS`.
        UserError: if there is no such page, or the file is locked or damaged.
    """
    with _page(file, number, name) as (_, grid):
        return grid


def draw_page(file: Path | bytes, number: int, channels: int, name: str) -> tuple[Pixels, Grid]:
    """Returns a page, upright, uint8 (H, W, C); other arguments and errors as above.

    Args:
        file: its path, or its bytes.
        number: of the page, from 1.
        channels: C, 1 for grey or 3 for red, green and blue.
        name: what an error calls it.
    """
    import pypdfium2 as pdfium
    from pypdfium2 import raw

    with _page(file, number, name) as (page, grid):
        grey = channels == 1
        form = raw.FPDFBitmap_Gray if grey else raw.FPDFBitmap_BGR
        bitmap = pdfium.PdfBitmap.new_native(grid.width, grid.height, form, rev_byteorder=not grey)
        bitmap.fill_rect((255, 255, 255, 255), 0, 0, grid.width, grid.height)
        matrix = raw.FS_MATRIX(grid.across, 0, 0, grid.down, grid.left, grid.top)
        clip = raw.FS_RECTF(0, 0, grid.width, grid.height)
        # PDFium leaves a grey page blank whose bytes are to be reversed.
        flags = raw.FPDF_ANNOT | (0 if grey else raw.FPDF_REVERSE_BYTE_ORDER)
        raw.FPDF_RenderPageBitmapWithMatrix(bitmap, page, matrix, clip, flags)
        pixels: Pixels = bitmap.to_numpy().reshape(grid.height, grid.width, channels)
        return pixels, grid


@contextmanager
def _document(file: Path | bytes, name: str) -> Iterator["PdfDocument"]:
    """Gives an open PDF; what PDFium says against it becomes a sentence."""
    import pypdfium2 as pdfium

    try:
        with _PDFIUM, pdfium.PdfDocument(file) as document:
            yield document
    except pdfium.PdfiumError as error:
        if getattr(error, "err_code", None) in (_LOCKED, _SECURED):
            raise UserError(
                f"{name} is locked with a password; expected a PDF that opens without one; unlock "
                "it, such as with `qpdf --decrypt --password=WORD FILE open.pdf`"
            ) from None
        raise cut_short(name, error) from None


@contextmanager
def _page(file: Path | bytes, number: int, name: str) -> Iterator[tuple["PdfPage", Grid]]:
    with _document(file, name) as document:
        if not 1 <= number <= len(document):
            raise no_page(name, number, len(document))
        page = document[number - 1]
        grid = _scan_grid(page) or _plain_grid(page)
        refuse_large(name, grid.width, grid.height)
        yield page, grid


def no_page(name: str, number: int, count: int) -> UserError:
    """Returns what says that a file has no page of that number."""
    pages, known = ("one page", "1") if count == 1 else (f"{count:,} pages", f"1 to {count}")
    return UserError(f"{name} was given, page {number} of a file of {pages}; expected {known}")


def _plain_grid(page: "PdfPage") -> Grid:
    width, height = page.get_size()
    scale = _DPI / _POINTS
    return Grid(max(ceil(width * scale), 1), max(ceil(height * scale), 1), scale, scale)


def _scan_grid(page: "PdfPage") -> Grid | None:
    """Returns the pixels of the scan that the page is, or None where it is none."""
    placed = []
    others = False
    for item in islice(page.get_objects(), _MOST_OBJECTS + 1):
        if (grid := _grid_of(item, page)) is not None:
            placed.append(grid)
        else:
            others |= _is_seen(item)
    if not placed:
        return None
    finest = max(placed, key=lambda grid: grid.across * grid.down)
    coarse = min(finest.across, finest.down) < _LEAST_DPI / _POINTS
    return None if coarse and (others or len(placed) > 1) else finest


def _is_seen(item: Any) -> bool:
    from pypdfium2 import raw

    if item.type == raw.FPDF_PAGEOBJ_TEXT:
        return bool(raw.FPDFTextObj_GetTextRenderMode(item) != _UNSEEN)
    return bool(item.type != raw.FPDF_PAGEOBJ_FORM)


def _grid_of(item: Any, page: "PdfPage") -> Grid | None:
    """Returns the grid of an image that covers most of the page, upright; None for all else."""
    from pypdfium2 import raw

    if item.type != raw.FPDF_PAGEOBJ_IMAGE:
        return None
    across, up, left, top = _placed(item, page)
    columns, rows = item.get_px_size()
    width, height = page.get_size()
    if abs(up[0]) > abs(across[0]):  # it lies on its side
        across, up, columns, rows = up, across, rows, columns
    skewed = abs(across[1]) > 0.01 * abs(across[0]) or abs(up[0]) > 0.01 * abs(up[1])
    if skewed or not columns or not rows or abs(across[0] * up[1]) < _SHARE * width * height:
        return None
    # PDFium fills all pixels that an image touches: one that reaches over its grid by a rounding
    # error would be stretched by a pixel, and so resampled.
    by_x, by_y = (columns - 2 * _INSET) / abs(across[0]), (rows - 2 * _INSET) / abs(up[1])
    shift_x, shift_y = _to_whole(left * by_x) + _INSET, _to_whole(top * by_y) + _INSET
    return Grid(
        *(_whole(width * by_x + shift_x), _whole(height * by_y + shift_y)),
        *(by_x, by_y, shift_x, shift_y),
    )


def _to_whole(place: float) -> float:
    """Returns by how much a place is moved on to be at a pixel's edge; not by almost a pixel."""
    shift = -place % 1
    return 0.0 if shift > 1 - _INSET else shift


def _whole(length: float) -> int:
    """Returns the pixels that a length takes; a few hundredths of one are no pixel."""
    return max(ceil(length - 3 * _INSET), 1)


Vector = tuple[float, float]


def _placed(item: "PdfImage", page: "PdfPage") -> tuple[Vector, Vector, float, float]:
    """Returns the vectors of an image's lower and left side, and its left and top, in points.

    As the page is shown: turned as it says, y downwards from the top left corner.
    """
    matrix = item.get_matrix()
    container = item.container
    while container is not None:
        matrix = matrix.multiply(container.get_matrix())
        container = container.container
    turn = _shown(page)
    start, right, up = (
        turn(matrix.e, matrix.f),
        turn(matrix.e + matrix.a, matrix.f + matrix.b),
        turn(matrix.e + matrix.c, matrix.f + matrix.d),
    )
    across = (right[0] - start[0], right[1] - start[1])
    upwards = (up[0] - start[0], up[1] - start[1])
    corner = (right[0] + upwards[0], right[1] + upwards[1])
    corners = (start, right, up, corner)
    return across, upwards, min(x for x, _ in corners), min(y for _, y in corners)


def _shown(page: "PdfPage") -> Any:
    """Returns the function from a point of the page to where it is shown, in points."""
    left, bottom, right, top = page.get_bbox()
    return {
        0: lambda x, y: (x - left, top - y),
        90: lambda x, y: (y - bottom, x - left),
        180: lambda x, y: (right - x, y - bottom),
        270: lambda x, y: (top - y, right - x),
    }[page.get_rotation()]
