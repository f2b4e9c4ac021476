"""Decoding: image files, PIL images, arrays and tensors become uint8 pixels."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from holmdel.deprecation import renamed_parameters
from holmdel.errors import UserError
from holmdel.images.arrays import as_bytes, to_8_bits
from holmdel.images.formats import is_pdf
from holmdel.images.opening import MOST_PIXELS, binary, cut_short, open_image
from holmdel.images.pages import DocumentPage, Opened, locate, open_page
from holmdel.images.pdf import measure_page
from holmdel.images.pixels import Pixels, resized
from holmdel.images.png import grey_of, size_of
from holmdel.images.tensors import Tensor

ImageLike: TypeAlias = str | Path | bytes | DocumentPage | Image.Image | NDArray[Any] | Tensor

_ORIENTATION = 0x0112  # EXIF 2.3, tag "Orientation"; from 5 on the image lies on its side
_ON_ITS_SIDE = 5
_PHOTOMETRIC, _WHITE_IS_ZERO = 262, 0  # of TIFF 6.0, section 3
_DEPTHS, _PLANAR, _APART = 258, 284, 2  # of TIFF 6.0: a plane after the other, not pixel by pixel
_MODES = {1: "L", 3: "RGB"}
_DENSITIES = ("dpi", "aspect", "resolution", "jfif_density")  # what PIL calls pixels a unit
_DENSE = ("TIFF", "PNG", "JPEG")  # formats whose density is believed
_STRETCHES = (1.2, 4.0)  # of a fax: 204 pixels an inch across, 98 down. Less is not seen
_VISIBLE = 128  # of alpha: the colours of what is fainter are rounded
_ONE_COLOUR = 8  # of 255, by which the colour of one ink differs


@renamed_parameters(picture="image")
def measure(image: bytes | DocumentPage, name: str = "the image") -> tuple[int, int]:
    """Returns an image's height and width from the file's header; no pixel is decoded.

    Args:
        image: the bytes of a file, or a page of it.
        name: what an error calls it.

    Raises:
        NotAnImage: if it is not an image of a supported format.
        TooLarge: if it has more than `MOST_PIXELS`.
        UserError: if it is empty, cut short or damaged.
    """
    content, number = (image, 1) if isinstance(image, bytes) else (image.content, image.number)
    if (known := size_of(content)) and known[0] * known[1] <= MOST_PIXELS:
        return known
    with binary(content, name) as (file, front):
        if is_pdf(front):
            grid = measure_page(content, number, name)
            return grid.height, grid.width
        head = open_image(file, front, name)
        return head.height, head.width


@dataclass(frozen=True, eq=False)
class Decoded:
    """The pixels of an image, and what its file says of them.

    Attributes:
        pixels: uint8 (H, W, C), 0 black to 255 white, as they are stored.
        page: the number of the page from 1, where the file has several; else None.
        stretch: by how much to stretch across and down, 1 or more, so that the pixels are square:
            (1, 2.08) for a fax of 204 by 98 pixels an inch.
    """

    pixels: Pixels
    page: int | None = None
    stretch: tuple[float, float] = (1.0, 1.0)

    def squared(self) -> Pixels:
        """Returns the pixels, stretched to be square."""
        if self.stretch == (1.0, 1.0):
            return self.pixels
        height, width, channels = self.pixels.shape
        size = round(height * self.stretch[1]), round(width * self.stretch[0])
        return np.stack([resized(self.pixels[:, :, c], size) for c in range(channels)], axis=2)


def grey_page(image: ImageLike) -> Pixels:
    """Returns an image in grey, uint8 (H, W), its pixels square.

    Args and Raises: as `decode`.
    """
    return decode_page(image, 1).squared()[:, :, 0]


@renamed_parameters(picture="image")
def decode(image: ImageLike, channels: int) -> Pixels:
    """Returns the pixels of an image: uint8 (H, W, C), 0 black to 255 white.

    A photograph is turned as its EXIF orientation says; what is transparent becomes white, and
    where there is one colour only, what is opaque becomes black; 16 bits are scaled to 8. Of a PDF,
    a TIFF or a GIF of several pages the first is taken; `path#2` is the second one. A page of a
    PDF that is a scan has the pixels of the scan; any other is drawn at 200 dpi.

    Args:
        image: a path, the bytes of a file, a PIL image, or an array or tensor (H, W), (H, W, C)
            or (C, H, W) of 1 to 4 channels: bool, uint8, uint16 or float in 0..1.
        channels: C of the result, 1 for grey (ITU-R 601 luma) or 3 for red, green and blue.

    Raises:
        UserError: if there is no such file or page, it may not be read, is empty, is no image, is
            locked, cut short, or larger than `MOST_PIXELS`; or if an array has another form or
            range.
    """
    return decode_page(image, channels).pixels


def decode_page(image: ImageLike, channels: int) -> Decoded:
    """Returns what `decode` does, with the number of the page and the form of the pixels."""
    if channels not in _MODES:
        raise UserError(f"channels was given as {channels}; expected 1 (grey) or 3 (RGB)")
    mode = _MODES[channels]
    if channels == 1 and isinstance(image, bytes):
        plain = grey_of(image)
        if plain is not None:
            return Decoded(plain[:, :, None])
    if isinstance(image, Image.Image):
        return _decoded(Opened(image, None), mode, "the PIL image")
    if isinstance(image, str | Path | bytes | DocumentPage):
        source = locate(image)
        with open_page(source, channels) as opened:
            return _decoded(opened, mode, source.name)
    return Decoded(_pixels(_in_mode(Image.fromarray(as_bytes(image)), mode)))


def _decoded(opened: Opened, mode: str, name: str) -> Decoded:
    """Returns the pixels of an opened page, upright and in a mode."""
    image = opened.image
    if not isinstance(image, Image.Image):
        return Decoded(image, opened.number, _stretch(*opened.density))
    try:
        _tell_depth(image, name)
        image.load()
        negative = _is_negative(image)
        across, down = _density(image)
        turned = image.getexif().get(_ORIENTATION, 1)
        found = _in_mode(image if turned == 1 else _upright(image), mode)
        found = _inverted(found) if negative else found
    except UserError:
        raise
    except Exception as error:  # a foreign parser on foreign bytes raises anything
        raise cut_short(name, error) from None
    if turned >= _ON_ITS_SIDE:
        across, down = down, across
    return Decoded(_pixels(found), opened.number, _stretch(across, down))


def _pixels(image: Image.Image) -> Pixels:
    pixels = np.asarray(image)
    return pixels[:, :, None] if pixels.ndim == 2 else pixels


def _density(image: Image.Image) -> tuple[float, float]:
    """Returns the pixels a unit across and down; zeros where the file does not say."""
    if image.format not in _DENSE:
        return 0.0, 0.0
    found = next((image.info[key] for key in _DENSITIES if key in image.info), (0, 0))
    return float(found[0]), float(found[1])


def _stretch(across: float, down: float) -> tuple[float, float]:
    """Returns by how much to stretch an image of this density; not at all if it is odd."""
    low, high = _STRETCHES
    if not (across > 0 and down > 0) or not low <= max(across, down) / min(across, down) <= high:
        return 1.0, 1.0
    finer = max(across, down)
    return finer / across, finer / down


def _is_negative(image: Image.Image) -> bool:
    """Tells whether white is 0 in a 16-bit TIFF, which PIL leaves to its user.

    At 8 bits it does not; findings/tiff-white-is-zero.sh shows both.
    """
    tags = getattr(image, "tag_v2", {})
    return image.mode.startswith("I;16") and tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO


def _tell_depth(image: Image.Image, name: str) -> None:
    """Tells PIL that the planes of a TIFF have 16 bits, which it forgets where none is compressed.

    findings/planar-tiff-of-16-bits.sh shows what is seen otherwise. Of grey and alpha in planes
    it reads no alpha, so that all would be transparent.
    """
    file: Any = image
    tags: Any = getattr(file, "tag_v2", {})
    if tags.get(_PLANAR) != _APART:
        return
    if image.mode == "LA":
        raise UserError(f"{name} stores its grey and its alpha apart; save it as a PNG file")
    if set(tags.get(_DEPTHS, ())) == {16}:
        deep = ";16L" if tags.prefix == b"II" else ";16B"
        for index, tile in enumerate(file.tile):
            if tile.codec_name == "raw" and isinstance(tile.args, tuple):
                file.tile[index] = tile._replace(args=(tile.args[0] + deep, *tile.args[1:]))


def _in_mode(image: Image.Image, mode: str) -> Image.Image:
    """Returns the image as 8 bits of `L` or `RGB`, on white where it is transparent."""
    if image.mode[0] in "IF":
        image = Image.fromarray(to_8_bits(np.asarray(image)))
    if image.has_transparency_data:
        image = _on_white(image.convert("RGBA"))
    if mode == "L" and image.mode not in ("1", "L"):
        image = image.convert("RGB")  # PIL has no way from CMYK, LAB or HSV to grey
    return image.convert(mode)


def _upright(image: Image.Image) -> Image.Image:
    """Returns an image turned as its EXIF orientation says."""
    from PIL import ImageOps  # for few images; so is the next one

    return ImageOps.exif_transpose(image)


def _inverted(image: Image.Image) -> Image.Image:
    """Returns an image with white for black."""
    from PIL import ImageChops

    return ImageChops.invert(image)


def _on_white(image: Image.Image) -> Image.Image:
    """Returns an RGBA image on white; if what is seen of it has one colour, that as black ink."""
    alpha = image.getchannel("A")
    seen = alpha.point(lambda value: 255 * (value >= _VISIBLE))
    if alpha.getextrema()[0] != alpha.getextrema()[1] and seen.getextrema()[1]:
        rgb = image.convert("RGB")
        ranges = (np.ptp(np.asarray(band)[np.asarray(seen) > 0]) for band in rgb.split())
        if all(spread <= _ONE_COLOUR for spread in ranges):
            return _inverted(alpha)
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
