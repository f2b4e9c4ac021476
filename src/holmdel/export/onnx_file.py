"""A graph as an ONNX file: one file, weights inside."""

from collections.abc import Mapping

import onnx
from onnx import TensorProto, helper, numpy_helper

from holmdel.export.graph import Graph, Shape
from holmdel.version import __version__

OPSET, IR_VERSION = 17, 8  # old enough for every ONNX Runtime since 1.12, of July 2022
_KINDS = {"uint8": TensorProto.UINT8, "float32": TensorProto.FLOAT}
_VARYING = "NCHW"  # what a dimension that varies is called, by its place


def onnx_bytes(graph: Graph, texts: Mapping[str, str], also: tuple[str, ...] = ()) -> bytes:
    """Returns the file.

    Args:
        graph: what it computes.
        texts: its metadata.
        also: values that are answered besides the graph's outputs.
    """
    nodes = [
        helper.make_node(
            node.operator, node.inputs, [node.output], _node_name(node.output), **node.attributes
        )
        for node in graph.nodes
    ]
    weights = [numpy_helper.from_array(array, name) for name, array in graph.constants.items()]
    taken = helper.make_tensor_value_info(
        graph.input, _KINDS[graph.kind], _named(graph.shapes[graph.input])
    )
    given = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, _named(graph.shapes[name]))
        for name in (*graph.outputs, *also)
    ]
    body = helper.make_graph(nodes, "holmdel", [taken], given, initializer=weights)
    model = helper.make_model(
        body,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="holmdel",
        producer_version=__version__,
    )
    helper.set_model_props(model, dict(texts))
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def _node_name(output: str) -> str:
    return f"{output}.node"


def _named(shape: Shape) -> list[str | int]:
    """Returns a shape with a name where it varies: N, and W or T along a line."""
    names = _VARYING if len(shape) == 4 else "NKT"
    return [names[at] if size is None else size for at, size in enumerate(shape)]
