"""Preprocessing: from the pixels of any image to the input of a network.

An image from anywhere becomes uint8 pixels (`decode`); those become uint8 of one stored form
(`frame`), the form a data set is kept in; a batch of that form becomes the network's float input
(`to_input`).
"""

from holmdel.deprecation import renamed_names
from holmdel.images.contract import FRAMINGS, ImageContract, to_input
from holmdel.images.decoding import Decoded, ImageLike, decode, decode_page, measure
from holmdel.images.formats import ENDINGS, NotAnImage
from holmdel.images.framing import frame
from holmdel.images.opening import MOST_PIXELS, TooLarge
from holmdel.images.pages import DocumentPage, pages

__all__ = [
    "ENDINGS",
    "FRAMINGS",
    "MOST_PIXELS",
    "Decoded",
    "DocumentPage",
    "ImageContract",
    "NotAnImage",
    "ImageLike",
    "TooLarge",
    "decode",
    "decode_page",
    "frame",
    "measure",
    "pages",
    "to_input",
]

__getattr__ = renamed_names(
    __name__,
    {"NotPicture": "holmdel.images.NotAnImage", "Picture": "holmdel.images.ImageLike"},
)
