#!/usr/bin/env bash
# gloo's all_reduce of every second column sums the wrong numbers and leaves half of them unsummed; ranks whose layouts differ sum pixel to other pixel.
#
# Versions: torch 2.13.0 (gloo, on processors), numpy 2.4.6.
#
# Behaviour: all_reduce works on the memory of a tensor: as many numbers as it has, from its first one on, in the order in which they lie. A slice with gaps, `x[:, ::2]`, has its last numbers behind
# that piece of memory: they stay what they were on each rank, and what lies in the gaps is summed instead, in the tensor that the slice was cut from. And what is summed with what is decided by the place in
# memory: if one rank has a batch as channels_last, or transposed, and another does not, channel 1 of one is added to a pixel of another. broadcast does the same with layouts. Sizes are compared, nothing else is:
# a transposed slice that is dense, alike on all ranks, is summed rightly.
#
# Why a good guess is wrong: PyTorch's operators look at strides, everywhere, and those that cannot say so ("view size is not compatible", "must be contiguous"); nccl's and all_gather's list forms
# refuse such tensors. Nothing fails here, and with one rank everything is right. Gradients of convolutions are channels_last on a rank if its input was, which depends on how that rank's images were made.
# Ranks then take different steps: the ranks' weights drift apart, or are the same and wrong.
#
# What a program like ours must do: reduce one flat buffer that it made itself, into which gradients are copied by value; never tensors as they come. Compare a checksum of the
# weights of all ranks from time to time.
#
# Seen (two ranks, 0 to 5 on one and 10 to 15 on the other; the sum is 10 12 14 16 18 20):
#   tensor                            rank 0             rank 1
#   contiguous                        10 12 14 16 18 20  10 12 14 16 18 20
#   transposed, on both               10 12 14 16 18 20  10 12 14 16 18 20
#   transposed in memory, on rank 1   10 14 13 17 16 20  10 13 16 14 17 20
#   every second column, on both      10 12 14 3 4 5     10 12 14 13 14 15
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq torch==2.13.0 numpy==2.4.6

cat > "$dir/sums.py" <<'PY'
import sys

import torch
import torch.distributed as dist
import torch.multiprocessing

TENSORS = {
    "contiguous": lambda values, rank: values,
    "transposed, on both": lambda values, rank: values.t().contiguous().t(),
    "transposed in memory, on rank 1": lambda values, rank: values.t().contiguous().t() if rank else values,
    "every second column, on both": lambda values, rank: torch.repeat_interleave(values, 2, 1).mul_(
        torch.tensor([1.0, 0.0]).repeat(3)
    )[:, ::2],
}


def rank(number, store, results):
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=number, world_size=2)
    for name, layout in TENSORS.items():
        tensor = layout(torch.arange(6.0).reshape(2, 3) + 10 * number, number)
        dist.all_reduce(tensor)
        results[name, number] = " ".join(f"{value:g}" for value in tensor.flatten().tolist())
    dist.destroy_process_group()


if __name__ == "__main__":
    with torch.multiprocessing.Manager() as manager:
        results = manager.dict()
        torch.multiprocessing.spawn(rank, (sys.argv[1], results), nprocs=2)
        seen = {name: (results[name, 0], results[name, 1]) for name in TENSORS}
    print(f"{'tensor':34}{'rank 0':19}rank 1")
    for name, sums in seen.items():
        print(f"{name:34}{sums[0]:19}{sums[1]}")
    right = "10 12 14 16 18 20"
    described = [
        (right, right),
        (right, right),
        ("10 14 13 17 16 20", "10 13 16 14 17 20"),
        ("10 12 14 3 4 5", "10 12 14 13 14 15"),
    ]
    sys.exit(list(seen.values()) != described)
PY
"$dir/env/bin/python" "$dir/sums.py" "$dir/store"
