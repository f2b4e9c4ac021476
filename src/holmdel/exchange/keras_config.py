"""What the description of a Keras network tells beside its weights."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from holmdel.exchange.weights import CHW, HWC

KNOWN = ("sigmoid", "tanh", "relu")  # activations of the networks here
ACTIVATIONS = {"ReLU": "relu", "LeakyReLU": "leaky_relu", "ELU": "elu", "PReLU": "prelu"}
MOVES = ("Permute", "ZeroPadding2D", "Cropping2D", "UpSampling2D")
DEEPEST = 32  # networks within networks


@dataclass(frozen=True)
class Told:
    """What a description tells.

    Attributes:
        names: those of the layers, in the order of the forward pass.
        flattened: the order in which the maps come to the first dense layer; None if it does not
            flatten any.
        options: options of a network here.
        foreign: as in `Weights`.
        notes: sentences on what no network here has.
    """

    names: tuple[str, ...]
    flattened: str | None
    options: dict[str, Any]
    foreign: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Layer:
    kind: str
    config: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.config.get("name"))


def told_by(description: object) -> Told:
    """Returns what the description of a network tells: `config.json`, or `model_config`."""
    layers = list(_layers(description))
    options, notes = _functions(layers)
    if padding := _first_padding(layers):
        options |= padding
    options |= _seen(layers)
    foreign = ("activation",) if notes else ()
    notes += _before(layers)
    names = tuple(layer.name for layer in layers)
    return Told(names, _flattened(layers), options, foreign, tuple(notes))


def _layers(description: object, depth: int = 0) -> Iterator[_Layer]:
    """Yields the layers of a network and of those within it, in their order."""
    if not isinstance(description, dict) or depth > DEEPEST:
        return
    config = description.get("config")
    inner = config.get("layers") if isinstance(config, dict) else config  # a list in early Keras
    if isinstance(inner, list):
        for part in inner:
            yield from _layers(part, depth + 1)
    elif isinstance(config, dict):
        yield _Layer(str(description.get("class_name")), config)


def _flattened(layers: list[_Layer]) -> str | None:
    """Returns the order in which the maps' numbers come to the first dense layer.

    `Flatten` puts channels last whatever the data format, by its own `data_format`; `Reshape`
    leaves numbers where they are.
    """
    spatial = CHW if _format(layers) == "channels_first" else HWC
    for layer in layers:
        if layer.kind == "Flatten":
            moved = spatial == CHW and layer.config.get("data_format") == "channels_first"
            return HWC if moved else spatial
        if layer.kind == "Reshape":
            return spatial
    return None


def _format(layers: list[_Layer]) -> str:
    """Returns the data format of the convolutions and poolings."""
    formats = [
        layer.config["data_format"]
        for layer in layers
        if layer.kind != "Flatten" and layer.config.get("data_format")
    ]
    return str(formats[-1]) if formats else "channels_last"


def _functions(layers: list[_Layer]) -> tuple[dict[str, Any], list[str]]:
    """Returns the activation and the pooling, where all layers have the same."""
    used = {name for layer in layers if (name := _activation(layer))} - {"linear", "softmax"}
    options: dict[str, Any] = {}
    notes = []
    if len(used) == 1 and used <= set(KNOWN):
        options["activation"] = used.pop()
    elif used:
        notes.append(
            f"its layers use {', '.join(sorted(used))}, which no network here does: the answers "
            "will not be the original's"
        )
    pools = {kind for layer in layers if (kind := pooling_of(layer.kind))}
    if len(pools) == 1:
        options["pooling"] = pools.pop()
    return options, notes


def _activation(layer: _Layer) -> str | None:
    """Returns the activation of a layer: its own, or what it is."""
    if layer.kind in ACTIVATIONS:
        return ACTIVATIONS[layer.kind]
    said = layer.config.get("activation")
    if isinstance(said, dict):
        said = said.get("config") if isinstance(said.get("config"), str) else said.get("class_name")
    return str(said).lower() if isinstance(said, str) else None


def pooling_of(kind: str) -> str | None:
    """Returns `max` or `avg` for the name of a pooling layer of Keras, None for another or all.

    >>> pooling_of("AveragePooling2D"), pooling_of("max_pooling2d_1"), pooling_of("Dense")
    ('avg', 'max', None)
    """
    plain = kind.lower().replace("_", "")
    if not plain.startswith(("maxpool", "averagepool", "avgpool")):
        return None
    return "max" if plain.startswith("max") else "avg"


def _first_padding(layers: list[_Layer]) -> dict[str, int]:
    """Returns the zeros around the image before the first convolution, where that is told."""
    before = 0
    for layer in layers:
        if layer.kind == "ZeroPadding2D":
            sides = layer.config.get("padding")
            flat = [side for pair in sides for side in pair] if isinstance(sides, list) else []
            before = flat[0] if flat and len(set(flat)) == 1 else 0
        if layer.kind == "Conv2D":
            return {"padding": before} if layer.config.get("padding") == "valid" else {}
    return {}


def _seen(layers: list[_Layer]) -> dict[str, Any]:
    """Returns `channels` and `size` of the images that a network takes, where they are told."""
    for layer in layers:
        shape = layer.config.get("batch_shape") or layer.config.get("batch_input_shape")
        if isinstance(shape, list) and len(shape) == 4:
            sides = shape[1:]
            if not all(type(side) is int and side > 0 for side in sides):
                return {}
            if _format(layers) == "channels_first":
                return {"channels": sides[0], "size": tuple(sides[1:])}
            return {"channels": sides[2], "size": tuple(sides[:2])}
    return {}


def _before(layers: list[_Layer]) -> list[str]:
    """Returns what is said of layers that work on the pixels before the first convolution."""
    notes = []
    for layer in layers:
        if layer.kind == "Rescaling":
            scale, offset = layer.config.get("scale"), layer.config.get("offset", 0)
            if not isinstance(scale, int | float) or not isinstance(offset, int | float):
                notes.append("it rescales pixels, a channel otherwise than another; not taken over")
            elif scale > 0 and (round(scale * 255, 5), offset) != (1, 0):
                mean, std = -offset / scale / 255, 1 / scale / 255
                notes.append(
                    f"it rescales pixels of 0..255: --mean {mean + 0.0:.4g} --std {std:.4g} does so"
                )
        elif layer.kind == "Normalization":
            notes.append(_normalised(layer.config.get("mean"), layer.config.get("variance")))
    return notes


def _normalised(mean: Any, variance: Any) -> str:
    """Returns the note on a layer that normalises pixels."""
    mean, variance = (_single(value) for value in (mean, variance))
    if mean is None or variance is None or variance <= 0:
        return (
            "it normalises pixels, which is not taken over: --mean and --std say by what, of "
            "pixels / 255"
        )
    std = variance**0.5
    return (
        f"it normalises pixels: --mean {mean:.4g} --std {std:.4g} does so if it was trained on "
        f"0..1, --mean {mean / 255:.4g} --std {std / 255:.4g} on 0..255"
    )


def _single(value: Any) -> float | None:
    """Returns the number that a value is, or that alone is in its lists; None for another."""
    for _ in range(DEEPEST):
        if not isinstance(value, list) or len(value) != 1:
            break
        value = value[0]
    return float(value) if isinstance(value, int | float) else None
