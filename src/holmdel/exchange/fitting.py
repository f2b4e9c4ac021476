"""Foreign layers put into a network of ours, one after the other."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, zip_longest
from typing import Any

import torch
from torch import Tensor, nn

from holmdel.anatomy import weightless
from holmdel.errors import UserError
from holmdel.exchange.checks import check_finite, check_numbers, refuse_norms
from holmdel.exchange.folding import EPSILON, adapted, with_ways_around, without_biases
from holmdel.exchange.layers import Layer, by_name, layers_of, natural
from holmdel.exchange.layout import maps_to_channels_first
from holmdel.exchange.weights import HWC, Weights
from holmdel.networks import NETWORKS, build, network_options

USUAL_SIDES = (28, 32, 64, 96, 128, 224, 227, 256)  # pixels; tried first, as several sizes may fit
LARGEST_SIDE = 320
VARIANTS = {(6, 3, 3): "paddle", (20, 5, 5): "caffe"}  # LeNets by the maps and the kernel of c1
FUNCTIONS = {"activation": "relu", "pooling": "max"}  # that these variants were made for


@dataclass(frozen=True)
class Converted:
    """A network with weights from elsewhere.

    Attributes:
        weights: what the file held.
        name: the network's, in `networks.NETWORKS`.
        options: those that are not its defaults.
        network: the network, in eval mode, on the CPU.
        pairs: (the file's layer, the network's layer), in the order of the forward pass.
        notes: sentences for who imports it: what was assumed, and how to say otherwise.
    """

    weights: Weights
    name: str
    options: dict[str, Any]
    network: nn.Module
    pairs: tuple[tuple[str, str], ...]
    notes: tuple[str, ...] = ()

    @property
    def classes(self) -> int:
        """How many classes the network tells apart."""
        return int(self._option("classes"))

    @property
    def input(self) -> tuple[int, int, int]:
        """(C, H, W) of what the network sees."""
        height, width = self._option("size")
        return int(self._option("channels")), height, width

    def _option(self, name: str) -> Any:
        return self.options.get(name, network_options(self.name)[name])


def fit(weights: Weights, name: str, options: dict[str, Any]) -> Converted:
    """Returns the network `name` with the weights of a file.

    Layers are matched in forward order, by the shapes of their tensors. Options that are not given
    follow from the shapes: `channels` from the first layer, `classes` from the last, `width` from
    the first one's maps, `size` from the first dense layer, as a square, where the file fits no
    network at the network's own size. The network has the tensors of `weights` themselves, not
    copies, where they can be.

    Args:
        weights: what the file holds.
        name: a name in `networks.NETWORKS`.
        options: options of the network that are known.

    Raises:
        UserError: for an unknown network or option, with the first layer that does not fit, or
            for weights that are no finite floating point numbers.
    """
    check_numbers(weights)
    refuse_norms(weights, name)
    ours, full, theirs = _match(weights, name, options)
    moved = weights.flattened == HWC and maps_to_channels_first(name, full, theirs)
    network = _filled(
        name,
        full,
        {
            f"{mine.name}.{kind}": tensor.reshape(mine.tensors[kind].shape)
            for mine, other in zip(ours, theirs, strict=True)
            for kind, tensor in other.tensors.items()
        },
    )
    check_finite(weights.file, network)
    known = network_options(name)
    chosen = {option: value for option, value in full.items() if value != known[option]}
    pairs = tuple((other.name, mine.name) for mine, other in zip(ours, theirs, strict=True))
    notes = [*weights.notes, _assumed(weights)] if weights.assumed and moved else [*weights.notes]
    if folded := [other.name for other in theirs if "+" in other.name]:
        notes.append(_put_into(name, folded))
    return Converted(weights, name, chosen, network.eval(), pairs, tuple(notes))


def _filled(name: str, options: dict[str, Any], tensors: dict[str, Tensor]) -> nn.Module:
    """Returns a network that has these tensors; those of float32 are not copied."""
    named = {key: tensor.to(torch.float32).contiguous() for key, tensor in tensors.items()}
    with weightless():
        network = build(name, **options)
    network.load_state_dict(named, strict=False, assign=True)  # but for counts of batch norms
    if any(tensor.is_meta for tensor in chain(network.parameters(), network.buffers())):
        network = build(name, **options)  # has numbers of its own beside its weights
        network.load_state_dict(named, strict=False)
    return network


def fits(weights: Weights) -> dict[str, dict[str, Any]]:
    """Returns the networks that a file fits, by name, each with its options."""
    found = {}
    for name in NETWORKS:
        with suppress(UserError):
            _, full, _ = _match(weights, name, told_of(weights, name))
            usual = network_options(name)
            found[name] = {key: value for key, value in full.items() if value != usual[key]}
    return found


def told_of(weights: Weights, name: str) -> dict[str, Any]:
    """Returns what a file tells of the options of a network."""
    known = network_options(name)
    layers = layers_of(weights.tensors)
    usual = FUNCTIONS if _variant(layers[0] if layers else None) and "variant" in known else {}
    return usual | {option: value for option, value in weights.options.items() if option in known}


def _variant(first: Layer | None) -> str | None:
    """Returns whose LeNet a first layer is from, None where the book's or another network's."""
    shape = first.shapes.get("weight", ()) if first else ()
    return VARIANTS.get((shape[0], *shape[2:])) if len(shape) == 4 else None


def _assumed(weights: Weights) -> str:
    """Returns the note on a file that does not say how its maps were flattened."""
    return (
        "the file does not say in which order its maps were flattened; rows, columns, channels "
        f"was taken, as {weights.form.split()[0]} does; --flatten chw takes the other"
    )


def _put_into(name: str, folded: list[str]) -> str:
    """Returns the note on batch norms that the network has no place for."""
    return (
        f"{name} has no batch norms there, so they were put into the weights before them "
        f"({', '.join(folded)}): right where each stands before its activation, with "
        f"eps={EPSILON:g}, which the file does not say"
    )


def _match(
    weights: Weights, name: str, options: dict[str, Any]
) -> tuple[list[Layer], dict[str, Any], list[Layer]]:
    """Returns the network's layers, its options, and the file's layers in the same order.

    LeNet with padding on 28x28 has the shapes of LeNet without on 32x32: a size that is not the
    network's own is taken only where the file fits no network at its own size.
    """
    layers = layers_of(weights.tensors)
    orders = [layers] if weights.ordered else []
    orders += [by_name(layers), by_name(layers, norms_last=True)]
    for theirs in orders:
        full = options | _inferred(name, theirs, options)
        try:
            ours = _layers(name, full)
        except UserError as error:
            raise _too_small(weights, name, orders[0], error) from None
        if _misfit(ours, theirs) is None:
            return ours, full, theirs
    for theirs in _adapted(weights, name, orders):
        full = options | _inferred(name, theirs, options)
        if _misfit(ours := _layers(name, full), theirs) is None:
            return ours, full, theirs
    if "size" not in options and not any(_fitting(theirs) for theirs in orders):
        for theirs in orders:
            full = options | _inferred(name, theirs, options)
            if size := _size(name, theirs, full):
                full["size"] = size
                return _layers(name, full), full, theirs
    raise _no_fit(weights, name, options, orders[0])


def _adapted(weights: Weights, name: str, orders: list[list[Layer]]) -> Iterator[list[Layer]]:
    """Gives a file's layers with its batch norms put into others where the network has none.

    Keras and Flax add another number to the variance, which no file of weights has.
    """
    if weights.flattened == HWC:
        return
    bare = without_biases(orders[0])
    plain = sorted(orders[0], key=lambda layer: natural(layer.name))
    for theirs in (*orders, plain, with_ways_around(orders[0])):
        usual = _usual_layers(name, _variant(theirs[0]) if name == "lenet" else None)
        if (found := adapted(usual, theirs, bare)) is not None:
            yield found


def _too_small(weights: Weights, name: str, theirs: list[Layer], error: UserError) -> UserError:
    """Returns the sentence for a network that is not made for images of the size in a file."""
    seen = _seen(weights)
    if "size" not in seen:
        return error
    size = "x".join(map(str, seen["size"]))
    return UserError(
        f"{weights.file} does not fit {name}: it sees images of {size}, of which {name} makes "
        f"nothing; {_advice(theirs, name, seen)}"
    )


def _no_fit(weights: Weights, name: str, options: dict[str, Any], theirs: list[Layer]) -> UserError:
    """Returns the sentence that names the first layer that does not fit, and what would."""
    ours = _layers(name, options | _inferred(name, theirs, options))
    mine, other = _misfit(ours, theirs) or (None, None)
    if other is None:
        what = f"it ends where {name} goes on with {mine}"
    elif mine is None:
        what = f"its layer {other} is one too many"
    else:
        what = f"its layer {other} stands where {name} has {mine}"
    return UserError(
        f"{weights.file} does not fit {name}: {what}; {_advice(theirs, name, _seen(weights))}"
    )


def _seen(weights: Weights) -> dict[str, Any]:
    """Returns what a file tells of the images that its network sees."""
    return {key: weights.options[key] for key in ("channels", "size") if key in weights.options}


def _advice(theirs: list[Layer], name: str, seen: dict[str, Any]) -> str:
    """Returns what to do with layers that do not fit the network `name`."""
    fitting = _fitting(theirs, seen)
    if name in fitting:
        return "it fits without the options that were given"
    if fitting:
        return f"it fits with {' or '.join(f'--as {other}' for other in fitting)}"
    return f"nor does it fit another network; there are {', '.join(NETWORKS)}"


def _fitting(theirs: list[Layer], seen: dict[str, Any] | None = None) -> list[str]:
    """Returns the networks that layers fit, on pictures as told or of the networks' own sizes."""
    found = []
    for name in NETWORKS:
        with suppress(UserError):  # of a size that a network cannot see
            options = {**(seen or {}), **_inferred(name, theirs, seen or {})}
            if _misfit(_layers(name, options), theirs) is None:
                found.append(name)
    return found


def _inferred(name: str, theirs: list[Layer], given: dict[str, Any]) -> dict[str, Any]:
    """Returns the options that follow from a file's layers, less those given and the size."""
    known = network_options(name)
    first, last = (theirs[place].tensors.get("weight") for place in (0, -1))
    found: dict[str, Any] = {}
    if first is not None and first.ndim == 4:
        found["channels"] = max(1, first.shape[1])
        if "width" in known:
            found |= _width(name, known["width"], first)
        if "variant" in known and (variant := _variant(theirs[0])):
            found["variant"] = variant
    usual = _usual_layers(name, found.get("variant"))
    if last is not None and last.ndim in (2, 4) and len(theirs) == len(usual):
        found["classes"] = max(2, last.shape[0])
    return {option: value for option, value in found.items() if option not in given}


def _width(name: str, usual: float, first: Tensor) -> dict[str, float]:
    """Returns the factor on the maps, if the first layer has the network's kernel."""
    ours = _usual_layers(name)[0].tensors["weight"]
    factor = usual * first.shape[0] / ours.shape[0]
    same = first.shape[2:] == ours.shape[2:] and 0 < factor <= 16
    return {"width": factor} if same else {}


def _size(name: str, theirs: list[Layer], options: dict[str, Any]) -> tuple[int, int] | None:
    """Returns the size of square pictures with which the layers fit."""
    mine, other = _misfit(_layers(name, options), theirs) or (None, None)
    if mine is None or other is None or not _one_input_apart(mine, other):
        return None
    wanted = _inputs([other], other.name)
    sides = range(8, LARGEST_SIDE + 1)

    def inputs(side: int) -> int:  # never fewer for a larger side
        try:
            return _inputs(_layers(name, options | {"size": (side, side)}), mine.name)
        except UserError:
            return 0  # too small for the network's windows

    first = bisect_left(sides, wanted, key=inputs)
    found = range(8 + first, 8 + bisect_right(sides, wanted, lo=first, key=inputs))
    for side in chain((usual for usual in USUAL_SIDES if usual in found), found[:1]):
        if _misfit(_layers(name, options | {"size": (side, side)}), theirs) is None:
            return side, side
    return None


def _inputs(layers: list[Layer], name: str) -> int:
    """Returns how many weights the layer of a name has for each of its outputs."""
    (layer,) = (layer for layer in layers if layer.name == name)
    return math.prod(layer.shapes.get("weight", ())[1:])


def _one_input_apart(mine: Layer, other: Layer) -> bool:
    """Tells whether two layers give the same and may differ in what they see."""
    same = mine.shapes.keys() == other.shapes.keys()
    return same and all(
        len(mine.shapes[kind]) == len(other.shapes[kind])
        and mine.shapes[kind][:1] == other.shapes[kind][:1]
        for kind in mine.shapes
    )


def _layers(name: str, options: dict[str, Any]) -> list[Layer]:
    """Returns the layers of a network of ours: shapes alone, without numbers."""
    words = ((key, tuple(v) if isinstance(v, list) else v) for key, v in sorted(options.items()))
    return _built(name, tuple(words))


@lru_cache(maxsize=128)  # one file asks for the same network several times
def _built(name: str, options: tuple[tuple[str, Any], ...]) -> list[Layer]:
    with weightless():
        return layers_of(build(name, **dict(options)).state_dict())


def _usual_layers(name: str, variant: str | None = None) -> list[Layer]:
    """Returns the layers of a network, or of a variant of it, with its own options."""
    return _layers(name, {} if variant is None else {"variant": variant})


def _misfit(
    ours: Sequence[Layer], theirs: Sequence[Layer]
) -> tuple[Layer | None, Layer | None] | None:
    """Returns the first pair of layers whose shapes differ; None for a layer that is missing."""
    pairs: Iterator[tuple[Layer | None, Layer | None]] = zip_longest(ours, theirs)
    for mine, other in pairs:
        if mine is None or other is None or not _alike(mine, other):
            return mine, other
    return None


def _alike(mine: Layer, other: Layer) -> bool:
    """Tells whether a layer has our shapes, or is a convolution over all that our dense one sees.

    The paper's C5 is such a convolution: 120x16x5x5 for 120x400.
    """
    theirs = other.shapes
    if len(theirs.get("weight", ())) == 4 and len(mine.shapes.get("weight", ())) == 2:
        theirs["weight"] = theirs["weight"][0], math.prod(theirs["weight"][1:])
    return mine.shapes == theirs
