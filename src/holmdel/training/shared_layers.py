"""Layers that see a whole batch while each worker has a share: batch norms, dropout."""

import copy
from typing import Any, cast

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx

from holmdel.training.group import Group, lost_workers


class Shared:
    """Which share of a batch this worker has; changes with the size of the batch.

    Args:
        group: of the workers.
    """

    def __init__(self, group: Group) -> None:
        self.group = group
        self.size = 0

    @property
    def part(self) -> slice:
        """The examples of this worker."""
        return self.group.share(self.size)


def share_layers(network: nn.Module, shared: Shared) -> None:
    """Has the layers of a network that look beyond an example do so over all workers, in place.

    Batch norms take mean and variance of the whole batch. `torch.nn.SyncBatchNorm` would on GPUs
    alone. Dropout draws for the whole batch and keeps its share.
    """
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            _become(module, _BatchNorm, shared)
        elif type(module) is nn.Dropout:
            _become(module, _Dropout, shared)


class _SharedLayer:
    """A layer that knows its share; its class was that of `own`."""

    shared: Shared
    own: type[nn.Module]

    def __deepcopy__(self, memo: dict[int, Any]) -> nn.Module:
        """Returns the layer as it was before it was shared, with what it has learned."""
        copied = self.own.__new__(self.own)
        kept = {name: value for name, value in vars(self).items() if name not in _OF_SHARED}
        vars(copied).update(copy.deepcopy(kept, memo))
        return copied


_OF_SHARED = ("shared", "own")


def _become(module: nn.Module, kind: type[nn.Module], shared: Shared) -> None:
    vars(module).update(shared=shared, own=type(module))
    module.__class__ = cast(Any, kind)


class _Dropout(_SharedLayer, nn.Dropout):
    def forward(self, input: Tensor) -> Tensor:
        """Returns the activations of this share, dropped as those of the whole batch would be."""
        if not self.training or self.p == 0:
            return input
        shape = (self.shared.size, *input.shape[1:])
        # Numbers are drawn in the order in which they lie in memory.
        last = input.ndim == 4 and input.is_contiguous(memory_format=torch.channels_last)
        layout = torch.channels_last if last else torch.contiguous_format
        whole = torch.empty(shape, dtype=input.dtype, device=input.device, memory_format=layout)
        whole.bernoulli_(1 - self.p)
        return input * (whole[self.shared.part] / (1 - self.p))


class _BatchNorm(_SharedLayer, nn.modules.batchnorm._BatchNorm):
    """Ioffe and Szegedy (2015), algorithm 1, over the examples of all workers."""

    def _check_input_dim(self, input: Tensor) -> None:
        """Takes whatever it was made for."""

    def forward(self, input: Tensor) -> Tensor:
        """Returns the normalised activations of this share."""
        if not self.training:
            return super().forward(input)
        axes = [0, *range(2, input.ndim)]
        shape = [1, -1, *[1] * (input.ndim - 2)]
        places = input.shape[2:].numel() * self.shared.size
        mean = _total(input.sum(axes)) / places
        centred = input - mean.view(shape)
        variance = _total((centred**2).sum(axes)) / places
        self._remember(mean.detach(), variance.detach() * (places / max(places - 1, 1)))
        scale = (self.weight if self.affine else 1) * (variance + self.eps).rsqrt()
        found = centred * scale.view(shape)
        return found + self.bias.view(shape) if self.affine else found

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        """Moves the running statistics towards those of a batch."""
        if self.running_mean is None or self.running_var is None:
            return
        assert self.num_batches_tracked is not None
        self.num_batches_tracked += 1
        part = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), part)
        self.running_var.lerp_(variance.to(self.running_var.dtype), part)


class _Sum(torch.autograd.Function):
    """The sum over all workers; so is its gradient, for each worker's loss depends on all."""

    @staticmethod
    def forward(ctx: FunctionCtx, share: Tensor) -> Tensor:
        """Returns the sum of what each worker gives."""
        return _reduced(share)

    @staticmethod
    def backward(ctx: FunctionCtx, *gradients: Tensor) -> Tensor:
        """Returns the sum of the gradients."""
        return _reduced(gradients[0])


def _total(share: Tensor) -> Tensor:
    return cast(Tensor, _Sum.apply(share))  # type: ignore[no-untyped-call]


def _reduced(share: Tensor) -> Tensor:
    sums = share.detach().clone(memory_format=torch.contiguous_format)
    with lost_workers():
        dist.all_reduce(sums)
    return sums
