"""The small regular expressions in which a pattern can be given."""

from dataclasses import dataclass
from typing import NoReturn, TypeAlias

from holmdel.errors import UserError, quoted

DIGITS = "0123456789"
MARKS = ".,-=$€£/:"
CHARACTERS = DIGITS + MARKS  # in the order of a line's steps; after them comes the blank
BLANK = len(CHARACTERS)


@dataclass(frozen=True)
class Series:
    """One part after the other."""

    parts: tuple["Node", ...]


@dataclass(frozen=True)
class Choice:
    """One of the parts."""

    parts: tuple["Node", ...]


@dataclass(frozen=True)
class Repeat:
    """A part at least so often, and at most so often if there is a most."""

    part: "Node"
    least: int
    most: int | None


Node: TypeAlias = frozenset[str] | Series | Choice | Repeat  # a set: one of its characters

_MOST_REPEATS = 100
_CHARACTERS = frozenset(CHARACTERS)


def parse_expression(text: str, pattern: str) -> Node:
    """Returns the tree of a regular expression over digits and marks.

    Args:
        text: the expression.
        pattern: what the user gave, for the sentence when it cannot be read.

    Raises:
        UserError: if it is no such expression.
    """
    parser = _Parser(text, pattern)
    tree = parser.either()
    if parser.here < len(text):
        parser.fail(f"{text[parser.here]!r} without its opening")
    return tree


class _Parser:
    """Reads an expression from the left; `here` is the next character."""

    def __init__(self, text: str, pattern: str) -> None:
        self.text, self.pattern, self.here = text, pattern, 0

    def fail(self, what: str) -> NoReturn:
        raise UserError(
            f"pattern {quoted(self.pattern)} cannot be read: {what}; expected digits, digits:5, "
            "digits:3-6, us-zip, cn-postcode, amount, date:dmy, luhn:16, isbn, iban:DE, "
            "list:FILE, or a regular expression of digits, "
            rf"{' '.join(MARKS)} (\. for a dot), \d [] () | ? * + {{m}} {{m,n}}"
        )

    def peek(self) -> str:
        """Returns the next character, or nothing at the end."""
        return self.text[self.here : self.here + 1]

    def take(self, wanted: str) -> bool:
        """Returns whether `wanted` comes next, and goes past it if so."""
        found = self.text.startswith(wanted, self.here)
        self.here += len(wanted) * found
        return found

    def either(self) -> Node:
        parts = [self.sequence()]
        while self.take("|"):
            parts.append(self.sequence())
        return Choice(tuple(parts)) if len(parts) > 1 else parts[0]

    def sequence(self) -> Node:
        parts: list[Node] = []
        while self.peek() not in ("", "|", ")"):
            parts.append(self.repeats(self.atom()))
        return Series(tuple(parts))

    def repeats(self, node: Node) -> Node:
        while self.peek() and self.peek() in "?*+{":
            if self.take("?"):
                node = Repeat(node, 0, 1)
            elif self.take("*"):
                node = Repeat(node, 0, None)
            elif self.take("+"):
                node = Repeat(node, 1, None)
            else:
                node = self.counted(node)
        return node

    def counted(self, node: Node) -> Node:
        self.take("{")
        inside, closed, _ = self.text[self.here :].partition("}")
        self.here += len(inside) + 1
        least, comma, most = inside.partition(",")
        numbers = [part for part in (least, most) if part or part is least]
        if not closed or not all(part.isascii() and part.isdecimal() for part in numbers):
            self.fail(f"{{{inside}}} counts nothing")
        first = int(least)
        last = int(most) if most else (None if comma else first)
        if max(first, last or 0) > _MOST_REPEATS or (last is not None and last < first):
            self.fail(f"{{{inside}}} is not from 0 to {_MOST_REPEATS} in order")
        return Repeat(node, first, last)

    def atom(self) -> Node:
        if self.take("("):
            self.take("?:")
            inside = self.either()
            if not self.take(")"):
                self.fail("a ( is not closed")
            return inside
        if self.take("["):
            return self.choice()
        if self.peek() == ".":
            self.fail(r"a dot is written \.")
        return self.characters()

    def choice(self) -> frozenset[str]:
        """Returns the characters between brackets."""
        chosen: frozenset[str] = frozenset()
        while not self.take("]"):
            if not self.peek():
                self.fail("a [ is not closed")
            first = self.characters()
            range_follows = self.peek() == "-" and self.text[self.here + 1 : self.here + 2] != "]"
            if range_follows and first <= frozenset(DIGITS) and len(first) == 1:
                self.take("-")
                last = self.characters()
                if not (len(last) == 1 and last <= frozenset(DIGITS) and min(first) <= min(last)):
                    self.fail("a range goes from a digit up to a digit")
                first = frozenset(DIGITS[int(min(first)) : int(min(last)) + 1])
            chosen |= first
        if not chosen:
            self.fail("[] holds no character")
        return chosen

    def characters(self) -> frozenset[str]:
        r"""Returns what one character, or one after a backslash, stands for."""
        if self.take(r"\d"):
            return frozenset(DIGITS)
        self.take("\\")
        character = self.peek()
        if character not in _CHARACTERS:
            self.fail(f"{character!r} is neither a digit nor a mark" if character else "it ends")
        self.here += 1
        return frozenset(character)
