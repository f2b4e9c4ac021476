"""What is in a file of weights, and which networks it fits, as text."""

from typing import Any

from holmdel.errors import UserError
from holmdel.exchange.fitting import fits
from holmdel.exchange.layers import layers_of
from holmdel.exchange.weights import Weights
from holmdel.networks import NETWORKS


def listing(weights: Weights) -> str:
    """Returns lines: the format, the layers, what the file tells, and what it fits."""
    lines = [f"{weights.file}: {weights.form}"]
    lines += [f"  {layer}" for layer in layers_of(weights.tensors)]
    if weights.options:
        lines.append(f"it says: {_options(weights.options)}")
    found = fits(weights)
    if not found:
        lines.append(f"it fits none of {', '.join(NETWORKS)}")
    for name, options in found.items():
        lines.append(f"it fits --as {name}{f' ({_options(options)})' if options else ''}")
    return "\n".join([*lines, *weights.notes])


def the_only_fit(weights: Weights) -> str:
    """Returns the network that a file fits, where it fits just one.

    Raises:
        UserError: if it fits several, or none.
    """
    found = list(fits(weights))
    if len(found) == 1:
        return found[0]
    said = f"fits {', '.join(found)}" if found else "fits no network here"
    raise UserError(
        f"{weights.file} {said}; name what it was trained as: --as {(found or list(NETWORKS))[0]}"
    )


def _options(options: Any) -> str:
    shown = {
        name: "x".join(map(str, value)) if isinstance(value, tuple) else value
        for name, value in options.items()
    }
    return ", ".join(f"{name} {value}" for name, value in shown.items())
