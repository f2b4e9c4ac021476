"""Layers written down in a line each, as a learner puts them together: `conv 6 5 p2; sigmoid`."""

import re
from collections import OrderedDict
from typing import NamedTuple

import torch
from torch import Tensor, nn

from holmdel.errors import UserError

Size = tuple[int, int, int]
MOST_LAYERS, MOST_LETTERS = 60, 2000
_MOST = {"channels": 1024, "units": 8192, "kernel": 15, "stride": 8, "padding": 7}
_LEAST = {"padding": 0}
_ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "leakyrelu": nn.LeakyReLU,
    "gelu": nn.GELU,
}
KINDS = ("conv", "avgpool", "maxpool", *_ACTIVATIONS, "batchnorm", "dropout", "flatten", "linear")
_PARAMETER = re.compile(r"([ps]?)(\d{1,5})")


class LayerLine(NamedTuple):
    """A layer as it was written: its kind, and its numbers by name."""

    kind: str
    numbers: dict[str, int]


def parse(text: str) -> list[LayerLine]:
    """Returns layers that stand behind one another, parted by semicolons.

    `conv CHANNELS KERNEL [pPADDING] [sSTRIDE]`, `avgpool KERNEL [pPADDING] [sSTRIDE]`, `maxpool`
    likewise, `linear UNITS`, and without numbers `flatten`, `batchnorm`, `dropout` and the
    activations.

    Raises:
        UserError: for what is none of these, a number outside its range, or too many layers.

    >>> parse("conv 6 5 p2; relu")
    [LayerLine(kind='conv', numbers={'channels': 6, 'kernel': 5, 'padding': 2}), \
LayerLine(kind='relu', numbers={})]
    """
    lines = [line.split() for line in text[:MOST_LETTERS].split(";") if line.strip()]
    if not lines or len(lines) > MOST_LAYERS or len(text) > MOST_LETTERS:
        raise UserError(
            f"{len(lines)} layers were given; expected 1 to {MOST_LAYERS}, parted by semicolons"
        )
    return [_line(words) for words in lines]


def _line(words: list[str]) -> LayerLine:
    kind, *rest = words
    if kind not in KINDS:
        raise UserError(f"there is no layer {kind!r}; choose from {', '.join(KINDS)}")
    wanted = {"conv": ["channels", "kernel"], "linear": ["units"]}.get(kind, [])
    wanted = ["kernel"] if kind.endswith("pool") else wanted
    found: dict[str, int] = {}
    for word in rest:
        match = _PARAMETER.fullmatch(word)
        name = match and {"p": "padding", "s": "stride"}.get(match[1])
        if match and not name and wanted:
            name = wanted.pop(0)
        if (
            not match
            or not name
            or name in found
            or (name in ("padding", "stride") and not _slides(kind))
        ):
            raise UserError(
                f"{' '.join(words)!r} was given as a layer; {word!r} means nothing there"
            )
        found[name] = _checked(words, name, int(match[2]))
    if wanted:
        raise UserError(f"{' '.join(words)!r} was given as a layer; expected its {wanted[0]} too")
    return LayerLine(kind, found)


def _slides(kind: str) -> bool:
    return kind in ("conv", "avgpool", "maxpool")


def _checked(words: list[str], name: str, value: int) -> int:
    least, most = _LEAST.get(name, 1), _MOST[name]
    if not least <= value <= most:
        raise UserError(
            f"{' '.join(words)!r} was given as a layer; expected a {name} of {least} to {most}"
        )
    return value


def sequential(layers: list[LayerLine], size: Size) -> nn.Sequential:
    """Returns the layers as a network, those with weights made for what comes to them.

    Args:
        layers: of `parse`.
        size: (C, H, W) of an image.

    Raises:
        UserError: for a layer that does not take what comes to it.
    """
    made: OrderedDict[str, nn.Module] = OrderedDict()
    value = torch.zeros(1, *size, device="meta")
    counts: dict[str, int] = {}
    for at, line in enumerate(layers, start=1):
        layer = _made(line, at, value)
        try:
            with torch.no_grad():
                value = layer.to("meta")(value)
        except (RuntimeError, ValueError, IndexError):
            shape = "x".join(map(str, value.shape[1:]))
            raise UserError(
                f"layer {at}, {line.kind}, does not take what comes to it: {shape}; make its "
                "kernel smaller, or leave the layer out"
            ) from None
        counts[line.kind] = counts.get(line.kind, 0) + 1
        made[f"{line.kind}{counts[line.kind]}"] = _made(line, at, None, layer)
    return nn.Sequential(made)


def _made(
    line: LayerLine, at: int, value: Tensor | None, like: nn.Module | None = None
) -> nn.Module:
    """Returns a layer for a value that comes to it, or a new one with the sizes of another."""
    kind, numbers = line
    kernel, padding = numbers.get("kernel", 1), numbers.get("padding", 0)
    if kind == "conv":
        channels = like.in_channels if isinstance(like, nn.Conv2d) else _of_maps(line, at, value)
        stride = numbers.get("stride", 1)
        return nn.Conv2d(channels, numbers["channels"], kernel, stride, padding)
    if kind == "batchnorm":
        return nn.BatchNorm2d(
            like.num_features if isinstance(like, nn.BatchNorm2d) else _of_maps(line, at, value)
        )
    if kind == "linear":
        units = like.in_features if isinstance(like, nn.Linear) else _of_vector(line, at, value)
        return nn.Linear(units, numbers["units"])
    if kind.endswith("pool"):
        pool = nn.AvgPool2d if kind == "avgpool" else nn.MaxPool2d
        return pool(kernel, numbers.get("stride", kernel), padding)
    if kind == "dropout":
        return nn.Dropout()
    return nn.Flatten() if kind == "flatten" else _ACTIVATIONS[kind]()


def _of_maps(line: LayerLine, at: int, value: Tensor | None) -> int:
    if value is None or value.ndim != 4:
        raise UserError(f"layer {at}, {line.kind}, takes maps; put it before flatten")
    return value.shape[1]


def _of_vector(line: LayerLine, at: int, value: Tensor | None) -> int:
    if value is None or value.ndim != 2:
        raise UserError(f"layer {at}, {line.kind}, takes a vector; put flatten before it")
    return value.shape[1]
