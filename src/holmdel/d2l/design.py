"""The object-oriented design of the book's current edition: models, data, the trainer."""
# ruff: noqa: N803, N806, T201  Y and X are the book's names; the summary is printed by contract

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader

from holmdel.d2l.accuracies import home
from holmdel.d2l.animation import ProgressBoard
from holmdel.d2l.bookkeeping import HyperParameters
from holmdel.d2l.fashion_mnist import (
    Loader,
    Size,
    fashion_mnist,
    get_fashion_mnist_labels,
    load_array,
)
from holmdel.d2l.plotting import show_images
from holmdel.errors import UserError
from holmdel.evaluation import in_eval_mode
from holmdel.networks import build


class Module(nn.Module, HyperParameters):
    """A model that knows its loss, its optimizer and its curves; `Trainer.fit` trains it.

    A subclass sets `net`, and `lr` unless it defines `configure_optimizers`.

    Attributes:
        board: the curves.
        trainer: the one that trains it.

    Args:
        plot_train_per_epoch: points an epoch on the curves of training.
        plot_valid_per_epoch: points an epoch on those of validation.
    """

    net: nn.Module
    trainer: Any  # a Trainer, which knows this class
    lr: float
    plot_train_per_epoch: int
    plot_valid_per_epoch: int

    def __init__(self, plot_train_per_epoch: int = 2, plot_valid_per_epoch: int = 1) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.board = ProgressBoard()

    def loss(self, y_hat: Tensor, y: Tensor) -> Tensor:
        """Returns the loss of a batch; a subclass says which."""
        raise NotImplementedError(f"{type(self).__name__} has no loss")

    def forward(self, X: Tensor) -> Any:
        """Returns what `net` makes of a batch.

        Raises:
            UserError: if there is no `net`.
        """
        if not hasattr(self, "net"):
            name = type(self).__name__
            raise UserError(f"{name} has no net; set self.net in its __init__, or define forward")
        return self.net(X)

    def plot(self, key: str, value: Any, train: bool) -> None:
        """Adds a point to the curve `train_KEY` or `val_KEY`, over the epochs."""
        trainer = self.trainer
        self.board.xlabel = "epoch"
        if train:
            x = trainer.train_batch_idx / trainer.num_train_batches
            n = trainer.num_train_batches / self.plot_train_per_epoch
        else:
            x = trainer.epoch + 1
            n = trainer.num_val_batches / self.plot_valid_per_epoch
        label = ("train_" if train else "val_") + key
        self.board.draw(x, torch.as_tensor(value).detach().cpu(), label, every_n=int(n))

    def training_step(self, batch: Sequence[Tensor]) -> Tensor:
        """Returns the loss of a batch (X, ..., y), and plots it."""
        loss = self.loss(self(*batch[:-1]), batch[-1])
        self.plot("loss", loss, train=True)
        return loss

    def validation_step(self, batch: Sequence[Tensor]) -> None:
        """Plots the loss of a batch (X, ..., y)."""
        self.plot("loss", self.loss(self(*batch[:-1]), batch[-1]), train=False)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Returns stochastic gradient descent at the learning rate `lr`."""
        return torch.optim.SGD(self.parameters(), lr=self.lr)

    def apply_init(
        self, inputs: Sequence[Tensor], init: Callable[[nn.Module], None] | None = None
    ) -> None:
        """Runs a batch through the network, which gives lazy layers their shapes, then `init`.

        Args:
            inputs: what `forward` takes.
            init: applied to every module of `net`, such as `init_cnn`.
        """
        self.forward(*inputs)
        if init is not None:
            self.net.apply(init)


class Classifier(Module):
    """A model whose `net` gives logits (N, classes): cross-entropy, and accuracy."""

    net: nn.Sequential

    def validation_step(self, batch: Sequence[Tensor]) -> None:
        """Plots loss and accuracy of a batch (X, ..., y)."""
        Y_hat = self(*batch[:-1])
        self.plot("loss", self.loss(Y_hat, batch[-1]), train=False)
        self.plot("acc", self.accuracy(Y_hat, batch[-1]), train=False)

    def accuracy(self, Y_hat: Tensor, Y: Tensor, averaged: bool = True) -> Tensor:
        """Returns the part classified right, 0..1, or for each example 1.0 or 0.0 (N,).

        Args:
            Y_hat: logits (..., classes), N in all.
            Y: labels, N in all.
            averaged: whether the mean is wanted.
        """
        said = Y_hat.reshape(-1, Y_hat.shape[-1]).argmax(dim=1)
        right = (said == Y.reshape(-1)).float()
        return right.mean() if averaged else right

    def loss(self, Y_hat: Tensor, Y: Tensor, averaged: bool = True) -> Tensor:
        """Returns the mean cross-entropy, or that of each example (N,); arguments as `accuracy`."""
        logits = Y_hat.reshape(-1, Y_hat.shape[-1])
        return F.cross_entropy(logits, Y.reshape(-1), reduction="mean" if averaged else "none")

    def layer_summary(self, X_shape: Sequence[int]) -> None:
        """Prints the output shape of each layer of `net` for a batch of a shape (N, C, H, W).

        It looks in eval mode, without touching the statistics of batch normalisation.
        """
        X = torch.randn(*X_shape, device=home(self.net))
        with in_eval_mode(self.net), torch.no_grad():
            for layer in self.net:
                X = layer(X)
                print(type(layer).__name__, "output shape:\t", X.shape)


class LeNet(Classifier):
    """LeNet as the book draws it: (N, 1, 28, 28) to logits (N, num_classes)."""

    def __init__(self, lr: float = 0.1, num_classes: int = 10) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Sequential(*build("lenet", classes=num_classes).children())


class DataModule(HyperParameters):
    """Data for training and validation; a subclass defines `get_dataloader(train)`.

    Args:
        root: kept, but not looked at: Holmdel finds its data by itself.
        num_workers: kept, but not looked at by this module's loaders.
    """

    batch_size: int

    def __init__(self, root: str = "../data", num_workers: int = 4) -> None:
        self.save_hyperparameters()

    def get_dataloader(self, train: bool) -> Any:
        """Returns the loader of the one part or the other; a subclass says which."""
        raise NotImplementedError(f"{type(self).__name__} has no get_dataloader")

    def train_dataloader(self) -> Any:
        """Returns the loader of what is trained on."""
        return self.get_dataloader(train=True)

    def val_dataloader(self) -> Any:
        """Returns the loader of what is validated on."""
        return self.get_dataloader(train=False)

    def get_tensorloader(
        self, tensors: Sequence[Tensor], train: bool, indices: slice = slice(0, None)
    ) -> DataLoader[tuple[Tensor, ...]]:
        """Returns a loader of tensors (N, ...), shuffled if `train`, of the `indices` alone."""
        return load_array([tensor[indices] for tensor in tensors], self.batch_size, train)


class FashionMNIST(DataModule):
    """Fashion-MNIST: `train` and `val`, and the loaders of both.

    Attributes:
        train: the 60,000 training images; `[i]` is (float32 (1, H, W) in 0..1, int).
        val: the 10,000 test images.

    Args:
        batch_size: images a batch.
        resize: side that the images are brought to, or (H, W).
    """

    def __init__(self, batch_size: int = 64, resize: Size = (28, 28)) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.train, self.val = fashion_mnist(resize)

    def text_labels(self, indices: Sequence[int] | Tensor) -> list[str]:
        """Returns the texts of labels (N,)."""
        return get_fashion_mnist_labels(indices)

    def get_dataloader(self, train: bool) -> Loader:
        """Returns the loader of the training images, shuffled, or of the test images."""
        return Loader(self.train if train else self.val, self.batch_size, shuffle=train)

    def visualize(
        self,
        batch: Sequence[Tensor],
        nrows: int = 1,
        ncols: int = 8,
        labels: Sequence[str] = (),
    ) -> None:
        """Draws the first images of a batch (X (N, 1, H, W), y (N,)) with their label texts.

        Args:
            batch: images and labels.
            nrows: rows of the grid.
            ncols: columns of the grid.
            labels: texts in place of the labels'.
        """
        X, y = batch
        show_images(X, nrows, ncols, titles=labels or self.text_labels(y))
