"""What dates, amounts, checked numbers, marks and long numbers are read as, in composed hands.

    python bench/values.py [SECTION ...] [--count N] [--model FILE]

The data lie in $HOLMDEL_DATA. A row is a form of writing: how many are right and read, how many
wrong and read, how many are rejected, under the usual --max-error; and lines a second on one core.
"""

import argparse
import datetime
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from holmdel.reading import Reader, Reading
from holmdel.reading.patterns import parse_pattern
from paper_hand import BLACK, Hand, Paper, number

SEED = 20261129
HEIGHTS = 30, 60  # pixels of a digit
CODES = 10_000


class Row(NamedTuple):
    """A form of writing: the pattern, what is written, and its value; None if it has none."""

    name: str
    pattern: str
    write: Callable[[np.random.Generator], tuple[str, Any]]
    gap: float = 0.2  # between digits, of their height


def a_day(draw: np.random.Generator, first: int = 1950, years: int = 98) -> datetime.date:
    """Returns a day of these years."""
    return datetime.date(first, 1, 1) + datetime.timedelta(int(draw.integers(365 * years)))


def _date(form: str, draw: np.random.Generator) -> tuple[str, Any]:
    day = a_day(draw, 1970) if "%y" in form else a_day(draw)
    return day.strftime(form), {"date": day.isoformat()}


def dates() -> Iterator[Row]:
    """Yields the forms of dates."""
    for name, form in (("24/08/2008", "%d/%m/%Y"), ("24-08-2008", "%d-%m-%Y"),
                       ("24.08.2008", "%d.%m.%Y"), ("24082008", "%d%m%Y"), ("24/08/08", "%d/%m/%y"),
                       ("4/8/2008", "%-d/%-m/%Y"), ("4.8.2008", "%-d.%-m.%Y")):  # fmt: skip
        yield Row(name, "date:dmy", partial(_date, form))


def _amount(form: str, draw: np.random.Generator) -> tuple[str, Any]:
    """Writes an amount in a form."""
    text, _ = _filled(form, draw)
    [(_, value)] = parse_pattern("amount").meanings(text)
    return text, value


AMOUNTS = (
    *("899.99", "8,999.99", "8.999,99", "8999", "89,999", ".99", "89,999/-", "8,999.99/100"),
    *("8999/-", "89999/100"),  # as well 89991- and 899991100 to who knows no slash
    *("8.9999", "0.9999", "899.9999"),  # no amounts
)


def amounts() -> Iterator[Row]:
    """Yields the forms of amounts, and of what is none."""
    for form in AMOUNTS:
        yield Row(form, "amount", partial(_amount, form))


def _luhn(draw: np.random.Generator) -> tuple[str, Any]:
    digits = [int(c) for c in number(draw, 15)]
    total = sum(d if place % 2 else sum(divmod(2 * d, 10)) for place, d in enumerate(digits))
    return "".join(map(str, [*digits, -total % 10])), None


def _iban(draw: np.random.Generator) -> tuple[str, Any]:
    account = number(draw, 18)
    digits = f"{98 - int(account + '131400') % 97:02}{account}"
    return digits, {"iban": "DE" + digits}


def _digits_of(
    write: Callable[[np.random.Generator], tuple[str, Any]], draw: np.random.Generator
) -> tuple[str, Any]:
    return write(draw)[0], None


def checks(folder: Path) -> Iterator[Row]:
    """Yields numbers that pass a check or stand in a list, and random ones."""
    draw = np.random.default_rng(SEED + 1)
    codes = sorted({number(draw, 8) for _ in range(CODES)})
    file = folder / "codes.txt"
    file.write_text("\n".join(codes), encoding="utf-8")

    def a_code(draw: np.random.Generator) -> tuple[str, Any]:
        code = codes[int(draw.integers(len(codes)))]
        return code, {"code": code}

    def any_digits(count: int, draw: np.random.Generator) -> tuple[str, Any]:
        return number(draw, count), None

    for pattern, write, count in (("luhn:16", _luhn, 16), ("iban:DE", _iban, 20),
                                  (f"list:{file}", a_code, 8)):  # fmt: skip
        name = pattern.partition(":")[0]
        yield Row(f"{name}, as digits", f"digits:{count}", partial(_digits_of, write))
        yield Row(name, pattern, write)
        yield Row(f"{name}, other digits", pattern, partial(any_digits, count))


def marks() -> Iterator[Row]:
    """Yields what holds marks that the pattern has or has not."""
    patterns = ("digits", r"\d\d:\d\d", r"\d\d?/\d\d?")
    for form, pattern in (("9,9", 0), ("89.99", 0), ("89/89/8999", 0), ("89-89-8999", 0),
                          ("89:89", 0), ("89:89", 1), ("8/8", 2), ("8/89", 2)):  # fmt: skip
        yield Row(f"{form} as {patterns[pattern]}", patterns[pattern], partial(_filled, form))


def _filled(form: str, draw: np.random.Generator) -> tuple[str, Any]:
    """Writes a number, and no value; in `form` 9 is a digit and 8 one that is not 0."""
    digits = {"9": lambda: number(draw, 1), "8": lambda: str(draw.integers(1, 10))}
    return "".join(digits[c]() if c in digits else c for c in form), None


def lengths() -> Iterator[Row]:
    """Yields numbers of more and more digits, close together and far apart."""
    for count in (1, 2, 4, 8, 11, 14, 18, 25, 40):
        for name, gap in (("close", 0.1), ("wide", 0.45)):
            yield Row(f"{count} digits, {name}", "digits", partial(_filled, "9" * count), gap)


def drawn(text: str, draw: np.random.Generator, gap: float = 0.2) -> NDArray[np.uint8]:
    """Returns a text in somebody's hand on paper."""
    mask = Hand(draw).line(text, int(draw.integers(*HEIGHTS)), gap)
    paper = Paper((mask.width + 24, mask.height + 12), draw)
    paper.ink(mask, (12, 6), BLACK)
    return paper.pixels()


def show(row: Row, count: int, model: Path | None) -> None:
    """Prints what is read of a row."""
    draw = np.random.default_rng(SEED)
    truth = [row.write(draw) for _ in range(count)]
    images = [drawn(text, draw, row.gap) for text, _ in truth]
    began = time.process_time()
    reader = Reader(model, pattern=row.pattern, lines=True)
    readings = list(reader.read_each(images))
    speed = count / (time.process_time() - began)
    right = wrong = 0
    for (text, value), reading in zip(truth, readings, strict=True):
        assert isinstance(reading, Reading)
        for line in reading.lines:
            if line.status != "read":
                continue
            digits = "".join(c for c in text if c.isdigit())
            good = line.value == value if value else line.value is None and line.text == digits
            right, wrong = right + good, wrong + (not good)
    rest = count - right - wrong
    print(f"{row.name:<26}{right / count:8.1%}{wrong / count:8.1%}{rest / count:8.1%}{speed:8.0f}",
          flush=True)  # fmt: skip


SECTIONS: dict[str, Callable[..., Iterator[Row]]] = {
    "dates": dates, "amounts": amounts, "checks": checks, "marks": marks, "lengths": lengths
}  # fmt: skip


def main() -> None:
    """Prints the sections asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sections", nargs="*", default=list(SECTIONS))
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--model", type=Path)
    words = parser.parse_args()
    torch.set_num_threads(1)
    with TemporaryDirectory() as folder:
        for section in words.sections:
            rows = checks(Path(folder)) if section == "checks" else SECTIONS[section]()
            print(f"{section:<26}{'right':>8}{'wrong':>8}{'reject':>8}{'lines/s':>8}")
            for row in rows:
                show(row, words.count, words.model)


if __name__ == "__main__":
    main()
