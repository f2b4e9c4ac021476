"""Ink for made paper: MNIST's test digits in one hand a string, printed words, pens, light."""

import gzip
import os
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from holmdel import data

Rgb = tuple[int, int, int]
BLACK, BLUE, RED, GREEN = (35, 33, 36), (38, 62, 150), (170, 35, 40), (30, 110, 60)
PENCIL = (95, 95, 98)
PENS = (BLACK, BLUE)
_COLUMN_OF_WRITERS = 2
_IDX2_HEAD = 12  # bytes
_BOX = 20  # pixels that a digit of MNIST is high
_BENT = 1.4  # pixels of MNIST that places of a digit move
_FEWEST = 25  # digits of a writer
_FONTS = ("DejaVuSans", "DejaVuSerif", "DejaVuSansMono", "DejaVuSans-Bold", "DejaVuSerif-Italic",
          "DejaVuSansCondensed", "DejaVuSerif-Bold")  # fmt: skip


@cache
def _digits() -> tuple[NDArray[np.uint8], NDArray[np.int64], list[NDArray[np.int64]]]:
    """Returns MNIST's test digits, their labels, and the rows of each writer."""
    test = data.load("mnist").test
    path = Path(os.environ["HOLMDEL_DATA"], "qmnist", "qmnist-test-labels-idx2-int.gz")
    table = np.frombuffer(gzip.decompress(path.read_bytes())[_IDX2_HEAD:], ">i4").reshape(-1, 8)
    writers = table[: len(test.labels), _COLUMN_OF_WRITERS]
    rows = [np.flatnonzero(writers == writer) for writer in np.unique(writers)]
    rows = [one for one in rows if len(one) >= _FEWEST]
    return test.images[:, 0].numpy(), test.labels.numpy(), rows


class Hand:
    """Somebody who writes digits."""

    def __init__(self, draw: np.random.Generator) -> None:
        self.draw = draw
        images, labels, writers = _digits()
        own = writers[int(draw.integers(len(writers)))]
        self._images = images
        everyone = [np.flatnonzero(labels == digit) for digit in range(10)]
        mine = [own[labels[own] == digit] for digit in range(10)]
        self._waiting: list[list[int]] = [[] for _ in range(10)]
        self._rows = [m if len(m) else e for m, e in zip(mine, everyone, strict=True)]

    def digit(self, char: str, height: int) -> Image.Image:
        """Returns a digit as a mask; a full digit is `height` pixels high."""
        waiting = self._waiting[int(char)]
        if not waiting:
            rows = self._rows[int(char)]
            waiting.extend(int(row) for row in self.draw.permutation(rows))
        mask = Image.fromarray(self._bent(self._images[waiting.pop()]))
        mask = mask.crop(mask.getbbox())
        scale = 1.1 * height / _BOX
        size = max(2, round(mask.width * scale)), max(2, round(mask.height * scale))
        return mask.resize(size, Image.Resampling.BICUBIC)

    def _bent(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Returns a digit a little otherwise: a hand writes none twice alike."""
        shifts = self.draw.uniform(-_BENT, _BENT, (2, 3, 3)).astype(np.float32)
        across, down = (cv2.resize(s, image.shape, interpolation=cv2.INTER_CUBIC) for s in shifts)
        y, x = np.mgrid[: image.shape[0], : image.shape[1]].astype(np.float32)
        middle = image.shape[0] / 2
        x, y = middle + (x - middle) * 1.1, middle + (y - middle) * 1.1  # room for what bends out
        slant, wide = self.draw.uniform(-0.12, 0.12), self.draw.uniform(0.9, 1.1)
        x = middle + (x - middle) * wide + (y - middle) * slant
        bent = cv2.remap(image, x + across, y + down, cv2.INTER_LINEAR)
        drawn: NDArray[np.uint8] = bent.astype(np.uint8)
        return drawn

    def _mark(self, char: str, height: int) -> tuple[Image.Image, float]:
        """Returns a mark as a mask, and where its top is in heights."""
        pen = max(3, height // 10)
        if char == ".":
            return Image.new("L", (pen, pen), 255), 1.0
        if char == ":":
            mask = Image.new("L", (pen, height // 2), 255)
            mask.paste(0, (0, pen, pen, mask.height - pen))
            return mask, 0.5
        assert char in "-/,", f"nobody here writes {char!r}"
        size = {"/": (height // 2, height), ",": (height // 4, height // 3)}.get(
            char, (height // 3, pen + 1)
        )
        mask = Image.new("L", size, 0)
        ends = [(0, pen // 2), (mask.width, pen // 2)]
        if char in "/,":
            ends = [(mask.width - 2, 0), (1, mask.height)]
        ImageDraw.Draw(mask).line(ends, fill=255, width=pen)
        return mask, {"/": 0.15, ",": 0.9}.get(char, 0.6)

    def line(self, text: str, height: int, gap: float = 0.2) -> Image.Image:
        """Returns a line as a mask; a space is a gap of a digit's height."""
        draw, parts, x = self.draw, [], 0
        for char in text:
            if char == " ":
                x += height
                continue
            if char.isdigit():
                mask = self.digit(char, round(height * (1 + draw.uniform(-0.12, 0.12))))
                angle = draw.uniform(-4, 4)
                mask = mask.rotate(angle, expand=True, resample=Image.Resampling.BICUBIC)
                y = (1.3 * height - mask.height) / 2 + height * draw.uniform(-0.05, 0.05)
            else:
                mask, top = self._mark(char, height)
                y = top * height
            parts.append((mask, x, max(round(y), 0)))
            x += mask.width + round(height * (gap + draw.uniform(-0.1, 0.1)))
        out = Image.new("L", (max(x, 1), round(1.5 * height)), 0)
        for mask, left, top in parts:
            out.paste(255, (left, top), mask)
        return out.crop(out.getbbox())


class Paper:
    """A sheet on which ink, rules and print are put.

    Args:
        size: width and height in pixels.
        draw: what chance there is.
        ground: the paper's colour.
    """

    def __init__(
        self, size: tuple[int, int], draw: np.random.Generator, ground: Rgb = (247, 246, 243)
    ) -> None:
        self.image = Image.new("RGB", size, ground)
        self.pen = ImageDraw.Draw(self.image)
        self.draw = draw

    def ink(self, mask: Image.Image, at: tuple[int, int], colour: Rgb = BLACK) -> None:
        """Puts handwriting on the paper; `at` is its left and top."""
        self.image.paste(colour, at, mask)

    def middle(self, mask: Image.Image, at: tuple[float, float], colour: Rgb = BLACK) -> None:
        """Puts handwriting on the paper; `at` is its middle."""
        self.ink(mask, (round(at[0] - mask.width / 2), round(at[1] - mask.height / 2)), colour)

    def words(
        self, text: str, at: tuple[int, int], size: int, colour: Rgb = (20, 20, 20), font: str = ""
    ) -> tuple[int, int, int, int]:
        """Prints words and returns the box around them: left, top, right, bottom."""
        face = ImageFont.truetype(f"{font or self.draw.choice(_FONTS)}.ttf", size)
        self.pen.text(at, text, fill=colour, font=face)
        left, top, right, bottom = self.pen.textbbox(at, text, font=face)
        return int(left), int(top), int(right), int(bottom)

    def photographed(self, *, light: float = 0.25, tilt: float = 0.01) -> "Paper":
        """Bends the light over the sheet, and its corners a little."""
        pixels = np.asarray(self.image)
        height, width = pixels.shape[:2]
        square = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
        moved = square + self.draw.uniform(-tilt, tilt, (4, 2)).astype(np.float32) * width
        turn = cv2.getPerspectiveTransform(square, moved)
        pixels = cv2.warpPerspective(pixels, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)
        dark, far = self.draw.uniform(0, light, 2)
        across = 1 - dark * np.linspace(0, 1, width)[None, :]
        down = 1 - far * np.linspace(1, 0, height)[:, None]
        lit = pixels * (across * down)[:, :, None]
        self.image = Image.fromarray(cv2.GaussianBlur(lit, (0, 0), 0.7).clip(0, 255).astype("u1"))
        return self

    def pixels(self, grain: float = 2.0) -> NDArray[np.uint8]:
        """Returns the sheet as scanned, uint8 (H, W, 3), with some grain."""
        pixels = np.asarray(self.image, np.float32)
        noise = self.draw.normal(0, grain, pixels.shape[:2])[:, :, None]
        scanned: NDArray[np.uint8] = (pixels + noise).clip(0, 255).astype(np.uint8)
        return scanned


def number(draw: np.random.Generator, count: int) -> str:
    """Returns so many digits."""
    return "".join(str(digit) for digit in draw.integers(0, 10, count))
