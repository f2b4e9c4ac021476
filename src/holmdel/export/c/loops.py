"""Loops of C over the numbers of a value, with the places of what is read in them."""

from collections.abc import Sequence
from math import prod

Shape = Sequence[int]
_NAMES = "abcdefg"


def numbers(values: Sequence[str], per_line: int = 8) -> str:
    """Returns the inside of an array, some numbers a line."""
    rows = [values[at : at + per_line] for at in range(0, len(values), per_line)]
    return ",\n".join("    " + ", ".join(row) for row in rows)


def literal(number: float) -> str:
    """Returns a float32 that reads back as itself.

    >>> literal(0.5), literal(1.0), literal(-3e-07)
    ('0.5f', '1.0f', '-3e-07f')
    """
    text = f"{number:.9g}"
    return f"{text}f" if any(c in text for c in ".en") else f"{text}.0f"


def place(shape: Shape, whole: Shape) -> str:
    """Returns the index into an array of a shape, inside the loops over a larger one.

    Args:
        shape: of the array; sides of 1 are read again and again, and sides in front are missing.
        whole: what the loops go over.

    >>> place((6, 1, 1), (6, 28, 28)), place((28,), (6, 28, 28)), place((), (2,))
    ('a', 'c', '0')
    """
    step, terms = 1, []
    names = _NAMES[len(whole) - len(shape) : len(whole)]
    for name, side in zip(reversed(names), reversed(shape), strict=True):
        if side > 1:
            terms.append(name if step == 1 else f"{name} * {step}")
        step *= side
    return " + ".join(reversed(terms)) or "0"


def loops(shape: Shape, body: str, names: Sequence[str] = _NAMES) -> str:
    """Returns nested loops over a shape, the index of the outermost first among the names."""
    lines = [
        "    " * (1 + depth) + f"for (int {name} = 0; {name} < {side}; {name}++)"
        for depth, (name, side) in enumerate(zip(names, shape, strict=False))
    ]
    inner = "    " * (1 + len(shape))
    return "\n".join([*lines, *(inner + line for line in body.splitlines())])


def along(given: Shape, names: Sequence[str]) -> str:
    """Returns the index into an array of a shape, one name or term for each side."""
    terms = [
        name if (step := prod(given[at + 1 :])) == 1 else f"{name} * {step}"
        for at, name in enumerate(names)
    ]
    return " + ".join(terms) or "0"
