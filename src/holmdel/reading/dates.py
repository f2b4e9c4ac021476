"""Which day a line says: digits with marks between them, or none, in an order of its parts."""

from collections.abc import Iterator
from datetime import date as Day
from itertools import product
from typing import NamedTuple

from holmdel.reading.expressions import DIGITS
from holmdel.reading.values import STAND_IN, Meaning, Value

_SHORTEST = 8  # digits of a number that may be a date by its looks; shorter ones often look so
ORDERS = ("dmy", "mdy", "ymd")  # of day, month and year
YEARS = range(1900, 2100)  # that four digits may say
_PIVOT = 69  # two digits from here are of the 20th century, below of the 21st, as in POSIX
_SIZES = {"d": (1, 2), "m": (1, 2), "y": (2, 4)}  # digits of each part
_MOST_MISFITS = 1  # marks that are missing or stand elsewhere


def dates(said: str, order: str = "") -> list[Meaning]:
    """Returns what was written where a network says `said`, and which day that is.

    What fits best counts: two equal marks between the parts, or none and two digits for each of day
    and month; then with one mark missing or too many. Several texts may fit equally well.

    Args:
        said: digits and marks, `STAND_IN` in the place of a slash.
        order: one of `ORDERS`, or nothing where any of them may be meant.

    Returns:
        Pairs of text and value: `date` in ISO form, or `dates` where the orders disagree; None
        where there is no such day, or more than one in one order; for no day at all the text with
        and without slashes. Years of two digits are 1969 to 2068, of four 1900 to 2099.

    >>> dates("2410812008", "dmy"), dates("29.2.23", "dmy")
    ([('24/08/2008', {'date': '2008-08-24'})], [('29.2.23', None)])
    >>> dates("3.9.2026")
    [('3.9.2026', {'dates': ['2026-03-09', '2026-09-03']})]
    >>> [raw for raw, _ in dates("11112011", "dmy")]
    ['1/1/2011', '11112011']
    >>> dates("3110212026", "dmy")
    [('3110212026', None), ('31/02/2026', None)]
    """
    orders = (order,) if order else ORDERS
    found = [(one, *fit) for one in orders for fit in _fits(said, one)]
    least = min((misfits for _, misfits, _, _ in found), default=_MOST_MISFITS + 1)
    if least > _MOST_MISFITS:
        splits = (split for one in orders for split in _splits(said, one))
        slashed = dict.fromkeys(split.raw for split in splits if split.slashed)
        return [(said, None), *((raw, None) for raw in slashed)]
    days: dict[str, dict[str, set[str]]] = {}
    for one, misfits, raw, day in found:
        if misfits == least:
            days.setdefault(raw, {}).setdefault(one, set()).add(day)
    return [(raw, _value(of_orders)) for raw, of_orders in days.items()]


def is_slashed(number: str) -> bool:
    """Returns whether digits may be a date whose slashes were taken for ones.

    Of random numbers one in a thousand of eight digits looks so, and fewer of more digits; those of
    fewer than eight count as numbers.

    >>> is_slashed("2410812008"), is_slashed("2410892008")
    (True, False)
    """
    fits = (fit for order in ORDERS for fit in _fits(number, order))
    return len(number) >= _SHORTEST and any("/" in raw for _, raw, _ in fits)


def _value(of_orders: dict[str, set[str]]) -> Value | None:
    """Returns what the days say that a text is in each order."""
    if any(len(days) > 1 for days in of_orders.values()):
        return None
    days = sorted(set().union(*of_orders.values()))
    return {"date": days[0]} if len(days) == 1 else {"dates": days}


class _Split(NamedTuple):
    """A way to see day, month and year in a text.

    Attributes:
        misfits: marks that are missing or too many.
        raw: the text, with slashes for the stand-ins that are taken for some.
        parts: the digits of each part, in the order asked for.
        slashed: whether stand-ins are taken for slashes.
    """

    misfits: int
    raw: str
    parts: tuple[str, str, str]
    slashed: bool = False


def _fits(said: str, order: str) -> Iterator[tuple[int, str, str]]:
    """Yields how many marks do not fit, the text and the day, for each way to see a date."""
    for split in _splits(said, order):
        day = _day(split.parts, order)
        if day:
            yield split.misfits, split.raw, day


def _splits(said: str, order: str) -> Iterator[_Split]:
    """Yields each way to see three parts, whether the calendar has such a day or not."""
    digits, marks = "", []  # and for each mark how many digits stand before it
    for character in said:
        if character in DIGITS:
            digits += character
        else:
            marks.append(len(digits))
    for sizes in product(*(_SIZES[part] for part in order)):
        first, second = sizes[0], sizes[0] + sizes[1]
        if sum(sizes) == len(digits):
            parts = digits[:first], digits[first:second], digits[second:]
            yield _Split(_misfits(marks, [first, second]), said, parts)
            if 1 not in sizes:
                yield _Split(len(marks), said, parts)  # as without marks
        if sum(sizes) + 2 == len(digits) and digits[first] == digits[second + 1] == STAND_IN:
            parts = digits[:first], digits[first + 1 : second + 1], digits[second + 2 :]
            raw = _slashed(said, (first, second + 1))
            yield _Split(len(marks), raw, parts, slashed=True)


def _misfits(marks: list[int], wanted: list[int]) -> int:
    """Returns how many marks are missing or too many."""
    return sum(abs(marks.count(at) - wanted.count(at)) for at in {*marks, *wanted})


def _slashed(said: str, numbers: tuple[int, int]) -> str:
    """Returns a text with slashes for the digits of these numbers."""
    places = [place for place, character in enumerate(said) if character in DIGITS]
    slashes = {places[number] for number in numbers}
    return "".join("/" if place in slashes else c for place, c in enumerate(said))


def _day(parts: tuple[str, str, str], order: str) -> str | None:
    """Returns the day of three parts in ISO form, if the calendar has it."""
    told = dict(zip(order, parts, strict=True))
    year = int(told["y"])
    if len(told["y"]) == 2:
        year += 1900 if year >= _PIVOT else 2000
    try:
        day = Day(year, int(told["m"]), int(told["d"]))
    except ValueError:
        return None
    return day.isoformat() if year in YEARS else None
