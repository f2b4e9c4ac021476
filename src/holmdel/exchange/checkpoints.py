"""Dictionaries of state dicts, as trainings save them: which of them is meant."""

from collections.abc import Callable, Iterator
from typing import Any

from holmdel.errors import UserError
from holmdel.exchange.layers import KINDS

DEEPEST = 3  # dictionaries in dictionaries: {"checkpoint": {"state_dict": ...}}
QUANTISED = "_packed_params"  # of layers of 8 bits


def chosen(
    path: object, loaded: dict[Any, Any], key: str | None, is_state: Callable[[object], bool]
) -> dict[str, Any]:
    """Returns the state dict that is meant: the dictionary itself, the only one in it, or by key.

    Args:
        path: what sentences call the file.
        loaded: what it holds.
        key: the name of one in it, as given, with dots where it lies deeper; None for none.
        is_state: tells a state dict from others.

    Raises:
        UserError: if there is none, none of that key, or several and no key.
    """
    inner = dict(_inside(loaded, is_state))
    if key is not None:
        if key not in inner:
            raise UserError(
                f"{path} has no state dict {key!r} in it; it has {', '.join(inner) or 'none'}"
                + ("" if inner else "; leave --key out")
            )
        return inner[key]
    if is_state(loaded):
        return loaded
    if inner and all(set(state) <= KINDS for state in inner.values()):  # one a layer
        return {f"{at}.{kind}": made for at, state in inner.items() for kind, made in state.items()}
    if len(inner) > 1:
        raise UserError(
            f"{path} holds {len(inner)} state dicts ({', '.join(inner)}); say which is meant: "
            f"--key {next(iter(inner))}"
        )
    if not inner:
        raise _none(path, loaded)
    return next(iter(inner.values()))


def _inside(
    loaded: dict[Any, Any], is_state: Callable[[object], bool]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields the state dicts in a dictionary, and in those in it, each gone into once."""
    seen = {id(loaded)}
    level: list[tuple[str, dict[Any, Any]]] = [("", loaded)]
    for _ in range(DEEPEST):
        deeper: list[tuple[str, dict[Any, Any]]] = []
        for above, holder in level:
            for name, value in holder.items():
                if not isinstance(name, str) or not isinstance(value, dict):
                    continue
                if is_state(value):
                    yield f"{above}{name}", value
                elif id(value) not in seen:
                    seen.add(id(value))
                    deeper.append((f"{above}{name}.", value))
        level = deeper


def _none(path: object, loaded: dict[Any, Any]) -> UserError:
    """Returns the sentence for a dictionary without a state dict."""
    if any(QUANTISED in str(name) for name in loaded):
        return UserError(
            f"{path} holds quantised layers, which are not read; save the state dict of the "
            "network as it was before it was quantised"
        )
    if not loaded:
        return UserError(f"{path} holds an empty dictionary; save the state dict again")
    keys = ", ".join(str(name)[:40] for name in list(loaded)[:5])
    return UserError(
        f"{path} holds a dictionary with no state dicts in it ({keys}); save the state dict alone"
    )
