#!/usr/bin/env bash
# ExecuTorch computes the remainder of integers as C does: -7 modulo 3 is -1 and not 2, on its own kernels and with XNNPACK; that of floats is PyTorch's.
#
# Versions: executorch 1.5.1, torch 2.13.0, numpy 2.4.6.
#
# Behaviour: a remainder has the sign of the divisor in Python, NumPy and PyTorch (torch.remainder and %), and of what is divided in C (torch.fmod). PyTorch has both as operators, and so does an exported program: it says aten.remainder. ExecuTorch's kernel for it answers
# with fmod if both are integers, of 8, 32 or 64 bits, and rightly if they are floats. floor_divide rounds down, as it does in PyTorch, so that divisor x quotient + remainder is not the number any more. XNNPACK takes neither, and leaves them to the same kernel. A GELU by its tanh formula, which XNNPACK does take,
# is computed by the error function: up to 5e-4 beside what the file says.
#
# Why a good guess is wrong: the name is right in the graph, and positive numbers, with which one tests an index modulo a width, have one remainder. What counts backwards or shifts by a negative number (a position relative to a centre, a cyclic shift of windows, the column of a flat index minus an offset) is negative
# before the modulo that should have brought it into the range, and then gathers from elsewhere or is refused.
#
# What a program like ours must do: write ((a % n) + n) % n, which is right with either remainder, or compute in floats; compare an export's answers on negative numbers too.
#
# Seen (-7 -3 3 7; PyTorch, and ExecuTorch on its own kernels and with XNNPACK):
#   operator               PyTorch             ExecuTorch          with XNNPACK
#   remainder, int64       2 0 0 1             -1 0 0 1            -1 0 0 1
#   remainder, int32       2 0 0 1             -1 0 0 1            -1 0 0 1
#   remainder, float32     2 0 0 1             2 0 0 1             2 0 0 1
#   x % -2, int64          -1 -1 -1 -1         -1 -1 1 1           -1 -1 1 1
#   fmod, int64            -1 0 0 1            -1 0 0 1            -1 0 0 1
#   floor_divide, int64    -3 -1 1 2           -3 -1 1 2           -3 -1 1 2
#   (x % 3 + 3) % 3        2 0 0 1             2 0 0 1             2 0 0 1
#   1e4 gelu, tanh         0 -36 29964 70000   0 -36 29964 70000   0 -40 29960 70000
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 torch==2.13.0 executorch==1.5.1

cd "$dir"
# Libraries write notes on both outputs; the table goes to a file.
env/bin/python -W ignore - > notes 2>&1 <<'PY' || { cat seen || true; tail -n 20 notes >&2; exit 1; }
import sys

import torch
import torch.nn.functional as F
from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
from executorch.exir import to_edge_transform_and_lower
from executorch.runtime import Runtime


class Formula(torch.nn.Module):
    def __init__(self, formula):
        super().__init__()
        self.formula = formula

    def forward(self, x):
        return self.formula(x)


def by_executorch(formula, x, parts):
    program = to_edge_transform_and_lower(torch.export.export(Formula(formula), (x,)), partitioner=parts).to_executorch()
    return Runtime.get().load_program(program.buffer).load_method("forward").execute([x])[0]


def text(answer):
    return " ".join(str(round(value)) for value in answer.tolist())


NUMBERS = torch.tensor([-7, -3, 3, 7])
C, PYTHON = "-1 0 0 1", "2 0 0 1"
CASES = {
    "remainder, int64": (lambda x: torch.remainder(x, 3), torch.int64, [PYTHON, C, C]),
    "remainder, int32": (lambda x: torch.remainder(x, 3), torch.int32, [PYTHON, C, C]),
    "remainder, float32": (lambda x: torch.remainder(x, 3), torch.float32, [PYTHON] * 3),
    "x % -2, int64": (lambda x: x % -2, torch.int64, ["-1 -1 -1 -1", "-1 -1 1 1", "-1 -1 1 1"]),
    "fmod, int64": (lambda x: torch.fmod(x, 3), torch.int64, [C] * 3),
    "floor_divide, int64": (lambda x: torch.floor_divide(x, 3), torch.int64, ["-3 -1 1 2"] * 3),
    "(x % 3 + 3) % 3": (lambda x: (x % 3 + 3) % 3, torch.int64, [PYTHON] * 3),
    "1e4 gelu, tanh": (
        lambda x: 1e4 * F.gelu(x, approximate="tanh"),
        torch.float32,
        ["0 -36 29964 70000", "0 -36 29964 70000", "0 -40 29960 70000"],
    ),
}
same = True
with open("seen", "w") as table:
    for name, (formula, type_, described) in CASES.items():
        x = NUMBERS.to(type_)
        answers = [formula(x), by_executorch(formula, x, None), by_executorch(formula, x, [XnnpackPartitioner()])]
        seen = [text(answer) for answer in answers]
        print(f"{name:23}" + "".join(f"{values:20}" for values in seen), file=table)
        same &= seen == described
sys.exit(not same)
PY
cat seen
