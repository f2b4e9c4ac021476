"""What a line is worth: an amount in cents, a postal code."""

import math
import re
from typing import Any

Value = dict[str, Any]  # JSON-ready
Meaning = tuple[str, Value | None]  # a text with its marks, and what it is worth
STAND_IN = "1"  # what counts as a slash as well, where one may be: few networks tell them apart

_AMOUNT = re.compile(
    r"""
    [$€£=-]*                              # currency, or what closes the amount to forgery
    (?: (?P<units> \d+
                 | [1-9]\d{0,2}(?:[.,=-]\d{3})+               # thousands
                 | [1-9]\d?(?:[.,]\d\d)+[.,]\d{3} )           # lakhs
        (?: [.,=-](?P<cents>\d\d) | [.,=-]?(?P<part>\d\d)/100 | (?P<end>[.,/][.,]?) )?
      | [.,](?P<only>\d\d) )
    [=$€£-]*
    """,
    re.VERBOSE,
)

_ZERO_FIRST = 0.02  # as a part of all amounts, without a decimal mark behind it

# Of nine digits or more: nobody writes a hundred million and more without a mark in it.
_HUNDREDTHS = re.compile(rf"\d{{5,}}{STAND_IN}100")


def amount(raw: str) -> Value | None:
    """Returns what an amount is worth, or None where its marks are not those of one.

    A point, a comma, a dash and a double dash say the same. Two digits behind the last are cents,
    three are thousands.

    Returns:
        `cents`, and `decimal`: whether a mark was seen behind the whole units. If not, the digits
        are taken as whole units.

    >>> amount("1.234,50"), amount("25574")
    ({'cents': 123450, 'decimal': True}, {'cents': 2557400, 'decimal': False})
    >>> amount("100-00/100"), amount("12.3456")
    ({'cents': 10000, 'decimal': True}, None)
    """
    found = _AMOUNT.fullmatch(raw)
    if not found:
        return None
    cents = found["cents"] or found["part"] or found["only"]
    units = re.sub(r"\D", "", found["units"] or "0")
    return {"cents": int(units + (cents or "00")), "decimal": bool(cents or found["end"])}


def amounts(said: str) -> list[Meaning]:
    """Returns what was written where a network says `said`, and what that is worth.

    Args:
        said: digits and marks, `STAND_IN` in the place of a slash.

    >>> amounts("110,0001-")
    [('110,000/-', {'cents': 11000000, 'decimal': True})]
    >>> [raw for raw, _ in amounts("25001100")]
    ['2500/100', '25001100']
    >>> amounts("250001100")
    [('25000/100', {'cents': 25000, 'decimal': True})]
    """
    if _HUNDREDTHS.fullmatch(said):
        said = said.removesuffix(f"{STAND_IN}100") + "/100"
    written = re.sub(f"{STAND_IN}(?=100$|[=-]+$)", "/", said)
    both = (written, said) if written.endswith("/100") else (said, written)
    found = [(raw, amount(raw)) for raw in dict.fromkeys(both)]
    return [meaning for meaning in found if meaning[1] is not None] or found[:1]


def usual_amount(raw: str) -> float:
    """Returns how usual an amount is among all, by its first digit alone.

    First digits of amounts follow F. Benford, "The law of anomalous numbers" (1938): 30 % are 1,
    5 % are 9. A 0 is rare, unless a decimal mark follows.

    Args:
        raw: digits and marks.

    >>> [round(usual_amount(raw), 2) for raw in ("$ 1,250.00", "9000", "0900", "0.90")]
    [0.3, 0.05, 0.02, 0.11]
    """
    digits = re.search(r"\d.?", raw)
    if digits is None:
        return 1.0
    first, behind = int(digits[0][0]), digits[0][1:]
    if first == 0:
        return _ZERO_FIRST if behind.isdecimal() else 1 / 9
    return math.log10(1 + 1 / first)


def postcodes(said: str) -> list[Meaning]:
    """Returns a US postal code and how it is printed, whatever marks were seen.

    >>> postcodes("021394307")
    [('021394307', {'zip': '02139-4307'})]
    """
    digits = re.sub(r"\D", "", said)
    return [(said, {"zip": "-".join(filter(None, (digits[:5], digits[5:])))})]
