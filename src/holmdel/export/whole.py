"""A classifier as one module of PyTorch, from stored images to probabilities."""

import torch
from torch import Tensor, nn

from holmdel.images.contract import ImageContract, resizing, to_input


class Whole(nn.Module):
    """uint8 images (N, C, H, W) to logits and probabilities (N, K), each float32."""

    def __init__(self, network: nn.Module, contract: ImageContract) -> None:
        super().__init__()
        self.network = network
        self.contract = contract
        if contract.enlarge == "resize":  # made now, for none can be made while a network is traced
            for size, wanted in zip(contract.stored[1:], contract.input[1:], strict=True):
                resizing(size, wanted, torch.device("cpu"))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Returns logits and probabilities."""
        logits = self.network(to_input(images, self.contract))
        return logits, logits.softmax(1)
