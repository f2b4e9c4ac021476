"""What a line may say: a pattern is an automaton that runs inside the decoder's search."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from holmdel.errors import UserError
from holmdel.reading.expressions import (
    DIGITS,
    MARKS,
    Choice,
    Node,
    Repeat,
    Series,
    parse_expression,
)

NAMED = {
    "digits": r"\d+",
    "us-zip": r"\d{5}(-?\d{4})?",
    "cn-postcode": r"\d{6}",
    # Currency; groups of thousands (of two in India); cents; what closes the amount to forgery.
    "amount": r"[$€£=-]*(\d+|\d{1,3}([.,]\d{2,3})+)([.,=-]\d{1,2})?[.,=$€£-]*",
}
_MOST_STATES = 500  # the search looks ahead over all of them at every step
_MOST_PARTS = 20_000  # of an expression, its repetitions written out
_LONGEST = 200  # characters of an expression


@dataclass(frozen=True, eq=False)
class Pattern:
    """A deterministic automaton over digits and marks; state 0 is the start.

    Every state lies on a way to a final one.

    Attributes:
        name: the pattern as it was given.
        next: for each state, the state after each character that may follow.
        final: the states in which a text may end.
        marks: whether marks are characters of the pattern; if not they are as good as blank.
        digits: the pattern with its marks left out, where the digits decide and the marks are read
            beside them (`amount`, `us-zip`), so that a mark seen wrongly forbids no digits.
    """

    name: str
    next: tuple[dict[str, int], ...]
    final: frozenset[int]
    marks: bool
    digits: "Pattern | None" = None

    def fits(self, text: str) -> bool:
        """Returns whether the pattern allows a text.

        >>> parse_pattern("us-zip").fits("02139-4307"), parse_pattern("us-zip").fits("0213")
        (True, False)
        """
        state: int | None = 0
        for character in text:
            if state is not None and (self.marks or character not in MARKS):
                state = self.next[state].get(character)
        return state in self.final


@lru_cache(maxsize=256)
def parse_pattern(pattern: str) -> Pattern:
    r"""Returns the automaton of a pattern.

    Args:
        pattern: `digits`, `digits:5`, `digits:3-6`, `us-zip` (5, or 5-4), `cn-postcode` (6),
            `amount`, or a regular expression of digits, marks, `\d`, `[]`, `()`, `|`, `?`, `*`,
            `+`, `{m}`, `{m,n}`.

    Raises:
        UserError: if it is none of these, allows no digits, or needs too many states.
    """
    if len(pattern) > _LONGEST:
        raise _too_large(pattern[:20] + "…")
    named = pattern in ("amount", "us-zip")
    tree = parse_expression(_expression(pattern), pattern)
    states, final = _automaton(tree, pattern)
    marks = any(mark in moves for moves in states for mark in MARKS)
    if not any(digit in moves for moves in states for digit in DIGITS):
        raise UserError(f"pattern {pattern!r} allows no digits; expected one such as \\d{{5}}")
    alone = Pattern(pattern, *_automaton(tree, pattern, silent=MARKS), marks=False)
    return Pattern(pattern, states, final, marks, alone if named else None)


def _expression(pattern: str) -> str:
    """Returns the regular expression that a pattern stands for."""
    if pattern in NAMED:
        return NAMED[pattern]
    if not pattern.startswith("digits:"):
        return pattern
    least, dash, most = pattern.removeprefix("digits:").partition("-")
    most = most if dash else least
    if not (_is_number(least) and _is_number(most) and 1 <= int(least) <= int(most) <= 100):
        raise UserError(
            f"pattern {pattern!r} has no such number of digits; expected one like digits:5 or "
            "digits:3-6, from 1 to 100"
        )
    return rf"\d{{{least},{most}}}"


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()


class _Graph:
    """An automaton with silent moves, after K. Thompson (1968)."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.parts = 0
        self.silent: list[set[int]] = []
        self.moves: list[list[tuple[frozenset[str], int]]] = []

    def state(self) -> int:
        self.silent.append(set())
        self.moves.append([])
        return len(self.moves) - 1

    def add(self, node: Node, start: int) -> int:
        """Returns the state in which `node` ends when it begins in `start`."""
        self.parts += 1
        if self.parts > _MOST_PARTS:
            raise _too_large(self.pattern)
        match node:
            case Series(parts):
                for part in parts:
                    start = self.add(part, start)
                return start
            case Choice(parts):
                return self._joined([self.add(part, self._after(start)) for part in parts])
            case Repeat():
                return self._repeat(node, start)
            case _:
                end = self.state()
                self.moves[start].append((node, end))
                return end

    def _after(self, start: int) -> int:
        end = self.state()
        self.silent[start].add(end)
        return end

    def _joined(self, ends: Iterable[int]) -> int:
        end = self.state()
        for each in ends:
            self.silent[each].add(end)
        return end

    def _repeat(self, node: Repeat, start: int) -> int:
        for _ in range(node.least):
            start = self.add(node.part, start)
        if node.most is None:
            loop = self._after(start)
            self.silent[self.add(node.part, loop)].add(loop)
            return self._after(loop)
        ends = [start]
        for _ in range(node.most - node.least):
            ends.append(self.add(node.part, ends[-1]))
        return self._joined(ends)

    def closure(self, states: Iterable[int], silent: frozenset[str]) -> frozenset[int]:
        """Returns `states` and all that can be reached in silence, `silent` characters too."""
        seen = set(states)
        waiting = list(seen)
        while waiting:
            state = waiting.pop()
            near = self.silent[state] | {end for chars, end in self.moves[state] if chars & silent}
            waiting += near - seen
            seen |= near
        return frozenset(seen)


def _too_large(pattern: str) -> UserError:
    return UserError(f"pattern {pattern!r} is too large; expected fewer and smaller repetitions")


Table = tuple[tuple[dict[str, int], ...], frozenset[int]]


def _automaton(tree: Node, pattern: str, silent: str = "") -> Table:
    """Returns the moves and final states of the smallest deterministic automaton of `tree`."""
    graph = _Graph(pattern)
    end = graph.add(tree, graph.state())
    without = frozenset(silent)
    numbers = {graph.closure([0], without): 0}
    waiting = list(numbers)
    table: list[dict[str, int]] = []
    for here in waiting:  # grows while it is walked
        if len(waiting) > _MOST_STATES:
            raise _too_large(pattern)
        reached: dict[str, set[int]] = {}
        for chars, target in (move for state in here for move in graph.moves[state]):
            for character in chars - without:
                reached.setdefault(character, set()).add(target)
        row = {}
        closures: dict[frozenset[int], frozenset[int]] = {}  # most characters lead to the same
        for character in sorted(reached):
            direct = frozenset(reached[character])
            if direct not in closures:
                closures[direct] = graph.closure(direct, without)
            there = closures[direct]
            if there not in numbers:
                numbers[there] = len(numbers)
                waiting.append(there)
            row[character] = numbers[there]
        table.append(row)
    return _smallest(table, {numbers[states] for states in numbers if end in states})


def _smallest(table: list[dict[str, int]], final: set[int]) -> Table:
    """Returns the automaton with its equal states joined (E. F. Moore, 1956)."""
    classes = [int(state in final) for state in range(len(table))]
    characters = {c: None for row in table for c in row}
    columns = {tuple(row.get(c) for row in table): c for c in characters}  # equal ones count once
    rows_apart = [[(c, row[c]) for c in columns.values() if c in row] for row in table]
    while True:
        signs = [
            (classes[state], tuple((c, classes[to]) for c, to in row))
            for state, row in enumerate(rows_apart)
        ]
        order = {sign: number for number, sign in enumerate(dict.fromkeys(signs))}
        if len(order) == len(set(classes)):
            break
        classes = [order[sign] for sign in signs]
    classes = [order[sign] for sign in signs]  # numbered from the start, which becomes 0
    rows = {classes[state]: row for state, row in enumerate(table)}
    moves = ({c: classes[to] for c, to in rows[number].items()} for number in range(len(rows)))
    return tuple(moves), frozenset(classes[state] for state in final)
