"""Preprocessing: from the pixels of any image to the input of a network.

An image from anywhere becomes uint8 pixels (`decode`); those become uint8 of one stored form
(`frame`), the form a data set is kept in; a batch of that form becomes the network's float input
(`to_input`).
"""

from holmdel.deprecation import renamed_names
from holmdel.images.contract import FRAMINGS, ImageContract, to_input
from holmdel.images.decoding import MOST_PIXELS, ImageLike, NotAnImage, TooLarge, decode, measure
from holmdel.images.framing import frame

__all__ = [
    "FRAMINGS",
    "MOST_PIXELS",
    "ImageContract",
    "NotAnImage",
    "ImageLike",
    "TooLarge",
    "decode",
    "frame",
    "measure",
    "to_input",
]

__getattr__ = renamed_names(
    __name__,
    {"NotPicture": "holmdel.images.NotAnImage", "Picture": "holmdel.images.ImageLike"},
)
