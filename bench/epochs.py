"""Contenders for whole epochs: `holmdel.train` and the book's loop, on the same pictures."""

import tempfile
import time
from functools import partial
from pathlib import Path

from book import book_epoch
from holmdel.benchmark.rounds import Conditions, Contender, Maker
from holmdel.data import load
from holmdel.networks import build, network_options
from holmdel.training.callbacks import Callback
from holmdel.training.history import Epoch
from holmdel.training.optimise import draw_weights
from holmdel.training.settings import plan
from holmdel.training.train import train

OURS, BOOK = "holmdel train", "the book's loop"
DATA = "fashion-mnist"
WARM_UP = 256  # pictures of the epoch that is not counted


def epoch_makers(network: str, limit: int | None, conditions: Conditions) -> dict[str, Maker]:
    """Returns both contenders; a turn is one epoch with its test, from the first batch on.

    Args:
        network: a name in `networks.NETWORKS`, trained by its `book` recipe.
        limit: train and test on the first so many pictures; None for all.
        conditions: say where the data set lies.
    """
    root = conditions.data_root
    return {
        OURS: partial(_ours, network, limit, root),
        BOOK: partial(_book, network, limit, root),
    }


class _Clock(Callback):
    """Takes the time from the start of a training to the end of its epoch, all files written."""

    began = seconds = 0.0

    def start(self, title: str, epochs: int) -> None:
        """Notes the time."""
        self.began = time.perf_counter()

    def epoch(self, history: list[Epoch]) -> None:
        """Takes the time."""
        self.seconds = time.perf_counter() - self.began


def _ours(network: str, limit: int | None, root: Path | None) -> Contender:
    examples = len(load(DATA, root=root).train.take(limit))

    def epoch(limit: int | None) -> float:
        clock = _Clock()
        with tempfile.TemporaryDirectory() as folder:
            train(
                network,
                DATA,
                out=Path(folder) / "run",
                data_root=root,
                callbacks=clock,
                epochs=1,
                limit=limit,
                dead_after=0,
            )
        return clock.seconds

    epoch(min(examples, WARM_UP))
    return Contender(OURS, examples, lambda calls: epoch(limit), calls=1)


def _book(network: str, limit: int | None, root: Path | None) -> Contender:
    dataset = load(DATA, root=root)
    train, test = dataset.train.take(limit), dataset.test.take(limit)
    settings = plan(network, DATA, {}).settings
    seen: tuple[int, int] = network_options(network)["size"]
    side = seen[0] if seen != train.images.shape[2:] else None

    def epoch(count: int) -> float:
        module = build(network)
        draw_weights(module, settings.init)
        parts = train.take(count), test.take(count)
        batch = settings.batch_size
        return book_epoch(module, *parts, batch=batch, lr=settings.lr, side=side)

    epoch(min(len(train), WARM_UP))
    return Contender(BOOK, len(train), lambda calls: epoch(len(train)), calls=1)
