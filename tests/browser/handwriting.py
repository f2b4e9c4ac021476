"""Handwritten digits: the strokes of each as points in a square of side 1, y downwards."""

import math
import time
from typing import Any

Stroke = list[tuple[float, float]]


def arc(x: float, y: float, rx: float, ry: float, begin: float, end: float) -> Stroke:
    """Returns points on an ellipse around (x, y), from one angle to another in degrees.

    Angles count clockwise from the right.
    """
    steps = max(8, int(abs(end - begin) / 9))
    angles = [math.radians(begin + (end - begin) * i / steps) for i in range(steps + 1)]
    return [(x + rx * math.cos(a), y + ry * math.sin(a)) for a in angles]


STROKES: dict[str, list[Stroke]] = {
    "0": [arc(0.5, 0.5, 0.2, 0.3, -90, 270)],
    "1": [[(0.52, 0.18), (0.5, 0.5), (0.48, 0.82)]],
    "2": [[*arc(0.5, 0.36, 0.18, 0.16, -170, 30), (0.34, 0.8), (0.7, 0.79)]],
    "3": [[*arc(0.47, 0.34, 0.17, 0.15, -150, 90), *arc(0.47, 0.64, 0.19, 0.16, -90, 150)]],
    "4": [[(0.36, 0.2), (0.32, 0.52), (0.68, 0.5)], [(0.64, 0.22), (0.6, 0.84)]],
    "5": [[(0.66, 0.2), (0.38, 0.2), (0.36, 0.45), *arc(0.48, 0.62, 0.18, 0.18, -100, 140)]],
    "6": [[(0.6, 0.16), (0.44, 0.36), *arc(0.5, 0.65, 0.15, 0.17, 180, -180)]],
    "7": [[(0.32, 0.22), (0.68, 0.21), (0.5, 0.55), (0.44, 0.82)]],
    "8": [[*arc(0.5, 0.34, 0.13, 0.14, 90, -270), *arc(0.5, 0.65, 0.16, 0.17, -90, 270)]],
    "9": [[*arc(0.48, 0.36, 0.15, 0.16, 0, -360), (0.63, 0.42), (0.58, 0.84)]],
}


def draw(page: Any, digit: str, pause: float = 0) -> None:
    """Draws a digit on the page's sheet with the mouse.

    `pause` milliseconds pass between two moves: a mouse tells of 60 to 125 a second.
    """
    box = page.locator("#sheet").bounding_box()
    for stroke in STROKES[digit]:
        points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke]
        page.mouse.move(*points[0])
        page.mouse.down()
        for point in points[1:]:
            page.mouse.move(*point)
            time.sleep(pause / 1000)
        page.mouse.up()
