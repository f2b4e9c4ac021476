#!/usr/bin/env bash
# Core ML Tools, given a scatter_add of weights, writes the last value in place of the sum: a histogram that is part of a network is a list of single votes.
#
# Versions: coremltools 9.0, torch 2.13.0, numpy 2.4.6.
#
# Behaviour: what hangs on weights and buffers alone is computed by the converter, and its result is stored. For its operator scatter_along_axis, which torch's scatter and scatter_add become, it does so by replacing whatever the mode: "add" and "mul" are "update", and of two values for one place
# the last is kept. What stood there before is not added either, so that one value for one place is wrong as well. Where the place or the value is an input of the network, the operator is in the program with its mode. Neither the converter nor the operator's documentation says that the two differ.
#
# Why a good guess is wrong: a converter's constant folding is thought to be the part that cannot go wrong, and converting a small network with an input for each tensor shows the right operator. Tables are summed up in forward() so that they need not be stored: relative positions, pooling matrices, counts of a class, weights of a sparse layer.
# Core ML Tools converts on any system and predicts on Apple's alone, so the number is seen late.
#
# What a program like ours must do: compute tables before conversion, as a buffer, and compare the converted program's constants with the network's, which needs no Mac.
#
# Seen (1 2 3; the values 5 and 7 are for the place of the 2; what the converter has stored):
#   function                      PyTorch    Core ML Tools
#   scatter                       1 7 3      1 7 3
#   scatter_add                   1 14 3     1 7 3
#   scatter_add, the 7 alone      1 9 3      1 7 3
#   scatter, reduce="multiply"    1 70 3     1 7 3
#   scatter_add to an input       1 14 3     mode add
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

PLACES = torch.tensor([[1, 1]])
VALUES = torch.tensor([[5.0, 7.0]])


class Network(torch.nn.Module):
    def __init__(self, table):
        super().__init__()
        self.table = table
        self.register_buffer("row", torch.tensor([[1.0, 2.0, 3.0]]))

    def forward(self, x):
        return x + self.table(self.row, x)


def converted(network):
    x = torch.zeros(1, 3)
    traced = torch.jit.trace(network.eval(), x)
    program = coremltools.convert(
        traced,
        inputs=[coremltools.TensorType(name="x", shape=(1, 3))],
        convert_to="milinternal",
        compute_precision=coremltools.precision.FLOAT32,
    )
    return [op for op in program.functions["main"].operations if op.op_type != "const"]


def text(values):
    return " ".join(f"{value:g}" for value in values.ravel())


def stored(network):
    operators = converted(network)
    for op in operators:
        if op.op_type == "scatter_along_axis":
            return f"mode {op.mode.val}"
    (add,) = operators
    return text(add.x.val if add.y.val is None else add.y.val)


FUNCTIONS = {
    "scatter": (lambda row, x: row.scatter(1, PLACES, VALUES), "1 7 3", "1 7 3"),
    "scatter_add": (lambda row, x: row.scatter_add(1, PLACES, VALUES), "1 14 3", "1 7 3"),
    "scatter_add, the 7 alone": (lambda row, x: row.scatter_add(1, PLACES[:, 1:], VALUES[:, 1:]), "1 9 3", "1 7 3"),
    'scatter, reduce="multiply"': (lambda row, x: row.scatter(1, PLACES, VALUES, reduce="multiply"), "1 70 3", "1 7 3"),
    "scatter_add to an input": (lambda row, x: (x + row).scatter_add(1, PLACES, VALUES), "1 14 3", "mode add"),
}
same = True
with open("seen", "w") as table:
    print(f"{'function':30}{'PyTorch':11}Core ML Tools", file=table)
    for name, (function, *described) in FUNCTIONS.items():
        network = Network(function)
        seen = [text(network(torch.zeros(1, 3))), stored(network)]
        print(f"{name:30}{seen[0]:11}{seen[1]}", file=table)
        same &= seen == described
sys.exit(not same)
PY
cat seen
