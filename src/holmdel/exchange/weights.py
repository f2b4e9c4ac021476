"""What a file of weights holds, whatever framework wrote it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor

from holmdel.errors import UserError

CHW, HWC = ORDERS = "chw", "hwc"  # channels, rows, columns: the slowest first
NAMES = {"kernel": "weight"}  # of tensors that are called otherwise in Keras, TensorFlow and Flax


@dataclass(frozen=True)
class Weights:
    """What a file holds, its kernels laid out as PyTorch has them.

    A convolution's weight is (out, in, rows, columns), a dense layer's (out, in).

    Attributes:
        file: what sentences call it.
        form: the format, in words.
        tensors: by name.
        ordered: whether their order is that of the network's definition.
        flattened: in which order the maps' numbers come to the first dense layer: `chw`, or `hwc`
            where the framework keeps channels last.
        assumed: whether that order is a guess, as the file does not say.
        options: options of a network that the file tells, such as its activation.
        foreign: options for which the file tells what no network here has.
        notes: sentences for who imports it.
    """

    file: str
    form: str
    tensors: dict[str, Tensor]
    ordered: bool = True
    flattened: str = CHW
    assumed: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    foreign: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def in_order(self, flattened: str | None) -> "Weights":
        """Returns the same, the order of the flattened maps as given; None for as it is."""
        if flattened is None:
            return self
        if flattened not in ORDERS:
            raise UserError(f"flatten was given as {flattened!r}; expected {' or '.join(ORDERS)}")
        return replace(self, flattened=flattened, assumed=False)


def channels_first(kernel: Tensor) -> Tensor:
    """Returns a kernel of a framework that keeps channels last, laid out as PyTorch has it.

    (rows, columns, in, out) to (out, in, rows, columns), (in, out) to (out, in); others as they
    are.
    """
    if kernel.ndim == 4:
        return kernel.permute(3, 2, 0, 1).contiguous()
    return kernel.t().contiguous() if kernel.ndim == 2 else kernel


def same_of_all(option: str, known: Mapping[Any, str], operators: Iterable[Any]) -> dict[str, Any]:
    """Returns an option of a network where all operators of its kind say the same.

    >>> same_of_all("pooling", {"MaxPool": "max", "AvgPool": "avg"}, ["Conv", "MaxPool"])
    {'pooling': 'max'}
    """
    found = {known[operator] for operator in operators if operator in known}
    return {option: found.pop()} if len(found) == 1 else {}
