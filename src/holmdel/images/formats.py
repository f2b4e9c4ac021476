"""Formats of image files: the endings of their names, and what their first bytes say."""

import importlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from holmdel.errors import UserError

_PORTABLE = (".pgm", ".pbm", ".ppm", ".pnm")
IMAGES = (
    *(".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".gif", ".jp2", ".avif"),
    *_PORTABLE,
    *(".heic", ".heif", ".jxl"),
)
ENDINGS = (*IMAGES, ".pdf")  # what a folder is searched for
OF_PAGES = (".tif", ".tiff", ".gif", ".pdf")  # of files that may have several pages
CHEQUES = (".x937", ".x9", ".icl")  # of image cash letters, which `holmdel read` takes too
FRONT = 1024  # bytes that say of which format a file is; in so many a PDF says that it is one

_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1")
_OF_PAGES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"GIF8")  # TIFF, BigTIFF, GIF
_JXL = (b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n")  # ISO/IEC 18181-2: code stream, container
# The first record of a cash letter: type 01, and the two digits of a standard's level.
_CHEQUES = re.compile(rb"(?:....)?(?:01\d\d[PT]|\xf0\xf1[\xf0-\xf9]{2}[\xd7\xe3])", re.DOTALL)


class NotAnImage(UserError):  # noqa: N818 - what was given, not what went wrong
    """The file is not an image, or its format is not supported."""


class FileOfCheques(NotAnImage):
    """The file has images of cheques in it, as items of an image cash letter."""


@dataclass(frozen=True)
class _Decoder:
    """A format that takes a package of its own.

    Attributes:
        title: the format's name.
        module: registers itself with PIL as it is imported, or by `register`.
        register: a function of the module, or empty.
        extra: of holmdel, which brings the module.
        convert: a command that makes a PNG.
    """

    title: str
    module: str
    register: str
    extra: str
    convert: str


_HEIC = _Decoder(
    "HEIC", "pillow_heif", "register_heif_opener", "heic", "heif-convert FILE page.png"
)
_JPEG_XL = _Decoder("JPEG XL", "pillow_jxl", "", "jxl", "djxl FILE page.png")


def passed_over(names: Iterable[str | Path]) -> str | None:
    """Returns the line on files of other endings in a folder of images; None if there are none.

    >>> passed_over(["a.txt", "b.TXT", "c.doc"])
    'passed over: 3 files (.doc .txt)'
    """
    endings = [Path(name).suffix.lower() or "no ending" for name in names]
    if not endings:
        return None
    files = "1 file" if len(endings) == 1 else f"{len(endings):,} files"
    return f"passed over: {files} ({' '.join(sorted({*endings}))})"


def is_pdf(front: bytes) -> bool:
    """Says whether a file that begins so is a PDF; some have a few bytes before their head."""
    return b"%PDF-" in front


def may_have_pages(front: bytes) -> bool:
    """Says whether a file that begins so is of a format with pages: PDF, TIFF, GIF."""
    return front.startswith(_OF_PAGES) or is_pdf(front)


def is_cheques(front: bytes) -> bool:
    """Says whether a file that begins so is one of cheques: X9.37 or X9.100-187."""
    return _CHEQUES.match(front) is not None


def load_decoder(front: bytes, name: str) -> None:
    """Makes PIL able to decode a file that begins so, where that takes a package of its own.

    Raises:
        NotAnImage: if the package is not installed.
    """
    decoder = _decoder(front)
    if decoder is None:
        return
    try:
        module = importlib.import_module(decoder.module)
    except ImportError:
        raise NotAnImage(
            f"{name} is a {decoder.title} image, and its decoder is not installed; install "
            f"'holmdel[{decoder.extra}]', or convert it, such as with `{decoder.convert}`"
        ) from None
    if decoder.register:
        getattr(module, decoder.register)()


def _decoder(front: bytes) -> _Decoder | None:
    if front.startswith(_JXL):
        return _JPEG_XL
    brands = front[8 : int.from_bytes(front[:4])] if front[4:8] == b"ftyp" else b""
    heif = brands[:4] in _HEIF_BRANDS and b"avif" not in brands  # which PIL knows itself
    return _HEIC if heif else None


def not_an_image(name: str, front: bytes) -> NotAnImage:
    """Returns what says that a file is none that can be decoded."""
    if is_cheques(front):
        return FileOfCheques(
            f"{name} is a file of cheques (X9.37, X9.100-187); give it to `holmdel read`"
        )
    decoder = _decoder(front)
    if decoder:
        return NotAnImage(
            f"{name} is cut short or damaged (it begins as a {decoder.title} image and goes on as "
            "none); copy it again"
        )
    return NotAnImage(f"{name} is not an image; expected a PNG, JPEG, TIFF, ... file")
