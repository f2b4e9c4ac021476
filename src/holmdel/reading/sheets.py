"""What a reader takes: pages of files, decoded a few at a time."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from holmdel.errors import UserError
from holmdel.images.decoding import Decoded, ImageLike, decode_page
from holmdel.images.formats import FileOfCheques
from holmdel.images.pages import FileLike, name_of
from holmdel.prediction import Failure
from holmdel.reading.answers import Box, Cheque, Grey, Reading
from holmdel.reading.cheques import agreement, open_cheque
from holmdel.reading.image import LEAST_SIDE, luma

BATCH = 64  # pictures that are read together
_HELD = 3_000_000  # pixels, from which no further picture joins them


@dataclass(frozen=True, eq=False)
class Sheet:
    """A picture of paper.

    Attributes:
        path: as an answer gives it; None if it was not given as one.
        grey: its pixels, uint8 (H, W), square.
        colour: the same in red, green and blue, uint8 (H, W, 3); None without colours.
        page: the number of the page from 1, where the file has several; else None.
        stretch: by how much it was stretched across and down to have square pixels.
        cheque: what the file says of it, where it is the item of a file of cheques.
    """

    path: str | None
    grey: Grey
    page: int | None
    stretch: tuple[float, float]
    cheque: Cheque | None = None
    colour: Grey | None = None

    @property
    def image(self) -> Grey:
        """Its pixels, uint8 (H, W), or (H, W, 3) where there are colours."""
        return self.grey if self.colour is None else self.colour

    def part(self, box: Box) -> "Sheet":
        """Returns what stands in a box of it."""
        x, y, w, h = box
        here = np.s_[y : y + h, x : x + w]
        colour = None if self.colour is None else self.colour[here]
        return replace(self, grey=self.grey[here], colour=colour)

    def finished(self, reading: Reading) -> Reading:
        """Returns its reading with what the file says, and boxes in the file's own pixels."""
        stored = replace(_to_stored(reading, self.stretch), page=self.page)
        if self.cheque is None:
            return stored
        agrees = agreement(self.cheque, reading.lines, self.grey.shape)
        return replace(stored, cheque=self.cheque, agrees=agrees)


def open_sheet(picture: ImageLike) -> Sheet | Failure:
    """Returns a picture, decoded, or the sentence that says why it cannot be used."""
    path = name_of(picture)
    try:
        found, cheque = open_image(picture, 3)
        grey, colour = _by_colour(found.squared())
        if min(grey.shape) < LEAST_SIDE:
            raise UserError(
                f"{path or 'the picture'} has {grey.shape[1]} x {grey.shape[0]} pixels; expected "
                f"{LEAST_SIDE} x {LEAST_SIDE} at least"
            )
    except UserError as error:
        return Failure(path, str(error))
    return Sheet(path, grey, found.page, found.stretch, cheque, colour)


def _by_colour(pixels: Grey) -> tuple[Grey, Grey | None]:
    """Returns pixels in grey, (H, W), and as they are, (H, W, 3), where they have colours."""
    first = pixels[:, :, 0]
    if all(np.array_equal(first, pixels[:, :, c]) for c in (1, 2)):
        return np.ascontiguousarray(first), None
    return luma(pixels), pixels


def open_image(picture: ImageLike, channels: int) -> tuple[Decoded, Cheque | None]:
    """Returns a picture, decoded; of the item of a file of cheques also what the file says.

    Raises:
        UserError: as `images.decode`.
    """
    try:
        return decode_page(picture, channels), None
    except FileOfCheques:
        assert isinstance(picture, FileLike)
        cheque, content, page = open_cheque(picture)
        return replace(decode_page(content, channels), page=page), cheque


def is_cheque(sheet: Sheet | Failure) -> bool:
    """Says whether it is an item of a file of cheques."""
    return isinstance(sheet, Sheet) and sheet.cheque is not None


def batches(sheets: Iterable[Sheet | Failure]) -> Iterator[list[Sheet | Failure]]:
    """Gives what is read together: up to `BATCH` pictures, fewer where they are large.

    Cheques are by themselves.
    """
    batch: list[Sheet | Failure] = []
    pixels = 0
    for sheet in sheets:
        if batch and is_cheque(sheet) != is_cheque(batch[-1]):
            yield batch
            batch, pixels = [], 0
        batch.append(sheet)
        pixels += 0 if isinstance(sheet, Failure) else sheet.grey.size
        if len(batch) == BATCH or pixels >= _HELD:
            yield batch
            batch, pixels = [], 0
    if batch:
        yield batch


def _to_stored(reading: Reading, stretch: tuple[float, float]) -> Reading:
    """Returns the reading of a picture that was stretched, with boxes as before."""
    if stretch == (1.0, 1.0):
        return reading
    lines = tuple(
        replace(
            line,
            box=_shrunk(line.box, stretch),
            digits=tuple(replace(d, box=_shrunk(d.box, stretch)) for d in line.digits),
        )
        for line in reading.lines
    )
    skipped = tuple(replace(s, box=_shrunk(s.box, stretch)) for s in reading.skipped)
    return replace(reading, lines=lines, skipped=skipped)


def _shrunk(box: Box, stretch: tuple[float, float]) -> Box:
    x, y, w, h = box
    across, down = stretch
    left, top = round(x / across), round(y / down)
    right, bottom = round((x + w) / across), round((y + h) / down)
    return left, top, max(right - left, 1), max(bottom - top, 1)
