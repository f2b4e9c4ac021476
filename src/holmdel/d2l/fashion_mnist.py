"""Fashion-MNIST as the book loads it: `DataLoader`s, without a Python call an image.

The images stay uint8 in memory; a batch is gathered, enlarged and scaled at once.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset
from torch.utils.data import Dataset as TorchDataset

from holmdel.data import SOURCES, Split, load
from holmdel.errors import UserError

NAME = "fashion-mnist"
Size = int | tuple[int, int]


class Images(TorchDataset[tuple[Tensor, int]]):
    """Images and labels: `[i]` is (float32 (1, H, W) in 0..1, int).

    Args:
        split: uint8 images (N, 1, H, W) and their labels (N,).
        size: H and W that the images are brought to.
    """

    def __init__(self, split: Split, size: tuple[int, int]) -> None:
        self.split, self.size = split, size

    def __len__(self) -> int:
        return len(self.split)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        if not -len(self) <= index < len(self):
            raise IndexError(f"image {index} of {len(self)}")
        images, labels = self.batch([index % len(self)])
        return images[0], int(labels[0])

    def batch(self, indices: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Returns the examples at `indices`: float32 (N, 1, H, W) in 0..1 and int64 (N,)."""
        chosen = torch.tensor(indices)
        images = resized(self.split.images.index_select(0, chosen), self.size)
        return images.div(255), self.split.labels.index_select(0, chosen)


def resized(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Returns uint8 images (N, 1, *size) from (N, 1, H, W): bilinear with antialias, as Pillow.

    PyTorch's kernel for bytes works on four channels at a time, used or not; so four images go
    through it as the channels of one.
    """
    count, _, height, width = images.shape
    if (height, width) == size:
        return images
    filled = F.pad(images, (0, 0, 0, 0, 0, 0, 0, -count % 4))
    quads = F.interpolate(
        filled.view(-1, 4, height, width), size=size, mode="bilinear", antialias=True
    )
    return quads.reshape(-1, 1, *size)[:count]


class Loader(DataLoader[tuple[Tensor, int]]):
    """A `DataLoader` of `Images`: batches of (float32 (N, 1, H, W) in 0..1, int64 (N,)).

    Under the same `torch.manual_seed` its order is that of a plain `DataLoader`, and it leaves the
    generator in the same state. It needs no worker processes.

    Args:
        dataset: the images.
        batch_size: N; the last batch may be smaller.
        shuffle: whether every epoch has an order of its own.
    """

    def __init__(self, dataset: Images, batch_size: int = 1, shuffle: bool = False) -> None:
        super().__init__(dataset, batch_size, shuffle=shuffle)
        self._images, self._indices = dataset, cast(Iterable[list[int]], self.batch_sampler)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:  # type: ignore[override]
        torch.empty((), dtype=torch.int64).random_()  # a DataLoader draws its workers' seed here
        for indices in self._indices:
            yield self._images.batch(indices)


def load_data_fashion_mnist(batch_size: int, resize: Size | None = None) -> tuple[Loader, Loader]:
    """Returns loaders of the training set, shuffled every epoch, and of the test set, in order.

    The data is looked for in `$HOLMDEL_DATA` and the user's cache, then downloaded.

    Args:
        batch_size: images a batch; the last one may have fewer.
        resize: side that the images are brought to, or (H, W); None for their own, 28.

    Raises:
        UserError: for a size that is not positive, or if the data cannot be had.
    """
    train, test = fashion_mnist(resize)
    return Loader(train, batch_size, shuffle=True), Loader(test, batch_size)


def fashion_mnist(resize: Size | None = None) -> tuple[Images, Images]:
    """Returns the training and the test images; arguments and Raises as above."""
    height, width = (resize, resize) if isinstance(resize, int) else resize or (28, 28)
    if min(height, width) < 1:
        raise UserError(
            f"resize was given as {resize}; expected a side of at least 1 pixel such as 96, or "
            "(height, width)"
        )
    dataset = load(NAME)
    size = height, width
    return Images(dataset.train, size), Images(dataset.test, size)


def get_fashion_mnist_labels(labels: Sequence[int] | Tensor) -> list[str]:
    """Returns the texts of labels (N,): `t-shirt` for 0 to `ankle boot` for 9."""
    texts = SOURCES[NAME].classes
    return [texts[int(label)] for label in labels]


def get_dataloader_workers() -> int:
    """Returns 4, the worker processes of the book's loaders; those of this module need none."""
    return 4


def load_array(
    data_arrays: Sequence[Tensor], batch_size: int, is_train: bool = True
) -> DataLoader[tuple[Tensor, ...]]:
    """Returns a loader of tensors (N, ...) of one length, shuffled if `is_train`."""
    return DataLoader(TensorDataset(*data_arrays), batch_size, shuffle=is_train)
