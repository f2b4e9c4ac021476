"""Opening image files: their heads are read and checked, no pixel is decoded."""

import io
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError

from holmdel.errors import UserError
from holmdel.images.formats import FRONT, load_decoder, not_an_image

MOST_PIXELS = 100_000_000  # a phone's camera gives 12 to 50 million, a bomb thousands of millions

_HOLLOW = 25_000_000  # pixels, more than which must be in the file and not beside its frames
# Pixels that a byte of a file can stand for: of LZW a code of 12 bits is at most 4,096 of them, of
# deflate a byte is 1,032, each of 8 pixels.
_DENSEST = {"GIF": 2_731, "PNG": 8_256}

_OPENING = threading.Lock()
_PROGRAMS = ("EPS",)  # formats that are programs, which PIL has Ghostscript run


class TooLarge(UserError):  # noqa: N818 - what was given, not what went wrong
    """The image has more pixels than `MOST_PIXELS`."""


def missing(name: str) -> str:
    """Returns the sentence for a name that is no file: of a page, what is wrong with it."""
    file, mark, number = name.rpartition("#")
    if not mark or not Path(file).is_file():
        return f"there is no file {file if mark and number.isdecimal() else name}"
    return f"{name} is no page of {file}: pages count from 1, so the first is {file}#1"


@contextmanager
def binary(content: Path | bytes, name: str) -> Iterator[tuple[BinaryIO, bytes]]:
    """Gives an open file and its first bytes, at most `FRONT`; it stands at its beginning.

    Args:
        content: a path, or the bytes of a file.
        name: what an error calls it.

    Raises:
        UserError: if there is no such file, it may not be read, or it is empty.
    """
    try:
        with io.BytesIO(content) if isinstance(content, bytes) else content.open("rb") as file:
            front = file.read(FRONT)
            if not front:
                raise UserError(f"{name} is empty; expected an image, such as a PNG or JPEG file")
            file.seek(0)
            yield file, front
    except FileNotFoundError:
        raise UserError(f"{missing(str(content))}; check the name") from None
    except IsADirectoryError:
        raise UserError(f"{name} is a folder; expected an image file") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"{name} cannot be read ({reason}); check its permissions") from None


def open_image(file: BinaryIO, front: bytes, name: str) -> Image.Image:
    """Returns the image of an open file, its pixels not loaded.

    By its name PIL would scramble some files: findings/pillow-tiff-by-its-name.sh.

    Raises:
        NotAnImage: if it is not an image of a supported format.
        TooLarge: if it has more than `MOST_PIXELS`.
        UserError: if it is cut short or damaged.
    """
    # PIL warns of large images and odd EXIF. The lock is held for the header alone: warning
    # filters are the process's, and two threads that set and restore them would mix them up.
    with _OPENING, warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        load_decoder(front, name)
        return _opened(file, front, name)


def _opened(file: BinaryIO, front: bytes, name: str) -> Image.Image:
    """Returns an image whose header is read and whose pixels are not."""
    try:
        image = Image.open(file)
        image.getexif()
    except UnidentifiedImageError:
        raise not_an_image(name, front) from None
    except Image.DecompressionBombError:
        raise too_large(name, "far more pixels") from None
    except Exception as error:  # a foreign parser on foreign bytes raises anything
        raise cut_short(name, error) from None
    if image.format in _PROGRAMS:
        raise not_an_image(name, b"")
    refuse_size(image, file, name)
    return image


def refuse_size(image: Image.Image, file: BinaryIO, name: str) -> None:
    """Raises a UserError for more pixels than `MOST_PIXELS`, or than the bytes of a file can be.

    Args:
        image: its pixels not loaded.
        file: that it was opened from.
        name: what an error calls it.
    """
    refuse_large(name, image.width, image.height)
    pixels, densest = image.width * image.height, _DENSEST.get(image.format or "")
    if densest and pixels > _HOLLOW:
        place, size = file.tell(), file.seek(0, io.SEEK_END)
        file.seek(place)
        if pixels > densest * size:
            shown = f"{size:,} bytes for {image.width} x {image.height} pixels"
            raise cut_short(name, ValueError(shown))


def refuse_large(name: str, width: int, height: int) -> None:
    """Raises TooLarge for more than `MOST_PIXELS`."""
    if width * height > MOST_PIXELS:
        raise too_large(name, f"{width} x {height} pixels")


def too_large(name: str, size: str) -> TooLarge:
    """Returns what says that an image is too large."""
    return TooLarge(f"{name} has {size}, where {MOST_PIXELS:,} are the most; make it smaller")


def cut_short(name: str, error: Exception) -> UserError:
    """Returns what says that a foreign parser gave up on a file."""
    said, _, _ = " ".join(str(error).split()).partition(". ")  # the rest is for programmers
    reason = said.removesuffix(".") or type(error).__name__
    return UserError(f"{name} is cut short or damaged ({reason}); copy it again")
