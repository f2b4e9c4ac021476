"""Any number of images, read over all cores at flat memory, and their answers in a file."""

import contextlib
import json
import signal
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, fields
from itertools import chain, islice
from pathlib import Path
from typing import Any

import cv2
import torch

from holmdel.classifier import Failure
from holmdel.errors import UserError
from holmdel.images.pages import FileLike, locate, name_of
from holmdel.reading.answers import Reading
from holmdel.reading.chunks import CHUNK, TRIES, cores, deadly, pool_of
from holmdel.reading.reader import MAX_ERROR, Reader

Given = FileLike  # a path, the bytes of a file, or a page of one
Read = Reading | Failure

FEW = 16  # lines that are read sooner than a worker has started
_PAGE = 4  # lines as which a document's page counts
_AHEAD = 2  # chunks a worker that wait or are done


@dataclass(frozen=True, kw_only=True)
class ReaderSettings:
    """What a `Reader` is made from, in this process or another; fields as its arguments."""

    model: Path | None = None
    pattern: str = "digits"
    lines: bool = False
    max_error: float = MAX_ERROR
    template: Path | None = None
    regions: tuple[str, ...] = ()

    def reader(self) -> Reader:
        """Returns the reader.

        Raises:
            UserError: as `Reader`.
        """
        return Reader(**{field.name: getattr(self, field.name) for field in fields(self)})


def read_stream(
    pictures: Iterable[Given], settings: ReaderSettings, jobs: int | None = None
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
    reader = settings.reader()
    waiting = iter(pictures)
    first = _some(waiting, FEW + 1)
    jobs = cores() if jobs is None else jobs
    if jobs == 1 or _weight(first) <= FEW:
        return reader.read_each(chain(first, waiting))
    return _over_workers(chain(first, waiting), settings, jobs)


def _some(pictures: Iterator[Given], weight: int) -> list[Given]:
    """Returns the next pictures, as many as weigh so much together."""
    taken: list[Given] = []
    while _weight(taken) < weight and (picture := next(pictures, None)) is not None:
        taken.append(picture)
    return taken


def _weight(pictures: list[Given]) -> int:
    """Returns what pictures weigh: a line 1; further pages of documents are no lines."""
    return sum(1 if locate(picture).page is None else _PAGE for picture in pictures)


def _over_workers(pictures: Iterator[Given], settings: ReaderSettings, jobs: int) -> Iterator[Read]:
    """Gives what a pool of processes reads; a chunk on which it broke is read with care."""
    chunks = iter(lambda: _some(pictures, CHUNK), [])
    pool = _pool(settings, jobs)
    running: deque[tuple[list[Given], Future[list[Read]]]] = deque()
    try:
        while True:
            for chunk in islice(chunks, _AHEAD * jobs - len(running)):
                running.append((chunk, pool.submit(_read_chunk, chunk)))
            if not running:
                return
            chunk, future = running.popleft()
            try:
                found = future.result()
            except BrokenProcessPool:
                pool.shutdown(cancel_futures=True)
                found = _with_care(chunk, settings)
                pool = _pool(settings, jobs)
                running = deque((c, pool.submit(_read_chunk, c)) for c, _ in running)
            yield from found
    finally:
        pool.shutdown(cancel_futures=True)


def _with_care(chunk: list[Given], settings: ReaderSettings) -> list[Read]:
    """Returns what a chunk says, read one picture at a time: one that ends its process fails."""
    found: list[Read] = []
    pool = _pool(settings, 1)
    try:
        for picture in chunk:
            for _ in range(TRIES - 1):  # the first was in its chunk
                try:
                    found += pool.submit(_read_chunk, [picture]).result()
                    break
                except BrokenProcessPool:
                    pool.shutdown()
                    pool = _pool(settings, 1)
            else:
                found.append(deadly(name_of(picture)))
    finally:
        pool.shutdown()
    return found


def _pool(settings: ReaderSettings, jobs: int) -> ProcessPoolExecutor:
    return pool_of(jobs, _begin, (settings,))


class ChunkReader:
    """What a worker is, whatever started it: a reader on one thread, to which chunks are given.

    Args:
        settings: of the reader.

    Raises:
        UserError: as `Reader`.
    """

    def __init__(self, settings: ReaderSettings) -> None:
        torch.set_num_threads(1)
        cv2.setNumThreads(1)
        self._reader = settings.reader()

    def __call__(self, chunk: list[Given]) -> list[Read]:
        """Returns a reading or a failure an image."""
        return list(self._reader.read_each(chunk))


_reader: ChunkReader  # of this worker


def _begin(settings: ReaderSettings) -> None:
    """Makes a worker ready; what interrupts the command is for the process that started it."""
    global _reader
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _reader = ChunkReader(settings)


def _read_chunk(chunk: list[Given]) -> list[Read]:
    return _reader(chunk)


class Record:
    """A file of answers, a JSON object a line, that a later run can go on with.

    Attributes:
        failed: whether a line says that a picture could not be used.
        count: how many answers were there already.

    Args:
        path: the file.
        resume: keep the answers that are there; what was half written is dropped.

    Raises:
        UserError: if the file is there and not to be gone on with, holds something else, or cannot
            be written.
    """

    def __init__(self, path: Path, *, resume: bool = False) -> None:
        self.path = path
        self.failed = False
        self._done: Counter[str] = Counter()
        if path.exists() and not resume:
            raise UserError(f"{path} exists already; give --resume to go on, or another --out")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a+b")
            with contextlib.ExitStack() as undone:
                undone.callback(self._file.close)
                self._recall()
                undone.pop_all()
            self.count = self._done.total()
        except OSError as error:
            raise self._unwritable(error) from None

    def missing(self, pictures: Iterable[Given]) -> Iterator[Given]:
        """Gives the pictures that have no answer yet."""
        for picture in pictures:
            name = name_of(picture) or "-"
            if self._done[name]:
                self._done[name] -= 1
            else:
                yield picture

    def add(self, found: Read) -> None:
        """Writes one answer.

        Raises:
            UserError: if it cannot be written.
        """
        self.failed |= isinstance(found, Failure)
        try:
            self._file.write(to_line(found).encode() + b"\n")
            self._file.flush()
        except OSError as error:
            raise self._unwritable(error) from None

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def _recall(self) -> None:
        """Counts the answers that are there, and cuts off what is half written."""
        self._file.seek(0)
        whole = 0
        for number, line in enumerate(self._file, 1):
            if not line.endswith(b"\n"):
                break
            try:
                values = json.loads(line)
                self._done[values["path"]] += 1
                self.failed |= "error" in values
            except (ValueError, KeyError, TypeError, RecursionError):
                raise UserError(
                    f"{self.path}, line {number} is no answer of `holmdel read`; give another --out"
                ) from None
            whole += len(line)
        self._file.truncate(whole)

    def _unwritable(self, error: OSError) -> UserError:
        reason = error.strerror or str(error)
        return UserError(f"{self.path} cannot be written ({reason}); choose another --out")


def to_line(found: Read) -> str:
    """Returns an answer as a line of JSON, without its end."""
    return json.dumps(to_values(found))


def to_values(found: Read) -> dict[str, Any]:
    """Returns an answer as JSON-ready values."""
    if isinstance(found, Failure):
        return {"path": found.path or "-", "error": found.error}
    return found.to_json()
