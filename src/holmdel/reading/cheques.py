"""Files of cheques as pages: each cheque is one, with its record and the image of its front."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from holmdel.errors import UserError
from holmdel.images.formats import ENDINGS, is_cheques
from holmdel.images.opening import binary
from holmdel.images.pages import FileLike, Source, locate, page_of, pages
from holmdel.reading.answers import READ, Cheque, Line
from holmdel.reading.cash_letter import CashLetter, read_letter

# Where on a cheque the amount in figures stands, as shares of its width and height.
_ACROSS, _DOWN = (0.65, 1.0), (0.3, 0.6)  # the date stands higher


def items(picture: FileLike) -> Iterator[FileLike]:
    """Gives the pages of a file, as `pages` does, and of a file of cheques its items.

    What is wrong with such a file is told in place of the item at which it is cut short.
    """
    source = locate(picture)
    if source.page is not None or not _of_cheques(source):
        yield from pages(picture)
        return
    yield picture
    for number in range(2, _count(_letter(source)) + 1):
        yield page_of(picture, number)


def open_cheque(picture: FileLike) -> tuple[Cheque, bytes, int | None]:
    """Returns an item of a file of cheques: its record, the image of its front, its number.

    Raises:
        UserError: if there is no such item, it has no image, or the file is cut short before it.
    """
    source = locate(picture)
    letter, number = _letter(source), source.page or 1
    if number > len(letter.items):
        raise UserError(_missing(source.name, letter))
    item = letter.items[number - 1]
    place, length = item.image
    if not length:
        raise UserError(f"{source.name} has no image of the front of cheque {number}")
    with binary(source.file, source.name) as (file, _):
        file.seek(place)
        content = file.read(length)
    return item.cheque, content, number if _count(letter) > 1 else source.page


def agreement(cheque: Cheque, lines: Sequence[Line], shape: tuple[int, int]) -> bool | None:
    """Returns whether the amount in figures on a cheque is that of its record.

    Args:
        cheque: the record.
        lines: what was read on the picture.
        shape: height and width of the picture.

    None where no amount was read, or the record has none.
    """
    if cheque.amount is None:
        return None
    placed = [line for line in lines if _in_place(line, shape)]
    if any(cheque.amount in _amounts(line) for line in placed):
        return True
    return False if any(line.status == READ for line in placed) else None


def _in_place(line: Line, shape: tuple[int, int]) -> bool:
    x, y, w, h = line.box
    across, down = (x + w / 2) / shape[1], (y + h / 2) / shape[0]
    return _ACROSS[0] <= across <= _ACROSS[1] and _DOWN[0] <= down <= _DOWN[1]


def _amounts(line: Line) -> set[int]:
    """Returns the cents that a line may say; cents may be written small, without a mark."""
    digits = int(line.text)
    value = line.value or {}
    if "cents" not in value:
        return {digits, digits * 100}
    return {value["cents"]} if value["decimal"] else {value["cents"], digits}


def _of_cheques(source: Source) -> bool:
    if isinstance(source.file, Path) and source.file.suffix.lower() in ENDINGS:
        return False
    try:
        with binary(source.file, source.name) as (_, front):
            return is_cheques(front)
    except UserError:  # which is told when it is decoded
        return False


def _letter(source: Source) -> CashLetter:
    changed = 0 if isinstance(source.file, bytes) else source.file.stat().st_mtime_ns
    return _read(source.file, changed)


@lru_cache(maxsize=4)
def _read(content: Path | bytes, _changed: int) -> CashLetter:
    name = "the file" if isinstance(content, bytes) else str(content)
    with binary(content, name) as (file, _):
        return read_letter(file)


def _count(letter: CashLetter) -> int:
    """Returns how many pages a file has; that it is cut short is told in place of one."""
    return len(letter.items) + (letter.cut is not None)


def _missing(name: str, letter: CashLetter) -> str:
    count = len(letter.items)
    if letter.cut is not None:
        return (
            f"{name} cannot be read: the file is cut short or damaged after {count:,} whole "
            f"cheques, at byte {letter.cut:,}; copy it again"
        )
    if not count:
        return f"{name} has no cheques in it"
    return f"{name} was given; the file has {count:,} cheques"
