"""Answers in a file, a line each, that a later run goes on with."""

import contextlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from holmdel.errors import UserError
from holmdel.images.pages import FileLike, name_of
from holmdel.prediction import Failure
from holmdel.reading.answers import Reading

Read = Reading | Failure


class Record:
    """A file of answers, a JSON object a line, that a later run can go on with.

    It is there from `open` on.

    Attributes:
        failed: whether a line says that a picture could not be used.
        count: how many answers were there already.

    Args:
        path: the file.
        resume: keep the answers that are there; what was half written is dropped.

    Raises:
        UserError: if the file is there and not to be gone on with, or holds something else.
    """

    def __init__(self, path: Path, *, resume: bool = False) -> None:
        self.path = path
        self.failed = False
        self._done: Counter[str] = Counter()
        if path.exists() and not resume:
            raise UserError(f"{path} exists already; give --resume to go on, or another --out")
        self._whole = self._recall() if path.exists() else 0
        self.count = self._done.total()

    @contextlib.contextmanager
    def open(self) -> Iterator[Callable[[Read], None]]:
        """Gives what adds answers; half of one that is there is cut off, and the file closed.

        Raises:
            UserError: if it cannot be written.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            file = self.path.open("ab")
            file.truncate(self._whole)
        except OSError as error:
            raise self._unwritable(error) from None
        with file:
            yield partial(self._add, file)

    def missing(self, pictures: Iterable[FileLike]) -> Iterator[FileLike]:
        """Gives the pictures that have no answer yet."""
        for picture in pictures:
            name = name_of(picture) or "-"
            if self._done[name]:
                self._done[name] -= 1
            else:
                yield picture

    def _add(self, file: BinaryIO, found: Read) -> None:
        """Writes one answer."""
        self.failed |= isinstance(found, Failure)
        try:
            file.write(to_line(found).encode() + b"\n")
            file.flush()
        except OSError as error:
            raise self._unwritable(error) from None

    def _recall(self) -> int:
        """Counts the answers that are there; returns how many bytes they are."""
        try:
            with self.path.open("rb") as file:
                return sum(self._known(line, n) for n, line in enumerate(file, 1))
        except OSError as error:
            raise self._unwritable(error) from None

    def _known(self, line: bytes, number: int) -> int:
        """Counts an answer that is there; returns its bytes, 0 where it is half written."""
        if not line.endswith(b"\n"):
            return 0
        try:
            values = json.loads(line)
            self._done[values["path"]] += 1
            self.failed |= "error" in values
        except (ValueError, KeyError, TypeError, RecursionError):
            raise UserError(
                f"{self.path}, line {number} is no answer of `holmdel read`; give another --out"
            ) from None
        return len(line)

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
