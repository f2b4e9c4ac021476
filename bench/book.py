"""The book's loop re-created: PIL pictures through a `DataLoader` with four workers.

Zhang, Lipton, Li and Smola, "Dive into Deep Learning": `load_data_fashion_mnist` and `train_ch6`.
A `Dataset` makes a PIL picture and a tensor of an example each time it is asked, as torchvision's
FashionMNIST with Resize and ToTensor does.
"""

import time
import warnings
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from holmdel.data import Split

WORKERS = 4  # the book's get_dataloader_workers()


class Pictures(TorchDataset[tuple[Tensor, int]]):
    """What torchvision's FashionMNIST does for an example: float32 (1, H, W) in 0..1, and a label.

    Args:
        split: uint8 (N, 1, H, W).
        side: pixels that Resize makes of it; None for as it is.
    """

    def __init__(self, split: Split, side: int | None) -> None:
        self.images, self.labels, self.side = split.images[:, 0], split.labels, side

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """Returns one example."""
        picture = Image.fromarray(self.images[index].numpy())
        if self.side:
            picture = picture.resize((self.side, self.side), Image.Resampling.BILINEAR)
        pixels = torch.from_numpy(np.array(picture, np.uint8, copy=True))
        tensor = pixels.view(*pixels.shape, 1).permute(2, 0, 1).contiguous()
        return tensor.to(torch.float32).div(255), int(self.labels[index])


def book_epoch(
    network: nn.Module, train: Split, test: Split, *, batch: int, lr: float, side: int | None
) -> float:
    """Returns the seconds of one epoch of the book's `train_ch6`, its test included.

    Args:
        network: is trained.
        train: uint8 (N, 1, H, W).
        test: likewise.
        batch: examples a batch.
        lr: of plain SGD.
        side: pixels that pictures are resized to; None for as they are.
    """
    with warnings.catch_warnings():
        # The book's four workers on however few cores; they fork, and have done so for years.
        warnings.filterwarnings("ignore", message="This DataLoader will create")
        warnings.filterwarnings("ignore", message=".*fork", category=DeprecationWarning)
        loaders = [
            DataLoader(Pictures(part, side), batch, shuffle=part is train, num_workers=WORKERS)
            for part in (train, test)
        ]
        began = time.perf_counter()
        _train(network, loaders[0], lr)
        _test(network, loaders[1])
        return time.perf_counter() - began


def _train(network: nn.Module, loader: DataLoader[Any], lr: float) -> None:
    """Does what `train_epoch_ch3` does, its sums over the batches included."""
    optimizer = torch.optim.SGD(network.parameters(), lr=lr)
    loss = nn.CrossEntropyLoss()
    metric = [0.0, 0.0, 0.0]
    network.train()
    for pictures, labels in loader:
        optimizer.zero_grad()
        logits = network(pictures)
        value = loss(logits, labels)
        value.backward()
        optimizer.step()
        with torch.no_grad():
            metric[0] += float(value * len(pictures))
            metric[1] += float((logits.argmax(1) == labels).sum())
            metric[2] += len(pictures)


def _test(network: nn.Module, loader: DataLoader[Any]) -> None:
    """Does what `evaluate_accuracy_gpu` does."""
    network.eval()
    metric = [0.0, 0.0]
    with torch.no_grad():
        for pictures, labels in loader:
            metric[0] += float((network(pictures).argmax(1) == labels).sum())
            metric[1] += len(labels)
