"""A fast decoder for small grey PNG files, as programs send digits; PIL takes much longer."""

import zlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from holmdel.images.opencv import cv2

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEAD = 33  # bytes: the signature, and the first chunk's length, name, 13 bytes and sum
_PLAIN = b"\x08\0\0\0\0"  # depth 8; grey; compression and filter as ever; not interlaced
_SMALL = 128 * 128  # pixels, and bytes of the file
_FILTERS = 5


def size_of(file: bytes) -> tuple[int, int] | None:
    """Returns height and width as the head of a PNG file says; None if it is not sound.

    The head is that of RFC 2083, 3.1 and 4.1.1.
    """
    head = file[len(_SIGNATURE) + 4 : _HEAD]
    if not file.startswith(_SIGNATURE) or not head.startswith(b"IHDR") or len(head) < 21:
        return None
    if zlib.crc32(head[:-4]).to_bytes(4) != head[-4:]:
        return None
    width, height = int.from_bytes(head[4:8]), int.from_bytes(head[8:12])
    return (height, width) if height and width else None


def grey_of(file: bytes) -> NDArray[np.uint8] | None:
    """Returns the pixels of a small, sound and plain PNG file, (H, W); None for any other file.

    Plain: grey of 8 bits, not interlaced, with no chunks but those of the pixels.
    """
    size = size_of(file) if len(file) <= _SMALL else None
    if size is None or size[0] * size[1] > _SMALL or file[24:29] != _PLAIN:
        return None
    chunks = list(_chunks(file))
    names = [name for name, _ in chunks]
    if names[-1] != b"IEND" or {*names[1:-1]} != {b"IDAT"}:
        return None
    height, width = size
    unpacking = zlib.decompressobj()
    try:
        lines = unpacking.decompress(b"".join(data for _, data in chunks), height * (width + 1) + 1)
    except zlib.error:
        return None
    filters = lines[:: width + 1]
    if not unpacking.eof or len(lines) != height * (width + 1) or max(filters) >= _FILTERS:
        return None
    if not any(filters):
        return np.frombuffer(lines, np.uint8).reshape(height, width + 1)[:, 1:]
    if not hasattr(cv2, "imdecode"):
        return None
    pixels: NDArray[np.uint8] = np.asarray(
        cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_GRAYSCALE), np.uint8
    )
    return pixels


def _chunks(file: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Gives the name of each chunk and, of pixels, the data; at what is not sound an empty name."""
    place = len(_SIGNATURE)
    while place < len(file):
        length = int.from_bytes(file[place : place + 4])
        chunk = file[place + 4 : place + 8 + length]
        place += 12 + length
        if zlib.crc32(chunk).to_bytes(4) != file[place - 4 : place] or len(chunk) != length + 4:
            yield b"", b""
            return
        name = chunk[:4]
        yield name, chunk[4:] if name == b"IDAT" else b""
