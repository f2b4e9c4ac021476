"""The image contract (what a network was trained to see), and the last step to its input."""

from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from holmdel.deprecation import renamed_parameters
from holmdel.errors import UserError
from holmdel.images.opencv import cv2
from holmdel.images.tensors import Tensor
from holmdel.schema import ABOVE_ZERO, Setting, read_record

if TYPE_CHECKING:
    import torch

FRAMINGS = ("digit", "object", "fit")
_LARGEST = 4096  # channels, or pixels a side
BATCH_PIXELS = 800_000  # of the input, H x W x N: a thousand images of 28x28, 15 of 224x224
LINE_HEIGHT = 32  # pixels; as for LeNet-5's input
MARGIN = 8  # columns of paper on either side: the first digit is seen as the others are
NARROWEST, WIDEST = 16, 2048  # columns; a line of 2,048 holds some hundred digits
_SOFTNESS = 0.6  # pixels, standard deviation
_LEAST_CONTRAST = 20.0  # of 255; below it is paper without ink, whose grain must not become ink


@dataclass(frozen=True, kw_only=True)
class ImageContract:
    """What a network was trained to see; stored with its weights.

    Attributes:
        stored: (C, H, W) of the uint8 images of the data set, 0 background to 255 ink.
        input: (C, H, W) of the network's input.
        enlarge: how `stored` becomes `input`: `none`, `pad` (zeros around, as 28 to 32 in the
            1998 paper) or `resize` (bilinear, as the book's `resize=224`).
        framing: how a foreign image becomes `stored`: `digit`, `object` or `fit`; see `frame`.
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
        """How many images fit into one batch of inference with some hundred megabytes."""
        return max(1, BATCH_PIXELS // (self.input[1] * self.input[2]))

    def to_json(self) -> dict[str, Any]:
        """Returns the contract as JSON-ready values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "ImageContract":
        """Returns the contract that `to_json` gave.

        Raises:
            UserError: for a field this version does not know, or a value that no contract has.
        """
        found = read_record(values, _FIELDS, "the image contract")
        stored, seen = (tuple(found.pop(name)) for name in ("stored", "input"))
        contract = cls(stored=stored, input=seen, **found)
        larger = all(small <= large for small, large in zip(stored, seen, strict=True))
        fits = {"none": stored == seen, "pad": larger, "resize": stored[0] == seen[0]}
        if not fits[contract.enlarge] or stored[0] != seen[0]:
            raise UserError(
                f"the image contract has images of {stored} that {contract.enlarge!r} brings to "
                f"{seen}; expected {_FITTING[contract.enlarge]}"
            )
        return contract


_FIELDS = (
    Setting(name="stored", type="shape", default=(1, 28, 28), least=1, most=_LARGEST),
    Setting(name="input", type="shape", default=(1, 28, 28), least=1, most=_LARGEST),
    Setting(name="enlarge", type="str", default="none", choices=("none", "pad", "resize")),
    Setting(name="framing", type="str", default="digit", choices=FRAMINGS),
    Setting(name="mean", type="float", default=0.0, least=-255, most=255),
    Setting(name="std", type="float", default=1.0, least=ABOVE_ZERO, most=255),
)
_FITTING = {
    "none": "the same size",
    "pad": "as many channels and a size no smaller",
    "resize": "as many channels",
}


@renamed_parameters(pictures="images")
def to_input(images: Tensor, contract: ImageContract) -> Tensor:
    """Returns a batch as the network sees it: float32 (N, C, H, W), normalised.

    Args:
        images: uint8 or float (N, C, H, W) in 0..255, of the contract's stored size.
        contract: sizes and normalisation.
    """
    x = images.float()
    height, width = contract.input[1:]
    factor = 1 / (255 * contract.std)
    if contract.enlarge == "resize":
        rows = resizing(x.shape[2], height, x.device) * factor
        x = rows @ (x @ resizing(x.shape[3], width, x.device).t())
    else:
        if contract.enlarge == "pad":
            top, left = (height - x.shape[2]) // 2, (width - x.shape[3]) // 2
            bottom, right = height - x.shape[2] - top, width - x.shape[3] - left
            from torch.nn.functional import pad

            x = pad(x, (left, right, top, bottom))
        x = x.mul(factor)
    return x.sub_(contract.mean / contract.std) if contract.mean else x


@lru_cache(maxsize=16)
def resizing(size: int, wanted: int, device: "torch.device") -> Tensor:
    """Returns the matrix (wanted, size) that resizes a column of pixels, bilinear, antialiased.

    It is what `F.interpolate` makes of the unit columns, so two products resize a batch as
    `F.interpolate` does, in a third of its time.
    """
    import torch
    from torch.nn.functional import interpolate

    with torch.inference_mode(mode=False):
        columns = torch.eye(size)[None, None]
        matrix = interpolate(columns, size=(wanted, size), mode="bilinear", antialias=True)
        return matrix[0, 0].to(device)


def to_line(grey: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Returns what the line network sees of an image: float32 (32, W), paper 0, ink about 1.

    The height becomes 32 and the width follows; edges are softened a little; brightness is measured
    from the median, the paper, towards the darkest fiftieth, the ink.

    Args:
        grey: uint8 (H, W) of one line, dark ink on lighter paper, cropped close above and below.
    """
    height, width = grey.shape
    columns = min(max(round(width * LINE_HEIGHT / height), NARROWEST), WIDEST)
    shrinks = height > LINE_HEIGHT
    way = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    small = cv2.resize(grey, (columns, LINE_HEIGHT), interpolation=way)
    soft = cv2.GaussianBlur(small, (3, 3), _SOFTNESS)  # scanners sharpen, cameras blur
    light: NDArray[np.uint8] = soft.astype(np.uint8, copy=False)
    line = np.zeros((LINE_HEIGHT, columns + 2 * MARGIN), np.float32)
    line[:, MARGIN:-MARGIN] = _ink_of_light(light)[light]
    return line


def _ink_of_light(light: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Returns for each of 256 brightnesses how much ink it is."""
    reached = np.bincount(light.ravel(), minlength=256).cumsum() / light.size
    ink, paper = np.searchsorted(reached, (0.02, 0.5)).tolist()
    depth = (paper - np.arange(256, dtype=np.float32)) / max(paper - ink, _LEAST_CONTRAST)
    ink_of: NDArray[np.float32] = depth.clip(-0.6, 1.3).astype(np.float32)
    return ink_of
