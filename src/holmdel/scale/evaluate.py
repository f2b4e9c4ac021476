"""Evaluations over a Ray cluster: its workers look at the images, the figures are made here."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path

from torch import Tensor

from holmdel.images.pages import FileLike
from holmdel.reading.chunks import CHUNK
from holmdel.reading.record import Read
from holmdel.reading.stream import ReaderSettings
from holmdel.scale.over_ray import each_over_ray
from holmdel.scale.work import PredictWork, ReadWork


def readings(
    paths: Iterable[FileLike], settings: ReaderSettings, jobs: int | None, *, address: str
) -> Iterator[Read]:
    """Gives a reading or a failure an image, in order, as `read_stream` does on this machine.

    Args:
        paths: of files that every node has.
        settings: of the reader, whose files go with the work.
        jobs: how many workers; one a CPU if None.
        address: of the cluster.

    Raises:
        UserError: as `Reader` and `connected`.
    """
    work = ReadWork.of(settings)
    waiting = (str(Path(path).absolute()) if isinstance(path, str) else path for path in paths)
    chunks = iter(lambda: list(islice(waiting, CHUNK)), [])
    for found in each_over_ray(work.reading, chunks, address, jobs):
        yield from found


def logits(
    batches: Iterable[Tensor], work: PredictWork, jobs: int | None, *, address: str
) -> Iterator[Tensor]:
    """Gives a classifier's logits (N, classes) of each batch, in order.

    Args:
        batches: uint8 (N, C, H, W) in the stored form; they go to the workers.
        work: the classifier, which goes with it.
        jobs: how many workers; one a CPU if None.
        address: of the cluster.

    Raises:
        UserError: as `connected`.
    """
    return each_over_ray(partial(_logits, work), batches, address, jobs)


def _logits(work: PredictWork) -> Callable[[Tensor], Tensor]:
    found: Callable[[Tensor], Tensor] = work.classifier().logits
    return found
