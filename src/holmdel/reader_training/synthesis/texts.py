"""What is written on a training line.

A text holds the alphabet's characters; a space, which is room and no character; and other ink:
letters that nobody takes for a digit, `*` and `#`, and `×`, a digit that is crossed out.
"""

import math
import random
from collections.abc import Callable

from holmdel.alphabet import ALPHABET, DIGITS, OTHER

CROSSED = "×"
SPACE = " "
MOST = 12  # digits of an amount
LONGEST = 40  # digits of a long string
_LENGTHS = {1: 4, 2: 6, 3: 13, 4: 24, 5: 26, 6: 13, 7: 6, 8: 4, 9: 2, 10: 2}
# F. Benford, "The Law of Anomalous Numbers" (1938): how often an amount begins with 1 to 9.
_FIRST = tuple(math.log10(1 + 1 / digit) for digit in range(1, 10))
_ENDINGS = (".", ".", ",", "-", "-", "=", ".-", ".-", ",-", ".=", "--", "==", "=-")
# Letters that nobody takes for a digit, also by themselves.
_CAPITALS, _SMALL = "ACEFHKMNPRUVWX", "adefkmnruvwx"
_LABELS = ("EUR", "CHF", "kr", "RM", "R", "Fr.", "Ref", "HUF", "PKR", "Frank", "KM", "F")


def label(text: str) -> str:
    """Returns what a network reads of a text: other ink as such, and no spaces."""
    return "".join(c if c in ALPHABET else OTHER for c in text if c != SPACE)


def digits(r: random.Random) -> str:
    """Returns 1 to 12 digits; zeros at the end and pairs are more frequent than chance."""
    if r.random() < 0.01:
        count = r.choice((11, MOST))
    else:
        count = r.choices(tuple(_LENGTHS), tuple(_LENGTHS.values()))[0]
    figures = [r.choice(DIGITS) for _ in range(count)]
    if r.random() < 0.3:
        zeros = r.randint(1, max(1, count - 1))
        figures[count - zeros :] = "0" * zeros
    if count > 1 and r.random() < 0.15:
        place = r.randrange(count - 1)
        figures[place + 1] = figures[place]
    return "".join(figures)


def amount(r: random.Random) -> str:
    """Returns digits as an amount of money: thousands marks, endings, currency signs."""
    figures = digits(r)
    if r.random() < 0.8:
        figures = r.choices(DIGITS[1:], _FIRST)[0] + figures[1:]
    mark = r.choice("..,")
    grouped = r.random() < 0.55
    written = ""
    for place, figure in enumerate(figures):
        left = len(figures) - place
        if place and ((grouped and left % 3 == 0) or r.random() < 0.02):
            written += mark if r.random() < 0.93 else r.choice(".,-")
        written += figure
    if r.random() < 0.06:
        written = r.choice("-=.") + written
    elif r.random() < 0.07:
        written = r.choice("$$$€£") + written
    if r.random() < 0.45:
        written += r.choice(_ENDINGS)
    return written


def closed(r: random.Random) -> str:
    """Returns an amount that is closed against forgery, or whose cents are a fraction."""
    units = digits(r)[:6]
    cents = "".join(r.choices(DIGITS, k=2)) if r.random() < 0.7 else "00"
    kind = r.randrange(5)
    if kind == 0:
        return units + r.choice(("/-", "/-", "/=", ",/-", "./-"))
    if kind == 1:
        return f"{units}{r.choice((' ', '-', '.', ''))}{cents}/100"
    if kind == 2:
        stars = r.choice("**#") * r.randint(1, 3)
        return f"{stars}{units}{r.choice('.,')}{cents}{stars}"
    if kind == 3:
        return f"{units}{r.choice('.,')}{cents}{r.choice('-=')}"
    return f"{r.choice('$$€£')}{r.choice(('', ' '))}{units}{r.choice('.,')}{cents}"


def code(r: random.Random) -> str:
    """Returns a postal code: five digits, five and four, or six."""
    kind = r.random()
    if kind < 0.25:
        return _random_digits(r, 5) + "-" + _random_digits(r, 4)
    return _random_digits(r, 5 if kind < 0.6 else 6)


def date(r: random.Random) -> str:
    """Returns a day in one of the usual forms."""
    day, month = str(r.randint(1, 31)), str(r.randint(1, 12))
    year = str(r.randint(1920, 2045)) if r.random() < 0.8 else _random_digits(r, 4)
    if r.random() < 0.65:
        day, month = day.zfill(2), month.zfill(2)
    if r.random() < 0.35:
        year = year[2:]
    parts = [day, month, year]
    if r.random() < 0.3:
        parts = [year, month, day] if r.random() < 0.6 else [month, day, year]
    mark = r.choice("///...--,:") if r.random() < 0.97 else r.choice(("", " "))
    room = SPACE if r.random() < 0.1 else ""
    return (room + mark + room).join(parts if r.random() < 0.92 else parts[:2])


def time(r: random.Random) -> str:
    """Returns a time of day, a fraction, a share or a count of several."""
    if r.random() < 0.5:
        seconds = f":{r.randint(0, 59):02}" if r.random() < 0.2 else ""
        return f"{r.randint(0, 23)}{r.choice(':::.')}{r.randint(0, 59):02}{seconds}"
    whole = r.choice(("", "", f"{r.randint(1, 99)} "))
    return f"{whole}{r.randint(1, 40)}{r.choice('/////:')}{r.randint(1, 100)}"


def grouped(r: random.Random) -> str:
    """Returns a telephone, account or card number with room or marks between its groups."""
    sizes = r.choice(
        ((3, 3, 4), (4, 4, 4, 4), (2, 2, 2, 2), (3, 4), (4, 3, 3), (3, 3, 3), (3, 2, 4), (5, 6))
    )
    joint = r.choice((SPACE, SPACE, 2 * SPACE, "-", ".", "/", " - "))
    return joint.join(_random_digits(r, size) for size in sizes)


def wide(r: random.Random) -> str:
    """Returns 8 to 14 digits."""
    return _random_digits(r, r.randint(8, 14))


def long(r: random.Random) -> str:
    """Returns 15 to 40 digits, now and then in groups."""
    figures = _random_digits(r, r.randint(15, LONGEST))
    size = r.choice((0, 0, 3, 4, 5))
    if not size:
        return figures
    joint = r.choice((SPACE, SPACE, "-", "."))
    return joint.join(figures[at : at + size] for at in range(0, len(figures), size))


def labelled(r: random.Random) -> str:
    """Returns an amount with letters before or behind it."""
    figures = amount(r) if r.random() < 0.7 else closed(r)
    name = r.choice(_LABELS) if r.random() < 0.7 else words(r, 1)
    room = SPACE * r.randint(0, 2)
    return name + room + figures if r.random() < 0.6 else figures + room + name


def corrected(r: random.Random) -> str:
    """Returns digits of which some are crossed out."""
    figures = list(digits(r))
    for _ in range(r.choice((1, 1, 1, 2, 3))):
        figures.insert(r.randint(0, len(figures)), CROSSED)
    return "".join(figures)


def words(r: random.Random, most: int = 3) -> str:
    """Returns words without any digit: what is not to be read."""
    letters = [
        "".join(r.choices(_SMALL if r.random() < 0.7 else _CAPITALS, k=r.randint(1, 8)))
        for _ in range(r.randint(1, most))
    ]
    return SPACE.join([_capital(word) if r.random() < 0.4 else word for word in letters])


def _capital(word: str) -> str:
    first = word[0].upper()
    return first + word[1:] if first in _CAPITALS else word


def cells(r: random.Random) -> str:
    """Returns digits for the cells of a comb; a space is an empty cell."""
    kind = r.random()
    if kind < 0.62:
        figures = digits(r)
    elif kind < 0.82:
        figures = wide(r)
    else:
        figures = "".join(c for c in date(r) if c in DIGITS)
    if r.random() < 0.12:  # ones, which stand as the walls do
        figures = "".join("1" if r.random() < 0.7 else c for c in figures)
    before, after = (SPACE * r.choice((0, 0, 0, 1, 2, 4)) for _ in range(2))
    if r.random() < 0.05:
        place = r.randrange(len(figures) + 1)
        figures = figures[:place] + r.choice((SPACE, "-", ".", ",", CROSSED)) + figures[place:]
    return before + figures + after


def _random_digits(r: random.Random, count: int) -> str:
    return "".join(r.choices(DIGITS, k=count))


_KINDS: dict[Callable[[random.Random], str], float] = {
    amount: 44,
    digits: 14,
    code: 4,
    date: 9,
    time: 3,
    closed: 5,
    grouped: 4,
    wide: 6,
    long: 3,
    labelled: 3,
    corrected: 2,
}


def anything(r: random.Random) -> str:
    """Returns a text of any kind."""
    return r.choices(tuple(_KINDS), tuple(_KINDS.values()))[0](r)
