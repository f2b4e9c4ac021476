"""Parts over the processes of this machine."""

import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, TypeAlias

from holmdel.errors import UserError
from holmdel.reading.chunks import pool_of
from holmdel.scale.part import Worker
from holmdel.scale.parts import Done

if TYPE_CHECKING:
    from holmdel.scale.work import Work

MOST_DEATHS = 100  # of workers, before a part is done

Arguments: TypeAlias = "tuple[Work, str, str, str]"


def over_processes(numbers: Sequence[int], given: Arguments, jobs: int) -> Iterator[Done]:
    """Does parts over processes; gives what became of each as it is done.

    Args:
        numbers: of the parts.
        given: the arguments of a `Worker`.
        jobs: how many processes; with 1, it is this one.

    Raises:
        UserError: if workers end before any part is done.
    """
    if jobs == 1:
        worker = Worker(*given)
        yield from map(worker, numbers)
        return
    left, deaths = set(numbers), 0
    while left:
        pool = pool_of(jobs, type(given[0]).__module__, _begin, given)
        try:
            for done in _until_broken(pool, sorted(left)):
                left.discard(done.number)
                deaths = 0
                yield done
        except BrokenProcessPool:
            deaths += 1
            if deaths > MOST_DEATHS:
                raise UserError(
                    "the processes that read end before a part is done; give --jobs fewer, or "
                    "more memory"
                ) from None
        finally:
            pool.shutdown(cancel_futures=True)


def _until_broken(pool: ProcessPoolExecutor, numbers: Sequence[int]) -> Iterator[Done]:
    """Gives parts as they are done, those first that were done when the pool broke."""
    running: set[Future[Done]] = {pool.submit(_do, number) for number in numbers}
    broken: BrokenProcessPool | None = None
    while running:
        ended, running = wait(running, return_when=FIRST_COMPLETED)
        for future in ended:
            try:
                yield future.result()
            except BrokenProcessPool as error:
                broken = error
    if broken:
        raise broken


_worker: Worker  # of this process


def _begin(work: "Work", out: str, form: str, base: str) -> None:
    global _worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _worker = Worker(work, out, form, base)


def _do(number: int) -> Done:
    return _worker(number)
