"""Checks of a number's own digits: what cards, books and bank accounts carry against mistakes."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import partial
from typing import Any

from holmdel.errors import UserError


@dataclass(frozen=True)
class Check:
    """A sum over digits that must come out right, as a machine that reads them from the left.

    Attributes:
        start: its first state.
        step: the state after one more digit; None where nothing can pass any more.
        passes: whether the digits may end in a state.
    """

    start: Hashable
    step: Callable[[Any, int], Hashable | None]
    passes: Callable[[Any], bool]


# Countries whose account numbers have digits alone: how many follow the two letters, the two check
# digits among them (the SWIFT IBAN registry of 2024).
IBAN_DIGITS = {
    **dict.fromkeys(("NO",), 13),
    **dict.fromkeys(("BE",), 14),
    **dict.fromkeys(("DK", "FI", "FO", "GL", "SD"), 16),
    **dict.fromkeys(("SI",), 17),
    **dict.fromkeys(("AT", "BA", "EE", "LT", "MN", "XK"), 18),
    **dict.fromkeys(("HR",), 19),
    **dict.fromkeys(("CR", "DE", "ME", "RS", "VA"), 20),
    **dict.fromkeys(("AE", "IL", "SO", "TL"), 21),
    **dict.fromkeys(("CZ", "ES", "SE", "SK", "TN"), 22),
    **dict.fromkeys(("LY", "PT", "ST"), 23),
    **dict.fromkeys(("IS",), 24),
    **dict.fromkeys(("BI", "DJ", "MR"), 25),
    **dict.fromkeys(("HU", "PL"), 26),
    **dict.fromkeys(("EG",), 27),
}


def luhn() -> Check:
    """Returns the check of bank cards: ISO/IEC 7812-1, annex B (H. P. Luhn, 1960).

    Every second digit from the right, beginning with the last but one, is doubled and its digits
    added; the sum of all is a multiple of ten. A state holds the sum if the digit read last is the
    last one, and if it is the last but one.
    """

    def step(sums: tuple[int, int], digit: int) -> tuple[int, int]:
        last, before = sums
        return (before + digit) % 10, (last + sum(divmod(2 * digit, 10))) % 10

    return Check((0, 0), step, lambda sums: sums[0] == 0)


def isbn() -> Check:
    """Returns the check of book numbers: ISO 2108, of 13 digits, or of 10 as before 2007.

    The 13 begin with 978 or 979. Of ten digits those are left out whose last character is an X. A
    state holds how many digits were read and the two sums; None where it cannot come right.
    """
    return Check((0, 0, 0), _isbn_step, _is_isbn)


_BEGINS = ((9,), (7,), (8, 9))  # the first digits of a book's thirteen

_Sums = tuple[int, int | None, int | None]


def _isbn_step(state: _Sums, digit: int) -> _Sums | None:
    count, ten, thirteen = state
    if ten is not None:
        ten = (ten + (10 - count) * digit) % 11 if count < 10 else None
    if thirteen is not None:
        begins = count >= len(_BEGINS) or digit in _BEGINS[count]
        thirteen = (thirteen + (3 if count % 2 else 1) * digit) % 10 if begins else None
    return None if ten is thirteen is None else (count + 1, ten, thirteen)


def _is_isbn(state: _Sums) -> bool:
    count, ten, thirteen = state
    return (count == 10 and ten == 0) or (count == 13 and thirteen == 0)


_NO_SUM = 97  # in place of a sum modulo 97: the check digits are none


def iban(country: str) -> Check:
    """Returns the check of the digits that follow a country's letters: ISO 13616, modulo 97.

    The two check digits and the letters go behind the account number, each letter as two digits
    from 10 for A; the whole leaves 1 when divided by 97. Check digits are 02 to 98, so 00, 01 and
    99 are none, though they leave the same as 97, 98 and 02
    (findings/iban-of-three-check-digits.sh). A state holds how many digits were read and the sum.

    Raises:
        UserError: for a country that is unknown or whose account numbers may have letters.
    """
    if country not in IBAN_DIGITS:
        raise UserError(
            f"pattern 'iban:{country}' names no country whose account numbers have digits alone; "
            f"expected one of {' '.join(sorted(IBAN_DIGITS))}"
        )
    count = IBAN_DIGITS[country]
    letters = int("".join(str(int(letter, 36)) for letter in country)) * 100 % 97
    weights = tuple(10 ** (count + 5 - number) % 97 for number in range(2, count))
    step = partial(_weighed, letters, weights)
    return Check((0, 0), step, lambda state: state == (count, 1))


def _weighed(
    letters: int, weights: tuple[int, ...], state: tuple[int, int], digit: int
) -> tuple[int, int]:
    number, total = state
    if number == 0:
        return 1, digit
    if number == 1:
        pair = 10 * total + digit
        return 2, (letters + pair) % 97 if 2 <= pair <= 98 else _NO_SUM
    if total == _NO_SUM:
        return number + 1, _NO_SUM
    return number + 1, (total + weights[number - 2] * digit) % 97
