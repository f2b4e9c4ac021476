"""From pixels to what a network sees. The only place where that is done.

A picture from anywhere becomes uint8 pixels (`decode`); those become uint8 of one stored form
(`frame`), the form a data set is kept in; a batch of that form becomes the network's float input
(`to_input`).
"""

from holmdel.images.contract import FRAMINGS, ImageContract, to_input
from holmdel.images.decoding import MOST_PIXELS, NotPicture, Picture, TooLarge, decode, measure
from holmdel.images.framing import frame

__all__ = [
    "FRAMINGS",
    "MOST_PIXELS",
    "ImageContract",
    "NotPicture",
    "Picture",
    "TooLarge",
    "decode",
    "frame",
    "measure",
    "to_input",
]
