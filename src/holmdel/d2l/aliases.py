"""The book's tensor names: what it calls alike in every framework, here as PyTorch has it."""

from typing import Any

import torch
from torch import Tensor

ones = torch.ones
ones_like = torch.ones_like
zeros = torch.zeros
zeros_like = torch.zeros_like
tensor = torch.tensor
arange = torch.arange
linspace = torch.linspace
meshgrid = torch.meshgrid
eye = torch.eye
normal = torch.normal
rand = torch.rand
randn = torch.randn
abs = torch.abs
exp = torch.exp
log = torch.log
sin = torch.sin
cos = torch.cos
sinh = torch.sinh
cosh = torch.cosh
tanh = torch.tanh
sigmoid = torch.sigmoid
matmul = torch.matmul
batch_matmul = torch.bmm
concat = torch.cat
stack = torch.stack
float32 = torch.float32
int32 = torch.int32
int64 = torch.int64


def numpy(x: Tensor, *args: Any, **kwargs: Any) -> Any:
    """Returns a tensor's values as a NumPy array, from any device, without its gradient."""
    return x.detach().cpu().numpy(*args, **kwargs)


def size(x: Tensor) -> int:
    """Returns how many elements a tensor has."""
    return x.numel()


def reshape(x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """Returns the tensor in another shape."""
    return x.reshape(*args, **kwargs)


def to(x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """Returns the tensor on another device, or as another type."""
    moved: Tensor = x.to(*args, **kwargs)
    return moved


def astype(x: Tensor, *args: Any, **kwargs: Any) -> Any:
    """Returns the tensor as another type."""
    return x.type(*args, **kwargs)


def argmax(x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """Returns where the largest elements stand, along `axis`."""
    return x.argmax(*args, **kwargs)


def reduce_sum(x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """Returns the sum of the elements, along `axis` if one is given."""
    return x.sum(*args, **kwargs)


def reduce_mean(x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """Returns the mean of the elements, along `axis` if one is given."""
    return x.mean(*args, **kwargs)


def transpose(x: Tensor) -> Tensor:
    """Returns a matrix with rows and columns exchanged: (H, W) to (W, H)."""
    return x.t()


def expand_dims(x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """Returns the tensor with one more axis, of size 1."""
    return x.unsqueeze(*args, **kwargs)


def swapaxes(x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """Returns the tensor with two axes exchanged."""
    return x.swapaxes(*args, **kwargs)


def repeat(x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """Returns the tensor laid side by side with itself."""
    return x.repeat(*args, **kwargs)
