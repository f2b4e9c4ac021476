"""Layers written down in a line each, as a learner puts them together: `conv 6 5 p2; sigmoid`."""

import re
from collections import Counter, OrderedDict
from typing import NamedTuple

import torch
from torch import Tensor, nn

from holmdel.errors import UserError
from holmdel.shapes import parameter_count

Size = tuple[int, int, int]
MOST_LAYERS, MOST_LETTERS = 60, 2000
MOST_WEIGHTS = 100_000_000  # 400 megabytes; a few lines may ask for a thousand times that
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
        UserError: for a layer that does not take what comes to it, or too many weights.
    """
    made: OrderedDict[str, nn.Module] = OrderedDict()
    counts: Counter[str] = Counter()
    for at, (line, given) in enumerate(zip(layers, _inputs(layers, size), strict=True), start=1):
        counts[line.kind] += 1
        made[f"{line.kind}{counts[line.kind]}"] = _made(line, at, given)
    return nn.Sequential(made)


def _inputs(layers: list[LayerLine], size: Size) -> list[Tensor]:
    """Returns what comes to each layer, for one image: shapes alone, so that nothing is large."""
    found = [torch.empty(1, *size, device="meta")]
    weights = 0
    for at, line in enumerate(layers, start=1):
        try:
            with torch.no_grad(), torch.device("meta"):
                layer = _made(line, at, found[-1])
                found.append(layer(found[-1]))
        except (RuntimeError, ValueError, IndexError):
            shape = "x".join(map(str, found[-1].shape[1:]))
            raise UserError(
                f"layer {at}, {line.kind}, does not take what comes to it: {shape}; make its "
                "kernel smaller, or leave the layer out"
            ) from None
        weights += parameter_count(layer)
        if weights > MOST_WEIGHTS:
            raise UserError(
                f"the layers up to {at}, {line.kind}, have {weights:,} weights; expected up to "
                f"{MOST_WEIGHTS:,}; give them fewer channels or units"
            )
    return found[:-1]


def _made(line: LayerLine, at: int, value: Tensor) -> nn.Module:
    """Returns a layer for a value that comes to it."""
    kind, numbers = line
    kernel, padding = numbers.get("kernel", 1), numbers.get("padding", 0)
    if kind == "conv":
        stride = numbers.get("stride", 1)
        return nn.Conv2d(_of_maps(line, at, value), numbers["channels"], kernel, stride, padding)
    if kind == "batchnorm":
        return nn.BatchNorm2d(_of_maps(line, at, value))
    if kind == "linear":
        return nn.Linear(_of_vector(line, at, value), numbers["units"])
    if kind.endswith("pool"):
        pool = nn.AvgPool2d if kind == "avgpool" else nn.MaxPool2d
        return pool(kernel, numbers.get("stride", kernel), padding)
    if kind == "dropout":
        return nn.Dropout()
    return nn.Flatten() if kind == "flatten" else _ACTIVATIONS[kind]()


def _of_maps(line: LayerLine, at: int, value: Tensor) -> int:
    if value.ndim != 4:
        raise UserError(f"layer {at}, {line.kind}, takes maps; put it before flatten")
    return value.shape[1]


def _of_vector(line: LayerLine, at: int, value: Tensor) -> int:
    if value.ndim != 2:
        raise UserError(f"layer {at}, {line.kind}, takes a vector; put flatten before it")
    return value.shape[1]
