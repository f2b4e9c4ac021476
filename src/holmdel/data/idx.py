"""IDX files, the format of MNIST, gzipped or plain; the first bytes say which.

Source: LeCun, Cortes and Burges, "The MNIST database of handwritten digits" (1998), section
"File formats": two zero bytes, a type code, the number of axes, a big-endian int32 an axis, values.
"""

import gzip
import math
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holmdel.errors import UserError
from holmdel.files import write_bytes

TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
GZIP = b"\x1f\x8b"
IMAGES, LABELS = 0x0803, 0x0801  # the first four bytes: unsigned bytes along 3 axes, along 1
Bytes = bytes | memoryview
TABLES = 0x0C02  # int32 along 2 axes: QMNIST's labels, the class in the first of 8 columns


def content(path: Path) -> bytes:
    """Returns the bytes of a file, uncompressed where it is gzipped.

    Raises:
        UserError: for a file that cannot be read, or whose gzip stream is damaged or cut off.
    """
    try:
        data = path.read_bytes()
        return gzip.decompress(data) if data.startswith(GZIP) else data
    except EOFError:
        raise _damaged(path, "is cut off in the middle of its gzip stream") from None
    except (gzip.BadGzipFile, zlib.error):
        raise _damaged(path, "is a damaged gzip file") from None
    except OSError as error:
        raise UserError(
            f"{path} cannot be read ({error.strerror}); expected an IDX file, gzipped or not"
        ) from None


def read(path: Path) -> NDArray[Any]:
    """Returns the values of an IDX file of any of its six types and any number of axes.

    The array is in the machine's byte order and may be written to.

    Raises:
        UserError: for a file that cannot be read, is damaged, has another magic number, or is
            shorter or longer than its header says.
    """
    return parse(content(path), path)


def parse(data: Bytes, path: Path) -> NDArray[Any]:
    """Returns the values in the uncompressed bytes of an IDX file; `read` with the reading done.

    Args:
        data: the file's bytes; the array lies in them where they may be written to.
        path: what a complaint calls it.

    Raises:
        UserError: as `read`.
    """
    if len(data) < 4:
        raise _damaged(path, f"has {len(data)} bytes, too few for an IDX header")
    zeros, code, axes = struct.unpack(">HBB", data[:4])
    if zeros or code not in TYPES:
        raise _damaged(path, f"starts with 0x{data[:4].hex()}, which is not the start of IDX")
    start = 4 + 4 * axes
    if len(data) < start:
        raise _damaged(path, f"has {len(data)} bytes, too few for an IDX header")
    shape = struct.unpack(f">{axes}I", data[4:start])
    dtype = np.dtype(TYPES[code])
    expected = start + math.prod(shape) * dtype.itemsize
    if len(data) != expected:
        fault = "truncated" if len(data) < expected else "too long"
        size = "x".join(map(str, shape))
        raise _damaged(
            path, f"is {fault}: {len(data)} bytes, and its header ({size}) says {expected}"
        )
    values = np.frombuffer(data, dtype, offset=start).reshape(shape)
    return values.astype(dtype.newbyteorder("="), copy=not values.flags.writeable)


def read_images(path: Path, read: Callable[[Path], Bytes] = content) -> NDArray[np.uint8]:
    """Returns the images of an image file: uint8 (N, H, W), 0 background to 255 ink.

    Args:
        path: the file.
        read: returns the file's uncompressed bytes.

    Raises:
        UserError: as `read`, and for a file that holds labels or anything else.
    """
    data = read(path)
    _expect_magic(data, path, IMAGES)
    return parse(data, path)


def read_labels(path: Path, classes: int, first: int = 0) -> NDArray[np.uint8]:
    """Returns the labels of a label file: uint8 (N,), each in 0..classes-1.

    Args:
        path: the file; of a table of QMNIST the first column is taken.
        classes: how many there are.
        first: the number in the file that stands for the first class.

    Raises:
        UserError: as `read`, for a file that holds images or anything else, and for a label
            out of range.
    """
    data = content(path)
    if data[:4] == TABLES.to_bytes(4, "big"):
        labels = parse(data, path)[:, 0]
    else:
        _expect_magic(data, path, LABELS)
        labels = parse(data, path)
    wrong = np.flatnonzero((labels < first) | (labels >= first + classes))
    if len(wrong):
        raise UserError(
            f"label {labels[wrong[0]]} at position {wrong[0]} of {path} is out of range; "
            f"expected {first} to {first + classes - 1}; use the label file that belongs to the set"
        )
    return (labels - first).astype(np.uint8)


def read_pair(
    images: Path,
    labels: Path,
    classes: int,
    first: int = 0,
    read: Callable[[Path], Bytes] = content,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Returns the images uint8 (N, H, W) and labels uint8 (N,) of two files that go together.

    Args:
        images: the file of images.
        labels: that of labels.
        classes: how many there are.
        first: the number in the file that stands for the first class.
        read: returns the uncompressed bytes of the file of images.

    Raises:
        UserError: as `read_images` and `read_labels`, and if their counts differ.
    """
    values, classed = read_images(images, read), read_labels(labels, classes, first)
    if len(values) != len(classed):
        raise UserError(
            f"{images} holds {len(values)} images and {labels} {len(classed)} labels; "
            "expected equal counts; take both from the same set"
        )
    return values, classed


def write(path: Path, values: NDArray[Any]) -> None:
    """Writes an IDX file, gzipped where its name ends in `.gz`, atomically.

    Raises:
        UserError: for values of a type the format does not have, or if it cannot be written.
    """
    codes = {np.dtype(name).newbyteorder("="): code for code, name in TYPES.items()}
    native = values.dtype.newbyteorder("=")
    if native not in codes:
        raise UserError(
            f"an array of {values.dtype} was given for {path}; IDX has "
            f"{', '.join(str(dtype) for dtype in codes)}; convert it first"
        )
    header = struct.pack(f">HBB{values.ndim}I", 0, codes[native], values.ndim, *values.shape)
    data = header + values.astype(native.newbyteorder(">")).tobytes()
    write_bytes(path, gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)


def _expect_magic(data: Bytes, path: Path, magic: int) -> None:
    kinds = {IMAGES: "images", LABELS: "labels"}
    found = int.from_bytes(data[:4], "big")
    if found != magic and found in kinds:
        raise UserError(
            f"{path} holds {kinds[found]}; expected {kinds[magic]}; the file is mislabelled, "
            "or two files changed places"
        )
    if found != magic and len(data) >= 4:  # `parse` tells of a shorter one
        raise _damaged(
            path, f"starts with 0x{data[:4].hex()}; expected 0x{magic:08x}, {kinds[magic]} in IDX"
        )


def _damaged(path: Path, fault: str) -> UserError:
    return UserError(f"{path} {fault}; delete it and fetch it again")
