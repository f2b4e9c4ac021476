"""A picture from anywhere as uint8 pixels."""

import io
import threading
import warnings
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from holmdel.errors import UserError
from holmdel.images.pixels import Pixels
from holmdel.images.png import grey_of, size_of

MOST_PIXELS = 100_000_000  # a phone's camera gives 12 to 50 million, a bomb thousands of millions

Picture: TypeAlias = str | Path | bytes | Image.Image | NDArray[Any] | Tensor

_ORIENTATION = 0x0112  # EXIF 2.3, tag "Orientation"
_OPENING = threading.Lock()
_MODES = {1: "L", 3: "RGB"}
_FRONT = 1024  # bytes in which a PDF says that it is one
_PROGRAMS = ("EPS",)  # formats that are programs, which PIL has Ghostscript run


class NotPicture(UserError):  # noqa: N818 - what was given, not what went wrong
    """What was given is no picture, or of a kind that is not read."""


class TooLarge(UserError):  # noqa: N818 - as above
    """A picture has more pixels than `MOST_PIXELS`."""


def measure(picture: bytes, name: str = "the picture") -> tuple[int, int]:
    """Returns height and width of a picture as its head says; no pixel is decoded.

    Args:
        picture: the bytes of a file.
        name: what an error calls it.

    Raises:
        NotPicture: if it is none.
        TooLarge: if it has more than `MOST_PIXELS`.
        UserError: if it is empty, cut short or damaged.
    """
    if (known := size_of(picture)) and known[0] * known[1] <= MOST_PIXELS:
        return known
    image = _headed(io.BytesIO(picture), len(picture), name)
    return image.height, image.width


def decode(picture: Picture, channels: int) -> Pixels:
    """Returns the pixels of a picture: uint8 (H, W, C), 0 black to 255 white.

    A photograph is turned as its EXIF orientation says; what is transparent becomes white; 16 bits
    are scaled to 8; of an animation or a file of several pages the first is taken.

    Args:
        picture: a path, the bytes of a file, a PIL image, or an array or tensor (H, W), (H, W, C)
            or (C, H, W) of 1 to 4 channels: bool, uint8, uint16 or float in 0..1.
        channels: C of the result, 1 for grey (ITU-R 601 luma) or 3 for red, green and blue.

    Raises:
        UserError: if there is no such file, it may not be read, is empty, is no picture, is cut
            short, or is larger than `MOST_PIXELS`; or if an array has another form or range.
    """
    if channels not in _MODES:
        raise UserError(f"pictures of {channels} channels were asked for; expected 1 or 3")
    mode = _MODES[channels]
    if channels == 1 and isinstance(picture, bytes):
        plain = grey_of(picture)
        if plain is not None:
            return plain[:, :, None]
    if isinstance(picture, Image.Image):
        image = _upright(picture, mode, "the PIL image")
    elif isinstance(picture, bytes):
        name = f"the picture of {len(picture):,} bytes"
        image = _decoded(io.BytesIO(picture), len(picture), mode, name)
    elif isinstance(picture, str | Path):
        image = _read(Path(picture), mode)
    else:
        image = _in_mode(Image.fromarray(_as_bytes(picture)), mode)
    pixels = np.asarray(image)
    return pixels.reshape(*pixels.shape[:2], channels)


def _read(path: Path, mode: str) -> Image.Image:
    """Returns the picture of a file, upright and in a mode."""
    try:
        with path.open("rb") as file:
            return _decoded(file, path.stat().st_size, mode, str(path))
    except FileNotFoundError:
        raise UserError(f"there is no file {path}; check the name") from None
    except IsADirectoryError:
        raise UserError(f"{path} is a folder; expected a picture file") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"{path} cannot be read ({reason}); check its permissions") from None


def _decoded(file: Any, size: int, mode: str, name: str) -> Image.Image:
    """Returns the picture of an open file, upright and in a mode; `name` is for the error."""
    return _upright(_headed(file, size, name), mode, name)


def _headed(file: Any, size: int, name: str) -> Image.Image:
    """Returns the picture of an open file, its pixels not loaded."""
    if size == 0:
        raise UserError(f"{name} is empty; expected a picture, such as a PNG or JPEG file")
    # PIL warns of large pictures and odd EXIF. The lock is held for the header alone: warning
    # filters are the process's, and two threads that set and restore them would mix them up.
    with _OPENING, warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        return _opened(file, name)


def _opened(file: Any, name: str) -> Image.Image:
    """Returns a picture whose header is read and whose pixels are not."""
    try:
        image = Image.open(file)
        image.getexif()
    except UnidentifiedImageError:
        file.seek(0)
        raise _not_picture(name, file.read(_FRONT)) from None
    except Image.DecompressionBombError:
        raise _too_large(name, "far more pixels") from None
    except Exception as error:  # a foreign parser on foreign bytes raises anything
        raise _cut_short(name, error) from None
    if image.format in _PROGRAMS:
        raise _not_picture(name, b"")
    if image.width * image.height > MOST_PIXELS:
        raise _too_large(name, f"{image.width} x {image.height} pixels")
    return image


def _upright(image: Image.Image, mode: str, name: str) -> Image.Image:
    """Returns the picture in a mode, loaded and upright."""
    try:
        image.load()
        upright = image.getexif().get(_ORIENTATION, 1) == 1
        return _in_mode(image if upright else ImageOps.exif_transpose(image), mode)
    except Exception as error:  # as above
        raise _cut_short(name, error) from None


def _not_picture(name: str, front: bytes) -> NotPicture:
    if b"%PDF-" in front:
        return NotPicture(
            f"{name} is a PDF; make pictures of its pages first, such as with "
            "`pdftoppm -r 200 -png FILE page`"
        )
    return NotPicture(f"{name} is not a picture; expected a PNG, JPEG, TIFF, ... file")


def _too_large(name: str, size: str) -> TooLarge:
    return TooLarge(f"{name} has {size}, where {MOST_PIXELS:,} are the most; make it smaller")


def _cut_short(name: str, error: Exception) -> UserError:
    reason = str(error) or type(error).__name__
    return UserError(f"{name} is cut short or damaged ({reason}); copy it again")


def _in_mode(image: Image.Image, mode: str) -> Image.Image:
    """Returns the picture as 8 bits of `L` or `RGB`, on white where it is transparent."""
    if image.mode[0] in "IF":
        image = Image.fromarray(_to_8_bits(np.asarray(image)))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    if mode == "L" and image.mode not in ("1", "L"):
        image = image.convert("RGB")  # PIL has no way from CMYK, LAB or HSV to grey
    return image.convert(mode)


def _to_8_bits(values: NDArray[Any]) -> Pixels:
    """Returns a PIL image's integers or floats as uint8, scaled by the range they are in."""
    largest = float(values.max(initial=0))
    ranges = (1.0, 255.0, 65535.0) if values.dtype.kind == "f" else (65535.0,)
    full = next((r for r in ranges if largest <= r), largest)
    return np.rint(values.clip(0) * (255 / full)).astype(np.uint8)


def _as_bytes(array: NDArray[Any] | Tensor) -> Pixels:
    """Returns an array or tensor as uint8 (H, W) or (H, W, C), C of 2, 3 or 4."""
    values = array.detach().cpu().numpy() if isinstance(array, Tensor) else np.asarray(array)
    if values.ndim == 3 and _is_channels_first(values.shape, isinstance(array, Tensor)):
        values = values.transpose(1, 2, 0)
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[:, :, 0]
    if values.ndim not in (2, 3) or values.size == 0 or values.shape[2:] > (4,):
        raise UserError(
            f"a picture was given as an array of shape {tuple(array.shape)}; expected (H, W), "
            "(H, W, C) or (C, H, W) of 1 to 4 channels"
        )
    return np.ascontiguousarray(_scaled(values))


def _is_channels_first(shape: tuple[int, ...], tensor: bool) -> bool:
    """Says whether a shape is (C, H, W); where both would do, a tensor has its channels first."""
    first, last = shape[0] <= 4, shape[2] <= 4
    return first and (tensor or not last)


def _scaled(values: NDArray[Any]) -> Pixels:
    """Returns an array's values as uint8, by its dtype."""
    if values.dtype == np.uint8:
        return values
    if values.dtype == np.uint16:
        return _to_8_bits(values)
    top = 255 if values.dtype.kind in "iu" else 1
    if values.dtype.kind not in "iufb" or not (values.min() >= 0 and values.max() <= top):
        raise UserError(
            f"a picture was given as an array of {values.dtype} from {values.min()} to "
            f"{values.max()}; expected floats in 0..1, or integers in 0..255"
        )
    return np.rint(values * (255 / top)).astype(np.uint8)
