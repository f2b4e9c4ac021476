"""A network in the native engine: gradients, fused steps, logits."""

import ctypes
import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from holmdel.engine.layers import Layer, Unsupported, layers_of
from holmdel.engine.library import library, status
from holmdel.errors import UserError
from holmdel.images import ImageContract

Shape = tuple[int, int, int]
_KINDS = ("conv", "linear", "avg", "max", "sigmoid", "tanh", "relu")
_NOT_FINITE = 1
_SLOTS = 2  # blocks of pictures a dense layer takes at once; measured: 1 and 4 are slower


class Step(NamedTuple):
    """What a batch gave: the mean cross-entropy, and how many pictures were classified right."""

    loss: float
    correct: int


class _Layer(ctypes.Structure):
    _fields_ = (
        ("kind", ctypes.c_int32),
        ("input", ctypes.c_int32 * 3),
        ("output", ctypes.c_int32 * 3),
        ("kernel", ctypes.c_int32 * 2),
        ("stride", ctypes.c_int32 * 2),
        ("padding", ctypes.c_int32 * 2),
        ("count_padding", ctypes.c_int32),
        ("bias", ctypes.c_int32),
    )


class _Scaling(ctypes.Structure):
    _fields_ = (
        ("height", ctypes.c_int),
        ("width", ctypes.c_int),
        ("top", ctypes.c_int),
        ("left", ctypes.c_int),
        ("scale", ctypes.c_float),
        ("shift", ctypes.c_float),
    )


class _Pictures(ctypes.Structure):
    _fields_ = (
        ("memory", ctypes.c_void_p),
        ("bytes", ctypes.c_bool),
        ("rows", ctypes.c_void_p),
    )


class _Sgd(ctypes.Structure):
    _fields_ = (
        ("lr", ctypes.c_float),
        ("momentum", ctypes.c_float),
        ("decay", ctypes.c_float),
        ("nesterov", ctypes.c_int32),
    )


class Chain:
    """A network in the native engine, which follows the network's weights as they change.

    A change that PyTorch does not count, through `.data`, is seen from the next `step` on.

    Calls use `torch.get_num_threads()` threads; for the same number of threads the same numbers
    come out, bit by bit.

    Attributes:
        network: the module whose weights it uses.
        image: how bytes become what the network sees.
        classes: how many logits a picture has.
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
        # Looked up here, for a module's own lookup takes longer than a picture's convolutions.
        self._owners = [layer.module._parameters for layer in layers if layer.module is not None]
        self._handle = _create(found, layers, image)
        self._sizes = {torch.float32: torch.Size(image.input)}
        if image.enlarge != "resize":
            self._sizes[torch.uint8] = torch.Size(image.stored)
        self._kept: list[tuple[int, int]] | None = None  # which weights the library has kept
        self._frozen = frozen
        if frozen:
            self._keep()

    def step(self, pictures: Tensor, labels: Tensor, *, label_smoothing: float = 0.0) -> Step:
        """Returns loss and number right of a batch; sets `.grad` of every parameter.

        The gradient is that of the mean cross-entropy, and takes the place of what was there.

        Args:
            pictures: uint8 (N, C, H, W) as stored, or float32 as the network sees them.
            labels: int64 (N,).
            label_smoothing: 0..1, as in `torch.nn.functional.cross_entropy`.

        Raises:
            UserError: for an empty batch, a wrong type, shape or label, or a picture that holds
                something else than finite numbers.
        """
        return self._learn(pictures, labels, None, None, label_smoothing)

    def train(
        self,
        pictures: Tensor,
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
            pictures: as for `step`, of the whole data set.
            labels: int64 (N,), likewise.
            rows: int64 (B,), which of them make the batch; None for all.
            optimizer: of the network's parameters.
            label_smoothing: 0..1.

        Raises:
            UserError: as `step`, for a row that is not there, or an optimizer of another kind.
        """
        return self._learn(pictures, labels, rows, optimizer, label_smoothing)

    def logits(self, pictures: Tensor) -> Tensor:
        """Returns logits float32 (N, classes).

        Args:
            pictures: uint8 (N, C, H, W) as stored, or float32 as the network sees them.

        Raises:
            UserError: for a wrong type or shape, or a picture that holds something else than
                finite numbers.
        """
        if not self._frozen and self._kept != self._token():
            self._keep()
        memory = self._checked(pictures)
        count = memory.shape[0]
        logits = torch.empty((count, self.classes))
        if count == 1:
            bytes_ = memory.dtype is torch.uint8
            start = memory.data_ptr(), bytes_, logits.data_ptr()
            if outcome := self._library.holmdel_answer_one(self._handle, *start):
                _refuse(outcome, 0, None)
        if count < 2:
            return logits
        where = ctypes.c_long()
        outcome = self._library.holmdel_answer(
            self._handle,
            ctypes.byref(_Pictures(memory.data_ptr(), memory.dtype == torch.uint8, None)),
            count,
            torch.get_num_threads(),
            logits.data_ptr(),
            ctypes.byref(where),
        )
        _refuse(outcome, where.value, None)
        return logits

    def _keep(self) -> None:
        """Gives the library the weights as they are."""
        self._kept = self._token()
        values = [_plain(p) for p in self._parameters()]
        self._library.holmdel_keep(self._handle, _pointers(values), torch.get_num_threads())

    def _token(self) -> list[tuple[int, int]]:
        """Returns what tells the weights of one moment from those of another."""
        return [(p.data_ptr(), p._version) for p in self._parameters() if p is not None]

    def __del__(self) -> None:
        if handle := getattr(self, "_handle", None):
            self._library.holmdel_free(handle)

    def _parameters(self) -> list[Tensor | None]:
        """Returns weight and bias of every layer that has them, in order."""
        return [own[name] for own in self._owners for name in ("weight", "bias")]

    def _learn(
        self,
        pictures: Tensor,
        labels: Tensor,
        rows: Tensor | None,
        optimizer: torch.optim.SGD | None,
        label_smoothing: float,
    ) -> Step:
        if self._frozen:
            raise UserError("a frozen chain was asked to learn; compile it without frozen=True")
        self._kept = None
        memory = self._checked(pictures)
        labels, rows = _checked_labels(labels, len(memory)), _checked_rows(rows, len(memory))
        count = len(memory) if rows is None else len(rows)
        if not count:
            raise UserError("an empty batch was given; expected at least one picture")
        if not 0 <= label_smoothing < 1:
            raise UserError(f"label_smoothing was given as {label_smoothing}; expected 0..1")
        parameters = self._parameters()
        fused = _fused(optimizer, parameters) if optimizer is not None else None
        values = [_plain(p) for p in parameters]
        gradients = [_gradient(p) for p in parameters]
        loss, correct, where = ctypes.c_double(), ctypes.c_int64(), ctypes.c_long()
        outcome = self._library.holmdel_learn(
            self._handle,
            ctypes.byref(
                _Pictures(
                    memory.data_ptr(),
                    memory.dtype == torch.uint8,
                    None if rows is None else rows.data_ptr(),
                )
            ),
            labels.data_ptr(),
            count,
            torch.get_num_threads(),
            label_smoothing,
            _pointers(values),
            _pointers(gradients),
            fused.steps if fused else None,
            fused.velocities if fused else None,
            ctypes.byref(loss),
            ctypes.byref(correct),
            ctypes.byref(where),
        )
        _refuse(outcome, where.value, labels if rows is None else labels[rows], self.classes)
        for parameter, gradient in zip(parameters, gradients, strict=True):
            if parameter is not None and parameter.requires_grad:
                parameter.grad = gradient
        if optimizer is not None:
            if fused:
                fused.finish(optimizer, parameters)
            else:
                optimizer.step()
        return Step(loss.value, correct.value)

    def _checked(self, pictures: Tensor) -> Tensor:
        """Returns pictures as the library reads them: in order, without gaps."""
        size = self._sizes.get(pictures.dtype)
        if size is None or not pictures.is_cpu:
            expected = " or ".join(str(dtype) for dtype in self._sizes)
            raise UserError(
                f"pictures were given as {pictures.dtype} on {pictures.device}; expected "
                f"{expected} on the CPU"
            )
        if pictures.shape[1:] != size:
            raise UserError(
                f"pictures were given as {tuple(pictures.shape)}; expected (N, "
                f"{', '.join(map(str, size))})"
            )
        return pictures if pictures.is_contiguous() else pictures.contiguous()


class _Fused(NamedTuple):
    """The steps of SGD for the library, and the buffers of momentum it changes."""

    steps: ctypes.Array[_Sgd]
    velocities: ctypes.Array[ctypes.c_void_p]
    buffers: list[Tensor | None]

    def finish(self, optimizer: torch.optim.SGD, parameters: Sequence[Tensor | None]) -> None:
        """Leaves the optimizer as its own `step` would."""
        changed = [p for p in parameters if p is not None]
        for parameter, buffer in zip(parameters, self.buffers, strict=True):
            if parameter is not None and buffer is not None:
                optimizer.state[parameter]["momentum_buffer"] = buffer
        torch.autograd.graph.increment_version(changed)
        vars(optimizer)["_opt_called"] = True  # what a learning rate schedule looks for


def compile(network: nn.Module, image: ImageContract | Shape, *, frozen: bool = False) -> Chain:
    """Returns the chain of a network in the native engine.

    Args:
        network: a chain of Conv2d, AvgPool2d, MaxPool2d, Sigmoid, Tanh, ReLU, Flatten and Linear,
            on the CPU, in float32.
        image: how uint8 pictures become what the network sees, or that size, (C, H, W). Where it
            asks for resizing, the chain takes float32 alone.
        frozen: answer by the weights as they are now, without looking whether they changed.

    Raises:
        Unsupported: for a layer that the engine does not know, or if there is no engine.
    """
    if isinstance(image, tuple):
        image = ImageContract(stored=image, input=image)
    for name, parameter in network.named_parameters():
        if parameter.dtype != torch.float32 or parameter.device.type != "cpu":
            raise Unsupported(
                f"{name} is {parameter.dtype} on {parameter.device}; the engine takes "
                "torch.float32 on the CPU"
            )
    return Chain(network, image, frozen=frozen)


def _create(found: ctypes.CDLL, layers: list[Layer], image: ImageContract) -> int:
    described = (_Layer * len(layers))()
    for to, layer in zip(described, layers, strict=True):
        to.kind = _KINDS.index(layer.kind)
        for field in ("input", "output", "kernel", "stride", "padding"):
            getattr(to, field)[:] = getattr(layer, field)
        to.count_padding = layer.count_padding
        to.bias = layer.module is not None and layer.module.bias is not None
    height, width = image.stored[1:]
    top, left = (image.input[1] - height) // 2, (image.input[2] - width) // 2
    if image.enlarge == "resize":  # bytes are not taken then
        (height, width), top, left = image.input[1:], 0, 0
    scaling = _Scaling(height, width, top, left, 1 / (255 * image.std), -image.mean / image.std)
    handle = found.holmdel_create(described, len(layers), ctypes.byref(scaling), _SLOTS)
    if not handle:
        raise MemoryError("not enough memory for the native engine's buffers")
    return int(handle)


def _plain(parameter: Tensor | None) -> Tensor | None:
    return None if parameter is None else parameter.detach().contiguous()


def _gradient(parameter: Tensor | None) -> Tensor | None:
    """Returns where a parameter's gradient goes: where it is, if the library can write there."""
    if parameter is None:
        return None
    there = parameter.grad
    if there is not None and there.is_contiguous() and there.dtype == torch.float32:
        return there
    return torch.empty(parameter.shape)


def _pointers(tensors: Sequence[Tensor | None]) -> ctypes.Array[ctypes.c_void_p]:
    return (ctypes.c_void_p * len(tensors))(*(None if t is None else t.data_ptr() for t in tensors))


def _fused(optimizer: torch.optim.SGD, parameters: Sequence[Tensor | None]) -> _Fused | None:
    """Returns the optimizer's steps for the library, or None where PyTorch has to do them."""
    if type(optimizer) is not torch.optim.SGD:
        raise UserError(
            f"an optimizer was given as {type(optimizer).__name__}; expected torch.optim.SGD"
        )
    groups = {id(p): group for group in optimizer.param_groups for p in group["params"]}
    steps = (_Sgd * len(parameters))()
    buffers: list[Tensor | None] = []
    for step, parameter in zip(steps, parameters, strict=True):
        buffers.append(None)
        group = None if parameter is None else groups.get(id(parameter))
        if parameter is None or group is None or not parameter.requires_grad:
            continue  # lr is 0
        if group["dampening"] or group["maximize"] or not parameter.is_contiguous():
            return None
        step.lr, step.momentum = float(group["lr"]), group["momentum"]
        step.decay, step.nesterov = group["weight_decay"], group["nesterov"]
        if step.momentum:
            buffer = optimizer.state[parameter].get("momentum_buffer")
            buffers[-1] = torch.zeros_like(parameter) if buffer is None else buffer
    return _Fused(steps, _pointers(buffers), buffers)


def _checked_labels(labels: Tensor, count: int) -> Tensor:
    if labels.dtype != torch.int64 or labels.shape != (count,):
        raise UserError(
            f"labels were given as {labels.dtype} {tuple(labels.shape)}; expected torch.int64 "
            f"({count},), one a picture"
        )
    return labels.contiguous()


def _checked_rows(rows: Tensor | None, count: int) -> Tensor | None:
    if rows is None or not len(rows):
        return rows
    if rows.dtype != torch.int64 or rows.ndim != 1 or rows.min() < 0 or rows.max() >= count:
        raise UserError(
            f"rows were given as {rows.dtype} {tuple(rows.shape)}, from {int(rows.min())} to "
            f"{int(rows.max())}; expected torch.int64 (B,) in 0..{count - 1}"
        )
    return rows.contiguous()


def _refuse(outcome: int, where: int, labels: Tensor | None, classes: int = 0) -> None:
    if not outcome:
        return
    if outcome == _NOT_FINITE:
        raise UserError(
            f"picture {where} of the batch holds a value that is no finite number; expected "
            "numbers such as 0..1"
        )
    if labels is not None:
        raise UserError(
            f"label {where} of the batch is {int(labels[where])}; expected 0..{classes - 1}"
        )
