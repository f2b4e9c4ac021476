"""A graph as JSON and bytes: without N, axes counted without it, constants but weights inside."""

from typing import Any

import numpy as np

from holmdel.errors import UserError
from holmdel.export.c.arena import sizes_of
from holmdel.export.c.sliding import refuse_dimensions
from holmdel.export.graph import IMAGES, Array, Graph, Node

KNOWN = (
    *("Cast", "Relu", "Sigmoid", "Tanh", "Neg", "Exp", "Log", "Sqrt", "Abs", "Reciprocal", "Erf"),
    *("Softplus", "LeakyRelu", "Elu", "HardSigmoid", "HardSwish", "Add", "Sub", "Mul", "Div"),
    *("Max", "Min", "Pow", "PRelu", "ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "Conv"),
    *("MaxPool", "AveragePool", "Gemm", "MatMul", "Softmax", "LogSoftmax", "Transpose", "Slice"),
    *("Pad", "Concat", "Reshape", "Identity"),
)


def plain_graph(graph: Graph) -> tuple[dict[str, Any], bytes]:
    """Returns a graph as JSON takes it, and its weights: float32, little-endian.

    Raises:
        UserError: for what the page's JavaScript does not compute; it names the layer.
    """
    sizes = sizes_of(graph)
    arrays: dict[str, Array] = {}
    nodes = []
    for node in graph.nodes:
        taken = [name for name in node.inputs if name in sizes]
        held = {
            name: _without_n(graph, node, graph.constants[name])
            for name in node.inputs
            if name not in sizes and graph.constants[name].dtype == np.float32
        }
        attributes = _attributes(graph, node)
        if node.operator == "Pad":
            held = {}
        arrays |= held
        inputs = [name for name in node.inputs if name in (*taken, *held)]
        step = {"op": node.operator, "inputs": inputs, "output": node.output}
        nodes.append(step | {"layer": node.layer, "at": attributes})
    places, at = {}, 0
    for name, array in arrays.items():
        places[name] = (list(array.shape), at)
        at += array.size
    first = [node.output for node in graph.nodes if node.layer == "input"]
    found = {
        "input": IMAGES,
        "first": first[-1] if first else IMAGES,
        "nodes": nodes,
        "shapes": {name: list(shape) for name, shape in sizes.items()},
        "constants": places,
        "layers": graph.layers,
    }
    return found, b"".join(a.astype("<f4").tobytes() for a in arrays.values())


def _without_n(graph: Graph, node: Node, array: Array) -> Array:
    rank = len(graph.shapes[node.output])
    weights = node.operator in ("Conv", "Gemm", "MatMul")
    return array if weights or array.ndim < rank else array.reshape(array.shape[1:])


def _attributes(graph: Graph, node: Node) -> dict[str, Any]:
    """Returns an operator's attributes, and what ONNX has as constant inputs of whole numbers."""
    if node.operator not in KNOWN:
        raise UserError(
            f"the layer {node.layer} uses the operator {node.operator}, which pages do not have; "
            "ONNX has it"
        )
    refuse_dimensions(graph, node)
    constants = [graph.constants.get(name) for name in node.inputs]
    at = dict(node.attributes)
    if "axis" in at:
        at["axis"] -= 1
    if node.operator.startswith("Reduce"):
        axes = at.get("axes", constants[-1])
        at = {"axes": [int(axis) - 1 for axis in np.asarray(axes)]}
    elif node.operator == "Transpose":
        at["perm"] = [axis - 1 for axis in at["perm"][1:]]
    elif node.operator == "Slice":
        start, _, axis, step = (int(np.asarray(constants[k]).reshape(-1)[0]) for k in range(1, 5))
        at = {"axis": axis - 1, "start": start, "step": step}
    elif node.operator == "Pad":
        pads, fill = np.asarray(constants[1]), np.asarray(constants[2])
        if at["mode"] != "constant":
            raise UserError(
                f"the layer {node.layer} pads by {at['mode']}, which pages do not have; ONNX has it"
            )
        at = {"starts": pads[1 : len(pads) // 2].tolist(), "value": float(fill.reshape(()))}
    return at
