"""What a line may say: a pattern is an automaton that runs inside the decoder's search."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache, partial
from pathlib import Path

from holmdel.errors import UserError, quoted
from holmdel.reading.automata import Table, automaton, checked, too_large
from holmdel.reading.checks import IBAN_DIGITS, Check, iban, isbn, luhn
from holmdel.reading.codes import Codes, load_codes
from holmdel.reading.dates import ORDERS, dates
from holmdel.reading.expressions import (
    DIGITS,
    MARKS,
    Choice,
    Node,
    Repeat,
    Series,
    parse_expression,
)
from holmdel.reading.values import STAND_IN, Meaning, amounts, postcodes, usual_amount

_LONGEST = 200  # characters of an expression
_MOST_RAWS = 16  # of one text; more make it no more doubtful


@dataclass(frozen=True, eq=False)
class Pattern:
    """A deterministic automaton over digits and marks; state 0 is the start.

    Every state lies on a way to a final one.

    Attributes:
        name: the pattern as it was given.
        next: for each state, the state after each character that may follow.
        final: the states in which a text may end.
        marks: whether marks are characters of the pattern; if not they are as good as blank.
        beside: whether the digits decide and all marks are read beside them (`amount`, `date`), so
            that a mark seen wrongly forbids no digits.
        worth: what was written and what it is worth, from what a network says, with `STAND_IN` for
            a slash; None for a pattern without values.
        unslashed: the automaton with `STAND_IN` where a slash may be; None without slash.
        codes: all that may be written, where that is a list; there is no automaton then.
        usual: how usual what is written is, beside other texts; None where all are alike.
    """

    name: str
    next: tuple[dict[str, int], ...]
    final: frozenset[int]
    marks: bool
    beside: bool = False
    worth: Callable[[str], list[Meaning]] | None = None
    unslashed: "Pattern | None" = None
    codes: Codes | None = None
    usual: Callable[[str], float] | None = None

    @property
    def has_raw(self) -> bool:
        """Whether the marks of a line are read."""
        return self.marks or self.beside

    @cached_property
    def plain(self) -> bool:
        """Whether a text of the pattern has digits alone, and they are all that it means."""
        special = (self.worth, self.unslashed, self.codes)
        return not self.marks and all(each is None for each in special)

    @cached_property
    def skipped(self) -> str:
        """The marks that are no characters of the pattern: they are as good as blank."""
        known = {character for moves in self.next for character in moves} if self.marks else ()
        return "".join(mark for mark in MARKS if mark not in known)

    def fits(self, text: str) -> bool:
        """Returns whether the pattern allows a text.

        >>> parse_pattern("us-zip").fits("02139-4307"), parse_pattern("us-zip").fits("0213")
        (True, False)
        """
        if not self.marks:
            text = "".join(character for character in text if character not in MARKS)
        if self.codes:
            return text in self.codes.entries
        state: int | None = 0
        for character in text:
            state = None if state is None else self.next[state].get(character)
        return state in self.final

    def meanings(self, said: str) -> list[Meaning]:
        r"""Returns what may be written where a network says `said`, and what it is worth.

        Args:
            said: digits and marks that the network may say, `STAND_IN` in the place of a slash.

        >>> parse_pattern(r"\d+/\d+").meanings("24112")
        [('24/12', None), ('241/2', None)]
        """
        if self.worth:
            return self.worth(said)
        raws = [said] if self.unslashed is None else self._slashed(said)
        return [(raw, None) for raw in raws]

    def _slashed(self, said: str) -> list[str]:
        """Returns the texts that fit with slashes in the place of some stand-ins."""
        found: list[str] = []
        waiting = [("", 0)]
        while waiting and len(found) < _MOST_RAWS:
            raw, state = waiting.pop()
            if len(raw) == len(said):
                found += [raw] if state in self.final else []
                continue
            here = said[len(raw)]
            for character in (here, "/") if here == STAND_IN else here:
                if character in self.next[state]:
                    waiting.append((raw + character, self.next[state][character]))
        return found


def parse_pattern(pattern: str) -> Pattern:
    r"""Returns what a pattern allows.

    Args:
        pattern: `digits`, `digits:5`, `digits:3-6`, `us-zip` (5, or 5-4), `cn-postcode` (6),
            `amount`, `date`, `date:dmy` (`mdy`, `ymd`); digits that pass a check: `luhn`,
            `luhn:16`, `luhn:13-19`, `isbn`, `isbn:10`, `isbn:13`, `iban:DE`; `list:FILE`; or a
            regular expression of digits, marks, `\d`, `[]`, `()`, `|`, `?`, `*`, `+`, `{m}`,
            `{m,n}`.

    Raises:
        UserError: if it is none of these, allows no digits, or needs too many states.
    """
    if pattern.startswith("list:"):
        return _list(pattern)
    return _parsed(pattern)


def _list(pattern: str) -> Pattern:
    file = pattern.removeprefix("list:")
    if not file.strip():
        raise UserError(
            f"pattern {quoted(pattern)} names no file; expected list:FILE, a text file with a "
            "string of digits a line"
        )
    codes = load_codes(Path(file), pattern)
    return Pattern(
        pattern,
        (),
        frozenset(),
        marks=False,
        worth=lambda said: [(said, {"code": codes.entries[said]})],
        codes=codes,
    )


@lru_cache(maxsize=256)
def _parsed(pattern: str) -> Pattern:
    if len(pattern) > _LONGEST:
        raise too_large(pattern[:20] + "…")
    name, colon, option = pattern.partition(":")
    if pattern in _NAMED:
        return _NAMED[pattern](pattern)
    if colon and name in _WITH_OPTION:
        return _WITH_OPTION[name](pattern, option)
    return _from_tree(parse_expression(pattern, pattern), pattern)


def _from_tree(tree: Node, pattern: str) -> Pattern:
    """Returns the pattern of an expression."""
    table = automaton(tree, pattern)
    if not any(digit in moves for moves in table[0] for digit in DIGITS):
        raise UserError(
            f"pattern {quoted(pattern)} allows no digits; expected one such as \\d{{5}}"
        )
    found = {character for moves in table[0] for character in moves}
    unslashed = None
    if "/" in found:
        unslashed = Pattern(pattern, *automaton(_stood_in(tree), pattern), marks=True)
    return Pattern(pattern, *table, marks=bool(found & set(MARKS)), unslashed=unslashed)


def _stood_in(node: Node) -> Node:
    """Returns an expression in which the stand-in may be written for a slash."""
    match node:
        case Series(parts):
            return Series(tuple(map(_stood_in, parts)))
        case Choice(parts):
            return Choice(tuple(map(_stood_in, parts)))
        case Repeat(part, least, most):
            return Repeat(_stood_in(part), least, most)
        case _:
            return node | {STAND_IN} if "/" in node else node


def _digits(expression: str, pattern: str) -> Table:
    """Returns the automaton of an expression without marks."""
    return automaton(parse_expression(expression, pattern), pattern)


def _plain(expression: str, pattern: str) -> Pattern:
    return Pattern(pattern, *_digits(expression, pattern), marks=False)


def _checked(expression: str, check: Check, pattern: str) -> Pattern:
    table = _digits(expression, pattern)
    if any(mark in moves for moves in table[0] for mark in MARKS):
        raise UserError(
            f"pattern {quoted(pattern)} has marks, which no check counts; expected digits alone, "
            r"such as luhn:4\d{15}"
        )
    return Pattern(pattern, *checked(table, check, pattern), marks=False)


def _counted(pattern: str, option: str) -> str:
    """Returns the expression of so many digits, or from so many to so many."""
    least, dash, most = option.partition("-")
    most = most if dash else least
    if not (_is_number(least) and _is_number(most) and 1 <= int(least) <= int(most) <= 100):
        name = pattern.partition(":")[0]
        raise UserError(
            f"pattern {quoted(pattern)} has no such number of digits; expected one like {name}:5 "
            f"or {name}:3-6, from 1 to 100"
        )
    return rf"\d{{{least},{most}}}"


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()


def _luhn(pattern: str, option: str) -> Pattern:
    """Returns the pattern of so many digits, or of an expression, that pass the check of cards."""
    count = all(character in DIGITS + "-" for character in option)
    return _checked(_counted(pattern, option) if count else option, luhn(), pattern)


def _isbn(pattern: str, option: str) -> Pattern:
    if option not in ("10", "13"):
        raise UserError(f"pattern {quoted(pattern)} is no ISBN; expected isbn, isbn:10 or isbn:13")
    return _checked(rf"\d{{{option}}}", isbn(), pattern)


def _iban(pattern: str, country: str) -> Pattern:
    check = iban(country)
    table = _digits(rf"\d{{{IBAN_DIGITS[country]}}}", pattern)
    moves, final = checked(table, check, pattern)
    return Pattern(
        pattern, moves, final, False, worth=lambda said: [(said, {"iban": country + said})]
    )


_PARTS = {"d": r"(0?[1-9]|[12]\d|3[01])", "m": "(0?[1-9]|1[0-2])", "y": r"(19\d\d|20\d\d|\d\d)"}


def _date(pattern: str, order: str = "") -> Pattern:
    """Returns the pattern of a date in an order of day, month and year, or in any."""
    if order not in ("", *ORDERS) or pattern == "date:":
        raise UserError(
            f"pattern {quoted(pattern)} has no order of day, month and year; expected date, "
            f"{', '.join('date:' + known for known in ORDERS)}"
        )
    orders = [[_PARTS[part] for part in one] for one in ([order] if order else ORDERS)]
    plain, marked = ("|".join(mark.join(parts) for parts in orders) for mark in ("", STAND_IN))
    unslashed = _plain(f"{plain}|{marked}", pattern)
    worth = partial(dates, order=order)
    return replace(_plain(plain, pattern), beside=True, worth=worth, unslashed=unslashed)


def _amount(pattern: str) -> Pattern:
    digits = _plain(r"\d+", pattern)
    return replace(digits, beside=True, worth=amounts, unslashed=digits, usual=usual_amount)


def _us_zip(pattern: str) -> Pattern:
    moves, final = _digits(r"\d{5}(\d{4})?", pattern)
    return Pattern(pattern, moves, final, marks=False, beside=True, worth=postcodes)


_NAMED: dict[str, Callable[[str], Pattern]] = {
    "digits": partial(_plain, r"\d+"),
    "cn-postcode": partial(_plain, r"\d{6}"),
    "us-zip": _us_zip,
    "amount": _amount,
    "date": _date,
    "luhn": partial(_checked, r"\d{2,}", luhn()),
    "isbn": partial(_checked, r"\d{10}|\d{13}", isbn()),
}
_WITH_OPTION: dict[str, Callable[[str, str], Pattern]] = {
    "digits": lambda pattern, option: _plain(_counted(pattern, option), pattern),
    "date": _date,
    "luhn": _luhn,
    "isbn": _isbn,
    "iban": _iban,
}
