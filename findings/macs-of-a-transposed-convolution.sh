#!/usr/bin/env bash
# thop and torchinfo count a transposed convolution of stride 2 four times over, and torchinfo counts a linear layer on maps as if it ran at one place.
#
# Versions: thop 0.1.1.post2209072238, torchinfo 1.8.0, fvcore 0.1.5.post20221221, torch 2.13.0, numpy 2.4.6.
#
# Behaviour: of a convolution the multiplications are the weights times the pixels that come out. Of a transposed one they are the weights times the pixels that go in: each input pixel is multiplied by the whole kernel once. thop and torchinfo count the
# pixels that come out for both; with a stride of 2 these are four times as many. torchinfo counts the parameters of a Linear times the batch, wherever it is: on (N, C, H, W) it runs C x H times as often. thop does not see an operator that is called
# as a function, as nn.functional.linear is: 0. fvcore and PyTorch's own FlopCounterMode count what is executed, and are right in each line here.
#
# Why a good guess is wrong: for the usual classifier all four agree to the last digit, which is what one checks. The halves of an autoencoder or a segmenter, which mirror each other and cost the same, come out as one to four: the decoder looks like the
# part to make smaller. torchinfo is right for a linear layer behind a flatten, and 32 times too low for one that runs along a line, as in a text reader.
#
# What a program like ours must do: count in one pass over what is executed; check a counter by a layer whose count is known by hand, of each kind that the network has.
#
# Seen (multiplications of one image, 4 maps of 8x8):
#   layer                          by hand  thop       torchinfo  fvcore     PyTorch
#   convolution, 3x3, 4 to 8 maps  18432    18432      18432      18432      18432
#   transposed, 3x3, stride 1      18432    18432      18432      18432      18432
#   transposed, 2x2, stride 2      8192     32768      32768      8192       8192
#   transposed, 4x4, stride 4      32768    524288     524288     32768      32768
#   linear, behind a flatten       2560     2560       2560       2560       2560
#   linear, along each row         1280     1280       40         1280       1280
#   linear, as a function          2560     0          2560       2560       2560
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 torch==2.13.0 thop==0.1.1.post2209072238 torchinfo==1.8.0 fvcore==0.1.5.post20221221

"$dir/env/bin/python" -W ignore - <<'PY'
import logging
import sys

import torch
from fvcore.nn import FlopCountAnalysis
from thop import profile
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from torchinfo import summary

logging.disable(logging.CRITICAL)
IMAGE = torch.zeros(1, 4, 8, 8)


class Functional(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(10, 256))

    def forward(self, image):
        return nn.functional.linear(image.flatten(1), self.weight)


def by_pytorch(network):
    with FlopCounterMode(display=False) as counter:
        network(IMAGE)
    return counter.get_total_flops() // 2  # it counts additions too


COUNTERS = {
    "thop": lambda network: int(profile(network, (IMAGE,), verbose=False)[0]),
    "torchinfo": lambda network: int(summary(network, input_data=IMAGE, verbose=0).total_mult_adds),
    "fvcore": lambda network: int(FlopCountAnalysis(network, IMAGE).total()),
    "PyTorch": by_pytorch,
}
CASES = {
    "convolution, 3x3, 4 to 8 maps": (lambda: nn.Conv2d(4, 8, 3, padding=1, bias=False), 3 * 3 * 4 * 8 * 64, {}),
    "transposed, 3x3, stride 1": (lambda: nn.ConvTranspose2d(4, 8, 3, padding=1, bias=False), 3 * 3 * 4 * 8 * 64, {}),
    "transposed, 2x2, stride 2": (
        lambda: nn.ConvTranspose2d(4, 8, 2, stride=2, bias=False),
        2 * 2 * 4 * 8 * 64,
        {"thop": 32768, "torchinfo": 32768},
    ),
    "transposed, 4x4, stride 4": (
        lambda: nn.ConvTranspose2d(4, 8, 4, stride=4, bias=False),
        4 * 4 * 4 * 8 * 64,
        {"thop": 524288, "torchinfo": 524288},
    ),
    "linear, behind a flatten": (lambda: nn.Sequential(nn.Flatten(), nn.Linear(256, 10, bias=False)), 256 * 10, {}),
    "linear, along each row": (lambda: nn.Linear(8, 5, bias=False), 8 * 5 * 4 * 8, {"torchinfo": 40}),
    "linear, as a function": (Functional, 256 * 10, {"thop": 0}),
}
same = True
print(f"{'layer':31}{'by hand':9}" + "".join(f"{name:11}" for name in COUNTERS).rstrip())
for name, (make, by_hand, others) in CASES.items():
    seen = {counter: count(make()) for counter, count in COUNTERS.items()}
    print(f"{name:31}{by_hand:<9}" + "".join(f"{count:<11}" for count in seen.values()).rstrip())
    same &= seen == {counter: others.get(counter, by_hand) for counter in COUNTERS}
sys.exit(not same)
PY
