"""What a worker does with a part: it reads the inputs, and writes the answers."""

import os
import resource
import socket
import sys
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from holmdel.errors import UserError
from holmdel.images.pages import FileLike
from holmdel.reading.chunks import CHUNK, TRIES, deadly
from holmdel.scale.parts import Done, Parts
from holmdel.scale.store import Store, fetch, is_url

if TYPE_CHECKING:
    from holmdel.scale.work import Answer, Answers, Work

AHEAD = 8  # files that are fetched from a store before they are needed
_FETCHERS = 4  # threads


@dataclass
class Worker:
    """Does parts of a job, one after the other.

    Attributes:
        work: what is done with an input.
        out: the store of the answers.
        form: of their files.
        base: the folder that relative paths begin from.
    """

    work: "Work"
    out: str
    form: str
    base: str
    _answers: "Answers" = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Makes the worker ready.

        Raises:
            UserError: if this machine does not have the folder that paths begin from.
        """
        try:
            os.chdir(self.base)
        except OSError as error:
            raise UserError(
                f"{socket.gethostname()} has no folder {self.base} ({error.strerror}); start the "
                "job in a folder that every node has, or read from a store such as s3://"
            ) from None
        self._parts = Parts(Store(self.out), self.form)
        self._answers = self.work.start()

    def __call__(self, number: int) -> Done:
        """Does a part; a second time it gives the same files."""
        began = time.monotonic()
        inputs = self._parts.inputs(number)
        answers = list(self._careful(number, inputs))
        failed = sum("error" in answer for answer in answers)
        done = Done(
            number,
            len(inputs),
            len(answers),
            failed,
            round(time.monotonic() - began, 3),
            f"{socket.gethostname()}:{os.getpid()}",
            round(_memory(), 1),
        )
        self._parts.commit(done, answers, self.work.verb)
        return done

    def _careful(self, number: int, inputs: list[str]) -> "Iterator[Answer]":
        """Gives the answers; an input that has ended its worker `TRIES` times is an error.

        The first time a part is read as it is. Whoever does it again, because its worker ended,
        does so in chunks, and the chunk on which that one ends too, input by input.
        """
        tries = self._parts.tries(number)
        if tries is None:
            self._parts.keep_tries(number, {})
            yield from self._read(inputs)
            return
        for place in range(0, len(inputs), CHUNK):
            yield from self._suspected(number, inputs, range(place, place + CHUNK), tries)

    def _suspected(
        self, number: int, inputs: list[str], chunk: range, tries: dict[int, int]
    ) -> "Iterator[Answer]":
        """Gives the answers of a chunk of a part that has ended a worker."""
        places = [place for place in chunk if place < len(inputs)]
        alone = any(place in tries for place in places)
        for few in [[place] for place in places] if alone else [places]:
            if tries.get(few[0], 1) >= TRIES:
                failure = deadly(inputs[few[0]])
                yield {"path": failure.path, "error": failure.error}
                continue
            tries |= {place: tries.get(place, 1) + 1 for place in few}
            self._parts.keep_tries(number, tries)
            yield from self._read([inputs[place] for place in few])
            for place in few:
                del tries[place]

    def _read(self, inputs: list[str]) -> "Iterator[Answer]":
        """Gives the answers of inputs, a chunk of images at a time."""
        chunk: list[tuple[str, FileLike]] = []
        for name, image in self._images(inputs):
            if isinstance(image, UserError):
                yield from self._said(chunk)
                chunk = []
                yield {"path": name, "error": str(image)}
                continue
            chunk.append((name, image))
            if len(chunk) == CHUNK:
                yield from self._said(chunk)
                chunk = []
        yield from self._said(chunk)

    def _said(self, chunk: list[tuple[str, FileLike]]) -> "Iterator[Answer]":
        if not chunk:
            return
        found = self._answers([image for _, image in chunk])
        for (name, _), answer in zip(chunk, found, strict=True):
            yield {**answer, "path": name}

    def _images(self, inputs: list[str]) -> Iterator[tuple[str, FileLike | UserError]]:
        """Gives the pages of inputs by their names; what cannot be fetched is an error."""
        for name, content in _fetched(inputs):
            if isinstance(content, UserError):
                yield name, content
                continue
            for number, page in enumerate(self.work.pages(content), 1):
                yield (name if number == 1 else f"{name}#{number}"), page


def _fetched(inputs: list[str]) -> Iterator[tuple[str, FileLike | UserError]]:
    """Gives paths as they are, and the content of addresses, some of which are fetched ahead."""
    if not any(map(is_url, inputs)):
        yield from ((name, name) for name in inputs)
        return
    waiting: deque[tuple[str, Future[FileLike | UserError]]] = deque()
    with ThreadPoolExecutor(_FETCHERS, thread_name_prefix="fetch") as pool:
        for name in inputs:
            waiting.append((name, pool.submit(_content, name)))
            if len(waiting) > AHEAD:
                first, future = waiting.popleft()
                yield first, future.result()
        for first, future in waiting:
            yield first, future.result()


def _content(name: str) -> FileLike | UserError:
    try:
        return fetch(name) if is_url(name) else name
    except UserError as error:
        return error


def _memory() -> float:
    """Returns the most that this process has held, in MB."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (2**20 if sys.platform == "darwin" else 2**10)
