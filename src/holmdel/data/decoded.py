"""Decodes many images to one size, in threads; those of files are kept in the user's cache."""

import hashlib
import json
import os
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from holmdel.data.download import Progress
from holmdel.data.examples import Examples
from holmdel.data.roots import user_cache
from holmdel.data.unpacked import keep
from holmdel.errors import UserError
from holmdel.images.contract import ImageContract
from holmdel.images.decoding import ImageLike, decode_page
from holmdel.images.framing import frame
from holmdel.images.pages import locate

_FORM = 2  # of what is kept: raised where images come out otherwise than before
WORKERS = min(4, os.cpu_count() or 1)  # threads; Pillow decodes outside the interpreter lock
AHEAD = 1024  # images asked for at a time


@dataclass(frozen=True)
class Decoded:
    """Images of one size.

    Attributes:
        images: uint8 (N, C, H, W); zeros where one could not be decoded.
        faults: why, by the number of the image.
    """

    images: Tensor
    faults: dict[int, str]


def decode_all(
    examples: Examples, contract: ImageContract, progress: Progress | None = None
) -> Decoded:
    """Returns the images of examples in the stored form of a contract.

    Decoded files are kept in one file in the user's cache; they are decoded again where one has
    come, gone or changed.

    Args:
        examples: what to decode.
        contract: the size, and how an image is brought to it.
        progress: called with what is done, the images decoded, and the images in all.
    """
    if not examples.paths:
        return _decode(examples.images, contract, progress)
    cache = _Cache(Path(examples.origin), contract, examples.paths)
    stored = cache.read()
    if stored is None:
        stored = _decode(examples.images, contract, progress)
        cache.write(stored)
    return stored


def _decode(
    images: Sequence[ImageLike], contract: ImageContract, progress: Progress | None
) -> Decoded:
    """Returns the images, decoded by several threads."""
    stored = torch.zeros((len(images), *contract.stored), dtype=torch.uint8)
    faults: dict[int, str] = {}

    def one(index: int) -> None:
        try:
            seen = decode_page(images[index], contract.stored[0])
            stored[index] = frame(seen.squared(), contract)
        except UserError as error:
            faults[index] = str(error)

    with ThreadPoolExecutor(WORKERS) as pool:
        for start in range(0, len(images), AHEAD):
            some = range(start, min(start + AHEAD, len(images)))
            for index, _ in zip(some, pool.map(one, some), strict=True):
                if progress:
                    progress("decoding", index + 1, len(images))
    return Decoded(stored, dict(sorted(faults.items())))


class _Cache:
    """The place of one source's decoded images in one form.

    The file's name stands for source and form, so a folder that changed takes its old place; the
    fingerprint in it for the files (name, size, time of change) and for this version.

    Args:
        origin: the folder or the table of images.
        contract: the decoded images' size, and how they were brought to it.
        paths: the images, in the order in which they are kept.
    """

    def __init__(self, origin: Path, contract: ImageContract, paths: Sequence[Path]) -> None:
        form = str(origin.resolve()), contract.stored, contract.framing
        place = hashlib.sha256(repr(form).encode()).hexdigest()
        self.path = user_cache() / "folders" / f"{place[:24]}.safetensors"
        self.shape = (len(paths), *contract.stored)
        self.fingerprint = _fingerprint(origin, paths)

    def read(self) -> Decoded | None:
        """Returns the images; None if they are not there, old or damaged."""
        try:
            with safetensors.safe_open(self.path, framework="pt") as file:
                header = file.metadata() or {}
                if header.get("fingerprint") != self.fingerprint:
                    return None
                images: Tensor = file.get_tensor("images")
        except (OSError, safetensors.SafetensorError):
            return None
        faults = header.get("faults", "")
        if tuple(images.shape) != self.shape or header.get("crc32") != _checksum(images, faults):
            return None
        return Decoded(images, {int(number): why for number, why in json.loads(faults).items()})

    def write(self, decoded: Decoded) -> None:
        """Keeps the images in one move; none if the disk does not let it."""
        faults = json.dumps(decoded.faults)
        checksum = _checksum(decoded.images, faults)
        header = {"fingerprint": self.fingerprint, "crc32": checksum, "faults": faults}
        images = {"images": decoded.images}
        with suppress(safetensors.SafetensorError):
            keep(self.path, lambda part: safetensors.torch.save_file(images, part, header))


def _about(path: Path) -> os.stat_result | None:
    """Returns what the system says of a file; None where there is none, or can be none."""
    try:
        return path.stat()
    except (OSError, ValueError):
        return None


def _fingerprint(origin: Path, paths: Sequence[Path]) -> str:
    digest = hashlib.sha256(f"{metadata.version('holmdel')} {_FORM}".encode())
    for path in paths:
        named = os.path.relpath(path, origin)
        found = Path(str(locate(path).file))
        about = _about(found)
        digest.update(repr((named, about and (about.st_size, about.st_mtime_ns))).encode())
    return digest.hexdigest()


def _checksum(images: Tensor, faults: str) -> str:
    return f"{zlib.crc32(faults.encode(), zlib.crc32(images.contiguous().numpy().data)):08x}"
