#!/usr/bin/env bash
# Core ML Tools adds 0.0001 to what 1 is divided by, and gives an angle of 0 where PyTorch's atan2 gives 180 degrees.
#
# Versions: coremltools 9.0, torch 2.13.0, numpy 2.4.6.
#
# Behaviour: torch.reciprocal, which 1 / x is in a traced network, becomes Core ML's operator inverse. That is 1 / (x + epsilon) by its definition, and the converter leaves epsilon at its default, 1e-4. 1 / 0.001 is 909, 1 / 0.0001 is 5000, 1 / 0 is 10000, and a divisor of -0.0001 is infinite. a / x with a tensor a is real_div, without an addition.
# torch.atan2(y, x), for which Core ML has no operator, becomes an arc tangent of a quotient and corrections by the signs; for y = 0 with x below 0 there is none. On the other three half-axes the angle is right. What is seen here are constants that the converter computes; for inputs it writes the same operators.
#
# Why a good guess is wrong: nobody wrote an epsilon, and layers that have one, such as a batch normalisation, keep theirs. Rounding to float16 is blamed for small differences, and 1e-4 is near to that for divisors of about 1; weights that are normalised by a small sum or variance, or a mask that is divided by its share, are wrong by tenths.
# In an image y = 0 is no rare case: it is the gradient at each upright edge, of which those from light to dark then point the other way, and those from dark to light are right.
#
# What a program like ours must do: write x ** -1 or a tensor divided by x, and not 1 / x; compute a direction without atan2; compare a converted network on a blank and on a synthetic image.
#
# Seen (what the converter has stored):
#   function             PyTorch    Core ML Tools
#   1 / 1                1          0.9999
#   1 / 0.01             100        99.01
#   1 / 0.001            1000       909.1
#   1 / 0                inf        1e+04
#   1 / -0.0001          -1e+04     inf
#   tensor 1 / 0.001     1000       1000
#   0.001 ** -1          1000       1000
#   atan2(0, 2)          0          0
#   atan2(0, -2)         3.142      0
#   atan2(1, 0)          1.571      1.571
#   atan2(-1, 0)         -1.571     -1.571
#   atan2(1, -1)         2.356      2.356
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 torch==2.13.0 coremltools==9.0

cd "$dir"
# Libraries write notes on both outputs; the table goes to a file.
env/bin/python -W ignore - > notes 2>&1 <<'PY' || { cat seen || true; tail -n 20 notes >&2; exit 1; }
import sys

import coremltools
import torch


class Network(torch.nn.Module):
    def __init__(self, function, *numbers):
        super().__init__()
        self.function = function
        for name, number in zip("ab", numbers):
            self.register_buffer(name, torch.tensor([float(number)]))
        self.names = "ab"[: len(numbers)]

    def forward(self, x):
        return x + self.function(*(getattr(self, name) for name in self.names))


def converted(network):
    traced = torch.jit.trace(network.eval(), torch.zeros(1))
    program = coremltools.convert(
        traced,
        inputs=[coremltools.TensorType(name="x", shape=(1,))],
        convert_to="milinternal",
        compute_precision=coremltools.precision.FLOAT32,
    )
    (add,) = [op for op in program.functions["main"].operations if op.op_type != "const"]
    return add.x.val if add.y.val is None else add.y.val


CASES = {
    "1 / 1": (Network(lambda a: 1 / a, 1), "1", "0.9999"),
    "1 / 0.01": (Network(lambda a: 1 / a, 0.01), "100", "99.01"),
    "1 / 0.001": (Network(lambda a: 1 / a, 0.001), "1000", "909.1"),
    "1 / 0": (Network(lambda a: 1 / a, 0), "inf", "1e+04"),
    "1 / -0.0001": (Network(lambda a: 1 / a, -0.0001), "-1e+04", "inf"),
    "tensor 1 / 0.001": (Network(lambda a, b: b / a, 0.001, 1), "1000", "1000"),
    "0.001 ** -1": (Network(lambda a: a**-1, 0.001), "1000", "1000"),
    "atan2(0, 2)": (Network(torch.atan2, 0, 2), "0", "0"),
    "atan2(0, -2)": (Network(torch.atan2, 0, -2), "3.142", "0"),
    "atan2(1, 0)": (Network(torch.atan2, 1, 0), "1.571", "1.571"),
    "atan2(-1, 0)": (Network(torch.atan2, -1, 0), "-1.571", "-1.571"),
    "atan2(1, -1)": (Network(torch.atan2, 1, -1), "2.356", "2.356"),
}
same = True
with open("seen", "w") as table:
    print(f"{'function':21}{'PyTorch':11}Core ML Tools", file=table)
    for name, (network, *described) in CASES.items():
        seen = [f"{value.item() + 0.0:.4g}" for value in (network(torch.zeros(1)), converted(network))]
        print(f"{name:21}{seen[0]:11}{seen[1]}", file=table)
        same &= seen == described
sys.exit(not same)
PY
cat seen
