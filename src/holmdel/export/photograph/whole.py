"""A classifier's file that takes photographs of any size: framing in front of what it was."""

import numpy as np
import onnx
from onnx import TensorProto, helper, version_converter

from holmdel.export.graph import IMAGES
from holmdel.export.photograph.frames import framed
from holmdel.export.photograph.planes import grey_of
from holmdel.export.photograph.sheet import given, named, number, op, sheet
from holmdel.images.contract import ImageContract
from holmdel.runtime import PHOTOGRAPHS

FRAMED, FOUND = "framed", "found"  # what is answered besides
OPSET = 18  # for a scatter of the smallest and the largest; ONNX Runtime since 1.14


def with_framing(content: bytes, contract: ImageContract) -> bytes:
    """Returns a classifier's file whose input is a photograph.

    Its input is `photograph`, uint8 (H, W, 3), red, green and blue; `framed`, uint8 (1, C, H, W)
    of the data set's form, and `found`, 0, 1 or 2, are answered besides.

    Args:
        content: the file as `onnx_bytes` gives it, whose input is uint8.
        contract: its framing and stored form.
    """
    model = version_converter.convert_version(onnx.load_from_string(content), OPSET)
    with sheet() as written:
        planes = op("Transpose", given(PHOTOGRAPHS, np.uint8), perm=[2, 0, 1]).to(np.float64)
        planes = grey_of(planes) if contract.stored[0] == 1 else planes
        image, found = framed(planes, contract.stored, contract.framing)
        shape = number([1, *contract.stored], np.int64)
        seen = named(op("Reshape", image.to(np.uint8), shape), IMAGES)
        named(seen, FRAMED)
        named(found, FOUND)
    graph = model.graph
    own = list(graph.node)
    del graph.node[:], graph.input[:]
    graph.node.extend([*written.nodes, *own])
    graph.initializer.extend(written.constants.values())
    taken = helper.make_tensor_value_info(PHOTOGRAPHS, TensorProto.UINT8, ["H", "W", 3])
    graph.input.append(taken)
    for name, kind, sides in (
        (FRAMED, TensorProto.UINT8, [1, *contract.stored]),
        (FOUND, TensorProto.INT64, []),
    ):
        graph.output.append(helper.make_tensor_value_info(name, kind, sides))
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())
