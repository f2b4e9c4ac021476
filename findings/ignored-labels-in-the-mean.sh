#!/usr/bin/env bash
# PaddlePaddle's and onnx.reference's cross-entropy leave ignored labels out of the sum and count them in the mean, each in some cases only.
#
# Versions: paddlepaddle 3.3.1, onnx 1.23.2, onnxruntime 1.32.0, numpy 2.4.6.
#
# Behaviour: a label that is ignored adds nothing to the loss, and the mean is over the others. Paddle's cross_entropy does so with ignore_index=0 and above, or with class weights, even if these are all 1. Without
# weights and with a negative ignore_index, -100 which is its default among them, it divides by all labels. Its nll_loss divides by the others. onnx.reference divides by all in
# NegativeLogLikelihoodLoss if there are no weights and -1 is ignored, and by the others with any other number and in SoftmaxCrossEntropyLoss; ONNX Runtime always by the others.
#
# Why a good guess is wrong: PyTorch has the same default of -100 and the same names, and divides by the labels that count; Paddle's own formula says so too. A loss that is a
# third too small at a third of blanks is a smaller learning rate, and one that goes up and down with each batch's share of ignored labels: training works, and does not repeat what
# PyTorch gave. A test with ignore_index=0, or one with weights, passes.
#
# What a program like ours must do: where losses of two frameworks are compared, use reduction "sum" and divide by the labels that count oneself.
#
# Seen (three images with logits of 0 for two classes, one of them ignored; a loss of ln 2 for each that counts):
#   loss                                            mean
#   by hand                                         0.6931
#   Paddle, cross_entropy, ignoring -100            0.4621
#   Paddle, cross_entropy, ignoring -1              0.4621
#   Paddle, cross_entropy, ignoring 1               0.6931
#   Paddle, cross_entropy, -100, weights of 1       0.6931
#   Paddle, nll_loss, ignoring -100                 0.6931
#   ONNX Runtime, NegativeLogLikelihoodLoss, -1     0.6931
#   onnx.reference, the same                        0.4621
#   onnx.reference, the same, weights of 1          0.6931
#   onnx.reference, ignoring -100                   0.6931
#   onnx.reference, SoftmaxCrossEntropyLoss, -1     0.6931
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0
"$dir/env/bin/pip" install -qq numpy==2.4.6 paddlepaddle==3.3.1

cat > "$dir/by_onnx.py" <<'PY'
import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

LOGITS = np.full((3, 2), np.log(0.5), np.float32)


def model(operator, ignored, weighted):
    names = ["x", "t", *(["w"] if weighted else [])]
    graph = helper.make_graph(
        [helper.make_node(operator, names, ["y"], ignore_index=ignored)],
        "g",
        [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, [3, 2]),
            helper.make_tensor_value_info("t", TensorProto.INT64, [3]),
        ],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [])],
        [numpy_helper.from_array(np.ones(2, np.float32), "w")] if weighted else [],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8).SerializeToString()


def by_onnxruntime(file):
    return onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])


LIKELIHOOD, ENTROPY = "NegativeLogLikelihoodLoss", "SoftmaxCrossEntropyLoss"
for name, runtime, operator, ignored, weighted in [
    ("ONNX Runtime, NegativeLogLikelihoodLoss, -1", by_onnxruntime, LIKELIHOOD, -1, False),
    ("onnx.reference, the same", ReferenceEvaluator, LIKELIHOOD, -1, False),
    ("onnx.reference, the same, weights of 1", ReferenceEvaluator, LIKELIHOOD, -1, True),
    ("onnx.reference, ignoring -100", ReferenceEvaluator, LIKELIHOOD, -100, False),
    ("onnx.reference, SoftmaxCrossEntropyLoss, -1", ReferenceEvaluator, ENTROPY, -1, False),
]:
    file = model(operator, ignored, weighted)
    loss = runtime(file).run(None, {"x": LOGITS, "t": np.array([0, 1, ignored])})[0]
    print(f"{name:48}{float(loss):.4f}")
PY

cat > "$dir/by_paddle.py" <<'PY'
import numpy as np
import paddle
import paddle.nn.functional as losses

logits = paddle.zeros([3, 2])


def loss(ignored, **options):
    labels = paddle.to_tensor(np.array([0, 0 if ignored == 1 else 1, ignored]))
    return losses.cross_entropy(logits, labels, ignore_index=ignored, **options)


for name, value in [
    ("by hand", (np.log(2) + np.log(2)) / 2),
    ("Paddle, cross_entropy, ignoring -100", loss(-100)),
    ("Paddle, cross_entropy, ignoring -1", loss(-1)),
    ("Paddle, cross_entropy, ignoring 1", loss(1)),
    ("Paddle, cross_entropy, -100, weights of 1", loss(-100, weight=paddle.ones([2]))),
    (
        "Paddle, nll_loss, ignoring -100",
        losses.nll_loss(losses.log_softmax(logits, 1), paddle.to_tensor(np.array([0, 1, -100]))),
    ),
]:
    print(f"{name:48}{float(value):.4f}")
PY

cd "$dir"
# Paddle warns on the error output of a compiler that is not there.
env/bin/python by_paddle.py > seen 2> errors || { cat errors >&2; exit 1; }
env/bin/python by_onnx.py >> seen
cat seen
[ "$(awk '{print $NF}' seen | xargs)" = "0.6931 0.4621 0.4621 0.6931 0.6931 0.6931 0.6931 0.4621 0.6931 0.6931 0.6931" ]
