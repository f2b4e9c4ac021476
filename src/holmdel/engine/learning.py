"""One call of the native library that learns from a batch: its arguments, and what comes of it."""

import ctypes
import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_

from holmdel.data import augment
from holmdel.engine.calls import gradient_of, is_plain, plain, pointers, refuse
from holmdel.engine.library import CHANGES, Augment, Images, Learned, Task
from holmdel.engine.parts import Unsupported
from holmdel.engine.steps import Steps, fused_steps


class Step(NamedTuple):
    """A training step's result: mean cross-entropy, and how many images were classified right."""

    loss: float
    correct: int


class Batch(NamedTuple):
    """What is learned from, checked.

    Attributes:
        images: uint8 or float32 (N, C, H, W), without gaps.
        labels: int64 (N,).
        rows: int64 (B,), which of them make the batch; None for all.
        size: B.
        smoothing: of labels, 0..1.
        clip: the largest norm of all gradients together; 0 for any.
        seed: of random numbers.
        augment: names in `library.CHANGES`, made one after the other to bytes.
    """

    images: Tensor
    labels: Tensor
    rows: Tensor | None
    size: int
    smoothing: float
    clip: float
    seed: int
    augment: Sequence[str]


def learn(
    library: ctypes.CDLL,
    handle: int,
    tensors: Sequence[Tensor | None],
    batch: Batch,
    optimizer: torch.optim.Optimizer | None,
    classes: int,
) -> Step:
    """Returns loss and number right of a batch; sets `.grad`, and with an optimizer takes a step.

    Args:
        library: the native one.
        handle: of the chain.
        tensors: its parameters and running statistics, from `Places`.
        batch: what is learned from.
        optimizer: SGD or AdamW, or None for gradients alone.
        classes: how many logits an image has.

    Raises:
        UserError: for an image that holds something else than finite numbers, or a label that is
            no class.
    """
    running = [t for t in tensors if t is not None and not isinstance(t, nn.Parameter)]
    if not all(is_plain(t) for t in running):
        raise Unsupported("a batch norm's running statistics lie in memory with gaps")
    fused = fused_steps(optimizer, tensors) if optimizer is not None else None
    gradients = [gradient_of(t) if isinstance(t, nn.Parameter) else None for t in tensors]
    step = _call(library, handle, tensors, batch, gradients, fused, classes)
    for tensor, gradient in zip(tensors, gradients, strict=True):
        if tensor is not None and tensor.requires_grad:
            tensor.grad = gradient
    torch.autograd.graph.increment_version([t for t in running if not t.is_inference()])
    if fused:
        assert optimizer is not None
        fused.finish(optimizer, tensors)
    elif optimizer is not None:
        if batch.clip:
            clip_grad_norm_([t for t in tensors if t is not None], batch.clip)
        optimizer.step()
    return step


def _call(
    library: ctypes.CDLL,
    handle: int,
    tensors: Sequence[Tensor | None],
    batch: Batch,
    gradients: Sequence[Tensor | None],
    fused: Steps | None,
    classes: int,
) -> Step:
    """Calls the library."""
    rows = None if batch.rows is None else batch.rows.data_ptr()
    plains = [None if t is None else plain(t.detach()) for t in tensors]
    values, into = pointers(plains), pointers(gradients)
    task = Task(
        images=Images(batch.images.data_ptr(), batch.images.dtype == torch.uint8, rows),
        labels=batch.labels.data_ptr(),
        count=batch.size,
        threads=torch.get_num_threads(),
        seed=batch.seed,
        values=ctypes.addressof(values),
        gradients=ctypes.addressof(into),
        steps=ctypes.addressof(fused.steps) if fused else None,
        velocities=ctypes.addressof(fused.first) if fused else None,
        squares=ctypes.addressof(fused.second) if fused else None,
        smoothing=batch.smoothing,
        clip=batch.clip if fused else 0.0,
        augment=_augment(batch.augment),
    )
    learned = Learned()
    if outcome := library.holmdel_learn(handle, ctypes.byref(task), ctypes.byref(learned)):
        labels = batch.labels if batch.rows is None else batch.labels[batch.rows]
        refuse(outcome, learned.where, labels, classes)
    return Step(learned.loss, learned.correct)


def _augment(names: Sequence[str]) -> Augment:
    """Returns the changes of images as the library takes them."""
    return Augment(
        count=len(names),
        changes=tuple(map(CHANGES.index, names)),
        rotation=math.radians(augment.ROTATION),
        scale=augment.SCALE,
        shear=augment.SHEAR,
        shift=augment.SHIFT,
        ripple=augment.RIPPLE,
    )
