"""Files written whole or not at all."""

import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from holmdel.errors import UserError

if sys.platform != "win32":
    import fcntl

PART = ".part"  # the ending of a file that is being written
_OF_SAFETENSORS = re.compile(r"\.tmp\w{6}")


def write_bytes(path: Path, content: bytes) -> None:
    """Writes `content` to `path` so that a reader sees the old file or the whole new one.

    Raises:
        UserError: if it cannot be written (a full disk, no permission); `path` is as before.
    """
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_files(stem: Path, files: dict[str, bytes]) -> None:
    """Writes one file a kind, `stem.png` for `png`, each as `write_bytes` does.

    Raises:
        UserError: if one cannot be written.
    """
    for kind, content in files.items():
        write_bytes(stem.with_name(f"{stem.name}.{kind}"), content)


def refuse_existing(folder: Path, advice: str = "choose another --out") -> None:
    """Raises a UserError if there is such a file, or such a folder with something in it.

    What a killed writer left half-written is nothing.
    """
    if folder.exists() and not (folder.is_dir() and all(map(_is_part, folder.iterdir()))):
        raise UserError(f"{folder} exists already; {advice}")


def _is_part(path: Path) -> bool:
    """Tells whether a file is half of one: of ours, or of safetensors, which writes beside ours."""
    ours = path.name.startswith(".") and path.name.endswith(PART)
    return ours or _OF_SAFETENSORS.fullmatch(path.name) is not None


def lock(folder: Path) -> int | None:
    """Returns an open handle that holds a folder, made if need be, until it is closed.

    The system lets go of it when the process ends, however it ends. None where the system or the
    file system knows no such locks.

    Raises:
        UserError: if it is held already, by whatever process, or cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"{folder} cannot be made ({error.strerror or error}); choose another folder"
        ) from None
    if sys.platform == "win32":
        return None
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise UserError(
            f"{folder} is in use by another training; wait for its end, or choose another --out"
        ) from None
    except OSError:
        os.close(handle)
        return None
    return handle


def sweep(folder: Path) -> None:
    """Removes what a writer that was killed left half-written in a folder."""
    for leftover in filter(_is_part, list(folder.iterdir())):
        leftover.unlink(missing_ok=True)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Gives a temporary path beside `path` to write to, and moves it there at the end.

    Raises:
        UserError: if it cannot be written; `path` is as before.
    """
    refuse_folder(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=PART)
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            temporary.chmod(0o666 & ~_umask())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(
            f"{path} cannot be written ({reason}); free some space or choose another folder"
        ) from None


def refuse_folder(path: Path) -> None:
    """Refuses a folder where a file is to be written, and a file where its folder is to be.

    Raises:
        UserError: if there is a folder of that name, or a file of the name of one above it.
    """
    there = next((above for above in path.parents if above.exists()), None)
    if there is not None and not there.is_dir():
        raise UserError(f"{there} is a file; expected a folder to write {path.name} into")
    if path.is_dir():
        raise UserError(f"{path} is a folder; expected the name of a file to write")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
