"""A line looked at in several ways: what one view mistakes, the others seldom mistake alike."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class View:
    """A way of looking at a line; the default is the picture as it is.

    Attributes:
        width: how much wider.
        above: the part of the height that is added above; taken away where it is negative.
        below: the same below.
        slant: columns that each row moves to the right of the one above it.
        blur: sigma as a part of the height.
    """

    width: float = 1
    above: float = 0
    below: float = 0
    slant: float = 0
    blur: float = 0


# In the order in which they help most, chosen one after the other on half of the real cheques.
VIEWS = (
    View(width=0.85, blur=0.5 / 32),  # reads 655 of the 780, the picture as it is 638
    View(width=0.8, above=0.1, below=0.1),
    View(width=1.15),
    View(width=0.9, slant=0.15, blur=0.5 / 32),
    View(),
    View(slant=0.25),
    View(slant=-0.25),
    View(above=0.1, below=-0.1),
)


def look(picture: NDArray[np.uint8], view: View) -> NDArray[np.uint8]:
    """Returns a picture (H, W) as a view sees it, of a size that follows from the view."""
    height, width = picture.shape
    above, below = round(view.above * height), round(view.below * height)
    seen: cv2.typing.MatLike = picture[max(-above, 0) : height - max(-below, 0)]
    if above > 0 or below > 0:
        edges = (max(above, 0), max(below, 0), 0, 0)
        seen = cv2.copyMakeBorder(seen, *edges, cv2.BORDER_REPLICATE)
    height = len(seen)
    if view.slant:
        move = np.array([[1, view.slant, -view.slant * height / 2], [0, 1, 0]])
        seen = cv2.warpAffine(seen, move, (width, height), borderMode=cv2.BORDER_REPLICATE)
    if view.width != 1:
        way = cv2.INTER_AREA if view.width < 1 else cv2.INTER_LINEAR
        seen = cv2.resize(seen, (max(round(width * view.width), 1), height), interpolation=way)
    if view.blur:
        seen = cv2.GaussianBlur(seen, (0, 0), view.blur * height)
    return np.ascontiguousarray(seen, np.uint8)
