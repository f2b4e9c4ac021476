"""Zip archives of weights, read within the size of the file: no size in one is believed."""

import io
import shutil
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeVar

from holmdel.errors import UserError

MOST_UNPACKED = 32  # times the archive's size: weights hardly shrink when they are packed
PIECE = 1 << 20  # bytes that are unpacked at once
SMALL = 1 << 24  # bytes that any archive may unpack to

# What a damaged archive makes of zipfile and zlib.
DAMAGE = (zipfile.BadZipFile, NotImplementedError, EOFError, ValueError, RuntimeError, OSError)

Done = TypeVar("Done")


class Archive:
    """A zip archive of weights.

    Args:
        path: what sentences call it.
        zipped: the archive, open.
        size: bytes of its file.
    """

    def __init__(self, path: str | Path, zipped: zipfile.ZipFile, size: int) -> None:
        self.path = path
        self._zip = zipped
        self._left = max(SMALL, MOST_UNPACKED * size)

    @property
    def names(self) -> list[str]:
        """What is in it, in its order."""
        return self._zip.namelist()

    def read(self, name: str) -> bytes:
        """Returns the bytes of a member.

        Raises:
            UserError: if there is none, it is damaged, or unpacks to too much.
        """
        return self._done(name, self._zip.read)

    def unpack(self, name: str, place: Path) -> None:
        """Writes a member into a file, piece by piece.

        Raises:
            UserError: as `read`.
        """

        def copy(member: zipfile.ZipInfo) -> None:
            with self._zip.open(member) as source, place.open("wb") as file:
                shutil.copyfileobj(source, file, PIECE)

        self._done(name, copy)

    def refuse_bomb(self) -> None:
        """Raises a UserError if all of it, unpacked by another, would be too much."""
        unpacked = sum(member.file_size for member in self._zip.infolist())
        self._refuse_more(self._left - unpacked)

    def _refuse_more(self, left: int) -> None:
        if left < 0:
            raise UserError(
                f"{self.path} would unpack to more than {MOST_UNPACKED} times its size, which no "
                "weights do; it is damaged"
            )

    def _done(self, name: str, do: Callable[[zipfile.ZipInfo], Done]) -> Done:
        """Returns what is made of a member."""
        try:
            member = self._zip.getinfo(name)
        except KeyError:
            raise UserError(f"{self.path} has no {name} in it; save it again") from None
        self._left -= member.file_size
        self._refuse_more(self._left)
        try:
            return do(member)
        except (*DAMAGE, Exception) as error:
            raise damaged(self.path, f"{name}: {error}") from None


@contextmanager
def opened(path: str | Path) -> Iterator[Archive]:
    """Gives a zip archive, open.

    Raises:
        UserError: if it is none, or damaged.
    """
    with Path(path).open("rb") as file:
        try:
            zipped = zipfile.ZipFile(file)
        except DAMAGE as error:
            raise damaged(path, str(error)) from None
        with zipped:
            yield Archive(path, zipped, _size(file))


def damaged(path: object, why: str) -> UserError:
    """Returns the sentence for a file whose parts do not fit together."""
    why = " ".join(why.split())[:120]
    return UserError(f"{path} is cut short or damaged ({why}); copy it again")


def _size(file: BinaryIO) -> int:
    return file.seek(0, io.SEEK_END)
