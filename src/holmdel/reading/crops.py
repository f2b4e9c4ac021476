"""Pages and parts of them as JPEG and PNG, for people to look at."""

import base64

import cv2
import numpy as np

from holmdel.images.decoding import decode
from holmdel.images.pixels import Pixels
from holmdel.reading.answers import Box

_COLOURED = 24  # how far red, green and blue of a grey scan may lie apart
_QUALITY = 75  # of a JPEG, 0..100


def open_page(path: str) -> Pixels:
    """Returns a page in colour, uint8 (H, W, 3).

    Args:
        path: as an answer gives it.

    Raises:
        UserError: as `images.decode`.
    """
    return decode(path, 3)


def cut(page: Pixels, box: Box, margin: float) -> Pixels:
    """Returns a part of a page with a margin around it, as far as the page goes.

    Args:
        page: uint8 (H, W, 3).
        box: x, y, width and height in pixels.
        margin: as a part of the box's height.
    """
    x, y, w, h = box
    more = round(margin * h)
    height, width = page.shape[:2]
    left, top = (max(0, min(v - more, size - 1)) for v, size in ((x, width), (y, height)))
    return page[top : max(y + h + more, top + 1), left : max(x + w + more, left + 1)]


def to_data_uri(image: Pixels, widest: int) -> str:
    """Returns an image, made smaller where it is wider, as a JPEG in a `data:` address."""
    height, width = image.shape[:2]
    if width > widest:
        size = (widest, max(1, round(height * widest / width)))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    apart = np.percentile(np.ptp(image.astype(np.int16), axis=2), 99.9)
    shown = bgr if apart > _COLOURED else cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)
    _, file = cv2.imencode(".jpg", shown, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return f"data:image/jpeg;base64,{base64.b64encode(file.tobytes()).decode()}"
