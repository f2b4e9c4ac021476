"""Which pixels a class's score hangs on: by the gradient, and by covering them."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from holmdel.deprecation import renamed_parameters
from holmdel.errors import UserError
from holmdel.evaluation import Answer, evaluating, in_eval_mode
from holmdel.insight.activations import alone_with

BATCH_PIXELS = 100_000  # of the images in one batch: 127 of 28x28, 10 of 96x96


@dataclass(frozen=True)
class Occlusion:
    """What covering parts of an image does to a class's probability.

    Attributes:
        target: the class.
        probability: of the class, with nothing covered.
        drop: (H, W), how far the probability falls, the mean over all windows that cover a pixel;
            below 0 where it rises.
    """

    target: int
    probability: float
    drop: Tensor


@renamed_parameters(picture="image")
def saliency(network: nn.Module, image: Tensor, target: int | None = None) -> Tensor:
    """Returns how strongly each pixel moves a class's logit: (H, W), none below 0.

    The absolute value of the logit's derivative by each pixel, the largest of its channels;
    Simonyan, Vedaldi and Zisserman, "Deep inside convolutional networks" (2014), section 3. The
    network is left as it was found, the gradients of its parameters too.

    Args:
        network: from (N, C, H, W) to logits (N, classes).
        image: (C, H, W), in the network's dtype and on its device.
        target: the class; the most probable one if None.

    Raises:
        UserError: for a class that the network does not have.
    """
    with (
        alone_with(network),
        in_eval_mode(network),
        torch.inference_mode(mode=False),
        torch.enable_grad(),
    ):
        pixels = image[None].detach().clone().requires_grad_()
        logits = network(pixels)[0]
        at = _class(logits, target)
        (slope,) = torch.autograd.grad(logits[at], pixels)
    return slope[0].abs().amax(dim=0)


@renamed_parameters(picture="image")
def occlusion(
    answer: Answer,
    image: Tensor,
    target: int | None = None,
    *,
    window: int = 5,
    stride: int = 2,
    background: float = 0.0,
) -> Occlusion:
    """Returns how far a class's probability falls where a part of the image is covered.

    A square slides over the image, and the network says what it sees with the square covered;
    Zeiler and Fergus, "Visualizing and understanding convolutional networks" (2014), section 4.2.
    The last square of each row and column ends at the image's edge, so that every pixel is
    covered at least once. A pixel's value is the mean drop over the squares that cover it.

    Args:
        answer: a network, or another function from (N, C, H, W) to logits (N, classes).
        image: (C, H, W), in the network's dtype and on its device.
        target: the class; the most probable one if None.
        window: the side of the square, in pixels.
        stride: from one square to the next, at most `window`.
        background: what covers, in the image's numbers.

    Raises:
        UserError: for a class that the network does not have, or a window or stride that does not
            fit.
    """
    found = squares(image.shape[1:], window, stride)
    size = max(1, BATCH_PIXELS // image[0].numel())
    with alone_with(answer), evaluating(answer):
        whole = answer(image[None])[0].softmax(dim=0)
        at = _class(whole, target)
        drops = []
        for first in range(0, len(found), size):
            batch = _covered(image, found[first : first + size], window, background)
            drops.append(whole[at] - answer(batch).softmax(dim=1)[:, at])
        mean = _mean_over(found, torch.cat(drops), window, image[0])
    return Occlusion(at, float(whole[at]), mean)


def squares(size: Sequence[int], window: int, stride: int) -> list[tuple[int, int]]:
    """Returns the upper left corners of the squares that cover an image of H and W.

    Args:
        size: (H, W).
        window: the side of a square.
        stride: from one to the next.

    Raises:
        UserError: for a window or stride that does not fit.

    >>> squares((5, 8), window=5, stride=2)
    [(0, 0), (0, 2), (0, 3)]
    """
    if not 1 <= window <= min(size):
        raise UserError(f"window was given as {window}; expected 1 to {min(size)} pixels")
    if not 1 <= stride <= window:
        raise UserError(
            f"stride was given as {stride}; expected 1 to {window} pixels, the window's side, so "
            "that every pixel is covered"
        )
    rows, columns = ([*range(0, side - window, stride), side - window] for side in size)
    return [(row, column) for row in rows for column in columns]


def _covered(
    image: Tensor, corners: Sequence[tuple[int, int]], window: int, background: float
) -> Tensor:
    """Returns an image (C, H, W) with one square covered each: (squares, C, H, W)."""
    batch = image.repeat(len(corners), 1, 1, 1)
    for covered, (top, left) in zip(batch, corners, strict=True):
        covered[:, top : top + window, left : left + window] = background
    return batch


def _mean_over(
    corners: Sequence[tuple[int, int]], values: Tensor, window: int, like: Tensor
) -> Tensor:
    """Returns (H, W) as `like`: each pixel's mean of the values of the squares over it."""
    total, count = torch.zeros_like(like), torch.zeros_like(like)
    for (top, left), value in zip(corners, values, strict=True):
        total[top : top + window, left : left + window] += value
        count[top : top + window, left : left + window] += 1
    return total / count


def _class(scores: Tensor, target: int | None) -> int:
    """Returns the class that is meant."""
    if target is None:
        return int(scores.argmax())
    if not 0 <= target < len(scores):
        raise UserError(
            f"the class was given as {target}; the network has {len(scores)}, counted from 0"
        )
    return target
