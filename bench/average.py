"""Makes one reader of several that began with the same weights: the mean of their weights.

    python bench/average.py OUT.safetensors FILE:SHARE FILE:SHARE ...

A reader that was trained on reads the new lines better and the old ones worse; the mean of both
keeps what either knows (Wortsman et al., "Robust fine-tuning of zero-shot models", 2022). The
batch norms' means and variances are taken anew from training lines, and the trust is fitted to
strings of unseen digits, writers and fonts; one member alone has but the trust made anew.
$HOLMDEL_DATA holds MNIST and QMNIST.
"""

import argparse
from itertools import islice
from pathlib import Path

import torch
from torch import nn

from holmdel.checkpoint import load_line_model, save_line_model
from holmdel.images.contract import to_line
from holmdel.networks.line import LineNetwork, widened
from holmdel.reader_training.synthesis.source import StringSource, find_digits
from holmdel.reader_training.train import made_strings, trust_of
from holmdel.reading.line import batches_of

SEEN = 2048  # lines that the batch norms see
HELD_OUT = 4000


def mean_of(members: list[tuple[LineNetwork, float]]) -> LineNetwork:
    """Returns a network of the mean of the members' weights, by their shares."""
    total = sum(share for _, share in members)
    mean = LineNetwork(**members[0][0].options)
    states = [(network.state_dict(), share / total) for network, share in members]
    mean.load_state_dict(
        {
            name: sum(share * state[name].float() for state, share in states)
            if weight.is_floating_point()
            else weight
            for name, weight in mean.state_dict().items()
        }
    )
    return mean


def renormalise(network: LineNetwork, source: StringSource) -> None:
    """Takes the batch norms' running means and variances from lines of a source."""
    network.eval()
    for norm in (one for one in network.modules() if isinstance(one, nn.BatchNorm2d)):
        norm.reset_running_stats()
        norm.momentum = None  # the mean of all batches
        norm.train()
    lines = [to_line(sample.image) for sample in islice(source(0), SEEN)]
    with torch.no_grad():
        for _, batch in batches_of(lines):
            network(torch.from_numpy(batch))
    network.eval()


def main() -> None:
    """Writes the reader, and prints how it reads held-out strings."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("members", nargs="+", metavar="FILE:SHARE")
    given = parser.parse_args()
    members = []
    for member in given.members:
        file, _, share = member.rpartition(":")
        members.append((widened(load_line_model(Path(file))[0]), float(share)))
    train, test = find_digits()
    network = mean_of(members)
    if len(members) > 1:
        renormalise(network, StringSource(train, 3))
    made = made_strings(StringSource(test, unseen=True).reseeded("held out"), HELD_OUT)
    answers = made.answers(network)
    right = made.right(answers)
    save_line_model(given.out, network, trust_of(answers, right).to_json())
    print(f"{given.out}: {sum(right) / len(right):.1%} of {len(right):,} held-out strings right")


if __name__ == "__main__":
    main()
