#!/usr/bin/env bash
# PaddlePaddle's convolution with padding="same" computes without the dilation that it was given.
#
# Versions: paddlepaddle 3.3.1, numpy 2.4.6.
#
# Behaviour: a 3x3 kernel with a dilation of 2 reaches over 5x5 pixels. conv1d, conv2d and conv3d, and the layers made of them, set the dilation back to 1 where padding is "same", and compute with the
# kernel undilated: same shape, other numbers, no warning. With the padding spelled out (2 for this kernel) the dilation counts. The layer shows the dilation that it was given.
#
# Why a good guess is wrong: "same" is about the size of the output, which depends on the dilation only by way of the padding; so one expects the padding to follow the dilation, as in Keras and PyTorch.
# The output has the size that was asked for in either case. A network that is trained like that learns well; what it lacks is reach, which shows, if at all, in accuracy. It shows for sure
# when its weights are taken to another framework, which does dilate.
#
# What a program like ours must do: take over weights of a Paddle network with "same" and a dilation without the dilation, as that is what they were trained with, or refuse them; compare
# with what Paddle answers, on an image, not with what its source says.
#
# Seen (a single pixel of 1 seen through a kernel of 1 to 9, the middle row of the output):
#   padding  dilation  output
#   1        1         0 0 6 5 4 0 0
#   2        2         0 6 0 5 0 4 0
#   same     1         0 0 6 5 4 0 0
#   same     2         0 0 6 5 4 0 0
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 paddlepaddle==3.3.1

# Paddle warns on the error output of a compiler that is not there.
"$dir/env/bin/python" - 2> "$dir/errors" <<'PY' || { cat "$dir/errors" >&2; exit 1; }
import sys

import numpy as np
import paddle

pixel = np.zeros((1, 1, 7, 7), np.float32)
pixel[0, 0, 3, 3] = 1
same = True
print(f"{'padding':9}{'dilation':10}output")
for padding, dilation, described in [
    (1, 1, "0 0 6 5 4 0 0"),
    (2, 2, "0 6 0 5 0 4 0"),
    ("same", 1, "0 0 6 5 4 0 0"),
    ("same", 2, "0 0 6 5 4 0 0"),
]:
    layer = paddle.nn.Conv2D(1, 1, 3, padding=padding, dilation=dilation, bias_attr=False)
    layer.weight.set_value(np.arange(1, 10, dtype=np.float32).reshape(1, 1, 3, 3))
    output = layer(paddle.to_tensor(pixel)).numpy()
    assert output.shape == pixel.shape
    seen = " ".join(f"{value:g}" for value in output[0, 0, 3])
    print(f"{padding!s:9}{dilation:<10}{seen}")
    same &= seen == described
sys.exit(not same)
PY
