#!/usr/bin/env bash
# OpenVINO converts a PyTorch module without the beta and threshold of Softplus and without the correction of a variance: other numbers, no warning.
#
# Versions: openvino 2026.4.1, torch 2.13.0, numpy 2.4.6.
#
# Behaviour: openvino.convert_model(module) traces the module and has a rule for each operator. Those of softplus, var and std leave arguments behind: softplus is always ln(1 + exp(x)), whatever beta and threshold say; of
# correction only whether it is 0 is heeded, every other number counts as 1. Converted from torch.export.export(module), softplus is right, as PyTorch takes it apart before, and a correction of 2 is refused by name.
#
# Why a good guess is wrong: refusals, which are precise, tell that the rest was understood. The defaults are right, so is what one tests: beta 1, unbiased or not. A Softplus with a beta is a smooth ReLU that is close to
# it (beta 10 differs from a ReLU by 0.07 at most); converted it is off by 0.69 at 0, wherever activations are small, and the classes of a network change, not
# only its last digit. That a module and its own export convert to different networks, one does not think of trying: it is one converter, and one operator.
#
# What a program like ours must do: convert from torch.export or an ONNX file, and compare what was converted with the module on random input of both signs, layer kind by layer kind, with arguments that are not the defaults.
#
# Seen (of -1, 0 and 1; the variance of 1, 2, 3, 4):
#   function                 PyTorch               OpenVINO              OpenVINO, torch.export
#   softplus                 0.3133 0.6931 1.3133  0.3133 0.6931 1.3133  0.3133 0.6931 1.3133
#   softplus, beta 10        0.0000 0.0693 1.0000  0.3133 0.6931 1.3133  0.0000 0.0693 1.0000
#   softplus, threshold 0.5  0.3133 0.6931 1.0000  0.3133 0.6931 1.3133  0.3133 0.6931 1.0000
#   var                      1.6667                1.6667                1.6667
#   var, correction 0        1.2500                1.2500                1.2500
#   var, correction 2        2.5000                1.6667                refused
#   std, correction 2        1.5811                1.2910                refused
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 openvino==2026.4.1 torch==2.13.0 packaging==26.4

# Conversion writes of deprecated ways on the error output.
"$dir/env/bin/python" - 2> "$dir/errors" <<'PY' || { tail -n 20 "$dir/errors" >&2; exit 1; }
import sys

import numpy as np
import openvino
import torch
from openvino.frontend import OpConversionFailure
from torch.nn import functional

SIGNS = torch.tensor([[-1.0, 0.0, 1.0]])
ROW = torch.tensor([[1.0, 2.0, 3.0, 4.0]])
CORE = openvino.Core()


class Module(torch.nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def by_openvino(module, x, exported):
    try:
        source = torch.export.export(module, (x,)) if exported else module
        model = openvino.convert_model(source, example_input=None if exported else x)
    except OpConversionFailure as error:
        print(error, file=sys.stderr)
        return "refused"
    return text(CORE.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(x.numpy())[0])


def text(values):
    return " ".join(f"{value:.4f}" for value in np.asarray(values).ravel())


PLAIN, SHARP, CUT = "0.3133 0.6931 1.3133", "0.0000 0.0693 1.0000", "0.3133 0.6931 1.0000"
CASES = {
    "softplus": (functional.softplus, SIGNS, PLAIN, PLAIN, PLAIN),
    "softplus, beta 10": (lambda x: functional.softplus(x, beta=10), SIGNS, SHARP, PLAIN, SHARP),
    "softplus, threshold 0.5": (lambda x: functional.softplus(x, threshold=0.5), SIGNS, CUT, PLAIN, CUT),
    "var": (lambda x: x.var(1), ROW, "1.6667", "1.6667", "1.6667"),
    "var, correction 0": (lambda x: torch.var(x, 1, correction=0), ROW, "1.2500", "1.2500", "1.2500"),
    "var, correction 2": (lambda x: torch.var(x, 1, correction=2), ROW, "2.5000", "1.6667", "refused"),
    "std, correction 2": (lambda x: torch.std(x, 1, correction=2), ROW, "1.5811", "1.2910", "refused"),
}
same = True
print(f"{'function':25}{'PyTorch':22}{'OpenVINO':22}OpenVINO, torch.export")
for name, (function, x, *described) in CASES.items():
    module = Module(function).eval()
    seen = [text(function(x)), by_openvino(module, x, False), by_openvino(module, x, True)]
    print(f"{name:25}{seen[0]:22}{seen[1]:22}{seen[2]}")
    same &= seen == described
sys.exit(not same)
PY
