"""The workers of a training: each takes its share of every batch, and all take the same step.

`torch.distributed` joins them, gloo on processors and nccl on GPUs. A worker draws what the whole
batch draws and keeps its share, so W workers see the batches of one.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from holmdel.errors import UserError

PATIENCE = timedelta(minutes=30)  # to wait for another worker; data may have to be fetched
_LAUNCHED = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")  # what torchrun sets


class LostWorkers(UserError):  # noqa: N818 - whose end it was is told by that one
    """Another worker of the training ended, or does not answer."""


@dataclass(frozen=True)
class Group:
    """The workers of a training, seen from one of them.

    Attributes:
        rank: the number of this worker; 0 writes the run folder.
        count: of workers.
    """

    rank: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        """Whether this worker reports and writes."""
        return self.rank == 0

    def share(self, size: int) -> slice:
        """Returns which examples of a batch of so many are this worker's.

        >>> Group(0, 2).share(5), Group(1, 2).share(5)
        (slice(0, 3, None), slice(3, 5, None))
        """
        each, more = divmod(size, self.count)
        begin = self.rank * each + min(self.rank, more)
        return slice(begin, begin + each + (self.rank < more))

    def add(self, tensors: Sequence[Tensor]) -> None:
        """Makes each tensor the sum over all workers, in place; all of them go in one message.

        Every worker gets the same bits, and the same ones each time with as many workers.

        Raises:
            UserError: if another worker ended or does not answer.
        """
        if self.count == 1:
            return
        flat = torch.cat([tensor.detach().flatten() for tensor in tensors])
        with lost_workers():
            dist.all_reduce(flat)
        parts = torch.split(flat, [tensor.numel() for tensor in tensors])
        with torch.no_grad():
            for tensor, part in zip(tensors, parts, strict=True):
                tensor.copy_(part.view_as(tensor))

    def total(self, *numbers: float) -> tuple[float, ...]:
        """Returns the sum of each number over all workers.

        Raises:
            UserError: as `add`.
        """
        if self.count == 1:
            return numbers
        sums = torch.tensor(numbers, dtype=torch.float64, device=_device())
        self.add([sums])
        return tuple(sums.tolist())

    def any(self, asked: bool) -> bool:
        """Tells whether one of the workers asks for something."""
        return self.total(float(asked))[0] > 0

    def told(self, value: Any = None) -> Any:
        """Returns what worker 0 says, for which it waits."""
        if self.count == 1:
            return value
        box = [value]
        with lost_workers():
            dist.broadcast_object_list(box, 0, device=torch.device(_device()))
        return box[0]


ALONE = Group()


def launched() -> Group:
    """Returns the group that the environment names, as torchrun sets it; `ALONE` for none.

    Raises:
        UserError: for half of such an environment.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return ALONE
    missing = [name for name in _LAUNCHED if name not in os.environ]
    if missing:
        raise UserError(
            f"WORLD_SIZE is set, and {', '.join(missing)} not; start the workers with torchrun, or "
            "give --workers"
        )
    return Group(int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"]))


def of_this_worker(device: torch.device) -> torch.device:
    """Returns a device; of several GPUs the one of this worker's number on its machine."""
    if device.type != "cuda" or device.index is not None or "LOCAL_RANK" not in os.environ:
        return device
    return torch.device("cuda", int(os.environ["LOCAL_RANK"]) % torch.cuda.device_count())


@contextmanager
def joined(group: Group, device: torch.device) -> Iterator[Group]:
    """Gives the group once all workers are there.

    Raises:
        UserError: if the others do not come.
    """
    if group.count == 1 or dist.is_initialized():  # by whoever launched us
        yield group
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    backend = "nccl" if device.type == "cuda" else "gloo"
    address = f"{os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']}"
    try:
        dist.init_process_group(backend, timeout=PATIENCE)
    except (RuntimeError, ValueError) as error:
        raise UserError(
            f"the workers of the training did not meet at {address} ({_first(error)}); start "
            f"{group.count} of them, with MASTER_ADDR one that all reach"
        ) from None
    try:
        yield group
    finally:
        dist.destroy_process_group()


@contextmanager
def lost_workers() -> Iterator[None]:
    """Turns the end of another worker into a UserError."""
    try:
        yield
    except RuntimeError as error:
        raise LostWorkers(
            "another worker of the training ended, perhaps for want of memory "
            f"({_first(error)}); go on with --resume, with as many workers or others"
        ) from None


def _device() -> str:
    return "cuda" if dist.get_backend() == "nccl" else "cpu"


def _first(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].strip()
