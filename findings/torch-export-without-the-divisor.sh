#!/usr/bin/env bash
# PyTorch's exporter to ONNX leaves out a pooling's divisor_override and a loss's label_smoothing, and writes the logarithm of a sigmoid as just that: other numbers, and minus infinity, without a word.
#
# Versions: torch 2.13.0, onnxscript 0.7.2, onnx 1.23.2, onnxruntime 1.32.0, numpy 2.4.6.
#
# Behaviour: torch.onnx.export of avg_pool2d with divisor_override is a plain AveragePool, for the new exporter (dynamo=True, the default) as for the old one. The new one writes cross_entropy with label_smoothing as SoftmaxCrossEntropyLoss, which has none; the old one refuses. logsigmoid becomes Log of Sigmoid, whose sigmoid is 0 at -100 in ONNX Runtime, and binary_cross_entropy_with_logits as well;
# log1p becomes Log(1 + x). The old one also divides integers towards 0 where // means downwards, forgets the threshold of a softplus, gives the last of two values that index_put adds up, and NaN for a distance of p=1 between points of which one coordinate is larger.
#
# Why a good guess is wrong: the exporter refuses what it has no translation for, loudly, and what it translates is taken to be the same; arguments that ONNX has no attribute for are where it is not. A sum over windows (divisor_override=1, for counting ink) is smaller by the window's size, and what follows is mostly insensitive to a factor. The numerically safe functions are safe on all
# inputs that one tries; such logits come from a sure network, and -inf times 0 is NaN then.
#
# What a program like ours must do: write a sum as a mean times the size of its window, log(sigmoid(x)) as -softplus(-x); export a network up to its logits, the loss never; compare file and network on extreme inputs.
#
# Seen:
#   function                              PyTorch       new exporter  old exporter
#   avg_pool2d(2)                         3.5 5.5 11.5  3.5 5.5 11.5  3.5 5.5 11.5
#   avg_pool2d(2, divisor_override=1)     14 22 46      3.5 5.5 11.5  3.5 5.5 11.5
#   cross_entropy, label_smoothing=0.1    2.31          2.41          refused
#   logsigmoid, -10 -100 -200             -10 -100 -200 -10 -inf -inf -10 -inf -inf
#   bce with logits, 100 for a 0          100           100           inf
#   bce with logits, -100 for a 1         100           inf           inf
#   log1p, 0.1 and 1e-8                   0.0953 1e-08  0.0953 0      0.0953 0
#   -3 // 2                               -2            -2            -1
#   softplus(2, threshold=1), 0.6         0.6           0.6           0.732
#   index_put, 1 and 1 added              0 2 0         0 2 0         0 1 0
#   cdist(p=1) of 1 2 to 5 0              6             refused       nan
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 torch==2.13.0 onnxscript==0.7.2 onnx==1.23.2 onnxruntime==1.32.0

cd "$dir"
# The exporters write notes on both outputs; the table goes to a file.
env/bin/python -W ignore - > notes 2>&1 <<'PY' || { cat seen || true; tail -n 20 notes >&2; exit 1; }
import sys

import onnxruntime
import torch
from torch import tensor
from torch.nn import functional


class Network(torch.nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *inputs):
        return self.function(*inputs)


def text(numbers):
    return " ".join(f"{number:.3g}" for number in numbers.ravel()[:3].tolist())


def exported(function, inputs, dynamo):
    try:
        torch.onnx.export(Network(function).eval(), inputs, "net.onnx", dynamo=dynamo, external_data=False)
    except torch.onnx.errors.OnnxExporterError:
        return "refused"
    session = onnxruntime.InferenceSession("net.onnx")
    names = [given.name for given in session.get_inputs()]
    return text(session.run(None, dict(zip(names, (given.numpy() for given in inputs), strict=True)))[0])


def add_up(numbers, places, values):
    return numbers.index_put((places,), values, accumulate=True)


def bce(logits, labels):
    return functional.binary_cross_entropy_with_logits(logits, labels, reduction="none")


def smoothed(logits):
    return functional.cross_entropy(logits, tensor([0]), label_smoothing=0.1)


SQUARE = torch.arange(1.0, 17).reshape(1, 1, 4, 4)
CASES = {
    "avg_pool2d(2)": (lambda x: functional.avg_pool2d(x, 2), [SQUARE], "3.5 5.5 11.5 / 3.5 5.5 11.5 / 3.5 5.5 11.5"),
    "avg_pool2d(2, divisor_override=1)": (lambda x: functional.avg_pool2d(x, 2, divisor_override=1), [SQUARE], "14 22 46 / 3.5 5.5 11.5 / 3.5 5.5 11.5"),
    "cross_entropy, label_smoothing=0.1": (smoothed, [tensor([[1.0, 2, 3]])], "2.31 / 2.41 / refused"),
    "logsigmoid, -10 -100 -200": (functional.logsigmoid, [tensor([-10.0, -100, -200])], "-10 -100 -200 / -10 -inf -inf / -10 -inf -inf"),
    "bce with logits, 100 for a 0": (bce, [tensor([100.0]), tensor([0.0])], "100 / 100 / inf"),
    "bce with logits, -100 for a 1": (bce, [tensor([-100.0]), tensor([1.0])], "100 / inf / inf"),
    "log1p, 0.1 and 1e-8": (torch.log1p, [tensor([0.1, 1e-8])], "0.0953 1e-08 / 0.0953 0 / 0.0953 0"),
    "-3 // 2": (lambda x: x // 2, [tensor([-3])], "-2 / -2 / -1"),
    "softplus(2, threshold=1), 0.6": (lambda x: functional.softplus(x, 2, 1), [tensor([0.6])], "0.6 / 0.6 / 0.732"),
    "index_put, 1 and 1 added": (add_up, [torch.zeros(3), tensor([1, 1]), tensor([1.0, 1])], "0 2 0 / 0 2 0 / 0 1 0"),
    "cdist(p=1) of 1 2 to 5 0": (lambda x, y: torch.cdist(x, y, p=1), [tensor([[1.0, 2]]), tensor([[5.0, 0]])], "6 / refused / nan"),
}
FORM = "{:38}{:14}{:14}{}"
same = True
with open("seen", "w") as table:
    print(FORM.format("function", "PyTorch", "new exporter", "old exporter"), file=table)
    for name, (function, inputs, described) in CASES.items():
        answer = text(function(*inputs))
        seen = answer, exported(function, tuple(inputs), True), exported(function, tuple(inputs), False)
        print(FORM.format(name, *seen), file=table, flush=True)
        same &= " / ".join(seen) == described
sys.exit(not same)
PY
cat seen
