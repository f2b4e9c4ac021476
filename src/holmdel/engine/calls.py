"""The arguments of the native library's functions, checked, and the errors behind its codes."""

import ctypes
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from holmdel.engine.layer import Layer
from holmdel.engine.library import described, new_chain, scaling_of
from holmdel.engine.parts import Unsupported
from holmdel.errors import UserError
from holmdel.images.contract import ImageContract

_NOT_FINITE = 1  # an image, in the library's answer
_NO_MEMORY = 3


def create(found: ctypes.CDLL, layers: Sequence[Layer], image: ImageContract) -> int:
    """Returns the library's handle of a chain of layers; `holmdel_free` is to be called with it.

    Raises:
        Unsupported: for layers that do not follow from one another, or from the images.
    """
    _expect_fitting(image)
    if layers[0].input != image.input:
        raise Unsupported(f"layer 0 of a chain reads {layers[0].input}, not {image.input}")
    rows = described([layer.described() for layer in layers])
    try:
        return new_chain(found, rows, scaling_of(image))
    except UserError as error:
        raise Unsupported(str(error)) from None


def pointers(tensors: Sequence[Tensor | None]) -> ctypes.Array[ctypes.c_void_p]:
    """Returns where tensors without gaps begin; null for None."""
    return (ctypes.c_void_p * len(tensors))(*(None if t is None else t.data_ptr() for t in tensors))


def plain(tensor: Tensor) -> Tensor:
    """Returns a tensor whose memory holds its numbers, in order and without gaps."""
    return tensor.resolve_neg().contiguous()


def is_plain(tensor: Tensor) -> bool:
    """Tells whether the library can write into a tensor's memory."""
    return tensor.is_contiguous() and not tensor.is_neg() and tensor.is_cpu


def gradient_of(parameter: Tensor | None) -> Tensor | None:
    """Returns where a parameter's gradient goes: where it is, if the library can write there."""
    if parameter is None:
        return None
    there = parameter.grad if parameter.requires_grad else None
    if there is not None and is_plain(there) and there.dtype == torch.float32:
        return there
    return torch.empty(parameter.shape)


def checked_images(images: Tensor, sizes: Mapping[torch.dtype, torch.Size]) -> Tensor:
    """Returns images (N, C, H, W) as the library reads them: in order, without gaps.

    Args:
        images: what was given.
        sizes: (C, H, W) for each type that is taken.

    Raises:
        UserError: for another type, device, layout or size.
    """
    expected = " or ".join(str(dtype) for dtype in sizes)
    if type_of(images) is not None or images.dtype not in sizes or not images.is_cpu:
        given = type_of(images) or f"{images.dtype} on {images.device}"
        raise UserError(f"images were given as {given}; expected {expected} on the CPU")
    size = sizes[images.dtype]
    if images.shape[1:] != size:
        raise UserError(
            f"images were given as {tuple(images.shape)}; expected (N, {', '.join(map(str, size))})"
        )
    return plain(images)


def type_of(given: object) -> str | None:
    """Returns what was given where a plain tensor was expected; None for one."""
    if not isinstance(given, Tensor):
        return type(given).__name__
    if given.is_nested:
        return "a nested tensor"
    return None if given.layout is torch.strided else f"a tensor of {given.layout}"


def checked_labels(labels: Tensor, count: int) -> Tensor:
    """Returns labels (count,) as the library reads them.

    Raises:
        UserError: for another type or shape.
    """
    other = type_of(labels)
    if other or not labels.is_cpu or labels.dtype != torch.int64 or labels.shape != (count,):
        given = other or f"{labels.dtype} {tuple(labels.shape)} on {labels.device}"
        raise UserError(
            f"labels were given as {given}; expected torch.int64 ({count},) on the CPU, one per "
            "image"
        )
    return plain(labels)


def checked_rows(rows: Tensor | None, count: int) -> Tensor | None:
    """Returns row numbers (B,) as the library reads them, or None for all.

    Raises:
        UserError: for another type or shape, or a number outside of 0..count - 1.
    """
    if rows is None:
        return None
    other = type_of(rows)
    if other or rows.dtype != torch.int64 or rows.ndim != 1 or not rows.is_cpu:
        given = other or f"{rows.dtype} {tuple(rows.shape)} on {rows.device}"
        raise UserError(f"rows were given as {given}; expected torch.int64 (B,) on the CPU")
    if not len(rows):
        return rows
    low, high = map(int, rows.aminmax())
    if low < 0 or high >= count:
        raise UserError(f"rows were given from {low} to {high}; expected numbers in 0..{count - 1}")
    return plain(rows)


def refuse(outcome: int, where: int, labels: Tensor | None, classes: int = 0) -> None:
    """Raises what the library found wrong with a batch, if anything.

    Args:
        outcome: what it returned.
        where: the image's number in the batch.
        labels: those of the batch, if there are any.
        classes: how many there are.

    Raises:
        UserError: for an image that holds no finite numbers, or a label out of range.
    """
    if not outcome:
        return
    if outcome == _NO_MEMORY:
        raise MemoryError("not enough memory, or threads, for the native engine")
    if outcome == _NOT_FINITE:
        raise UserError(
            f"image {where} of the batch holds NaN or infinity; expected finite numbers, "
            "such as 0..1"
        )
    if labels is not None:
        raise UserError(
            f"label {where} of the batch is {int(labels[where])}; expected 0..{classes - 1}"
        )


def _expect_fitting(image: ImageContract) -> None:
    """Refuses a contract whose stored images do not lie in what the network sees."""
    fits = {
        "none": image.stored == image.input,
        "pad": all(small <= large for small, large in zip(image.stored, image.input, strict=True)),
        "resize": True,
    }
    if image.stored[0] != image.input[0] or not fits[image.enlarge]:
        raise Unsupported(
            f"images stored as {image.stored} do not become {image.input} by {image.enlarge!r}"
        )
