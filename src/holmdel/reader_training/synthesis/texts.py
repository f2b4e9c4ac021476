"""What is written on a training line."""

import math
import random

from holmdel.networks.line import DIGITS

_LENGTHS = {1: 4, 2: 6, 3: 13, 4: 24, 5: 26, 6: 13, 7: 6, 8: 4, 9: 2, 10: 2}
# F. Benford, "The Law of Anomalous Numbers" (1938): how often an amount begins with 1 to 9.
_FIRST = tuple(math.log10(1 + 1 / digit) for digit in range(1, 10))
_ENDINGS = (".", ".", ",", "-", "-", "=", ".-", ".-", ",-", ".=", "--", "==", "=-")
MOST = 12  # digits


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


def code(r: random.Random) -> str:
    """Returns a postal code: five digits, five and four, or six."""
    kind = r.random()
    if kind < 0.25:
        return "".join(r.choices(DIGITS, k=5)) + "-" + "".join(r.choices(DIGITS, k=4))
    return "".join(r.choices(DIGITS, k=5 if kind < 0.6 else 6))


# Letters that nobody takes for a digit, also by themselves.
_CAPITALS, _SMALL = "ACDEFHKLMNPRTUVWXY", "acdefhkmnprtuvwxy"


def words(r: random.Random) -> str:
    """Returns one to three words without any digit: what is not to be read."""
    letters = [
        "".join(r.choices(_SMALL if r.random() < 0.7 else _CAPITALS, k=r.randint(2, 8)))
        for _ in range(r.randint(1, 3))
    ]
    return " ".join([word.capitalize() if r.random() < 0.4 else word for word in letters])
