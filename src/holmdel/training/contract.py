"""The image contract of a training: how stored images become what the network sees."""

import torch

from holmdel.data import Split
from holmdel.errors import UserError
from holmdel.images.contract import ImageContract

Size = tuple[int, int, int]
PAD_UP_TO = 4  # pixels; a network that sees so little more gets zeros around, as LeNet-5's 28 to 32


def image_contract(
    stored: Size, seen: Size, framing: str, mean: float, std: float
) -> ImageContract:
    """Returns the contract, with how images of one size become those of the other."""
    if not std > 0:
        raise UserError(f"std was given as {std}; expected a number above 0")
    little = all(0 <= seen[side] - stored[side] <= PAD_UP_TO for side in (1, 2))
    how = "none" if seen == stored else "pad" if little else "resize"
    return ImageContract(
        stored=stored, input=seen, enlarge=how, framing=framing, mean=mean, std=std
    )


def mean_and_deviation(split: Split) -> tuple[float, float]:
    """Returns mean and standard deviation of all pixels as parts of 255, to four digits."""
    counts = torch.bincount(split.images.flatten(), minlength=256).double()
    levels = torch.arange(256) / 255
    mean = (counts * levels).sum() / counts.sum()
    variance = (counts * (levels - mean) ** 2).sum() / counts.sum()
    return round(float(mean), 4), round(float(variance.sqrt()), 4)
