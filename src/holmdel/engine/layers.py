"""Translates a PyTorch module into the engine's layers, or says which layer it does not support."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from torch import nn

from holmdel.engine.layer import Layer, Pair, Shape
from holmdel.engine.parts import Part, Unsupported, parts_of
from holmdel.engine.parts import unknown as _unknown
from holmdel.engine.watch import hooked_gradient
from holmdel.shapes import output_size

LARGEST = 96  # pixels a side
MOST_MEMORY = 2 << 30  # bytes of a step


class _Value(NamedTuple):
    """What a part gives: a value of the layers, its shape, and whether it is flattened."""

    number: int
    shape: Shape
    flat: bool


def layers_of(network: nn.Module, size: Shape) -> tuple[list[Layer], bool]:
    """Returns the engine's layers of a network, and whether a log-softmax is to follow them.

    Args:
        network: a layer, an `nn.Sequential` of layers and networks, or a graph (`parts`).
        size: (C, H, W) of what it sees.

    Raises:
        Unsupported: for a layer or a size that the engine does not take.
    """
    if min(size) < 1:
        raise Unsupported(f"images were given as {size}; expected at least one channel and pixel")
    if max(size[1:]) > LARGEST:
        raise Unsupported(f"images of {size[1]}x{size[2]} are above {LARGEST}x{LARGEST}")
    layers: list[Layer] = []
    values = [_Value(0, size, False)]
    parts = parts_of(network)
    logits = _without_logs(parts)
    for part in logits:
        given = [values[value] for value in part.reads]
        if type(part.module) is nn.Flatten:
            whole = part.module.start_dim == 1 and part.module.end_dim == -1
            _expect(whole, part.name, part.module)
            values.append(given[0]._replace(flat=True))
            continue
        layer = replace(_layer_of(part, given), reads=tuple(one.number for one in given))
        layers.append(layer)
        flat = given[0].flat or layer.kind == "linear"
        values.append(_Value(len(layers), layer.output, flat))
    if not values[-1].flat:
        raise Unsupported("its last layer does not give a row of logits; a Flatten or Linear does")
    if values[-1].number != len(layers):
        raise Unsupported("its last layer is not what it gives")
    _expect_readers(layers)
    _expect_weights(layers)
    return layers, len(logits) < len(parts)


def _without_logs(parts: list[Part]) -> list[Part]:
    """Returns the parts without a log-softmax over the classes at the end: a loss takes logits."""
    last = parts[-1].module if parts else None
    return parts[:-1] if type(last) is nn.LogSoftmax and last.dim in (1, -1) else parts


def _layer_of(part: Part, given: Sequence[_Value]) -> Layer:
    """Returns the layer of a part that is no Flatten."""
    name, module, (_, shape, flat) = part.name, part.module, given[0]
    if module is None:
        if given[0][1:] != given[1][1:]:
            raise Unsupported(f"{name or 'it'} adds {given[0].shape} to {given[1].shape}")
        return Layer("sum", shape, shape)
    if type(module) is nn.Linear:
        inputs = math.prod(shape)
        _expect(flat, name, module, "before a Flatten")
        _expect(module.in_features == inputs, name, module, f"after {inputs} values")
        _expect(module.out_features > 0, name, module)
        return Layer("linear", shape, (module.out_features, 1, 1), module=module)
    layer = _layer(name, module, shape, flat)
    _expect(min(layer.output) > 0, name, module)
    return layer


def _expect_readers(layers: Sequence[Layer]) -> None:
    """Refuses values that nobody reads, and maps that are flattened for one reader of several."""
    readers = Counter(value for layer in layers for value in layer.reads)
    if len(readers) < len(layers):
        raise Unsupported("it has a layer whose values nobody reads")
    for layer in layers:
        maps = math.prod(layer.input[1:]) > 1
        if layer.kind == "linear" and maps and readers[layer.reads[0]] > 1:
            raise Unsupported("a dense layer and another layer read the same maps")


def _expect_weights(layers: Sequence[Layer]) -> None:
    """Refuses weights that are none, shared, watched, or of another shape than their layer says."""
    weights = []
    for layer in layers:
        if layer.module is None:
            continue
        own, shapes = layer.module._parameters, layer.shapes()
        for name, shape in shapes.items():
            parameter = own.get(name)
            if parameter is None and getattr(layer.module, name, None) is not None:
                raise Unsupported(f"the {name} of a {layer.kind} layer is no parameter of its own")
            if parameter is None:
                continue
            if parameter.shape != shape:
                raise Unsupported(
                    f"the {name} of a {layer.kind} layer has another shape than the layer says: "
                    f"{tuple(parameter.shape)}, not {shape}"
                )
            if hooked_gradient(parameter):
                raise Unsupported(
                    f"the {name} of a {layer.kind} layer has hooks, which the engine does not call"
                )
            weights.append(parameter)
    if not weights:
        raise Unsupported("it has no weights")
    if len({id(p) for p in weights}) < len(weights):
        raise Unsupported("two of its layers share weights")


def _layer(name: str, module: nn.Module, shape: Shape, flat: bool) -> Layer:
    """Returns a layer that is neither dense nor a Flatten."""
    for kind, activation in (("sigmoid", nn.Sigmoid), ("tanh", nn.Tanh), ("relu", nn.ReLU)):
        if type(module) is activation:
            return Layer(kind, shape, shape)
    if type(module) is nn.LeakyReLU:
        return Layer("leaky", shape, shape, number=module.negative_slope)
    if type(module) is nn.GELU:
        return Layer("gelu" if module.approximate == "none" else "gelu-tanh", shape, shape)
    if type(module) is nn.SiLU:
        return Layer("silu", shape, shape)
    if type(module) is nn.Dropout:
        return Layer("dropout", shape, shape, number=module.p, switch=module)
    if type(module) in (nn.BatchNorm1d, nn.BatchNorm2d):
        return _norm(name, module, shape, flat)
    _expect(not flat, name, module, "after a Flatten")
    return _of_maps(name, module, shape)


def _of_maps(name: str, module: nn.Module, shape: Shape) -> Layer:
    """Returns a convolution or a pooling."""
    if type(module) is nn.Conv2d:
        return _convolution(name, module, shape)
    if type(module) is nn.AvgPool2d:
        _expect(module.divisor_override is None, name, module)
        return _pool("avg", name, module, shape, module.count_include_pad)
    if type(module) is nn.MaxPool2d:
        _expect(_pair(module.dilation) == (1, 1) and not module.return_indices, name, module)
        return _pool("max", name, module, shape, False)
    if type(module) is not nn.AdaptiveAvgPool2d:
        return _unknown(name, module)
    given = module.output_size
    sides = given if isinstance(given, tuple) else (given, given)
    height, width = (
        full if side is None else side for full, side in zip(shape[1:], sides, strict=True)
    )
    return Layer("adaptive", shape, (shape[0], height, width))


def _norm(name: str, module: nn.Module, shape: Shape, flat: bool) -> Layer:
    assert isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d)
    _expect(flat == isinstance(module, nn.BatchNorm1d), name, module, "before or after a Flatten")
    _expect(not flat or shape[1:] == (1, 1), name, module, "right after a Flatten of maps")
    _expect(module.num_features == shape[0], name, module, f"on {shape[0]} channels")
    running = [module.running_mean, module.running_var]
    kept = all(r is not None and r.shape == (shape[0],) for r in running)
    _expect(kept and module.track_running_stats, name, module)
    _expect(module.momentum is not None, name, module)
    return Layer(
        "norm", shape, shape, number=module.eps, momentum=module.momentum or 0.0,
        module=module, switch=module,
    )  # fmt: skip


def _convolution(name: str, module: nn.Conv2d, shape: Shape) -> Layer:
    kernel, stride = _pair(module.kernel_size), _pair(module.stride)
    dilation, groups = _pair(module.dilation), module.groups
    _expect(min(*kernel, *stride, *dilation, groups) > 0, name, module)
    spans = [(side - 1) * step + 1 for side, step in zip(kernel, dilation, strict=True)]
    if module.padding == "same":
        _expect(all(span % 2 for span in spans), name, module)
        padding = spans[0] // 2, spans[1] // 2
    else:
        padding = (0, 0) if isinstance(module.padding, str) else _pair(module.padding)
    _expect(module.padding_mode == "zeros", name, module)
    _expect(module.in_channels == shape[0], name, module, f"on {shape[0]} channels")
    parted = shape[0] % groups == module.out_channels % groups == 0
    _expect(parted, name, module, f"in {groups} groups")
    height, width = (output_size(shape[i + 1], spans[i], stride[i], padding[i]) for i in range(2))
    output = module.out_channels, height, width
    return Layer("conv", shape, output, kernel, stride, padding, dilation, groups, module=module)


def _pool(
    kind: str,
    name: str,
    module: nn.AvgPool2d | nn.MaxPool2d,
    shape: Shape,
    count_padding: bool,
) -> Layer:
    kernel, stride = _pair(module.kernel_size), _pair(module.stride)
    padding = _pair(module.padding)
    _expect(min(*kernel, *stride) > 0, name, module)
    small = all(2 * p <= k for p, k in zip(padding, kernel, strict=True))
    _expect(small, name, module)
    height, width = (
        output_size(shape[i + 1], kernel[i], stride[i], padding[i], ceil=module.ceil_mode)
        for i in range(2)
    )
    output = shape[0], height, width
    return Layer(kind, shape, output, kernel, stride, padding, count_padding=count_padding)


def _pair(value: int | tuple[int, ...]) -> Pair:
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def _expect(good: bool, name: str, module: nn.Module, where: str = "") -> None:
    if not good:
        _unknown(name, module, where)
