"""Decoding: image files, PIL images, arrays and tensors become uint8 pixels."""

import io
import threading
import warnings
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from holmdel.deprecation import renamed_parameters
from holmdel.errors import UserError
from holmdel.images.pixels import Pixels
from holmdel.images.png import grey_of, size_of

MOST_PIXELS = 100_000_000  # a phone's camera gives 12 to 50 million, a bomb thousands of millions

ImageLike: TypeAlias = str | Path | bytes | Image.Image | NDArray[Any] | Tensor

_ORIENTATION = 0x0112  # EXIF 2.3, tag "Orientation"
_PHOTOMETRIC, _WHITE_IS_ZERO = 262, 0  # of TIFF 6.0, section 3
_OPENING = threading.Lock()
_MODES = {1: "L", 3: "RGB"}
_FRONT = 1024  # bytes in which a PDF says that it is one
_PROGRAMS = ("EPS",)  # formats that are programs, which PIL has Ghostscript run


class NotAnImage(UserError):  # noqa: N818 - what was given, not what went wrong
    """The file is not an image, or its format is not supported."""


class TooLarge(UserError):  # noqa: N818 - as above
    """The image has more pixels than `MOST_PIXELS`."""


@renamed_parameters(picture="image")
def measure(image: bytes, name: str = "the image") -> tuple[int, int]:
    """Returns an image's height and width from the file's header; no pixel is decoded.

    Args:
        image: the bytes of a file.
        name: what an error calls it.

    Raises:
        NotAnImage: if it is not an image of a supported format.
        TooLarge: if it has more than `MOST_PIXELS`.
        UserError: if it is empty, cut short or damaged.
    """
    if (known := size_of(image)) and known[0] * known[1] <= MOST_PIXELS:
        return known
    head = _headed(io.BytesIO(image), len(image), name)
    return head.height, head.width


@renamed_parameters(picture="image")
def decode(image: ImageLike, channels: int) -> Pixels:
    """Returns the pixels of an image: uint8 (H, W, C), 0 black to 255 white.

    A photograph is turned as its EXIF orientation says; what is transparent becomes white; 16 bits
    are scaled to 8; of an animation or a file of several pages the first is taken.

    Args:
        image: a path, the bytes of a file, a PIL image, or an array or tensor (H, W), (H, W, C)
            or (C, H, W) of 1 to 4 channels: bool, uint8, uint16 or float in 0..1.
        channels: C of the result, 1 for grey (ITU-R 601 luma) or 3 for red, green and blue.

    Raises:
        UserError: if there is no such file, it may not be read, is empty, is no image, is cut
            short, or is larger than `MOST_PIXELS`; or if an array has another form or range.
    """
    if channels not in _MODES:
        raise UserError(f"channels was given as {channels}; expected 1 (grey) or 3 (RGB)")
    mode = _MODES[channels]
    if channels == 1 and isinstance(image, bytes):
        plain = grey_of(image)
        if plain is not None:
            return plain[:, :, None]
    if isinstance(image, Image.Image):
        found = _upright(image, mode, "the PIL image")
    elif isinstance(image, bytes):
        name = f"the image of {len(image):,} bytes"
        found = _decoded(io.BytesIO(image), len(image), mode, name)
    elif isinstance(image, str | Path):
        found = _read(Path(image), mode)
    else:
        found = _in_mode(Image.fromarray(_as_bytes(image)), mode)
    pixels = np.asarray(found)
    return pixels.reshape(*pixels.shape[:2], channels)


def _read(path: Path, mode: str) -> Image.Image:
    """Returns the image of a file, upright and in a mode."""
    try:
        with path.open("rb") as file:
            return _decoded(file, path.stat().st_size, mode, str(path))
    except FileNotFoundError:
        raise UserError(f"there is no file {path}; check the name") from None
    except IsADirectoryError:
        raise UserError(f"{path} is a folder; expected an image file") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"{path} cannot be read ({reason}); check its permissions") from None


def _decoded(file: Any, size: int, mode: str, name: str) -> Image.Image:
    """Returns the image of an open file, upright and in a mode; `name` is for the error."""
    return _upright(_headed(file, size, name), mode, name)


def _headed(file: Any, size: int, name: str) -> Image.Image:
    """Returns the image of an open file, its pixels not loaded."""
    if size == 0:
        raise UserError(f"{name} is empty; expected an image, such as a PNG or JPEG file")
    # PIL warns of large images and odd EXIF. The lock is held for the header alone: warning
    # filters are the process's, and two threads that set and restore them would mix them up.
    with _OPENING, warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        return _opened(file, name)


def _opened(file: Any, name: str) -> Image.Image:
    """Returns an image whose header is read and whose pixels are not."""
    try:
        image = Image.open(file)
        image.getexif()
    except UnidentifiedImageError:
        file.seek(0)
        raise _not_an_image(name, file.read(_FRONT)) from None
    except Image.DecompressionBombError:
        raise _too_large(name, "far more pixels") from None
    except Exception as error:  # a foreign parser on foreign bytes raises anything
        raise _cut_short(name, error) from None
    if image.format in _PROGRAMS:
        raise _not_an_image(name, b"")
    if image.width * image.height > MOST_PIXELS:
        raise _too_large(name, f"{image.width} x {image.height} pixels")
    return image


def _upright(image: Image.Image, mode: str, name: str) -> Image.Image:
    """Returns the image in a mode, loaded and upright."""
    try:
        image.load()
        negative = _is_negative(image)
        upright = image.getexif().get(_ORIENTATION, 1) == 1
        found = _in_mode(image if upright else ImageOps.exif_transpose(image), mode)
        return ImageOps.invert(found) if negative else found
    except Exception as error:  # as above
        raise _cut_short(name, error) from None


def _is_negative(image: Image.Image) -> bool:
    """Tells whether white is 0 in a 16-bit TIFF, which PIL leaves to its user.

    At 8 bits it does not; findings/tiff-white-is-zero.sh shows both.
    """
    tags = getattr(image, "tag_v2", {})
    return image.mode.startswith("I;16") and tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO


def _not_an_image(name: str, front: bytes) -> NotAnImage:
    if b"%PDF-" in front:
        return NotAnImage(
            f"{name} is a PDF; make images of its pages first, such as with "
            "`pdftoppm -r 200 -png FILE page`"
        )
    return NotAnImage(f"{name} is not an image; expected a PNG, JPEG, TIFF, ... file")


def _too_large(name: str, size: str) -> TooLarge:
    return TooLarge(f"{name} has {size}, where {MOST_PIXELS:,} are the most; make it smaller")


def _cut_short(name: str, error: Exception) -> UserError:
    reason = str(error) or type(error).__name__
    return UserError(f"{name} is cut short or damaged ({reason}); copy it again")


def _in_mode(image: Image.Image, mode: str) -> Image.Image:
    """Returns the image as 8 bits of `L` or `RGB`, on white where it is transparent."""
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
            f"an image was given as an array of shape {tuple(array.shape)}; expected (H, W), "
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
            f"an image was given as an array of {values.dtype} from {values.min()} to "
            f"{values.max()}; expected floats in 0..1, or integers in 0..255"
        )
    return np.rint(values * (255 / top)).astype(np.uint8)
