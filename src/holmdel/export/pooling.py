"""Convolutions and poolings as operators of ONNX.

No file says `ceil_mode`, and none counts padding: what PyTorch means by them is written as plain
padding, because other runtimes mean other things (docs/export.md).
"""

from math import prod
from typing import Any

from holmdel.export.builder import Builder, refuse
from holmdel.export.steps import Step, Value
from holmdel.tracing.call import Axis


def convolution(build: Builder, step: Step) -> str:
    """Adds a convolution, or a transposed one."""
    arguments = step.arguments
    weight, count = arguments["weight"], arguments["weight"].ndim - 2
    if isinstance(weight, Value):
        raise refuse(step, "has kernels that are made of the images")
    axes = _axes(step, tuple(weight.shape[2:]))
    attributes = {
        "strides": [axis.stride for axis in axes],
        "pads": [axis.padding for axis in axes] * 2,
        "dilations": [axis.dilation for axis in axes],
        "group": arguments["groups"],
        "kernel_shape": list(weight.shape[2:]),
    }
    if arguments["transposed"]:
        attributes["output_padding"] = list(_numbers(arguments["output_padding"], count))
    inputs = [build.name(arguments["input"]), build.constant(weight, step, "weight")]
    if arguments["bias"] is not None:
        inputs.append(build.constant(arguments["bias"], step, "bias"))
    return build.add(
        "ConvTranspose" if arguments["transposed"] else "Conv", inputs, step, attributes
    )


def max_pool(build: Builder, step: Step) -> str:
    """Adds a max pooling; padding is never the largest."""
    given = step.arguments["self"]
    kernel = _kernel(step)
    axes = _axes(step, kernel)
    attributes: dict[str, Any] = _window(step, given, axes) | {
        "dilations": [axis.dilation for axis in axes]
    }
    return build.add("MaxPool", [build.name(given)], step, attributes)


def average_pool(build: Builder, step: Step) -> str:
    """Adds an average pooling; padding that counts is added before it as zeros."""
    given = step.arguments["self"]
    kernel = _kernel(step)
    axes = _axes(step, kernel)
    name = build.name(given)
    if step.arguments["count_include_pad"] and any(axis.padding for axis in axes):
        sides = [axis.padding for axis in axes]
        shape = (*given.shape[: -len(axes)], *_padded(given, sides))
        name = build.pad(name, shape, sides, sides, 0.0, step)
        given = Value(name, shape)
        axes = [axis._replace(padding=0) for axis in axes]
    attributes: dict[str, Any] = _window(step, given, axes) | {"count_include_pad": 0}
    divisor = step.arguments["divisor_override"]
    if not divisor:
        return build.add("AveragePool", [name], step, attributes)
    if any(attributes["pads"]):
        raise refuse(step, "divides the windows of a padded pooling by divisor_override")
    mean = build.add("AveragePool", [name], step, attributes)
    return build.with_number("Mul", mean, prod(kernel) / divisor, step)


def adaptive_average(build: Builder, step: Step) -> str:
    """Adds an adaptive average pooling: windows of one size, or a product along each side."""
    given = step.arguments["self"]
    sizes, wanted = _sides(step, given), _sides(step, step.outputs[0])
    if all(size % want == 0 for size, want in zip(sizes, wanted, strict=True)):
        return build.add("AveragePool", [build.name(given)], step, _even(sizes, wanted))
    rows, columns = (
        build.means(size, want, step) for size, want in zip(sizes, wanted, strict=True)
    )
    half = (*given.shape[:-2], wanted[0], sizes[1])
    top = build.add("MatMul", [rows, build.name(given)], step, shape=half)
    turned = build.constant(build.graph.constants[columns].T, step, "columns")
    return build.add("MatMul", [top, turned], step)


def adaptive_max(build: Builder, step: Step) -> str:
    """Adds an adaptive max pooling whose windows are of one size."""
    given = step.arguments["self"]
    sizes, wanted = _sides(step, given), _sides(step, step.outputs[0])
    if any(size % want for size, want in zip(sizes, wanted, strict=True)):
        raise refuse(step, f"pools {sizes} adaptively to {wanted}, in windows of several sizes")
    attributes = _even(sizes, wanted)
    attributes.pop("count_include_pad")
    return build.add("MaxPool", [build.name(given)], step, attributes)


def _even(sizes: tuple[int, ...], wanted: tuple[int, ...]) -> dict[str, Any]:
    kernel = [size // want for size, want in zip(sizes, wanted, strict=True)]
    return {"kernel_shape": kernel, "strides": kernel, "pads": [0] * 4, "count_include_pad": 0}


def _sides(step: Step, given: Value) -> tuple[int, int]:
    height, width = given.shape[-2:]
    if height is None or width is None:
        raise refuse(step, "pools images of any size adaptively")
    return height, width


def _kernel(step: Step) -> tuple[int, ...]:
    return _numbers(step.arguments["kernel_size"], 3 if "3d" in step.operator else 2)


def _numbers(value: Any, count: int) -> tuple[int, ...]:
    values = list(value) if isinstance(value, list) else [value]
    return tuple(values * count if len(values) == 1 else values)


def _axes(step: Step, kernel: tuple[int, ...]) -> list[Axis]:
    """Returns how a kernel slides along each axis."""
    count = len(kernel)
    stride = step.arguments["stride"]
    strides = _numbers(stride, count) if stride else kernel
    padding = _numbers(step.arguments["padding"], count)
    dilation = _numbers(step.arguments.get("dilation", 1), count)
    return [Axis(*row) for row in zip(kernel, strides, padding, dilation, strict=True)]


def _padded(given: Value, sides: list[int]) -> list[int | None]:
    sizes = given.shape[-len(sides) :]
    return [n if n is None else n + 2 * p for n, p in zip(sizes, sides, strict=True)]


def _window(step: Step, given: Value, axes: list[Axis]) -> dict[str, Any]:
    """Returns a pooling's attributes, what `ceil_mode` adds as padding behind."""
    ends = [axis.padding for axis in axes]
    if step.arguments["ceil_mode"]:
        ends = [
            _end(step, size, out, axis)
            for size, out, axis in zip(
                given.shape[-len(axes) :], step.outputs[0].shape[-len(axes) :], axes, strict=True
            )
        ]
    return {
        "kernel_shape": [axis.kernel for axis in axes],
        "strides": [axis.stride for axis in axes],
        "pads": [*(axis.padding for axis in axes), *ends],
    }


def _end(step: Step, size: int | None, out: int | None, axis: Axis) -> int:
    """Returns the padding behind with which as many windows fit as PyTorch has."""
    if size is None or out is None:
        raise refuse(step, "has ceil_mode and takes images of any size")
    reached = (out - 1) * axis.stride + (axis.kernel - 1) * axis.dilation + 1
    return max(0, reached - size - axis.padding)
