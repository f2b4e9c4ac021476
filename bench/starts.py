"""Whether the book recipe leaves chance: how many batches until the loss has, over seeds.

    python bench/starts.py nin --input 1x96x96 [--init xavier --clip 0] [--record]

Chance is left when the mean loss of ten batches is below 0.95 ln(10).
"""

import argparse
import math
import os
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Any

import torch

from holmdel import data
from holmdel.data.dataset import permutation
from holmdel.errors import UserError
from holmdel.training.divergence import EARLY, refuse_silent
from holmdel.training.preparation import join
from holmdel.training.settings import plan
from holmdel.training.train import prepare
from holmdel.training.trainers import trainer_for
from record import record

LEFT = 0.95 * math.log(10)


def batches_to_leave(network: str, settings: dict[str, Any], most: int, seed: int) -> int | str:
    """Returns how many batches it took, or `dead at N`, or `not in N`."""
    torch.set_num_threads(1)
    dataset = data.load("fashion-mnist")
    work, header = join(plan(network, "fashion-mnist", settings), dataset)
    job = prepare(work, header, dataset)
    state = job.begin(seed)
    state.network.train()
    trainer, order = trainer_for(job, state), permutation(len(job.train), seed, 0)
    for batch in range(most):
        state.batch = batch
        trainer.learn(trainer.draw(order), job.settings.lr)
        if (batch + 1) % EARLY == 0:
            losses = state.losses[batch + 1 - EARLY : batch + 1]
            try:
                refuse_silent(state.network, losses, job.classes, batch + 1)
            except UserError:
                return f"dead at {batch + 1}"
            if float(losses.mean()) < LEFT:
                return batch + 1
    return f"not in {most}"


def main() -> None:
    """Prints and, if asked, records what became of each seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("network")
    parser.add_argument("--input", help="CxHxW; the network's own if not given")
    parser.add_argument("--init", help="the recipe's if not given")
    parser.add_argument("--clip", type=float, help="the recipe's if not given")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--batches", type=int, default=200, help="give up after so many")
    parser.add_argument("--record", action="store_true")
    words = parser.parse_args()
    given = {"input": words.input, "init": words.init, "clip": words.clip}
    settings = {name: value for name, value in given.items() if value is not None}
    chosen = vars(plan(words.network, "fashion-mnist", settings).settings)
    given |= {name: chosen[name] for name in ("init", "clip")}
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        found = list(
            pool.map(partial(batches_to_leave, words.network, settings, words.batches), words.seeds)
        )
    row = {"network": words.network, **given, "seeds": words.seeds, "batches": found}
    print(row)
    if words.record:
        record("starts", row)


if __name__ == "__main__":
    main()
