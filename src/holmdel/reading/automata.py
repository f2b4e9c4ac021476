"""Deterministic automata: from an expression, and from one together with a check of its digits."""

from collections.abc import Iterable

from holmdel.errors import UserError, quoted
from holmdel.reading.checks import Check
from holmdel.reading.expressions import Choice, Node, Repeat, Series

_MOST_STATES = 1_000  # of an expression; the search looks ahead over what is left of them
_MOST_PAIRS = 5_000  # of states of an expression and of a check
_MOST_CHECKED = 2_500  # that are left of them; 26 digits modulo 97 take 2,350
_MOST_PARTS = 20_000  # of an expression, its repetitions written out
_MOST_WORK = 200_000  # steps in silence, over all states: half a second

# For each state the state after each character, and the states in which a text may end; 0 is first.
Table = tuple[tuple[dict[str, int], ...], frozenset[int]]


def too_large(pattern: str) -> UserError:
    """Returns the error of a pattern that needs too many states."""
    return UserError(
        f"pattern {quoted(pattern)} is too large; expected fewer and smaller repetitions"
    )


class _Graph:
    """An automaton with silent moves, after K. Thompson (1968)."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.parts = self.work = 0
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
            raise too_large(self.pattern)
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
            self.work += 1
            if self.work > _MOST_WORK:
                raise too_large(self.pattern)
            state = waiting.pop()
            near = self.silent[state] | {end for chars, end in self.moves[state] if chars & silent}
            waiting += near - seen
            seen |= near
        return frozenset(seen)


def automaton(tree: Node, pattern: str, silent: str = "") -> Table:
    """Returns the moves and final states of the smallest deterministic automaton of `tree`."""
    graph = _Graph(pattern)
    end = graph.add(tree, graph.state())
    without = frozenset(silent)
    numbers = {graph.closure([0], without): 0}
    waiting = list(numbers)
    table: list[dict[str, int]] = []
    for here in waiting:  # grows while it is walked
        if len(waiting) > _MOST_STATES:
            raise too_large(pattern)
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
    """Returns the automaton with its equal states joined, numbered in the order they come in."""
    classes = _equal(table, final)
    order = {one: number for number, one in enumerate(dict.fromkeys(classes))}  # the start is 0
    rows = {order[one]: row for one, row in zip(classes, table, strict=True)}
    moves = ({c: order[classes[to]] for c, to in rows[n].items()} for n in range(len(rows)))
    return tuple(moves), frozenset(order[classes[state]] for state in final)


def _equal(table: list[dict[str, int]], final: set[int]) -> list[int]:
    """Returns for each state the number of its class of equal ones (J. Hopcroft, 1971).

    A move that is missing leads to one more state, from which nothing does.
    """
    nowhere = len(table)
    characters = {c: None for row in table for c in row}
    columns = {tuple(row.get(c, nowhere) for row in table) for c in characters}
    before = [_turned(column) for column in columns]
    blocks = [set(final), set(range(nowhere + 1)) - final]
    block_of = [int(state not in final) for state in range(nowhere + 1)]
    waiting = {0, 1}
    while waiting:
        splitter = tuple(blocks[waiting.pop()])
        for sources in before:
            parts: dict[int, set[int]] = {}
            for source in (source for state in splitter for source in sources.get(state, ())):
                parts.setdefault(block_of[source], set()).add(source)
            for number, part in parts.items():
                if len(part) < len(blocks[number]):
                    _split(number, part, blocks, block_of, waiting)
    return block_of[:-1]


def _turned(column: tuple[int, ...]) -> dict[int, list[int]]:
    """Returns the states that lead to each state, of the state that each leads to."""
    sources: dict[int, list[int]] = {}
    for source, to in enumerate(column):
        sources.setdefault(to, []).append(source)
    return sources


def _split(
    number: int, part: set[int], blocks: list[set[int]], block_of: list[int], waiting: set[int]
) -> None:
    """Makes a part of a block a block of its own; the smaller of both waits, or both."""
    blocks[number] -= part
    new = len(blocks)
    blocks.append(part)
    for state in part:
        block_of[state] = new
    waiting.add(new if number in waiting or len(part) <= len(blocks[number]) else number)


def checked(table: Table, check: Check, pattern: str) -> Table:
    """Returns the automaton of the digits that `table` allows and that pass a check.

    Args:
        table: without marks.
        check: what the digits must pass.
        pattern: what the user gave, for the sentence if there are no such digits.

    Raises:
        UserError: if none pass, or if it needs too many states.
    """
    moves, final = table
    numbers = {(0, check.start): 0}
    waiting = list(numbers)
    rows: list[dict[str, int]] = []
    for state, sums in waiting:  # grows while it is walked
        if len(waiting) > _MOST_PAIRS:
            raise too_large(pattern)
        row = {}
        for character, to in moves[state].items():
            after = check.step(sums, int(character))
            if after is None:
                continue
            if (to, after) not in numbers:
                numbers[to, after] = len(numbers)
                waiting.append((to, after))
            row[character] = numbers[to, after]
        rows.append(row)
    ends = {n for (state, sums), n in numbers.items() if state in final and check.passes(sums)}
    found = _smallest(*_alive(rows, ends, pattern))
    if len(found[0]) > _MOST_CHECKED:
        raise too_large(pattern)
    return found


def _alive(
    rows: list[dict[str, int]], final: set[int], pattern: str
) -> tuple[list[dict[str, int]], set[int]]:
    """Returns an automaton without the states that lead to no final one."""
    before: dict[int, list[int]] = {}
    for state, row in enumerate(rows):
        for to in row.values():
            before.setdefault(to, []).append(state)
    good, waiting = set(final), list(final)
    while waiting:
        near = set(before.get(waiting.pop(), ())) - good
        good |= near
        waiting += near
    if 0 not in good:
        raise UserError(
            f"pattern {quoted(pattern)} fits no string; expected one that some digits pass"
        )
    places = {state: place for place, state in enumerate(sorted(good))}
    kept = [{c: places[to] for c, to in rows[s].items() if to in good} for s in sorted(good)]
    return kept, {places[state] for state in final}
