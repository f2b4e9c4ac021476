"""Files written whole or not at all: plain bytes, and tensors as safetensors; never a pickle."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes
from torch import Tensor

from holmdel.errors import UserError

PART = ".part"  # the ending of a file that is being written


def save_tensors(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    """Writes named tensors and texts to `path` as safetensors, atomically.

    Raises:
        UserError: if the file cannot be written.
    """
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    write_bytes(path, to_bytes(plain, metadata=metadata))


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
    """Raises a UserError if there is such a file, or such a folder with something in it."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder} exists already; {advice}")


def sweep(folder: Path) -> None:
    """Removes what a writer that was killed left half-written in a folder."""
    for leftover in folder.glob(f".*{PART}"):
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
