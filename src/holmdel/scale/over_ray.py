"""Parts over a Ray cluster: by Ray Data's streaming executor, or answers that come back."""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from functools import lru_cache
from typing import Any

from holmdel.scale.cluster import connected, told, workers
from holmdel.scale.local import Arguments
from holmdel.scale.part import Worker
from holmdel.scale.parts import Done

_AHEAD = 2  # parts a CPU that wait or are done


def over_ray(
    numbers: Sequence[int], given: Arguments, ray: Any, jobs: int | None
) -> Iterator[Done]:
    """Does parts over a cluster; gives what became of each as it is done.

    Each part is a task of Ray Data, and a worker keeps its reader from one to the next. Tasks, and
    no actors: when a node dies, its tasks go to any worker that is free, while an actor's wait for
    that actor, and so for a node in place of the dead one.

    Args:
        numbers: of the parts.
        given: the arguments of a `Worker`.
        ray: the module, connected to the cluster.
        jobs: how many workers; one a CPU if None.

    Raises:
        UserError: what a worker says of the job, or that the cluster has ended it.
    """
    if not numbers:
        return
    from ray.data import DataContext, TaskPoolStrategy, from_items

    _hush(DataContext.get_current())
    shipped = ray.put(given)  # once; Ray copies it once to each node
    rows = [{"number": number} for number in numbers]
    parts = from_items(rows, override_num_blocks=len(rows)).map_batches(
        _Task([shipped]),
        batch_size=1,
        compute=TaskPoolStrategy(size=jobs or workers(ray)),
        num_cpus=1,
    )
    try:
        for row in parts.iter_rows():
            yield Done(**row)
    except ray.exceptions.RayError as error:
        raise told(error, "the cluster ended the job") from None


class _Task:
    """What a worker does with a row: the part of that number.

    Args:
        shipped: a reference to the arguments of a `Worker`, in a list, so that it stays one.
    """

    def __init__(self, shipped: list[Any]) -> None:
        self._shipped = shipped

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[Any]]:
        """Returns what became of the parts of a batch."""
        worker = _worker(self._shipped[0])
        rows = [asdict(worker(int(number))) for number in batch["number"]]
        return {name: [row[name] for row in rows] for name in rows[0]}


@lru_cache(maxsize=1)
def _worker(shipped: Any) -> Worker:
    """Returns the worker of this process, which Ray gives one part after the other."""
    import ray

    return Worker(*ray.get(shipped))


def each_over_ray(
    start: Callable[[], Callable[[Any], Any]], parts: Iterable[Any], address: str, jobs: int | None
) -> Iterator[Any]:
    """Gives what workers answer to parts, in their order; one whose node dies is asked again.

    Args:
        start: gives, in a worker, what answers; a worker keeps that.
        parts: any number of them, drawn as they are needed.
        address: of the cluster.
        jobs: how many workers; one a CPU if None.

    Raises:
        UserError: as `connected`; or what a worker says of a part.
    """
    with connected(address) as ray:
        ask = ray.remote(num_cpus=1)(_answer)
        shipped = [ray.put(start)]  # once; Ray copies it once to each node
        most = jobs or _AHEAD * workers(ray)
        waiting: deque[Any] = deque()
        try:
            for part in parts:
                waiting.append(ask.remote(shipped, part))
                if len(waiting) >= most:
                    yield ray.get(waiting.popleft())
            while waiting:
                yield ray.get(waiting.popleft())
        except ray.exceptions.RayError as error:
            raise told(error, "the cluster ended the job", "start it again") from None


def _answer(shipped: list[Any], part: Any) -> Any:
    """Returns, in a worker, what a part is answered with."""
    return _answering(shipped[0])(part)


@lru_cache(maxsize=1)
def _answering(shipped: Any) -> Callable[[Any], Any]:
    import ray

    found: Callable[[Any], Any] = ray.get(shipped)()
    return found


def _hush(context: Any) -> None:
    """Leaves it to the command to say how it goes."""
    context.enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
