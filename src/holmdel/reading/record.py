"""Answers in a file, a line each, that a later run can go on with."""

import contextlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from holmdel.classifier import Failure
from holmdel.errors import UserError
from holmdel.reading.stream import Given, Read


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
            name = picture if isinstance(picture, str) else "-"
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
            except (ValueError, KeyError, TypeError):
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
    if isinstance(found, Failure):
        return json.dumps({"path": found.path or "-", "error": found.error})
    return json.dumps(found.to_json())
