"""Dictionaries of state dicts, as trainings save them: which of them is meant."""

from collections.abc import Callable
from typing import Any

from holmdel.errors import UserError


def chosen(
    path: object, loaded: dict[Any, Any], key: str | None, is_state: Callable[[object], bool]
) -> dict[str, Any]:
    """Returns the state dict that is meant: the dictionary itself, the only one in it, or by key.

    Args:
        path: what sentences call the file.
        loaded: what it holds.
        key: the name of one in it, as given; None for none.
        is_state: tells a state dict from others.

    Raises:
        UserError: if there is none, none of that key, or several and no key.
    """
    inner: dict[str, dict[str, Any]] = {
        str(name): value for name, value in loaded.items() if is_state(value)
    }
    if key is not None:
        if key not in inner:
            raise UserError(
                f"{path} has no state dict {key!r} in it; it has {', '.join(inner) or 'none'}"
            )
        return inner[key]
    if is_state(loaded):
        return loaded
    if len(inner) > 1:
        raise UserError(
            f"{path} holds {len(inner)} state dicts ({', '.join(inner)}); say which is meant: "
            f"--key {next(iter(inner))}"
        )
    if not inner:
        keys = ", ".join(str(name)[:40] for name in list(loaded)[:5])
        raise UserError(
            f"{path} holds a dictionary with no state dicts in it ({keys}); save the state dict "
            "alone"
        )
    return next(iter(inner.values()))
