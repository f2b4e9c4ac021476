#!/usr/bin/env bash
# openvino.save_model makes 65504 of a weight of 100000, and 0 of a small one: it halves weights, and the largest half stands in for what does not fit.
#
# Versions: openvino 2026.4.1, onnx 1.23.2, numpy 2.4.6.
#
# Behaviour: save_model writes float32 weights as float16 unless it is told compress_to_fp16=False. What a half float cannot hold is not left in float32, nor is it infinite: it becomes 65504 or -65504, and 0 below 6e-8.
# Only where most of a tensor's numbers do not fit is that tensor left as it was. The file states float32 inputs and outputs; the model in memory, from which one saves, answers as before; and serialize, which writes the same two files,
# keeps all bits.
#
# Why a good guess is wrong: that weights are halved is known, and for weights, which are small, it costs three digits. But constants of a file are weights, too: a factor that takes pixels or seconds to another scale, the
# -1e9 of a mask, an epsilon of 1e-8, a variance of sixteen-bit pixels. One number among many is cut, silently, and the largest stays the largest, so classes hardly change. Other converters to float16 warn, or say inf.
#
# What a program like ours must do: save with compress_to_fp16=False (or serialize) and compare what was read back from the files, not the model that was saved.
#
# Seen (an input of 1 times a weight, read back):
#   weight   in memory  save_model  compress_to_fp16=False  serialize
#   100000   100000     65504       100000                  100000
#   0.1      0.1        0.0999756   0.1                     0.1
#   1e-08    1e-08      0           1e-08                   1e-08
#   3        3          3           3                       3
#
# Ends with 0 while this is so, with 1 once a column has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 onnx==1.23.2 openvino==2026.4.1

cd "$dir"
env/bin/python - <<'PY'
import sys

import numpy as np
import openvino
from onnx import TensorProto, helper, numpy_helper

WEIGHTS = np.array([1e5, 0.1, 1e-8, 3], np.float32)
CORE = openvino.Core()
CORE.set_property("CPU", {"INFERENCE_PRECISION_HINT": "f32"})
ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [4]) for name in ("x", "y")]
graph = helper.make_graph(
    [helper.make_node("Mul", ["x", "w"], ["y"])], "g", ends[:1], ends[1:], [numpy_helper.from_array(WEIGHTS, "w")]
)
file = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
model = CORE.read_model(file.SerializeToString())
openvino.save_model(model, "saved.xml")
openvino.save_model(model, "whole.xml", compress_to_fp16=False)
openvino.serialize(model, "serialized.xml")


def answers(given):
    output = CORE.compile_model(given, "CPU")(np.ones(4, np.float32))[0]
    return [f"{value:g}" for value in output]


whole = [f"{value:g}" for value in WEIGHTS]
seen = [answers(given) for given in (model, "saved.xml", "whole.xml", "serialized.xml")]
print(f"{'weight':9}{'in memory':11}{'save_model':12}{'compress_to_fp16=False':24}serialize")
for weight, *row in zip(whole, *seen):
    print("{:9}{:11}{:12}{:24}{}".format(weight, *row))
sys.exit(seen != [whole, ["65504", "0.0999756", "0", "3"], whole, whole])
PY
