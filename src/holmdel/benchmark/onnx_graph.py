"""A chain of layers as an ONNX graph, made node by node, so that no exporter is needed."""

from typing import Any

import onnx
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from holmdel.benchmark.chains import Size, flattened

OPSET, IR_VERSION = 17, 8  # old enough for every ONNX Runtime of the last years

ACTIVATIONS: dict[type[nn.Module], str] = {
    nn.Sigmoid: "Sigmoid",
    nn.Tanh: "Tanh",
    nn.ReLU: "Relu",
}


def chain_as_onnx(network: nn.Sequential, input: Size) -> bytes:
    """Returns the graph: pictures float32 (N, C, H, W), any N, to logits (N, classes).

    Args:
        network: a chain of convolutions, poolings, activations and dense layers.
        input: C, H, W.
    """
    nodes, weights = [], []
    name = "pictures"
    layers = flattened(network)
    for number, layer in enumerate(layers):
        after = "logits" if number + 1 == len(layers) else f"x{number}"
        operator, attributes = _operator(layer)
        held = [
            numpy_helper.from_array(value.detach().numpy(), f"{kind}{number}")
            for kind, value in layer.named_parameters()
        ]
        inputs = [name, *(value.name for value in held)]
        nodes.append(helper.make_node(operator, inputs, [after], **attributes))
        weights += held
        name = after
    ends = [
        helper.make_tensor_value_info(end, TensorProto.FLOAT, ["N", *shape])
        for end, shape in (("pictures", input), ("logits", ("classes",)))
    ]
    graph = helper.make_graph(nodes, "chain", ends[:1], ends[1:], initializer=weights)
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
    )
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def _operator(layer: nn.Module) -> tuple[str, dict[str, Any]]:
    """Returns the operator of a layer and its attributes."""
    match layer:
        case nn.Conv2d():
            return "Conv", _window(layer)
        case nn.MaxPool2d():
            return "MaxPool", _window(layer)
        case nn.AvgPool2d():
            return "AveragePool", _window(layer)
        case nn.Flatten():
            return "Flatten", {}
        case nn.Linear():
            return "Gemm", {"transB": 1}
    return ACTIVATIONS[type(layer)], {}


def _window(layer: Any) -> dict[str, Any]:
    """Returns kernel, stride and padding as ONNX names them."""
    kernel, stride, padding = (
        side if isinstance(side, tuple) else (side, side)
        for side in (layer.kernel_size, layer.stride, layer.padding)
    )
    return {"kernel_shape": kernel, "strides": stride, "pads": padding * 2}
