"""Any number of images, read over all cores at flat memory.

Where other processes read, this one has no need of torch, and does not load it.
"""

import contextlib
import signal
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, fields
from functools import lru_cache
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

import cv2

from holmdel.images.pages import FileLike, locate, name_of
from holmdel.reading.answers import DIGITS, MAX_ERROR
from holmdel.reading.chunks import CHUNK, TRIES, cores, deadly, pool_of
from holmdel.reading.patterns import parse_pattern
from holmdel.reading.record import Read
from holmdel.reading.regions import parse_regions
from holmdel.reading.template import Template
from holmdel.reading.trust import Trust
from holmdel.runtime import one_thread

if TYPE_CHECKING:
    from holmdel.reading.reader import Reader


FEW = 16  # lines that are read sooner than a worker has started
_PAGE = 4  # lines as which a document's page counts
_AHEAD = 2  # chunks a worker that wait or are done
_READER = "holmdel.reading.reader"  # the module, with torch


@dataclass(frozen=True, kw_only=True)
class ReaderSettings:
    """What a `Reader` is made from, in this process or another; fields as its arguments."""

    model: Path | None = None
    pattern: str = DIGITS
    lines: bool = False
    max_error: float = MAX_ERROR
    template: Path | None = None
    regions: tuple[str, ...] = ()

    def check(self) -> None:
        """Looks at all but the model, without torch.

        Raises:
            UserError: for a mistake, as `Reader` would.
        """
        parse_pattern(self.pattern)
        parse_regions(self.regions)
        Trust().threshold(self.max_error)
        if self.template is not None:
            Template.load(self.template)

    def reader(self) -> "Reader":
        """Returns the reader.

        Raises:
            UserError: as `Reader`.
        """
        from holmdel.reading.reader import Reader  # loads torch

        return Reader(**{field.name: getattr(self, field.name) for field in fields(self)})

    def worker(self) -> "Reader":
        """Returns the reader of a process of one thread, which this one is from now on.

        Raises:
            UserError: as `Reader`.
        """
        one_thread()
        cv2.setNumThreads(1)
        return self.reader()


def read_stream(
    pictures: Iterable[FileLike], settings: ReaderSettings, jobs: int | None = None
) -> Iterator[Read]:
    """Gives a reading or a failure a picture, in order; pictures are drawn as they are needed.

    Workers are processes of one thread each. A picture whose reading ends its process becomes a
    failure, and the rest goes on.

    Args:
        pictures: any number of paths or pictures' bytes.
        settings: of the reader.
        jobs: how many processes; one a core if None.

    Raises:
        UserError: as `Reader`, before the first picture is read.
    """
    waiting = iter(pictures)
    first = _some(waiting, FEW + 1)
    jobs = cores() if jobs is None else jobs
    if jobs == 1 or _weight(first) <= FEW:
        return settings.reader().read_each(chain(first, waiting))
    pool = _pool(jobs)
    with contextlib.suppress(BrokenProcessPool):  # which each picture will say
        pool.submit(_read_chunk, settings, []).result()
    return _over_workers(pool, chain(first, waiting), settings, jobs)


def _some(pictures: Iterator[FileLike], weight: int) -> list[FileLike]:
    """Returns the next pictures, as many as weigh so much together."""
    taken: list[FileLike] = []
    while _weight(taken) < weight and (picture := next(pictures, None)) is not None:
        taken.append(picture)
    return taken


def _weight(pictures: list[FileLike]) -> int:
    """Returns what pictures weigh: a line 1; further pages of documents are no lines."""
    return sum(1 if locate(picture).page is None else _PAGE for picture in pictures)


def _over_workers(
    pool: ProcessPoolExecutor, pictures: Iterator[FileLike], settings: ReaderSettings, jobs: int
) -> Iterator[Read]:
    """Gives what a pool of processes reads; a chunk on which it broke is read with care."""
    chunks = iter(lambda: _some(pictures, CHUNK), [])
    running: deque[tuple[list[FileLike], Future[list[Read]]]] = deque()
    try:
        while True:
            for chunk in islice(chunks, _AHEAD * jobs - len(running)):
                running.append((chunk, _submit(pool, settings, chunk)))
            if not running:
                return
            chunk, future = running.popleft()
            try:
                found = future.result()
            except BrokenProcessPool:
                pool.shutdown(cancel_futures=True)
                found = _with_care(chunk, settings)
                pool = _pool(jobs)
                running = deque((c, _submit(pool, settings, c)) for c, _ in running)
            yield from found
    finally:
        pool.shutdown(cancel_futures=True)


def _submit(
    pool: ProcessPoolExecutor, settings: ReaderSettings, chunk: list[FileLike]
) -> Future[list[Read]]:
    """Returns what a chunk will say; of a pool that is broken, that it is."""
    try:
        return pool.submit(_read_chunk, settings, chunk)
    except BrokenProcessPool as error:
        failed: Future[list[Read]] = Future()
        failed.set_exception(error)
        return failed


def _with_care(chunk: list[FileLike], settings: ReaderSettings) -> list[Read]:
    """Returns what a chunk says, read one picture at a time: one that ends its process fails."""
    found: list[Read] = []
    pool = _pool(1)
    try:
        for picture in chunk:
            for _ in range(TRIES - 1):  # the first was in its chunk
                try:
                    found += pool.submit(_read_chunk, settings, [picture]).result()
                    break
                except BrokenProcessPool:
                    pool.shutdown()
                    pool = _pool(1)
            else:
                found.append(deadly(name_of(picture)))
    finally:
        pool.shutdown()
    return found


def _pool(jobs: int) -> ProcessPoolExecutor:
    return pool_of(jobs, _READER, _begin)


def _begin() -> None:
    """Makes a worker ready; what interrupts the command is for the process that started it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _read_chunk(settings: ReaderSettings, chunk: list[FileLike]) -> list[Read]:
    """Returns, in a worker, what a chunk says."""
    return list(_worker(settings).read_each(chunk))


@lru_cache(maxsize=1)
def _worker(settings: ReaderSettings) -> "Reader":
    return settings.worker()
