"""Files written whole or not at all: plain bytes, and tensors as safetensors; never a pickle."""

import contextlib
import hashlib
import json
import logging
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from holmdel.errors import UserError
from holmdel.schema import read_json

if sys.platform != "win32":
    import fcntl

PART = ".part"  # the ending of a file that is being written
_OF_SAFETENSORS = re.compile(r"\.tmp\w{6}")
CHECKSUM = "checksum"  # the last field of a header
_log = logging.getLogger("holmdel")
_unchecked: set[Path] = set()  # files that the user was told of


def save_tensors(
    path: Path, tensors: Mapping[str, Tensor], name: str, header: Mapping[str, Any]
) -> None:
    """Writes named tensors and a header to `path` as safetensors with a checksum, atomically.

    Args:
        path: a file ending in `.safetensors`.
        tensors: by name.
        name: of the header: of what kind the file is.
        header: JSON-ready; `checksum` is added to it.

    Raises:
        UserError: if the file cannot be written.
    """
    plain = {key: tensor.detach().cpu().contiguous() for key, tensor in tensors.items()}
    text = json.dumps({**header, CHECKSUM: checksum(plain, header)})
    # One text: several would come in another order each time.
    with replacing(path) as temporary:
        try:
            save_file(plain, temporary, metadata={name: text})
        except SafetensorError as error:  # of a full disk
            why = str(error).rpartition("I/O error: ")[2].partition(" (os error")[0]
            raise OSError(why) from None


def load_checked(path: Path, name: str) -> tuple[dict[str, Tensor], Any]:
    """Returns the tensors and the header that `save_tensors` wrote.

    Files of versions before 0.3 have no checksum; whoever loads one is told so once. The header is
    whatever JSON the file has; None for none.

    Raises:
        UserError: if there is no such file, it is damaged, not as it was written, or has numbers
            that are not finite.
    """
    tensors, metadata = load_tensors(path)
    header = None
    if name in metadata:
        header = read_json(metadata[name], f"the header of {path}")
    if isinstance(header, dict):
        _refuse_changed(path, tensors, header, header.pop(CHECKSUM, None))
    for key, tensor in tensors.items():
        if tensor.dtype not in _TYPES:
            raise UserError(
                f"{path} has {key!r} in {str(tensor.dtype).removeprefix('torch.')}, which no file "
                "of holmdel has; copy or train it again"
            )
        if not tensor.isfinite().all():
            raise UserError(
                f"{path} has numbers in {key!r} that are not finite; copy or train it again"
            )
    return tensors, header


def checksum(tensors: Mapping[str, Tensor], header: Mapping[str, Any]) -> str:
    """Returns the SHA-256 of a header and of tensors: names, types, shapes and numbers.

    It is the same in whatever order the tensors come.
    """
    digest = hashlib.sha256(json.dumps(header).encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"\n{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _refuse_changed(
    path: Path, tensors: Mapping[str, Tensor], header: Mapping[str, Any], given: object
) -> None:
    """Raises a UserError if a file is not as it was written."""
    if given is None:
        if path not in _unchecked:
            _unchecked.add(path)
            _log.warning(
                "%s has no checksum, as an older version wrote it; damage would not be noticed",
                path,
            )
    elif given != checksum(tensors, header):
        raise UserError(
            f"{path} is not as it was written (its checksum differs); copy or train it again"
        )


_TYPES = (
    *(torch.float16, torch.bfloat16, torch.float32, torch.float64),
    *(torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64),
)


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Returns the tensors and the texts of a safetensors file.

    Raises:
        UserError: if there is no such file, or it is cut short or of another form.
    """
    if not path.is_file():
        raise UserError(f"there is no file {path}; expected a .safetensors file")
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return tensors, file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise UserError(
            f"{path} cannot be read as safetensors ({error}); it is cut short or of another "
            "format; copy or train it again"
        ) from None


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


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
