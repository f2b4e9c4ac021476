"""The trainer of the book's current edition."""
# ruff: noqa: N806  Y_hat is the book's name

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from holmdel.d2l.bookkeeping import HyperParameters, gpu, num_gpus
from holmdel.d2l.design import Classifier, DataModule, Module
from holmdel.d2l.native import Native

# The book's argument has the function's name.
_devices = num_gpus

# What the native engine does in their stead, as it is here: a listing may put its own there.
_FORWARD, _LOSS = Module.forward, Classifier.loss
_TRAINING_STEP, _VALIDATION_STEP = Module.training_step, Classifier.validation_step
_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


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
        native = self._native(training_step=_TRAINING_STEP)
        for batch in self.train_dataloader:
            self._backward(self.prepare_batch(batch), native)
            if self.gradient_clip_val > 0:
                self.clip_gradients(self.gradient_clip_val, self.model)
            self.optim.step()
            self.train_batch_idx += 1
        if self.val_dataloader is None:
            return
        self.model.eval()
        native = self._native(validation_step=_VALIDATION_STEP)
        with torch.no_grad():
            for batch in self.val_dataloader:
                self._validate(self.prepare_batch(batch), native)
                self.val_batch_idx += 1

    def _backward(self, batch: Sequence[Tensor], native: Native) -> None:
        """Finds the gradient of a batch, and plots its loss."""
        if chain := native.learner(*batch):
            self.optim.zero_grad()
            self.model.plot("loss", chain.step(*batch).loss, train=True)
            return
        loss = self.model.training_step(batch)
        self.optim.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]

    def _validate(self, batch: Sequence[Tensor], native: Native) -> None:
        """Plots loss and accuracy of a batch."""
        chain = native.chain(*batch)
        if chain is None or not isinstance(self.model, Classifier):
            self.model.validation_step(batch)
            return
        Y_hat = chain.logits(batch[0])
        self.model.plot("loss", self.model.loss(Y_hat, batch[1]), train=False)
        self.model.plot("acc", self.model.accuracy(Y_hat, batch[1]), train=False)

    def _native(self, **step: Callable[..., Any]) -> Native:
        """Returns the native engine for the model's `net`, or for none where the model differs.

        Args:
            step: the method that the engine stands for, as `Classifier` has it.
        """
        own = {"forward": _FORWARD, "loss": _LOSS} | step
        model = self.model
        same = (getattr(getattr(model, name), "__func__", None) is f for name, f in own.items())
        hooked = any(getattr(model, hooks) for hooks in _HOOKS)
        return Native(model.net if all(same) and not hooked else None)

    def clip_gradients(self, grad_clip_val: float, model: nn.Module) -> None:
        """Scales the gradients of a model so that their norm is `grad_clip_val` at most."""
        nn.utils.clip_grad_norm_(model.parameters(), grad_clip_val)
