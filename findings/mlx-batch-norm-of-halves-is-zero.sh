#!/usr/bin/env bash
# MLX's batch normalisation of half floats of ordinary size is 0, and their mean infinite: sums are kept in the type of the array, and half floats end at 65504.
#
# Versions: mlx 0.32.4 with mlx-cpu, torch 2.13.0, numpy 2.4.6.
#
# Behaviour: mx.mean sums in float16 and divides afterwards, and mx.var squares in float16. The average of 28x28 pixels of 100 is infinite, and so are AvgPool2d over them, the variance of 100 300 500, and a loss that is a mean. BatchNorm divides by the root of that variance: all 0, though its answer is float32. GroupNorm does so as well.
# LayerNorm and InstanceNorm, next to them in the documentation, sum in float32 and are right. PyTorch sums all of them in float32. (NumPy does for the mean, and not for the variance.) bfloat16 has no such end.
#
# Why a good guess is wrong: half floats that hold the pixels (0 to 255) and the mean (100) are taken to be enough for the mean, and a library that computes on GPUs is taken to sum more widely than it stores, as PyTorch does. With normalised images all is well. A network in which a batch normalisation answers 0 answers the same
# class, with the same confidence, for every image, and no number in it is infinite or NaN.
#
# What a program like ours must do: scale images before they become half floats, and average and normalise in float32: x.astype(mx.float32).
#
# Seen (100 300 500 unless it says otherwise):
#   function                       PyTorch, float16   MLX, float16     MLX, bfloat16   MLX, float32
#   mean of 28x28 of 100           100                inf              100             100
#   variance                       26672              inf              26624           26667
#   AvgPool2d of 28x28 of 100      100                inf              100             100
#   BatchNorm                      -1.22 0.00 1.22    0.00 0.00 0.00   -1.23 0.00 1.23 -1.22 0.00 1.22
#   GroupNorm                      -1.22 0.00 1.22    0.00 0.00 0.00   -1.23 0.00 1.23 -1.22 0.00 1.22
#   InstanceNorm                   -1.22 0.00 1.22    -1.22 0.00 1.22  -1.23 0.00 1.23 -1.22 0.00 1.22
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 "mlx[cpu]==0.32.4" torch==2.13.0

"$dir/env/bin/python" -W ignore - <<'PY'
import sys

import mlx.core as mx
import mlx.nn as nn
import torch
import torch.nn.functional as F

mx.set_default_device(mx.cpu)
NUMBERS = [100.0, 300.0, 500.0]


def by_torch():
    half = torch.tensor(NUMBERS, dtype=torch.float16)
    page = torch.full((1, 1, 28, 28), 100, dtype=torch.float16)
    return {
        "mean of 28x28 of 100": page.mean(),
        "variance": half.var(correction=0),
        "AvgPool2d of 28x28 of 100": F.avg_pool2d(page, 28),
        "BatchNorm": F.batch_norm(half[:, None], None, None, training=True),
        "GroupNorm": F.group_norm(half[None, None], 1),
        "InstanceNorm": F.instance_norm(half[None, None]),
    }


def by_mlx(type_):
    numbers = mx.array(NUMBERS).astype(type_)
    page = mx.full((1, 28, 28, 1), 100).astype(type_)
    column = numbers.reshape(1, 3, 1)
    return {
        "mean of 28x28 of 100": page.mean(),
        "variance": mx.var(numbers),
        "AvgPool2d of 28x28 of 100": nn.AvgPool2d(28)(page),
        "BatchNorm": nn.BatchNorm(1)(numbers[:, None]),
        "GroupNorm": nn.GroupNorm(1, 1)(column),
        "InstanceNorm": nn.InstanceNorm(1)(column),
    }


def text(answer):
    values = answer.flatten().tolist()
    return f"{values[0]:.0f}" if len(values) == 1 else " ".join(f"{value + 0.0:.2f}" for value in values)


NORM, COARSE, ZERO = "-1.22 0.00 1.22", "-1.23 0.00 1.23", "0.00 0.00 0.00"
DESCRIBED = {
    "mean of 28x28 of 100": ["100", "inf", "100", "100"],
    "variance": ["26672", "inf", "26624", "26667"],
    "AvgPool2d of 28x28 of 100": ["100", "inf", "100", "100"],
    "BatchNorm": [NORM, ZERO, COARSE, NORM],
    "GroupNorm": [NORM, ZERO, COARSE, NORM],
    "InstanceNorm": [NORM, NORM, COARSE, NORM],
}
ways = [by_torch(), *(by_mlx(type_) for type_ in (mx.float16, mx.bfloat16, mx.float32))]
same = True
print(f"{'function':31}{'PyTorch, float16':19}{'MLX, float16':17}{'MLX, bfloat16':16}MLX, float32")
for name, described in DESCRIBED.items():
    seen = [text(way[name]) for way in ways]
    print(f"{name:31}{seen[0]:19}{seen[1]:17}{seen[2]:16}{seen[3]}")
    same &= seen == described
sys.exit(not same)
PY
