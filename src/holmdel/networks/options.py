"""Options that several networks take, and what is said where one is out of range."""

from typing import TypeVar

from holmdel.errors import UserError

T = TypeVar("T")


def choose(option: str, value: str, table: dict[str, T]) -> T:
    """Returns what `table` has for `value`.

    Raises:
        UserError: if it has nothing.
    """
    if value not in table:
        raise UserError(f"{option} was given as {value!r}; choose from {', '.join(table)}")
    return table[value]


def at_least(option: str, value: int, least: int) -> None:
    """Raises a UserError unless `value` is a whole number from `least`."""
    if not isinstance(value, int) or value < least:
        raise UserError(f"{option} was given as {value!r}; expected a whole number from {least}")


def scaled(maps: int, width: float) -> int:
    """Returns `maps` times `width`, rounded, at least 1.

    Raises:
        UserError: if `width` is not above 0.

    >>> scaled(64, 0.25)
    16
    """
    if not isinstance(width, int | float) or not 0 < width <= 16:
        raise UserError(f"width was given as {width!r}; expected a number above 0, up to 16")
    return max(1, round(maps * width))
