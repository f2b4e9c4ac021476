"""A network in the native engine (gradients, fused steps, logits), and the choice of the engine."""

import ctypes
import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from holmdel.deprecation import renamed_parameters
from holmdel.engine.calls import (
    checked_images,
    checked_labels,
    checked_rows,
    create,
    gradient_of,
    plain,
    pointers,
    refuse,
)
from holmdel.engine.layers import Unsupported, layers_of
from holmdel.engine.library import Images, library, status
from holmdel.engine.sgd import fused_steps
from holmdel.engine.watch import Watch, hooked_gradient
from holmdel.errors import UserError
from holmdel.images.contract import ImageContract

Shape = tuple[int, int, int]


class Step(NamedTuple):
    """A training step's result: mean cross-entropy, and how many images were classified right."""

    loss: float
    correct: int


class Chain:
    """A network in the native engine, which follows the network as it changes.

    Other weights are taken as they are; other layers, settings or hooks have the chain made anew at
    the next call, which raises `Unsupported` where the engine does not know them. A frozen chain
    stays as it was made.

    Calls use `torch.get_num_threads()` threads; for the same number of threads the same numbers
    come out, bit by bit.

    Attributes:
        network: the module whose weights it uses.
        image: how bytes become what the network sees.
        classes: how many logits an image has.
    """

    def __init__(self, network: nn.Module, image: ImageContract, *, frozen: bool) -> None:
        found = library()
        if found is None:
            raise Unsupported(status().reason)
        self.network = network
        self.image = image
        self._library = found
        self._sizes = {
            torch.uint8: torch.Size(image.stored),
            torch.float32: torch.Size(image.input),
        }
        if image.enlarge == "resize":
            del self._sizes[torch.uint8]
        self._frozen = frozen
        self._make()
        if frozen:
            self._keep()

    def _make(self) -> None:
        """Makes the library's chain of the network as it is."""
        layers = layers_of(self.network, self.image.input)
        self._free()
        # Looked up here, for a module's own lookup takes longer than an image's convolutions.
        self._owners = [layer.module._parameters for layer in layers if layer.module is not None]
        self._shapes = [None if p is None else p.shape for p in self._weights()]
        self.classes = math.prod(layers[-1].output)
        self._watch = Watch(self.network)
        self._handle = create(self._library, layers, self.image)

    def follow(self) -> None:
        """Makes the chain anew if the network's layers, settings or hooks are others than before.

        Every call does so first, unless the chain is frozen.

        Raises:
            Unsupported: for what the engine does not know.
        """
        if not self._watch.same() or self._shapes != [
            None if p is None else p.shape for p in self._weights()
        ]:
            self._make()

    def __reduce__(self) -> tuple[Callable[..., "Chain"], tuple[nn.Module, ImageContract]]:
        """Returns how copies and pickles are made: anew, of the network or its copy."""
        if self._frozen:
            raise UserError(
                "a frozen chain was to be copied or pickled; compile its network once more"
            )
        return _again, (self.network, self.image)

    @renamed_parameters(pictures="images")
    def step(self, images: Tensor, labels: Tensor, *, label_smoothing: float = 0.0) -> Step:
        """Returns loss and number right of a batch; sets `.grad` of every parameter.

        The gradient is that of the mean cross-entropy, and takes the place of what was there.

        Args:
            images: uint8 (N, C, H, W) as stored, or float32 as the network sees them.
            labels: int64 (N,).
            label_smoothing: 0..1, as in `torch.nn.functional.cross_entropy`.

        Raises:
            UserError: for an empty batch, a wrong type, shape or label, or an image that holds
                something else than finite numbers.
        """
        return self._learn(images, labels, None, None, label_smoothing)

    @renamed_parameters(pictures="images")
    def train(
        self,
        images: Tensor,
        labels: Tensor,
        rows: Tensor | None,
        optimizer: torch.optim.SGD,
        *,
        label_smoothing: float = 0.0,
    ) -> Step:
        """Returns loss and number right of a batch after a step of SGD on it, in one call.

        What `step` and `optimizer.step()` do; rates, momentum and weight decay are read from the
        optimizer, and its momentum buffers kept as PyTorch keeps them.

        Args:
            images: as for `step`, of the whole data set.
            labels: int64 (N,), likewise.
            rows: int64 (B,), which of them make the batch; None for all.
            optimizer: of the network's parameters.
            label_smoothing: 0..1.

        Raises:
            UserError: as `step`, for a row that is not there, or an optimizer of another kind.
        """
        return self._learn(images, labels, rows, optimizer, label_smoothing)

    @renamed_parameters(pictures="images")
    def logits(self, images: Tensor) -> Tensor:
        """Returns logits float32 (N, classes).

        Args:
            images: uint8 (N, C, H, W) as stored, or float32 as the network sees them.

        Raises:
            UserError: for a wrong type or shape, or an image that holds something else than
                finite numbers.
        """
        if not self._frozen:
            self.follow()
            self._keep()
        memory = checked_images(images, self._sizes)
        count = memory.shape[0]
        logits = torch.empty((count, self.classes))
        if count == 1:
            bytes_ = memory.dtype is torch.uint8
            start = memory.data_ptr(), bytes_, logits.data_ptr()
            if outcome := self._library.holmdel_answer_one(self._handle, *start):
                refuse(outcome, 0, None)
        if count < 2:
            return logits
        where = ctypes.c_long()
        outcome = self._library.holmdel_answer(
            self._handle,
            ctypes.byref(Images(memory.data_ptr(), memory.dtype == torch.uint8, None)),
            count,
            torch.get_num_threads(),
            logits.data_ptr(),
            ctypes.byref(where),
        )
        refuse(outcome, where.value, None)
        return logits

    def _keep(self) -> None:
        """Gives the library the weights; it looks whether they are others than before."""
        values = [None if p is None else plain(p) for p in self._parameters()]
        outcome = self._library.holmdel_keep(
            self._handle, pointers(values), torch.get_num_threads()
        )
        refuse(outcome, 0, None)

    def __del__(self) -> None:
        self._free()

    def _free(self) -> None:
        if handle := self.__dict__.pop("_handle", None):
            self._library.holmdel_free(handle)

    def _weights(self) -> list[Tensor | None]:
        """Returns weight and bias of every layer that has them, in order; None for no parameter."""
        return [own.get(name) for own in self._owners for name in ("weight", "bias")]

    def _parameters(self) -> list[Tensor | None]:
        """Returns the weights and biases, which are as the library takes them or refused."""
        found = self._weights()
        for parameter in found:
            if parameter is not None and not (
                parameter.dtype is torch.float32 and parameter.is_cpu
            ):
                raise Unsupported(
                    f"a weight is {parameter.dtype} on {parameter.device} now; the engine takes "
                    "torch.float32 on the CPU"
                )
        return found

    def _learn(
        self,
        images: Tensor,
        labels: Tensor,
        rows: Tensor | None,
        optimizer: torch.optim.SGD | None,
        label_smoothing: float,
    ) -> Step:
        if self._frozen:
            raise UserError("a frozen chain was asked to learn; compile it without frozen=True")
        self.follow()
        memory = checked_images(images, self._sizes)
        labels, rows = checked_labels(labels, len(memory)), checked_rows(rows, len(memory))
        count = len(memory) if rows is None else len(rows)
        if not count:
            raise UserError("an empty batch was given; expected at least one image")
        if not 0 <= label_smoothing <= 1:
            raise UserError(f"label_smoothing was given as {label_smoothing}; expected 0..1")
        parameters = self._parameters()
        if any(p is not None and hooked_gradient(p) for p in parameters):
            raise Unsupported("a weight has hooks, which the engine does not call")
        fused = fused_steps(optimizer, parameters) if optimizer is not None else None
        values = [None if p is None else plain(p.detach()) for p in parameters]
        gradients = [gradient_of(p) for p in parameters]
        loss, correct, where = ctypes.c_double(), ctypes.c_int64(), ctypes.c_long()
        outcome = self._library.holmdel_learn(
            self._handle,
            ctypes.byref(
                Images(
                    memory.data_ptr(),
                    memory.dtype == torch.uint8,
                    None if rows is None else rows.data_ptr(),
                )
            ),
            labels.data_ptr(),
            count,
            torch.get_num_threads(),
            label_smoothing,
            pointers(values),
            pointers(gradients),
            fused.steps if fused else None,
            fused.velocities if fused else None,
            ctypes.byref(loss),
            ctypes.byref(correct),
            ctypes.byref(where),
        )
        if outcome:
            refuse(outcome, where.value, labels if rows is None else labels[rows], self.classes)
        for parameter, gradient in zip(parameters, gradients, strict=True):
            if parameter is not None and parameter.requires_grad:
                parameter.grad = gradient
        if optimizer is not None:
            if fused:
                fused.finish(optimizer, parameters)
            else:
                optimizer.step()
        return Step(loss.value, correct.value)


def _again(network: nn.Module, image: ImageContract) -> Chain:
    """Returns a chain that is not frozen; a copy or a pickle is made by it."""
    return Chain(network, image, frozen=False)
