"""Pictures of the primer: one kernel, how it is learned, and what it sees."""

import math
from collections.abc import Callable
from functools import partial
from itertools import pairwise

import torch
from svg import (
    BLUE,
    FOURS,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PALE,
    PURPLE,
    TINTS,
    Picture,
    Point,
    Sheet,
    all_of,
    block,
    terms,
)
from torch import Tensor, nn

from holmdel import ops
from holmdel.shapes import ReceptiveField, output_size

NINE = torch.arange(9.0).reshape(3, 3)
FOUR = torch.arange(4.0).reshape(2, 2)


def cross_correlation() -> Picture:
    """Returns two steps of a cross-correlation."""
    picture = Picture(480, 435)
    y = ops.corr2d(NINE, FOUR)
    for step, middle in ((0, 105), (1, 320)):
        so_far = torch.full_like(y, math.nan)
        so_far[0, : step + 1] = y[0, : step + 1]
        weights = {(i, j + step): f"×{FOUR[i, j]:g}" for i in (0, 1) for j in (0, 1)}
        end = picture.across(
            30,
            middle,
            Sheet(NINE, "picture 3×3", block(0, step, 2, 2), weights),
            "*",
            Sheet(FOUR, "kernel 2×2", all_of(ORANGE)),
            "=",
            Sheet(so_far, "output 2×2", block(0, step, 1, 1, GREEN)),
        )
        words = f"{terms(NINE[:2, step : step + 2], FOUR)} = {y[0, step]:g}"
        picture.text(end / 2 + 15, middle + 98, words, 20)
    return picture


def band() -> Tensor:
    """Returns the white 6x8 picture with its black band."""
    x = torch.ones(6, 8)
    x[:, 2:6] = 0
    return x


def edge() -> Picture:
    """Returns the picture with a band, the kernel, and the edges found."""
    x, k = band(), torch.tensor([[1.0, -1.0]])
    y = ops.corr2d(x, k)
    found = {1.0: TINTS[BLUE], -1.0: TINTS[PURPLE], 0.0: PALE}
    picture = Picture(780, 290)
    picture.across(
        25,
        150,
        Sheet(x, "picture 6×8", lambda i, j: "white" if x[i, j] else INK, cell=36),
        "*",
        Sheet(k, "kernel 1×2", all_of(ORANGE), cell=36),
        "=",
        Sheet(y, "output 6×7", lambda i, j: found[y[i, j].item()], cell=36),
    )
    return picture


def descent(lr: float, steps: int) -> tuple[list[list[float]], list[float]]:
    """Returns the kernel, (w1, w2), and the loss before each step of the primer's learner."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        k = nn.Conv2d(1, 1, kernel_size=(1, 2), bias=False).weight.data[0, 0]
    x = band()
    y = ops.corr2d(x, torch.tensor([[1.0, -1.0]]))
    kernels, losses = [], []
    for _ in range(steps + 1):
        k = k.detach().requires_grad_()
        loss = ((ops.corr2d(x, k) - y) ** 2).sum()
        [gradient] = torch.autograd.grad(loss, k)
        kernels.append(k[0].tolist())
        losses.append(loss.item())
        k = k - lr * gradient
    return kernels, losses


def learning() -> Picture:
    """Returns the weights and the loss over ten steps of gradient descent."""
    kernels, losses = descent(lr=3e-2, steps=10)
    picture = Picture(880, 330)
    weights_at = _axes(picture, 70, "weight", {v: f"{v:g}" for v in (-1.0, -0.5, 0.0, 0.5, 1.0)})
    for wanted in (1.0, -1.0):
        ends = weights_at(0, wanted), weights_at(10, wanted)
        picture.line(*ends, stroke=INK, stroke_width=1.5, stroke_dasharray="5 4")
    for index, (colour, name) in enumerate(((BLUE, "w₁"), (ORANGE, "w₂"))):
        picture.curve([weights_at(n, k[index]) for n, k in enumerate(kernels)], colour)
        x, y = weights_at(10, kernels[-1][index])
        words = f"{name} = {kernels[-1][index]:.2f}".replace("-", "−")
        picture.text(x + 18, y + 6, words, 17, text_anchor="start")
    ticks = {float(n): f"{10.0**n:g}" for n in (-2, -1, 0, 1, 2)}
    loss_at = _axes(picture, 560, "loss, the sum over 42 outputs", ticks)
    picture.curve([loss_at(n, math.log10(loss)) for n, loss in enumerate(losses)], GREEN)
    return picture


def _axes(
    picture: Picture, left: float, title: str, ticks: dict[float, str]
) -> Callable[[float, float], Point]:
    """Draws axes of ten steps; returns the function from (step, value) to a point."""
    width, top, height = 280, 55, 210
    low, high = min(ticks), max(ticks)
    low, high = low - 0.12 * (high - low), high + 0.12 * (high - low)

    def at(step: float, value: float) -> Point:
        return left + 10 + step * (width - 20) / 10, top + (high - value) / (high - low) * height

    picture.rect(left, top, width, height, fill="none")
    for value, words in ticks.items():
        y = at(0, value)[1]
        picture.line((left, y), (left + width, y), stroke="#d8dde2")
        picture.text(left - 10, y + 6, words.replace("-", "−"), 16, text_anchor="end")
    for step in range(0, 11, 2):
        picture.text(at(step, low)[0], top + height + 22, str(step), 16)
    picture.text(left + width / 2, top + height + 48, "step", 16, fill=GREY)
    picture.text(left + width / 2, top - 14, title, 16, fill=GREY)
    return at


def flip() -> Picture:
    """Returns the kernels that the two operations learn for the same task."""
    noise = torch.Generator().manual_seed(0)
    x, start = torch.randn(8, 8, generator=noise), torch.randn(2, 2, generator=noise)
    y = ops.corr2d(x, torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    learned = []
    for operation, k in ((ops.corr2d, start), (ops.convolve2d, start.flip(0, 1))):
        for _ in range(200):
            k = k.detach().requires_grad_()
            k = k - 0.1 * torch.autograd.grad(((operation(x, k) - y) ** 2).mean(), k)[0]
        learned.append(k.detach())
    picture = Picture(620, 195)
    titles = ("by cross-correlation", "by convolution")
    for k, title, left in zip(learned, titles, (70, 430), strict=True):
        picture.across(
            left,
            115,
            Sheet(k, title, partial(_tint_of, k), {}, 60, 2),
        )
    picture.arrow((225, 115), (390, 115))
    picture.text(310, 98, "flipped along", 16, fill=GREY)
    picture.text(310, 142, "both axes", 16, fill=GREY)
    return picture


def receptive_field() -> Picture:
    """Returns what one element sees through two 3x3 layers."""
    fields = [ReceptiveField()]
    sides = [7]
    for _ in range(2):
        fields.append(fields[-1].through(kernel=(3, 3)))
        sides.append(output_size(sides[-1], kernel=3))
    cell, middle, lefts = 34, 165, (40, 350, 600)
    names = ("picture", "first map", "second map")
    picture = Picture(740, 330)
    corners: list[tuple[Point, Point, Point]] = []
    for number, (left, side, name) in enumerate(zip(lefts, sides, names, strict=True)):
        seen = fields[2 - number].size[0]
        begin = (side - seen) // 2
        colour = (BLUE, ORANGE, GREEN)[number]
        empty = torch.full((side, side), math.nan)
        sheet = Sheet(empty, f"{name} {side}×{side}", block(begin, begin, seen, seen, colour))
        sheet = Sheet(empty, sheet.title, sheet.fill, cell=cell)
        picture.across(left, middle, sheet)
        top = middle - side * cell / 2 + begin * cell
        x, length = left + begin * cell, seen * cell
        picture.rect(x, top, length, length, fill="none", stroke=colour, stroke_width=3)
        picture.text(x + length / 2, top + length / 2 + 5, f"{seen}×{seen}", 14)
        corners.append(((x, 0), (x + length, top), (x + length, top + length)))
    for one, two in pairwise(corners):
        for corner in (1, 2):
            end = two[0][0], two[corner][1]
            picture.line(one[corner], end, stroke=INK, stroke_dasharray="5 4")
    return picture


def _tint_of(kernel: torch.Tensor, row: int, column: int) -> str:
    """Returns the colour of a weight that is 1, 2, 3 or 4."""
    return TINTS[FOURS[round(kernel[row, column].item()) - 1]]
