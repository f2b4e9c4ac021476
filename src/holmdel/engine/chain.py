"""A network in the native engine (gradients, fused steps, logits), and the choice of the engine."""

import ctypes
import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from holmdel.deprecation import renamed_parameters
from holmdel.engine.calls import (
    checked_images,
    checked_labels,
    checked_rows,
    create,
    expect_fitting,
    gradient_of,
    pointers,
    refuse,
)
from holmdel.engine.layers import Unsupported, layers_of
from holmdel.engine.library import Images, library, status
from holmdel.engine.sgd import fused_steps
from holmdel.errors import UserError
from holmdel.images.contract import ImageContract
from holmdel.settings import TRAINING

Shape = tuple[int, int, int]


class Step(NamedTuple):
    """A training step's result: mean cross-entropy, and how many images were classified right."""

    loss: float
    correct: int


class Chain:
    """A network in the native engine, which follows the network's weights as they change.

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
        layers = layers_of(network, image.input)
        self.network = network
        self.image = image
        self.classes = math.prod(layers[-1].output)
        self._library = found
        # Looked up here, for a module's own lookup takes longer than an image's convolutions.
        self._owners = [layer.module._parameters for layer in layers if layer.module is not None]
        self._shapes = [None if p is None else p.shape for p in self._weights()]
        self._handle = create(found, layers, image)
        self._sizes = {
            torch.uint8: torch.Size(image.stored),
            torch.float32: torch.Size(image.input),
        }
        if image.enlarge == "resize":
            del self._sizes[torch.uint8]
        self._frozen = frozen
        if frozen:
            self._keep()

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
        values = [None if p is None else p.contiguous() for p in self._parameters()]
        outcome = self._library.holmdel_keep(
            self._handle, pointers(values), torch.get_num_threads()
        )
        refuse(outcome, 0, None)

    def __del__(self) -> None:
        if handle := getattr(self, "_handle", None):
            self._library.holmdel_free(handle)

    def _weights(self) -> list[Tensor | None]:
        """Returns weight and bias of every layer that has them, in order."""
        return [own[name] for own in self._owners for name in ("weight", "bias")]

    def _parameters(self) -> list[Tensor | None]:
        """Returns the weights and biases, which are as the library takes them or refused."""
        found = self._weights()
        for parameter, shape in zip(found, self._shapes, strict=True):
            if parameter is None:
                good = shape is None
            else:
                good = parameter.shape == shape and parameter.dtype is torch.float32
                good = good and parameter.is_cpu
            if not good:
                raise Unsupported(
                    "the network's weights have another shape, type or device than when the chain "
                    "was made; compile it anew"
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
        memory = checked_images(images, self._sizes)
        labels, rows = checked_labels(labels, len(memory)), checked_rows(rows, len(memory))
        count = len(memory) if rows is None else len(rows)
        if not count:
            raise UserError("an empty batch was given; expected at least one image")
        if not 0 <= label_smoothing <= 1:
            raise UserError(f"label_smoothing was given as {label_smoothing}; expected 0..1")
        parameters = self._parameters()
        fused = fused_steps(optimizer, parameters) if optimizer is not None else None
        values = [None if p is None else p.detach().contiguous() for p in parameters]
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


def compile(network: nn.Module, image: ImageContract | Shape, *, frozen: bool = False) -> Chain:
    """Returns the chain of a network in the native engine.

    Args:
        network: a chain of Conv2d, AvgPool2d, MaxPool2d, Sigmoid, Tanh, ReLU, Flatten and Linear,
            on the CPU, in float32.
        image: how uint8 images become what the network sees, or that size, (C, H, W). Where it
            asks for resizing, the chain takes float32 alone.
        frozen: answer by the weights as they are now, without looking whether they changed.

    Raises:
        Unsupported: for a layer that the engine does not know, or if there is no engine.
    """
    if isinstance(image, tuple):
        image = ImageContract(stored=image, input=image)
    expect_fitting(image)
    for name, parameter in network.named_parameters():
        if parameter.dtype != torch.float32 or parameter.device.type != "cpu":
            raise Unsupported(
                f"{name} is {parameter.dtype} on {parameter.device}; the engine takes "
                "torch.float32 on the CPU"
            )
    return Chain(network, image, frozen=frozen)


class Selection(NamedTuple):
    """The chain to use, or None for PyTorch, and the line that says which and why."""

    chain: Chain | None
    line: str


def select(network: nn.Module, image: ImageContract | Shape, choice: str = "auto") -> Selection:
    """Returns which engine a network runs on.

    Args:
        network: on the CPU.
        image: as for `compile`.
        choice: `auto` takes the native engine where it can; `native` insists on it; `torch`.

    Raises:
        UserError: for another choice.
        Unsupported: for `native` where it cannot.
    """
    TRAINING["engine"].check(choice)
    if choice == "torch":
        return Selection(None, "PyTorch")
    try:
        return Selection(compile(network, image), str(status()))
    except Unsupported as error:
        if choice == "native":
            raise
        return Selection(None, f"PyTorch: {error}")
