"""Tries settings on held-out training images: the tables of docs/recipes.md, section "modern".

    python bench/held_out.py lenet fashion-mnist epochs=30 lr=0.003 [--seeds 0 1 2]

Trains by `modern` on all but the last 10,000 training examples, with what is given set otherwise,
and tests on those 10,000; where mirror images are trained on, also by the mean of the logits of an
image and its mirror image. The test set is not looked at. Runs stand under bench/runs/ and are gone
on with when the command is given again.
"""

import argparse
import statistics
from dataclasses import replace
from pathlib import Path

from holmdel import data, train
from holmdel.data import Dataset, Split
from holmdel.training.callbacks import Callback
from mirrored import mirrored_accuracy

HELD_OUT = 10_000
RUNS = Path(__file__).parent / "runs" / "held-out"


def without_test(whole: Dataset) -> Dataset:
    """Returns a data set whose test split are its last training examples."""
    images, labels = whole.train.images, whole.train.labels
    kept, held = (slice(-HELD_OUT), slice(-HELD_OUT, None))
    parts = [Split(images[part], labels[part]) for part in (kept, held)]
    return replace(whole, train=parts[0], test=parts[1])


def main() -> None:
    """Prints a line a seed, and their mean."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("network")
    parser.add_argument("data")
    parser.add_argument("settings", nargs="*", help="NAME=VALUE")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    asked = parser.parse_args()
    settings = {"recipe": "modern", **dict(word.split("=", 1) for word in asked.settings)}
    dataset = without_test(data.load(asked.data))
    found = []
    for seed in asked.seeds:
        name = "-".join([asked.network, asked.data, *sorted(asked.settings), str(seed)])
        out = RUNS / name
        started = (out / "config.json").exists()
        run = train(
            asked.network,
            dataset,
            out=out,
            resume=started,
            callbacks=Callback(),
            seed=seed,
            **settings,
        )
        last = run.history[-1]
        found.append(run.test_acc)
        words = [f"{name}: {run.test_acc:.4f}"]
        if "flip" in run.settings.augment:
            both = mirrored_accuracy(run.network, run.header.image, dataset.test)
            words.append(f"mirror images too {both:.4f}")
        words.append(f"training images as distorted {last.train_acc:.4f}")
        print(", ".join([*words, f"{last.examples_per_sec:,.0f} examples/sec"]), flush=True)
    print(f"mean {statistics.mean(found):.4f}")


if __name__ == "__main__":
    main()
