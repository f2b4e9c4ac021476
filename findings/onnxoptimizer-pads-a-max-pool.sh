#!/usr/bin/env bash
# onnxoptimizer folds a border of zeros into the pooling behind it: a max pooling then has no border, and an average one counts its own.
#
# Versions: onnxoptimizer 0.4.2, onnxsim 0.8.1, onnxslim 0.1.98, onnx 1.23.2, onnxruntime 1.32.0, numpy 2.4.6.
#
# Behaviour: its pass fuse_pad_into_pool, one of the default passes, removes a Pad and adds its sizes to the pads of the pooling. Those are another border: of a max pooling it is minus infinity, not 0. An average pooling gets
# count_include_pad=1, which is right for the zeros, and wrong for pads of its own that it left out of its means. Where all numbers are above 0, as behind a ReLU, the largest one is the same. onnxsim and onnxslim leave the Pad where it is, as does ONNX Runtime.
#
# Why a good guess is wrong: an optimiser is expected to keep values, and most of its passes are about names and shapes. Frameworks that lack asymmetric pads (TensorFlow, Caffe's ceil mode) write just this pair, zeros and then a pooling; behind a ReLU
# each test passes. Without one, as where a network's pooling comes before its activation (NiN, networks of the 1990s, images of mean 0), the border of each map is wrong, and the class mostly right.
#
# What a program like ours must do: give onnxoptimizer the list of passes without this one; compare before and after with inputs below 0; write the border of a max pooling as its pads, or as a Pad with the lowest float.
#
# Seen (a row of -1 to -4 with a zero before and behind it; windows of 2 with a stride of 2, and in the last case of 3, with a pad of 1 of its own):
#   pooling     as it was      onnxoptimizer    without that pass  onnxsim        onnxslim
#   largest     0 -2 0         -1 -2 -4         0 -2 0             0 -2 0         0 -2 0
#   mean        -0.5 -2.5 -2   -0.5 -2.5 -2     -0.5 -2.5 -2       -0.5 -2.5 -2   -0.5 -2.5 -2
#   mean, pads  -0.5 -2 -2.33  -0.333 -2 -2.33  -0.5 -2 -2.33      -0.5 -2 -2.33  -0.5 -2 -2.33
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 onnxoptimizer==0.4.2 onnxsim==0.8.1 onnxslim==0.1.98

"$dir/env/bin/python" - <<'PY'
import sys

import numpy as np
import onnxoptimizer
import onnxruntime
import onnxsim
import onnxslim
from onnx import TensorProto, helper, numpy_helper

ROW = -np.arange(1, 5, dtype=np.float32).reshape(1, 1, 1, 4)
WITHOUT = [name for name in onnxoptimizer.get_fuse_and_elimination_passes() if name != "fuse_pad_into_pool"]


def model(operator, **attributes):
    nodes = [helper.make_node("Pad", ["x", "p"], ["t"]), helper.make_node(operator, ["t"], ["y"], **attributes)]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 1, 1, size]) for name, size in (("x", 4), ("y", 3))]
    border = numpy_helper.from_array(np.array([0, 0, 0, 1, 0, 0, 0, 1], np.int64), "p")
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], [border])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def answer(file):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    output = onnxruntime.InferenceSession(file.SerializeToString(), options).run(None, {"x": ROW})[0]
    return " ".join(f"{value + 0.0:.3g}" for value in output.ravel())


TOOLS = {
    "as it was": lambda file: file,
    "onnxoptimizer": onnxoptimizer.optimize,
    "without that pass": lambda file: onnxoptimizer.optimize(file, WITHOUT),
    "onnxsim": lambda file: onnxsim.simplify(file)[0],
    "onnxslim": onnxslim.slim,
}
STEPS = dict(kernel_shape=[1, 2], strides=[1, 2])
CASES = {
    "largest": (model("MaxPool", **STEPS), "0 -2 0", "-1 -2 -4"),
    "mean": (model("AveragePool", **STEPS), "-0.5 -2.5 -2", "-0.5 -2.5 -2"),
    "mean, pads": (
        model("AveragePool", kernel_shape=[1, 3], strides=[1, 2], pads=[0, 1, 0, 1]),
        "-0.5 -2 -2.33",
        "-0.333 -2 -2.33",
    ),
}
same = True
print("{:12}{:15}{:17}{:19}{:15}{}".format("pooling", *TOOLS))
for name, (file, right, described) in CASES.items():
    seen = [answer(tool(file)) for tool in TOOLS.values()]
    print("{:12}{:15}{:17}{:19}{:15}{}".format(name, *seen))
    same &= seen == [right, described, right, right, right]
sys.exit(not same)
PY
