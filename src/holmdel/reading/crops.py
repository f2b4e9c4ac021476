"""Pages and parts of them as JPEG and PNG, for people to look at."""

import base64
from dataclasses import dataclass

import cv2
import numpy as np

from holmdel.images.pixels import Pixels
from holmdel.reading.answers import Box
from holmdel.reading.sheets import open_image

_COLOURED = 24  # how far red, green and blue of a grey scan may lie apart
_QUALITY = 75  # of a JPEG, 0..100


@dataclass(frozen=True, eq=False)
class Sight:
    """A page to look at.

    Attributes:
        pixels: uint8 (H, W, 3), square.
        stretch: by how much the file's own pixels were stretched across and down for that.
    """

    pixels: Pixels
    stretch: tuple[float, float] = (1.0, 1.0)

    def place(self, box: Box) -> Box:
        """Returns a box of the file's own pixels in these."""
        across, down = self.stretch
        x, y, w, h = box
        return round(x * across), round(y * down), round(w * across), round(h * down)

    def cut(self, box: Box, margin: float) -> Pixels:
        """Returns a part with a margin around it, as far as the page goes.

        Args:
            box: x, y, width and height in the file's own pixels.
            margin: as a part of the box's height.
        """
        x, y, w, h = self.place(box)
        more = round(margin * h)
        height, width = self.pixels.shape[:2]
        left, top = (max(0, min(v - more, size - 1)) for v, size in ((x, width), (y, height)))
        right, bottom = max(x + w + more, left + 1), max(y + h + more, top + 1)
        return self.pixels[top:bottom, left:right]


def open_page(path: str) -> Sight:
    """Returns a page in colour.

    Args:
        path: as an answer gives it.

    Raises:
        UserError: as `images.decode`.
    """
    found, _ = open_image(path, 3)
    return Sight(found.squared(), found.stretch)


def to_data_uri(image: Pixels, widest: int) -> str:
    """Returns an image, made smaller where it is wider, as a JPEG in a `data:` address."""
    height, width = image.shape[:2]
    if width > widest:
        size = (widest, max(1, round(height * widest / width)))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    red, green, blue = cv2.split(image)
    apart = np.percentile(np.maximum(cv2.absdiff(red, green), cv2.absdiff(green, blue)), 99.9)
    shown = cv2.merge((blue, green, red)) if apart > _COLOURED else green
    _, file = cv2.imencode(".jpg", shown, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return f"data:image/jpeg;base64,{base64.b64encode(file.tobytes()).decode()}"
