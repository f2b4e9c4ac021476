"""Values given as texts, on the command line or in a file, read as what they should be."""

from collections.abc import Callable, Iterable
from typing import Any

from holmdel.errors import UserError


def coerce(name: str, value: Any, kind: str) -> Any:
    """Returns a value, often a text of the command line, as the type named `kind`.

    Raises:
        UserError: if the value cannot be read so.

    >>> coerce("lr", "0.5", "float")
    0.5
    """
    if kind.endswith(" | None"):
        return None if value is None else coerce(name, value, kind.removesuffix(" | None"))
    if kind == "str":
        return str(value)
    try:
        return _READERS[kind](value)
    except (ValueError, KeyError, TypeError):
        raise UserError(f"{name} was given as {value!r}; expected {_KINDS[kind]}") from None


_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_READERS: dict[str, Callable[[Any], Any]] = {
    "bool": lambda value: _BOOLEANS[str(value).lower()],
    "int": lambda value: int(str(value)),
    "float": float,
    "tuple": lambda value: _size(value.split("x") if isinstance(value, str) else value),
}
_KINDS = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "tuple": "a size such as 28x28",
}


def _size(parts: Iterable[Any]) -> tuple[int, int]:
    height, width = map(int, parts)
    return height, width
