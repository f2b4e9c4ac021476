"""The uncompressed bytes of large gzipped files, kept in the user's cache."""

import hashlib
import os
import struct
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np

from holmdel.data import idx
from holmdel.data.roots import user_cache

LEAST = 1 << 20  # bytes of a compressed file from which on it is kept
_NAMED = hashlib.sha256().digest_size


def content(path: Path) -> idx.Bytes:
    """Returns what `idx.content` does; of a large gzipped file from the cache, if it is there.

    A kept file is of use while the gzipped one has the same path, size, time of change, length and
    CRC-32, and its own bytes have these two; else it is made anew, in one move. Without a place to
    keep it, the file is unpacked every time.

    Raises:
        UserError: as `idx.content`.
    """
    known = _known(path)
    if known is None:
        return idx.content(path)
    fingerprint, end = known
    place = hashlib.sha256(str(path.resolve()).encode()).hexdigest()
    kept = user_cache() / "unpacked" / f"{place[:24]}.idx"
    found = _kept(kept, fingerprint, end)
    if found is not None:
        return found
    data = idx.content(path)
    if _end(data) == end:  # of several gzip streams the last alone is told at the end
        keep(kept, lambda part: part.write_bytes(fingerprint + data))
    return data


def keep(path: Path, write: Callable[[Path], object]) -> None:
    """Has a file of the cache written, and moves it to its place.

    Nothing is kept, and nothing said, where the disk does not let it.
    """
    part = path.with_suffix(f".{os.getpid()}.part")
    try:
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            write(part)
            part.replace(path)
    finally:
        with suppress(OSError):
            part.unlink()


def _known(path: Path) -> tuple[bytes, bytes] | None:
    """Returns a fingerprint of a large gzipped file, and its last eight bytes; None of others."""
    try:
        about = path.stat()
        if about.st_size < LEAST:
            return None
        with path.open("rb") as file:
            start = file.read(len(idx.GZIP))
            file.seek(-8, os.SEEK_END)
            end = file.read()
    except OSError:
        return None
    if start != idx.GZIP:
        return None
    named = repr((str(path.resolve()), about.st_size, about.st_mtime_ns))
    return hashlib.sha256(named.encode()).digest(), end


def _kept(path: Path, fingerprint: bytes, end: bytes) -> memoryview | None:
    """Returns the bytes in the cache, which may be written to; None if they are not the right."""
    try:
        held = memoryview(np.fromfile(path, np.uint8))  # type: ignore[arg-type]
    except OSError:
        return None
    right = held[:_NAMED] == fingerprint and _end(held[_NAMED:]) == end
    return held[_NAMED:] if right else None


def _end(data: idx.Bytes) -> bytes:
    """Returns how a gzip stream of these bytes ends: CRC-32 and length (RFC 1952, 2.3.1)."""
    return struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF)
