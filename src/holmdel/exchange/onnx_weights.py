"""Weights of an ONNX graph: the constants of its convolutions and dense layers, in its order."""

import mmap
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from holmdel.errors import UserError
from holmdel.exchange.archive import damaged
from holmdel.exchange.arrays import tensor as tensor_of
from holmdel.exchange.protobuf import Message
from holmdel.exchange.weights import CHW, HWC, Weights, same_of_all

# Fields of onnx.proto3: of ModelProto, GraphProto, NodeProto, AttributeProto and TensorProto.
GRAPH, METADATA, KEY = 7, 14, 1
NODE, INITIALIZER = 1, 5
INPUT, OUTPUT, OPERATOR, ATTRIBUTE = 1, 2, 4, 5
ATTRIBUTE_NAME, ATTRIBUTE_INT, ATTRIBUTE_TEXT, ATTRIBUTE_TENSOR, ATTRIBUTE_INTS = 1, 3, 4, 5, 8
DIMS, TYPE, FLOATS, NAME, RAW, DOUBLES, EXTERNAL, ELSEWHERE = 1, 2, 4, 8, 9, 10, 13, 14

TYPES = {1: "<f4", 10: "<f2", 11: "<f8", 6: "<i4", 7: "<i8"}
ACTIVATIONS = {"Sigmoid": "sigmoid", "Tanh": "tanh", "Relu": "relu"}
OTHER_ACTIVATIONS = frozenset(
    {"LeakyRelu", "PRelu", "Elu", "Selu", "Celu", "Gelu", "Erf", "HardSigmoid", "HardSwish", "Mish"}
)
POOLINGS = {"MaxPool": "max", "AveragePool": "avg"}
NORM = "BatchNormalization"
QUANTISED = ("QuantizeLinear", "DequantizeLinear", "QLinearConv", "ConvInteger", "MatMulInteger")
USUAL = frozenset(  # the operators of networks here, and those that shapes are made with
    {
        *("Conv", "Gemm", "MatMul", "Add", "Concat", "LRN", "Pad", "Dropout", "Identity"),
        *("GlobalAveragePool", "Softmax", "LogSoftmax", "Constant", "Flatten", "Reshape"),
        *("Transpose", "Shape", "Gather", "Cast", "Slice", "Squeeze", "Unsqueeze", "ReduceMean"),
        *ACTIVATIONS,
        *POOLINGS,
    }
)
WINDOWS = ("Conv", *POOLINGS)
CHANNELS_LAST = [0, 2, 3, 1]


def read(path: str | Path) -> Weights:
    """Returns the weights of an ONNX model.

    Raises:
        UserError: if it is damaged, keeps its weights in another file, or has none.
    """
    with (
        Path(path).open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        model = Message(path, memoryview(content[:]))
        if any(one.text(KEY) == "holmdel" for one in model.messages(METADATA)):
            raise UserError(
                f"{path} was written by holmdel export; use it: holmdel predict {path} ..."
            )
        graph = model.message(GRAPH)
    nodes = graph.messages(NODE)
    found = _Constants(path, graph, nodes)
    tensors: dict[str, Tensor] = {}
    for node in nodes:
        tensors |= found.of(node)
    operators = [node.text(OPERATOR) for node in nodes]
    if quantised := next((kind for kind in operators if kind in QUANTISED), None):
        raise UserError(
            f"{path} is quantised ({quantised}), and quantised weights are not read; give the "
            "model as it was before"
        )
    if NORM in operators:
        raise UserError(
            f"{path} has batch norms of their own, which are not read; export it in eval mode "
            "with the norms folded into the convolutions, or import the original's file"
        )
    if not tensors:
        raise UserError(f"{path} is no ONNX model with weights in it; expected Conv and Gemm nodes")
    return Weights(
        file=str(path),
        form="ONNX model",
        tensors=tensors,
        flattened=HWC if _turned(nodes) else CHW,
        options=_told(nodes, operators),
        foreign=_foreign(operators),
        notes=_unlike(operators),
    )


def _unlike(operators: list[str]) -> tuple[str, ...]:
    """Returns the note on operators that no network here has."""
    others = sorted(set(operators) - USUAL)
    if not others:
        return ()
    return (
        f"its graph has operators that are not taken over ({', '.join(others[:6])}): the answers "
        "may not be the original's",
    )


def _foreign(operators: list[str]) -> tuple[str, ...]:
    """Returns `activation` where a graph has another than networks here, or several."""
    used = {*operators} & (OTHER_ACTIVATIONS | ACTIVATIONS.keys())
    return ("activation",) if used & OTHER_ACTIVATIONS or len(used) > 1 else ()


class _Constants:
    """The constant tensors of a graph.

    Args:
        path: what sentences call the file.
        graph: the graph.
        nodes: its nodes.
    """

    def __init__(self, path: str | Path, graph: Message, nodes: list[Message]) -> None:
        self._path = path
        self._tensors = {tensor.text(NAME): tensor for tensor in graph.messages(INITIALIZER)}
        self._users: dict[str, Message] = {}
        for node in nodes:
            if node.text(OPERATOR) == "Constant":
                for attribute in node.messages(ATTRIBUTE):
                    if attribute.parts(ATTRIBUTE_TENSOR):
                        self._tensors[node.text(OUTPUT)] = attribute.message(ATTRIBUTE_TENSOR)
            for name in node.texts(INPUT):
                self._users.setdefault(name, node)

    def of(self, node: Message) -> dict[str, Tensor]:
        """Returns the weight and the bias of a convolution or a dense layer."""
        operator, inputs = node.text(OPERATOR), node.texts(INPUT)
        if operator not in ("Conv", "Gemm", "MatMul") or len(inputs) < 2:
            return {}
        if inputs[1] not in self._tensors:
            return {}
        weight = self.tensor(inputs[1])
        if operator == "MatMul" or (operator == "Gemm" and not _attribute(node, "transB")):
            weight = weight.t()
        layer = inputs[1].removesuffix(".weight")
        found = {f"{layer}.weight": weight}
        bias = inputs[2] if len(inputs) > 2 else self._added(node.text(OUTPUT))
        if bias in self._tensors:
            found[f"{layer}.bias"] = self.tensor(bias).flatten()
        else:  # exporters leave out a bias of zeros
            found[f"{layer}.bias"] = torch.zeros(len(weight))
        return found

    def _added(self, output: str) -> str:
        """Returns the name of a constant that is added to what a node gives."""
        user = self._users.get(output)
        if user is None or user.text(OPERATOR) != "Add":
            return ""
        return next((name for name in user.texts(INPUT) if name != output), "")

    def tensor(self, name: str) -> Tensor:
        """Returns a tensor by its name."""
        tensor = self._tensors[name]
        if tensor.number(ELSEWHERE) or tensor.parts(EXTERNAL):
            raise UserError(f"{self._path} keeps {name!r} in another file; save it as one file")
        type_ = TYPES.get(tensor.number(TYPE))
        if type_ is None:
            raise UserError(
                f"{self._path} has {name!r} of the type number {tensor.number(TYPE)}; expected "
                "floating point numbers; quantised weights are not read"
            )
        content = bytes(tensor.bytes(RAW)) or b"".join(tensor.parts(FLOATS))
        content = content or b"".join(tensor.parts(DOUBLES))
        if not content and tensor.number(TYPE) == 10:  # halves one by one, as whole numbers
            raise damaged(self._path, f"{name!r} without raw numbers")
        shape = tuple(tensor.numbers(DIMS))
        return tensor_of(self._path, content, type_, shape)


def _attribute(node: Message, name: str) -> int:
    """Returns a whole number that a node is given, 0 if it is not."""
    found = (one for one in node.messages(ATTRIBUTE) if one.text(ATTRIBUTE_NAME) == name)
    return next((one.number(ATTRIBUTE_INT) for one in found), 0)


def _turned(nodes: list[Message]) -> bool:
    """Tells whether channels are put last before the maps are flattened, as TensorFlow's are."""
    turned = seen = False
    for node in nodes:
        operator = node.text(OPERATOR)
        seen |= operator in WINDOWS  # what reshapes the image before is not meant
        if operator == "Transpose":
            orders = [one.numbers(ATTRIBUTE_INTS) for one in node.messages(ATTRIBUTE)]
            turned = CHANNELS_LAST in orders
        elif operator in WINDOWS:
            turned = False
        elif operator in ("Reshape", "Flatten") and seen:
            return turned
    return turned


def _told(nodes: list[Message], operators: list[str]) -> dict[str, Any]:
    """Returns the options of a network that a graph tells."""
    found = same_of_all("activation", ACTIVATIONS, operators)
    found |= same_of_all("pooling", POOLINGS, operators)
    windows = [node for node, operator in zip(nodes, operators, strict=True) if operator in WINDOWS]
    if any(_attribute(node, "ceil_mode") for node in windows):
        found["ceil_mode"] = True
    if any(_far_side(node) for node in windows):
        found["same"] = True
    return found


def _far_side(node: Message) -> bool:
    """Tells whether a window is padded at the far side more than before: TensorFlow's `same`."""
    for attribute in node.messages(ATTRIBUTE):
        name = attribute.text(ATTRIBUTE_NAME)
        if name == "auto_pad":
            return attribute.text(ATTRIBUTE_TEXT) == "SAME_UPPER"
        if name == "pads":
            sides = attribute.numbers(ATTRIBUTE_INTS)
            return sides[: len(sides) // 2] != sides[len(sides) // 2 :]
    return False
