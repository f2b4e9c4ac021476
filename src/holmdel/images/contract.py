"""What a network was trained to see, and the last step towards it."""

from dataclasses import asdict, dataclass, fields
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from holmdel.errors import UserError

FRAMINGS = ("digit", "object", "fit")
BATCH_PIXELS = 800_000  # of the input, H x W x N: a thousand pictures of 28x28, 15 of 224x224


@dataclass(frozen=True, kw_only=True)
class ImageContract:
    """What a network was trained to see; stored with its weights.

    Attributes:
        stored: (C, H, W) of the uint8 pictures of the data set, 0 background to 255 ink.
        input: (C, H, W) of the network's input.
        enlarge: how `stored` becomes `input`: `none`, `pad` (zeros around, as 28 to 32 in the
            1998 paper) or `resize` (bilinear, as the book's `resize=224`).
        framing: how a foreign picture becomes `stored`: `digit`, `object` or `fit`; see `frame`.
        mean: subtracted after division by 255.
        std: divided by after that.
    """

    stored: tuple[int, int, int] = (1, 28, 28)
    input: tuple[int, int, int] = (1, 28, 28)
    enlarge: str = "none"
    framing: str = "digit"
    mean: float = 0.0
    std: float = 1.0

    @property
    def batch_size(self) -> int:
        """How many pictures fit into one batch of inference with some hundred megabytes."""
        return max(1, BATCH_PIXELS // (self.input[1] * self.input[2]))

    def to_json(self) -> dict[str, Any]:
        """Returns the contract as JSON-ready values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "ImageContract":
        """Returns the contract that `to_json` gave.

        Raises:
            UserError: for a field this version does not know.
        """
        known = {field.name for field in fields(cls)}
        for name in values:
            if name not in known:
                raise UserError(
                    f"the image contract has the field {name!r}, which this version does not "
                    f"know; it knows {', '.join(sorted(known))}; upgrade holmdel"
                )
        given: dict[str, Any] = dict(values)
        for name in ("stored", "input"):
            if name in given:
                given[name] = tuple(given[name])
        return cls(**given)


def to_input(pictures: Tensor, contract: ImageContract) -> Tensor:
    """Returns a batch as the network sees it: float32 (N, C, H, W), normalised.

    Args:
        pictures: uint8 or float (N, C, H, W) in 0..255, of the contract's stored size.
        contract: sizes and normalisation.
    """
    x = pictures.float()
    height, width = contract.input[1:]
    if contract.enlarge == "pad":
        top, left = (height - x.shape[2]) // 2, (width - x.shape[3]) // 2
        bottom, right = height - x.shape[2] - top, width - x.shape[3] - left
        x = F.pad(x, (left, right, top, bottom))
    elif contract.enlarge == "resize":
        x = F.interpolate(x, size=(height, width), mode="bilinear", antialias=True)
    return x.mul(1 / (255 * contract.std)).sub(contract.mean / contract.std)
