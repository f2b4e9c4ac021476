"""A chain of layers as an ONNX graph, made node by node, so that no exporter is needed."""

from typing import Any

from onnx import TensorProto, helper, numpy_helper
from torch import nn

Size = tuple[int, int, int]
OPSET, IR_VERSION = 17, 8  # old enough for every ONNX Runtime of the last years
OPERATORS: dict[type[nn.Module], str] = {
    nn.Conv2d: "Conv",
    nn.MaxPool2d: "MaxPool",
    nn.AvgPool2d: "AveragePool",
    nn.Flatten: "Flatten",
    nn.Linear: "Gemm",
    nn.Sigmoid: "Sigmoid",
    nn.Tanh: "Tanh",
    nn.ReLU: "Relu",
}


def chain_as_onnx(network: nn.Sequential, input: Size) -> bytes:
    """Returns the graph: images float32 (N, C, H, W), any N, to logits (N, classes).

    Args:
        network: a chain of convolutions, poolings, activations and dense layers.
        input: C, H, W.
    """
    nodes, weights, name = [], [], "images"
    layers = flattened(network)
    for number, layer in enumerate(layers):
        after = "logits" if number + 1 == len(layers) else f"x{number}"
        held = [
            numpy_helper.from_array(value.detach().numpy(), f"{kind}{number}")
            for kind, value in layer.named_parameters()
        ]
        inputs = [name, *(value.name for value in held)]
        nodes.append(
            helper.make_node(OPERATORS[type(layer)], inputs, [after], **_attributes(layer))
        )
        weights += held
        name = after
    ends = [
        helper.make_tensor_value_info(end, TensorProto.FLOAT, ["N", *shape])
        for end, shape in (("images", input), ("logits", ("classes",)))
    ]
    graph = helper.make_graph(nodes, "chain", ends[:1], ends[1:], initializer=weights)
    opset = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=IR_VERSION)
    return bytes(model.SerializeToString())


def _attributes(layer: Any) -> dict[str, Any]:
    if isinstance(layer, nn.Linear):
        return {"transB": 1}
    if not isinstance(layer, nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d):
        return {}
    padding = pair(layer.padding)
    window = {"kernel_shape": pair(layer.kernel_size), "strides": pair(layer.stride)}
    return window | {"pads": padding * 2}


def flattened(network: nn.Module) -> list[nn.Module]:
    """Returns the layers of a chain in the order they run, nested chains taken apart."""
    if isinstance(network, nn.Sequential):
        return [layer for part in network for layer in flattened(part)]
    return [] if isinstance(network, nn.Identity) else [network]


def pair(side: Any) -> tuple[int, int]:
    """Returns height and width of what may be given as one number."""
    height, width = side if isinstance(side, tuple) else (side, side)
    return height, width
