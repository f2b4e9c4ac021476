"""Convolutions, poolings and dense layers in C, so that compilers keep sums in registers.

A convolution computes some columns of some maps at once: its weights lie so that those of
neighbouring maps are neighbours, and the taps of a row of the kernel are one expression.
"""

from collections.abc import Mapping

import numpy as np

from holmdel.errors import UserError
from holmdel.export.c.loops import Shape, literal
from holmdel.export.c.work import Work, only_onnx
from holmdel.export.graph import Array, Graph, Node

_MAPS, _COLUMNS, _TERMS = 16, 5, 8  # computed at once, at most; products in an expression


def scratch_of(node: Node, sizes: Mapping[str, Shape]) -> int:
    """Returns how many numbers an operator needs beside its input and output."""
    if node.operator != "Conv" or not any(node.attributes["pads"]):
        return 0
    maps, height, width = sizes[node.inputs[0]]
    top, left, bottom, right = node.attributes["pads"]
    return int(maps * (height + top + bottom) * (width + left + right))


def convolution(work: Work) -> str:
    """Returns a convolution, its input padded before it."""
    at = work.node.attributes
    weight = work.constant(1)
    if weight is None or weight.ndim != 4:
        raise only_onnx(work, "is a convolution of one or three dimensions")
    maps, rows, columns = work.output
    inputs, height, width = work.size()
    top, left, bottom, right = at["pads"]
    padded = (height + top + bottom, width + left + right)
    if at["group"] > 1:
        return _pad_first(work, padded) + _grouped(work, weight, padded)
    many = _at_once(maps)
    wide = next(n for n in range(min(_COLUMNS, columns), 0, -1) if columns % n == 0 or n < 4)
    filled = np.zeros((-(-maps // many) * many, *weight.shape[1:]), weight.dtype)
    filled[:maps] = weight
    order = filled.reshape(-1, many, *weight.shape[1:]).transpose(0, 2, 3, 4, 1)
    name = work.weights("weight", np.ascontiguousarray(order))
    start = _biases(work, len(filled), maps)
    source = "padded" if scratch_of(work.node, work.sizes) else "x"
    arrays = ", ".join(f"s{column}[{many}]" for column in range(wide))
    begins = " = ".join(f"s{column}[q]" for column in range(wide))
    times = work.times_factor("o + q")
    ends = "\n".join(
        f"                    to[{column}] = s{column}[q]{times};" for column in range(wide)
    )
    down, across = at["strides"]
    taps, apart = weight.shape[3], at["dilations"]
    row = f"(i * {padded[0]} + r * {down} + k * {apart[0]}) * {padded[1]} + c * {across}"
    return (
        _pad_first(work, padded)
        + f"""    for (int o = 0; o < {maps}; o += {many})
        for (int r = 0; r < {rows}; r++)
            for (int d = 0; d < {columns}; d += {wide}) {{
                const int c = d + {wide} <= {columns} ? d : {columns - wide};
                const {work.kind} *w = {name} + o * {weight[0].size};
                float {arrays};
                for (int q = 0; q < {many}; q++)
                    {begins} = {start};
                for (int i = 0; i < {inputs}; i++)
                    for (int k = 0; k < {weight.shape[2]}; k++, w += {many * taps}) {{
                        const float *f = {source} + {row};
                        for (int q = 0; q < {many}; q++) {{
{_sums(taps, wide, many, across, apart[1])}
                        }}
                    }}
                for (int q = 0; q < {many} && o + q < {maps}; q++) {{
                    float *to = z + ((o + q) * {rows} + r) * {columns} + c;
{ends}
                }}
            }}"""
    )


def _at_once(maps: int) -> int:
    """Returns how many maps to compute at once, so that few are computed in vain."""
    if maps <= 2:
        return maps
    return min((_MAPS, 12, 8, 4), key=lambda n: (-(-maps // n) * n, -n))


def _sums(taps: int, wide: int, many: int, stride: int, apart: int) -> str:
    """Returns the lines that add a row of the kernel's taps to the sum of each column."""
    lines = []
    for column in range(wide):
        products = " + ".join(
            f"f[{column * stride + tap * apart}] * w[{tap * many} + q]" for tap in range(taps)
        )
        lines.append(f"                            s{column}[q] += {products};")
    return "\n".join(lines)


def _biases(work: Work, count: int, maps: int) -> str:
    """Adds the biases, filled up with zeros; returns what each sum begins with."""
    bias = work.constant(2)
    if bias is None:
        return "0.0f"
    filled = np.zeros(count, np.float32)
    filled[:maps] = bias
    return f"{work.weights('bias', filled)}[o + q]"


def _grouped(work: Work, weight: Array, padded: Shape) -> str:
    """Returns a convolution in groups, as plain as it is."""
    at = work.node.attributes
    maps, rows, columns = work.output
    per, (high, wide) = weight.shape[1], weight.shape[2:]
    bias = work.constant(2)
    start = "0.0f" if bias is None else f"{work.weights('bias', bias)}[o]"
    name = work.weights("weight", weight)
    source = "padded" if scratch_of(work.node, work.sizes) else "x"
    step, apart = at["strides"], at["dilations"]
    return f"""    for (int o = 0; o < {maps}; o++)
        for (int r = 0; r < {rows}; r++)
            for (int c = 0; c < {columns}; c++) {{
                float sum = {start};
                for (int i = 0; i < {per}; i++)
                    for (int k = 0; k < {high}; k++)
                        for (int l = 0; l < {wide}; l++) {{
                            const int map = o / {maps // at["group"]} * {per} + i;
                            const int row = r * {step[0]} + k * {apart[0]};
                            const int column = c * {step[1]} + l * {apart[1]};
                            sum += {source}[(map * {padded[0]} + row) * {padded[1]} + column]
                                * {name}[((o * {per} + i) * {high} + k) * {wide} + l];
                        }}
                z[(o * {rows} + r) * {columns} + c] = sum{work.times_factor("o")};
            }}"""


def _pad_first(work: Work, padded: Shape) -> str:
    """Returns what copies maps into the scratch memory with zeros around them."""
    if not scratch_of(work.node, work.sizes):
        return ""
    maps, height, width = work.size()
    top, left, _, _ = work.node.attributes["pads"]
    rows, columns = padded
    return f"""    memset(padded, 0, {maps * rows * columns} * sizeof(float));
    for (int i = 0; i < {maps}; i++)
        for (int r = 0; r < {height}; r++)
            memcpy(padded + (i * {rows} + r + {top}) * {columns} + {left},
                x + (i * {height} + r) * {width}, {width} * sizeof(float));
"""


def dense(work: Work) -> str:
    """Returns a dense layer; some inputs' products are one expression."""
    weight, bias = work.constant(1), work.constant(2)
    if weight is None or len(work.output) != 1:
        raise only_onnx(work, "multiplies by a matrix that is made of the image")
    outputs, inputs = weight.shape
    name = work.weights("weight", np.ascontiguousarray(weight.T))
    start = "0.0f" if bias is None else f"{work.weights('bias', bias)}[o]"
    many = next(n for n in range(_TERMS, 0, -1) if inputs % n == 0)
    values = ", ".join(f"x{n} = x[i + {n}]" for n in range(many))
    products = " + ".join(f"x{n} * w[{n * outputs} + o]" for n in range(many))
    times = work.times_factor("o")
    end = (
        f"    for (int o = 0; o < {outputs}; o++)\n        sum[o] = sum[o]{times};\n"
        if times
        else ""
    )
    return f"""    float sum[{outputs}];
    for (int o = 0; o < {outputs}; o++)
        sum[o] = {start};
    for (int i = 0; i < {inputs}; i += {many}) {{
        const float {values};
        const {work.kind} *w = {name} + i * {outputs};
        for (int o = 0; o < {outputs}; o++)
            sum[o] += {products};
    }}
{end}    memcpy(z, sum, sizeof sum);"""


def pool(work: Work) -> str:
    """Returns a pooling; what lies outside counts for nothing."""
    if len(work.output) != 3:
        raise only_onnx(work, "is a pooling of three dimensions")
    at = work.node.attributes
    maps, rows, columns = work.output
    _, height, width = work.size()
    down, across = at["strides"]
    high, wide = at["kernel_shape"]
    one, two = at.get("dilations", [1, 1])
    begin, take, end = _POOLS[work.node.operator]
    inside = _inside(work)
    end = end.format(count="count" if inside else high * wide)
    counts = work.node.operator == "AveragePool" and bool(inside)
    count = "\n                int count = 0;" if counts else ""
    more = "\n                        count++;" if counts else ""
    return f"""    for (int o = 0; o < {maps}; o++)
        for (int r = 0; r < {rows}; r++)
            for (int c = 0; c < {columns}; c++) {{
                float best = {begin};{count}
                for (int k = 0; k < {high}; k++)
                    for (int l = 0; l < {wide}; l++) {{
                        const int row = r * {down} - {at["pads"][0]} + k * {one};
                        const int column = c * {across} - {at["pads"][1]} + l * {two};
{inside}                        const float v = x[(o * {height} + row) * {width} + column];
                        {take}{more}
                    }}
                z[(o * {rows} + r) * {columns} + c] = {end};
            }}"""


_POOLS = {
    "MaxPool": (f"-{literal(3.4028234e38)}", "best = v > best ? v : best;", "best"),
    "AveragePool": ("0.0f", "best += v;", "best / (float){count}"),
}


def _inside(work: Work) -> str:
    """Returns the line that leaves out what lies beside the maps; none where nothing does."""
    at, size = work.node.attributes, work.size()[1:]
    dilations = at.get("dilations", [1, 1])
    sides = zip(
        *(work.output[1:], at["strides"], at["pads"][:2], at["kernel_shape"], dilations, size),
        strict=True,
    )
    reached = [(n - 1) * s - p + (k - 1) * d < side for n, s, p, k, d, side in sides]
    if not any(at["pads"][:2]) and all(reached):
        return ""
    test = f"row < 0 || row >= {size[0]} || column < 0 || column >= {size[1]}"
    return f"""                        if ({test})
                            continue;
"""


def refuse_dimensions(graph: Graph, node: Node) -> None:
    """Raises a UserError for a convolution or pooling that is not of two dimensions."""
    windowed = node.operator in ("Conv", "MaxPool", "AveragePool")
    if windowed and len(graph.shapes[node.output]) != 4:
        raise UserError(
            f"the layer {node.layer} slides along one or three dimensions; of two it could go"
        )
