"""The trainer of the book's current edition."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from holmdel.d2l.bookkeeping import gpu, num_gpus
from holmdel.d2l.design import DataModule, Module
from holmdel.d2l.hyperparameters import HyperParameters

# The book's argument has the function's name.
_devices = num_gpus


class Trainer(HyperParameters):
    """Trains a `Module` on a `DataModule`.

    Attributes:
        epoch: the epoch that runs, from 0.
        train_batch_idx: how many batches were trained on.
        val_batch_idx: how many were validated on.
        num_train_batches: batches an epoch; num_val_batches likewise.

    Args:
        max_epochs: how often the training data is gone through.
        num_gpus: CUDA devices to use where this machine has them; the first is used.
        gradient_clip_val: largest norm of the gradient; 0 for any.
    """

    max_epochs: int
    gradient_clip_val: float
    model: Module
    optim: torch.optim.Optimizer

    def __init__(self, max_epochs: int, num_gpus: int = 0, gradient_clip_val: float = 0) -> None:
        self.save_hyperparameters()
        self.gpus = [gpu(i) for i in range(min(num_gpus, _devices()))]

    def fit(self, model: Module, data: DataModule) -> None:
        """Trains a model, and leaves it in eval mode if there is validation data."""
        self.prepare_data(data)
        self.prepare_model(model)
        self.optim = model.configure_optimizers()
        self.train_batch_idx = self.val_batch_idx = 0
        for epoch in range(self.max_epochs):
            self.epoch = epoch
            self.fit_epoch()

    def prepare_data(self, data: DataModule) -> None:
        """Takes the loaders of both parts."""
        self.train_dataloader: Any = data.train_dataloader()
        self.val_dataloader: Any = data.val_dataloader()
        self.num_train_batches = len(self.train_dataloader)
        self.num_val_batches = 0 if self.val_dataloader is None else len(self.val_dataloader)

    def prepare_model(self, model: Module) -> None:
        """Takes a model, on the first device where one is used."""
        model.trainer = self
        model.board.xlim = [0, self.max_epochs]
        if self.gpus:
            model.to(self.gpus[0])
        self.model = model

    def prepare_batch(self, batch: Sequence[Tensor]) -> Sequence[Tensor]:
        """Returns a batch where the model is."""
        return [part.to(self.gpus[0]) for part in batch] if self.gpus else batch

    def fit_epoch(self) -> None:
        """Trains one epoch, and validates."""
        self.model.train()
        for batch in self.train_dataloader:
            loss = self.model.training_step(self.prepare_batch(batch))
            self.optim.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            if self.gradient_clip_val > 0:
                self.clip_gradients(self.gradient_clip_val, self.model)
            self.optim.step()
            self.train_batch_idx += 1
        if self.val_dataloader is None:
            return
        self.model.eval()
        with torch.no_grad():
            for batch in self.val_dataloader:
                self.model.validation_step(self.prepare_batch(batch))
                self.val_batch_idx += 1

    def clip_gradients(self, grad_clip_val: float, model: nn.Module) -> None:
        """Scales the gradients of a model so that their norm is `grad_clip_val` at most."""
        nn.utils.clip_grad_norm_(model.parameters(), grad_clip_val)
