"""The operators of a graph as functions of C."""

from collections.abc import Callable
from math import prod

import numpy as np

from holmdel.export.c import sliding
from holmdel.export.c.loops import along, literal, loops, place
from holmdel.export.c.work import Work, only_onnx
from holmdel.export.graph import Node

Body = Callable[[Work], str]


def body_of(work: Work) -> str:
    """Returns the body of the function that an operator is; its inputs are x and y, its output z.

    Raises:
        UserError: for an operator that C files do not have; it names the layer.
    """
    operator = work.node.operator
    if operator in FUNCTIONS:
        value = FUNCTIONS[operator].format(x="x[a]", **_alphas(work.node))
        return loops((prod(work.output),), f"z[a] = {value};")
    if operator not in BODIES:
        raise only_onnx(work, f"uses the operator {operator}")
    return BODIES[operator](work)


def _alphas(node: Node) -> dict[str, str]:
    return {
        key: literal(node.attributes[key]) for key in ("alpha", "beta") if key in node.attributes
    }


FUNCTIONS = {
    "Cast": "(float){x}",
    "Relu": "{x} > 0.0f ? {x} : 0.0f",
    "Sigmoid": "1.0f / (1.0f + expf(-{x}))",
    "Tanh": "tanhf({x})",
    "LeakyRelu": "{x} > 0.0f ? {x} : {alpha} * {x}",
    "Elu": "{x} > 0.0f ? {x} : {alpha} * (expf({x}) - 1.0f)",
    "HardSigmoid": "fminf(1.0f, fmaxf(0.0f, {alpha} * {x} + {beta}))",
    "HardSwish": "{x} * fminf(1.0f, fmaxf(0.0f, {x} / 6.0f + 0.5f))",
    "Softplus": "{x} > 20.0f ? {x} : log1pf(expf({x}))",
    "Neg": "-{x}",
    "Exp": "expf({x})",
    "Log": "logf({x})",
    "Sqrt": "sqrtf({x})",
    "Abs": "fabsf({x})",
    "Reciprocal": "1.0f / {x}",
    "Erf": "erff({x})",
}
_TWO = {
    "Add": "{} + {}",
    "Sub": "{} - {}",
    "Mul": "{} * {}",
    "Div": "{} / {}",
    "Max": "{0} > {1} ? {0} : {1}",
    "Min": "{0} < {1} ? {0} : {1}",
    "Pow": "powf({}, {})",
}


def _two(work: Work) -> str:
    value = _TWO[work.node.operator].format(work.operand(0), work.operand(1))
    return loops(work.output, f"z[{place(work.output, work.output)}] = {value};")


def _prelu(work: Work) -> str:
    x, slope = work.operand(0), work.operand(1)
    body = f"z[{place(work.output, work.output)}] = {x} > 0.0f ? {x} : {slope} * {x};"
    return loops(work.output, body)


def _product(work: Work) -> str:
    """A product with a constant matrix on either side, or of two values, in the last two sides."""
    left, right = work.size(0), work.size(1)
    outer = work.output[:-2]
    rows, columns, inner = work.output[-2], work.output[-1], left[-1]
    names = [
        work.weights("weight", numbers) if (numbers := work.constant(at)) is not None else "x"
        for at in (0, 1)
    ]
    if names == ["x", "x"] and len(set(work.node.inputs)) == 2:
        names = ["x", "y"]
    count = prod(outer)
    one = f"o * {rows * inner} + " if len(left) > 2 else ""
    two = f"o * {inner * columns} + " if len(right) > 2 else ""
    return f"""    for (int o = 0; o < {count}; o++)
        for (int r = 0; r < {rows}; r++)
            for (int c = 0; c < {columns}; c++) {{
                float sum = 0.0f;
                for (int i = 0; i < {inner}; i++)
                    sum += {names[0]}[{one}r * {inner} + i] * {names[1]}[{two}i * {columns} + c];
                z[(o * {rows} + r) * {columns} + c] = sum;
            }}"""


_STARTS = {"ReduceMax": "-INFINITY", "ReduceMin": "INFINITY"}
_TAKES = {"ReduceMax": "fmaxf(sum, {})", "ReduceMin": "fminf(sum, {})"}


def _reduce(work: Work) -> str:
    node, given = work.node, work.size()
    axes = node.attributes.get("axes", work.constant(1))
    inside = [int(axis) - 1 for axis in np.asarray(axes)]
    outside = [at for at in range(len(given)) if at not in inside]
    names = "abcdefg"[: len(given)]
    take = _TAKES.get(node.operator, "sum + {}").format(f"x[{along(given, names)}]")
    summed = loops([given[at] for at in inside], f"sum = {take};", [names[at] for at in inside])
    kept = [given[at] for at in outside]
    count = prod(given[at] for at in inside)
    end = f"sum / {count}.0f" if node.operator == "ReduceMean" else "sum"
    where = along(kept, [names[at] for at in outside])
    start = _STARTS.get(node.operator, "0.0f")
    body = f"{{\n    float sum = {start};\n{summed}\n    z[{where}] = {end};\n}}"
    return loops(kept, body, [names[at] for at in outside])


def _softmax(work: Work) -> str:
    shape = work.output
    axis = work.node.attributes["axis"] - 1
    before, count, after = prod(shape[:axis]), shape[axis], prod(shape[axis + 1 :])
    logs = work.node.operator == "LogSoftmax"
    end = "v[i * {0}] - most - logf(sum)" if logs else "expf(v[i * {0}] - most) / sum"
    return f"""    for (int a = 0; a < {before}; a++)
        for (int b = 0; b < {after}; b++) {{
            const float *v = x + a * {count * after} + b;
            float most = v[0], sum = 0.0f;
            for (int i = 1; i < {count}; i++)
                most = fmaxf(most, v[i * {after}]);
            for (int i = 0; i < {count}; i++)
                sum += expf(v[i * {after}] - most);
            for (int i = 0; i < {count}; i++)
                z[a * {count * after} + b + i * {after}] = {end.format(after)};
        }}"""


def _transpose(work: Work) -> str:
    order = [axis - 1 for axis in work.node.attributes["perm"]]
    if order[0] != -1:
        raise only_onnx(work, "moves the batch")
    names = dict(zip(order[1:], "abcdefg", strict=False))
    index = along(work.size(), [names[at] for at in range(len(names))])
    return loops(work.output, f"z[{place(work.output, work.output)}] = x[{index}];")


def _slice(work: Work) -> str:
    starts, _, axes, steps = (work.constant(at) for at in range(1, 5))
    start, axis, step = (int(np.asarray(v)[0]) for v in (starts, axes, steps))
    if axis == 0:
        raise only_onnx(work, "cuts the batch")
    names = [*"abcdefg"[: len(work.output)]]
    names[axis - 1] = f"({start} + {names[axis - 1]} * {step})"
    index = along(work.size(), names)
    return loops(work.output, f"z[{place(work.output, work.output)}] = x[{index}];")


def _pad(work: Work) -> str:
    if work.node.attributes["mode"] != "constant":
        raise only_onnx(work, f"pads by {work.node.attributes['mode']}")
    pads, fill = work.constant(1), work.constant(2)
    given = work.size()
    starts = np.asarray(pads)[1 : len(given) + 1]
    names = [f"({name} + {start})" for name, start in zip("abcdefg", starts, strict=False)]
    index = along(work.output, names)
    value = literal(float(np.asarray(fill).reshape(())))
    filled = loops((prod(work.output),), f"z[a] = {value};")
    return filled + "\n" + loops(given, f"z[{index}] = x[{place(given, given)}];")


BODIES: dict[str, Body] = {
    **dict.fromkeys(_TWO, _two),
    **dict.fromkeys(("MaxPool", "AveragePool"), sliding.pool),
    **dict.fromkeys(("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin"), _reduce),
    **dict.fromkeys(("Softmax", "LogSoftmax"), _softmax),
    "Conv": sliding.convolution,
    "Gemm": sliding.dense,
    "MatMul": _product,
    "PRelu": _prelu,
    "Transpose": _transpose,
    "Slice": _slice,
    "Pad": _pad,
}
