"""What is handed to the library: descriptions, pointers, and what it says of them."""

import ctypes
from collections.abc import Sequence

import torch
from torch import Tensor

from holmdel.engine.layers import Layer
from holmdel.engine.structures import KINDS, SLOTS, Described, Scaling
from holmdel.errors import UserError
from holmdel.images import ImageContract

_NOT_FINITE = 1  # a picture, in the library's answer
_NO_MEMORY = 3


def create(found: ctypes.CDLL, layers: Sequence[Layer], image: ImageContract) -> int:
    """Returns the library's handle of a chain of layers; `holmdel_free` is to be called with it."""
    described = (Described * len(layers))()
    for to, layer in zip(described, layers, strict=True):
        to.kind = KINDS.index(layer.kind)
        for field in ("input", "output", "kernel", "stride", "padding"):
            getattr(to, field)[:] = getattr(layer, field)
        to.count_padding = layer.count_padding
    height, width = image.stored[1:]
    top, left = (image.input[1] - height) // 2, (image.input[2] - width) // 2
    if image.enlarge == "resize":  # bytes are not taken then
        (height, width), top, left = image.input[1:], 0, 0
    scaling = Scaling(height, width, top, left, 1 / (255 * image.std), -image.mean / image.std)
    handle = found.holmdel_create(described, len(layers), ctypes.byref(scaling), SLOTS)
    if not handle:
        raise MemoryError("not enough memory for the native engine's buffers")
    return int(handle)


def pointers(tensors: Sequence[Tensor | None]) -> ctypes.Array[ctypes.c_void_p]:
    """Returns where tensors without gaps begin; null for None."""
    return (ctypes.c_void_p * len(tensors))(*(None if t is None else t.data_ptr() for t in tensors))


def gradient_of(parameter: Tensor | None) -> Tensor | None:
    """Returns where a parameter's gradient goes: where it is, if the library can write there."""
    if parameter is None:
        return None
    there = parameter.grad if parameter.requires_grad else None
    if there is not None and there.is_contiguous() and there.dtype == torch.float32:
        return there
    return torch.empty(parameter.shape)


def checked_labels(labels: Tensor, count: int) -> Tensor:
    """Returns labels (count,) as the library reads them.

    Raises:
        UserError: for another type or shape.
    """
    if not labels.is_cpu or labels.dtype != torch.int64 or labels.shape != (count,):
        raise UserError(
            f"labels were given as {labels.dtype} {tuple(labels.shape)} on {labels.device}; "
            f"expected torch.int64 ({count},) on the CPU, one a picture"
        )
    return labels.contiguous()


def checked_rows(rows: Tensor | None, count: int) -> Tensor | None:
    """Returns row numbers (B,) as the library reads them, or None for all.

    Raises:
        UserError: for another type or shape, or a number outside of 0..count - 1.
    """
    if rows is None:
        return None
    if rows.dtype != torch.int64 or rows.ndim != 1 or not rows.is_cpu:
        raise UserError(
            f"rows were given as {rows.dtype} {tuple(rows.shape)} on {rows.device}; expected "
            "torch.int64 (B,) on the CPU"
        )
    if not len(rows):
        return rows
    low, high = map(int, rows.aminmax())
    if low < 0 or high >= count:
        raise UserError(f"rows were given from {low} to {high}; expected numbers in 0..{count - 1}")
    return rows.contiguous()


def refuse(outcome: int, where: int, labels: Tensor | None, classes: int = 0) -> None:
    """Raises what the library found wrong with a batch, if anything.

    Args:
        outcome: what it returned.
        where: the picture's number in the batch.
        labels: those of the batch, if there are any.
        classes: how many there are.

    Raises:
        UserError: for a picture that holds no finite numbers, or a label out of range.
    """
    if not outcome:
        return
    if outcome == _NO_MEMORY:
        raise MemoryError("not enough memory, or threads, for the native engine")
    if outcome == _NOT_FINITE:
        raise UserError(
            f"picture {where} of the batch holds a value that is no finite number; expected "
            "numbers such as 0..1"
        )
    if labels is not None:
        raise UserError(
            f"label {where} of the batch is {int(labels[where])}; expected 0..{classes - 1}"
        )
