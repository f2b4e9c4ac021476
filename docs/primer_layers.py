"""Pictures of the primer: padding, stride, channels and pooling."""

import torch
from svg import (
    BLUE,
    FOURS,
    GREEN,
    INK,
    ORANGE,
    PALE,
    TINTS,
    Fill,
    Picture,
    Sheet,
    all_of,
    block,
    plain,
    terms,
)

from holmdel import ops
from holmdel.shapes import output_size

NINE = torch.arange(9.0).reshape(3, 3)
FOUR = torch.arange(4.0).reshape(2, 2)


def padding() -> Picture:
    """Returns a padded picture and its output."""
    padded = ops.pad2d(NINE, 1)
    y = ops.corr2d(padded, FOUR)
    picture = Picture(650, 290)
    picture.across(
        30,
        155,
        Sheet(padded, "picture 3×3 with a border of zeros", _framed(block(0, 0, 2, 2))),
        "*",
        Sheet(FOUR, "kernel 2×2", all_of(ORANGE)),
        "=",
        Sheet(y, "output 4×4", block(0, 0, 1, 1, GREEN)),
    )
    picture.rect(30 + 44, 155 - 66, 132, 132, fill="none", stroke=INK, stroke_width=2.5)
    return picture


def _framed(fill: Fill) -> Fill:
    """Returns a fill with the border of a 5x5 grid in pale grey, where it is white."""

    def framed(i: int, j: int) -> str:
        border = i in (0, 4) or j in (0, 4)
        return PALE if border and fill(i, j) == "white" else fill(i, j)

    return framed


def stride() -> Picture:
    """Returns the four windows of a convolution in steps of 3 down and 2 to the right."""
    padded = ops.pad2d(NINE, 1)
    y = ops.conv2d(NINE[None, None], FOUR[None, None], stride=(3, 2), padding=1)[0, 0]

    def places(i: int, j: int) -> str:
        inside = i % 3 < 2 and j < 4
        return TINTS[FOURS[i // 3 * 2 + j // 2]] if inside else _framed(plain)(i, j)

    picture = Picture(560, 290)
    picture.across(
        30,
        155,
        Sheet(padded, "steps of 3 down, 2 to the right", places),
        "*",
        Sheet(FOUR, "kernel 2×2", all_of(ORANGE)),
        "=",
        Sheet(y, "output 2×2", lambda i, j: TINTS[FOURS[2 * i + j]]),
    )
    picture.rect(30 + 44, 155 - 66, 132, 132, fill="none", stroke=INK, stroke_width=2.5)
    return picture


def channels() -> Picture:
    """Returns two channels, their slices of the kernel, and the sum."""
    x, k = torch.stack([NINE, NINE + 1]), torch.stack([FOUR, FOUR + 1])
    picture = Picture(660, 370)
    for channel, middle in ((0, 110), (1, 290)):
        end = picture.across(
            30,
            middle,
            Sheet(x[channel], f"channel {channel + 1}", block(0, 0, 2, 2)),
            "*",
            Sheet(k[channel], "its slice of the kernel", all_of(ORANGE)),
            "=",
            Sheet(ops.corr2d(x[channel], k[channel]), "", block(0, 0, 1, 1)),
        )
    picture.text(end - 44, 210, "+", 28)
    total = Sheet(ops.corr2d_multi_in(x, k), "one map", block(0, 0, 1, 1, GREEN), cell=56)
    picture.line((end + 22, 66), (end + 22, 334), stroke=INK, stroke_width=1.5)
    picture.across(end + 45, 200, "=", total)
    return picture


def one_by_one() -> Picture:
    """Returns a 1x1 convolution of three channels into two, as a dense layer at one pixel."""
    x = torch.arange(27.0).reshape(3, 3, 3)
    k = torch.tensor([[1.0, 0.0, 2.0], [0.0, 1.0, -1.0]])
    y = ops.corr2d_multi_in_out_1x1(x, k.reshape(2, 3, 1, 1))
    picture = Picture(770, 500)
    ins, outs = (
        [(250.0, 95 + 150.0 * c) for c in range(3)],
        [(500.0, 170 + 150.0 * o) for o in (0, 1)],
    )
    for channel, (left, middle) in enumerate(ins):
        sheet = Sheet(x[channel], f"channel {channel + 1}", block(1, 1, 1, 1), cell=36)
        picture.across(40, middle, sheet)
        picture.line((148, middle), (left, middle), stroke=BLUE, stroke_width=1.5)
        for output, end in enumerate(outs):
            start = left + 44, middle
            picture.line(start, end, stroke=ORANGE, stroke_width=1.5)
            at = [0.7 * p + 0.3 * q for p, q in zip(start, end, strict=True)]
            picture.rect(at[0] - 13, at[1] - 12, 26, 24, fill="white", stroke="none")
            weight = f"{k[output, channel]:g}".replace("-", "−")
            picture.text(at[0], at[1] + 6, weight, fill=ORANGE)
        picture.across(left, middle, Sheet(x[channel, 1:2, 1:2], fill=all_of(BLUE)))
    for output, (left, middle) in enumerate(outs):
        sheet = Sheet(y[output], f"map {output + 1}", block(1, 1, 1, 1, GREEN), cell=36)
        picture.line((left + 44, middle), (625, middle), stroke=GREEN, stroke_width=1.5)
        picture.across(625, middle, sheet)
        picture.across(left, middle, Sheet(y[output, 1:2, 1:2], fill=all_of(GREEN)))
    words = terms(x[:, 1, 1], k[0]), terms(x[:, 1, 1], k[1])
    for line, (sum_, output) in enumerate(zip(words, (0, 1), strict=True)):
        text = f"{sum_} = {y[output, 1, 1]:g}".replace("-", "−")
        picture.text(560, 450 + 28 * line, text)
    return picture


def pooling() -> Picture:
    """Returns maximum and mean, of windows that overlap and of windows side by side."""
    sixteen = torch.arange(16.0).reshape(4, 4)
    picture = Picture(510, 415)
    for x, step, middle in ((NINE, 1, 105), (sixteen, 2, 305)):
        largest, mean = (ops.pool2d(x, 2, mode, stride=step) for mode in ("max", "avg"))
        side = 2 if step == 2 else 1  # how much is tinted: one window, or all four side by side

        def tint(i: int, j: int, side: int = side, per: int = 1) -> str:
            inside = max(i, j) < (4 if side == 2 else 2) // per
            return TINTS[FOURS[2 * (i * per // 2) + j * per // 2]] if inside else "white"

        def pooled(i: int, j: int, tint: Fill = tint) -> str:
            return tint(2 * i, 2 * j)

        words = f"window 2×2, stride {step}"
        picture.across(
            30,
            middle,
            Sheet(x, words, tint),
            "→",
            Sheet(largest, "max", pooled),
            " ",
            Sheet(mean, "avg", pooled),
        )
    return picture


def ceiling() -> Picture:
    """Returns the places of a window of 3 in steps of 2 over 6 pixels, and the two results."""
    row = torch.arange(6.0).reshape(1, 6)
    picture = Picture(580, 210)
    cell, left = 44, 40
    picture.across(left, 75, Sheet(row, "6 pixels"))
    picture.rect(left + 6 * cell, 53, cell, cell, fill="none", stroke_dasharray="4 4")
    places = output_size(6, kernel=3, stride=2, ceil=True)
    for place, colour in zip(range(places), FOURS, strict=False):
        x, y = left + 2 * place * cell, 112 + 18 * place
        picture.rect(x + 3, y, 3 * cell - 6, 10, fill=TINTS[colour], stroke=colour)
    for mode, middle in ((False, 60), (True, 160)):
        pooled = ops.pool2d(row, (1, 3), stride=(1, 2), ceil_mode=mode)
        title = "ceiling: 3 places" if mode else "floor: 2 places"
        picture.across(420, middle, Sheet(pooled, title, lambda _, j: TINTS[FOURS[j]]))
    return picture
