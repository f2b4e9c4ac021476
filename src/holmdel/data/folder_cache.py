"""The decoded pictures of a folder, kept in one file so that they are decoded once."""

import hashlib
import os
import zlib
from collections.abc import Sequence
from contextlib import suppress
from importlib import metadata
from pathlib import Path

import safetensors
import safetensors.torch
from torch import Tensor

from holmdel.data.roots import user_cache


class FolderCache:
    """The place of one folder's decoded pictures of one size.

    The file's name stands for folder and size, so a folder that changed takes its old place; the
    fingerprint in it for the files (name, size, time of change) and for this version.

    Args:
        folder: the folder of pictures.
        size: (C, H, W) of the decoded pictures.
        paths: the pictures, in the order in which they are kept.
    """

    def __init__(self, folder: Path, size: tuple[int, int, int], paths: Sequence[Path]) -> None:
        place = hashlib.sha256(repr((str(folder.resolve()), size)).encode()).hexdigest()
        self.path = user_cache() / "folders" / f"{place[:24]}.safetensors"
        self.shape = (len(paths), *size)
        self.fingerprint = _fingerprint(folder, paths)

    def read(self) -> Tensor | None:
        """Returns the pictures, uint8 (N, C, H, W); None if they are not there, old or damaged."""
        try:
            with safetensors.safe_open(self.path, framework="pt") as file:
                header = file.metadata() or {}
                if header.get("fingerprint") != self.fingerprint:
                    return None
                pictures: Tensor = file.get_tensor("pictures")
        except (OSError, safetensors.SafetensorError):
            return None
        if tuple(pictures.shape) != self.shape or header.get("crc32") != _checksum(pictures):
            return None
        return pictures

    def write(self, pictures: Tensor) -> None:
        """Keeps the pictures, uint8 (N, C, H, W), in one move; none if the disk does not let it."""
        part = self.path.with_suffix(f".{os.getpid()}.part")
        header = {"fingerprint": self.fingerprint, "crc32": _checksum(pictures)}
        with suppress(OSError, safetensors.SafetensorError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            safetensors.torch.save_file({"pictures": pictures}, part, header)
            part.replace(self.path)
        with suppress(OSError):
            part.unlink()


def _fingerprint(folder: Path, paths: Sequence[Path]) -> str:
    digest = hashlib.sha256(metadata.version("holmdel").encode())
    for path in paths:
        found = path.stat()
        digest.update(
            repr((str(path.relative_to(folder)), found.st_size, found.st_mtime_ns)).encode()
        )
    return digest.hexdigest()


def _checksum(pictures: Tensor) -> str:
    return f"{zlib.crc32(pictures.numpy().data):08x}"
