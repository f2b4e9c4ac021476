"""Weights of ONNX models and of Caffe, files of protocol buffers: made here, field by field."""

import numpy as np
import pytest
import torch
from torch import nn

from holmdel.errors import UserError
from holmdel.exchange import convert, read_weights
from holmdel.networks import build

onnx = pytest.importorskip("onnx")


def lenet() -> nn.Module:
    torch.manual_seed(0)
    return build("lenet", activation="relu").eval()


def difference(path, net: nn.Module, network: str = "lenet") -> float:
    found = convert(read_weights(path), network)
    image = torch.rand(1, 1, 28, 28)
    with torch.no_grad():
        return float((found.network(image) - net(image)).abs().max())


def onnx_file(path, net: nn.Module, *, turned: bool = False) -> None:
    """Writes a chain as an ONNX model; `turned`, as TensorFlow's converter does.

    That one puts channels last before it flattens, and multiplies by (in, out) and adds.
    """
    nodes, constants, name = [], [], "image"
    for number, layer in enumerate(net):
        held = [value.detach().numpy() for value in layer.parameters()]
        operator, more = OPERATORS[type(layer)], {}
        if isinstance(layer, nn.Conv2d):
            more = {"pads": [layer.padding[0]] * 4}
        elif isinstance(layer, nn.AvgPool2d):
            more = {"kernel_shape": [2, 2], "strides": [2, 2]}
        elif isinstance(layer, nn.Linear):
            more = {"transB": 1}
        if turned and isinstance(layer, nn.Flatten):
            nodes.append(onnx.helper.make_node("Transpose", [name], ["t"], perm=[0, 2, 3, 1]))
            name = "t"
        if turned and number == 7:  # the first dense layer, whose columns the order tells
            held[0] = held[0].reshape(120, 16, 5, 5).transpose(0, 2, 3, 1).reshape(120, 400)
        names = [f"w{number}", f"b{number}"][: len(held)]
        if turned and isinstance(layer, nn.Linear):
            held[0] = np.ascontiguousarray(held[0].T)
            nodes.append(onnx.helper.make_node("MatMul", [name, names[0]], [f"m{number}"]))
            nodes.append(onnx.helper.make_node("Add", [f"m{number}", names[1]], [f"x{number}"]))
        else:
            nodes.append(onnx.helper.make_node(operator, [name, *names], [f"x{number}"], **more))
        constants += map(onnx.numpy_helper.from_array, held, names)
        name = f"x{number}"
    ends = [
        onnx.helper.make_tensor_value_info(end, onnx.TensorProto.FLOAT, None)
        for end in ("image", name)
    ]
    graph = onnx.helper.make_graph(nodes, "net", ends[:1], ends[1:], initializer=constants)
    path.write_bytes(onnx.helper.make_model(graph).SerializeToString())


OPERATORS = {
    nn.Conv2d: "Conv",
    nn.ReLU: "Relu",
    nn.AvgPool2d: "AveragePool",
    nn.Flatten: "Flatten",
    nn.Linear: "Gemm",
}


@pytest.mark.parametrize("turned", [False, True])
def test_an_onnx_model_gives_the_originals_logits(tmp_path, turned):
    onnx_file(tmp_path / "net.onnx", lenet(), turned=turned)
    weights = read_weights(tmp_path / "net.onnx")
    assert weights.options == {"activation": "relu", "pooling": "avg"}
    assert difference(tmp_path / "net.onnx", lenet()) < 1e-5


def field(number: int, content: bytes) -> bytes:
    """Returns a field of bytes, as protocol buffers write it."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def caffe_file(path, net: nn.Module) -> None:
    """Writes a chain as a `.caffemodel`."""
    content = field(1, b"LeNet")
    for number, layer in enumerate(net):
        kind = {"Conv2d": "Convolution", "Linear": "InnerProduct"}.get(type(layer).__name__)
        kind = kind or type(layer).__name__
        made = field(1, f"layer{number}".encode()) + field(2, kind.encode())
        for value in layer.parameters():
            shape = field(7, field(1, b"".join(map(varint, value.shape))))
            made += field(7, shape + field(5, value.detach().numpy().tobytes()))
        if isinstance(layer, nn.AvgPool2d):
            made += field(121, varint(1 << 3) + varint(1))
        content += field(100, made)
    path.write_bytes(content)


def test_a_caffemodel_gives_the_originals_logits(tmp_path):
    caffe_file(tmp_path / "net.caffemodel", lenet())
    weights = read_weights(tmp_path / "net.caffemodel")
    assert weights.options == {"activation": "relu", "pooling": "avg", "ceil_mode": True}
    assert difference(tmp_path / "net.caffemodel", lenet()) < 1e-5


def test_a_caffemodel_of_the_older_form_tells_as_much(tmp_path):
    kinds = {"Conv2d": 4, "ReLU": 18, "AvgPool2d": 17, "Flatten": 8, "Linear": 14}
    content = field(2, field(36, varint(1 << 3 | 5) + np.float32(1 / 128).tobytes()))
    for number, layer in enumerate(lenet()):
        made = field(4, f"layer{number}".encode())
        made += varint(5 << 3) + varint(kinds[type(layer).__name__])
        for value in layer.parameters():
            sides = [1] * (4 - value.ndim) + [*value.shape]
            shape = b"".join(varint(at << 3) + varint(side) for at, side in enumerate(sides, 1))
            made += field(6, shape + field(5, value.detach().numpy().tobytes()))
        if isinstance(layer, nn.AvgPool2d):
            made += field(19, varint(1 << 3) + varint(1))
        content += field(2, made)
    (tmp_path / "net.caffemodel").write_bytes(field(1, b"LeNet") + content)
    weights = read_weights(tmp_path / "net.caffemodel")
    assert weights.options == {"activation": "relu", "pooling": "avg", "ceil_mode": True}
    assert weights.notes == (
        "its pixels were multiplied by 0.0078125; --std 0.501961 does that here",
    )
    assert difference(tmp_path / "net.caffemodel", lenet()) < 1e-5


@pytest.mark.parametrize("write", [onnx_file, caffe_file])
def test_a_file_cut_short_is_a_sentence(tmp_path, write):
    path = tmp_path / "net"
    write(path, lenet())
    whole = path.read_bytes()
    for length in (1, 2, 9, 100, 1000, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(UserError):
            convert(read_weights(path), "lenet")


def test_lying_sizes_are_sentences(tmp_path):
    path = tmp_path / "net"
    blob = field(7, field(1, varint(1 << 40))) + field(5, b"\0" * 8)
    for content, said in (
        (varint(100 << 3 | 2) + varint(1 << 60), "a field of 1152921504606846976 bytes where 0"),
        (
            field(100, field(1, b"c") + field(7, blob)),
            r"numbers of the type '<f4', \(1099511627776",
        ),
        (b"\x80" * 30, "a number that does not end"),
        (
            field(
                100, field(7, field(5, b"\0" * 4) + field(7, b"")) + field(100, field(1, b"abc"))
            ),
            "3 bytes for \\(1,\\) of float32",
        ),
        (field(1, b"net") * 70_000, "more than 65536 fields in a message"),
    ):
        path.write_bytes(field(1, b"net") + content)
        with pytest.raises(UserError, match=said):
            read_weights(path)


def test_weights_in_another_file_are_not_looked_for(tmp_path):
    onnx_file(tmp_path / "net.onnx", lenet())
    model = onnx.load(tmp_path / "net.onnx")
    onnx.save(model, tmp_path / "apart.onnx", save_as_external_data=True, size_threshold=0)
    with pytest.raises(UserError, match="keeps 'w0' in another file; save it as one file"):
        read_weights(tmp_path / "apart.onnx")


def test_a_reshape_of_the_image_says_nothing_of_the_maps(tmp_path):
    """tf2onnx turns images by a Reshape, as they have one channel, and leaves out zero biases."""
    net = lenet()
    torch.nn.init.zeros_(net[0].bias)
    onnx_file(tmp_path / "net.onnx", net, turned=True)
    model = onnx.load(tmp_path / "net.onnx")
    model.graph.node[0].input[0] = "turned"
    del model.graph.node[0].input[2]
    turning = onnx.helper.make_node("Reshape", ["image", "sides"], ["turned"])
    model.graph.node.insert(0, turning)
    sides = onnx.numpy_helper.from_array(np.array([-1, 1, 28, 28]), "sides")
    model.graph.initializer.append(sides)
    onnx.save(model, tmp_path / "net.onnx")
    assert difference(tmp_path / "net.onnx", net) < 1e-5


def with_operator(path, kind):
    onnx_file(path, lenet())
    model = onnx.load(path)
    model.graph.node.append(onnx.helper.make_node(kind, ["image"], ["beside"]))
    onnx.save(model, path)


def test_operators_that_no_network_here_has_are_said(tmp_path):
    with_operator(tmp_path / "a.onnx", "LeakyRelu")
    (note,) = convert(read_weights(tmp_path / "a.onnx"), "lenet").notes
    assert "operators that are not taken over (LeakyRelu): the answers may not be" in note
    assert read_weights(tmp_path / "a.onnx").foreign == ("activation",)
    for kind, sentence in (
        ("BatchNormalization", "has batch norms of their own, which are not read; export it in"),
        ("QLinearConv", r"is quantised \(QLinearConv\), and quantised weights are not read"),
    ):
        with_operator(tmp_path / "a.onnx", kind)
        with pytest.raises(UserError, match=sentence):
            read_weights(tmp_path / "a.onnx")


def test_a_file_that_holmdel_exported_needs_no_import(tmp_path):
    onnx_file(tmp_path / "a.onnx", lenet())
    model = onnx.load(tmp_path / "a.onnx")
    model.metadata_props.add(key="holmdel", value="{}")
    onnx.save(model, tmp_path / "a.onnx")
    with pytest.raises(UserError, match=r"was written by holmdel export; use it: holmdel predict"):
        read_weights(tmp_path / "a.onnx")
