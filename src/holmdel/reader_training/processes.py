"""Data-parallel training: processes that each see lines of their own and step by one mean gradient.

On one machine not `torch.distributed`, which joins several machines (`Launched`). With two
processes on two cores its gloo backend takes as long: 12.3 steps a second against 12.8 here, for
the reader's network with 16 lines a process, the best of five.
"""

import multiprocessing
import os
import pickle
import signal
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from typing import Any, TypeAlias

import torch
from torch import Tensor

from holmdel.errors import UserError
from holmdel.processes import end_with_parent
from holmdel.training import group

PATIENCE = 240.0  # seconds to wait for another process's step; then the training ends
_READY, _MISTAKE, _FAULT = b"ready", b"mistake", b"fault"

Work: TypeAlias = Callable[["Group"], object]


class Group:
    """The processes of a training, seen from one: process 0 takes the mean, the others wait for it.

    Attributes:
        rank: the number of this process.
        count: of processes.

    Args:
        rank: see above.
        rows: shared float32, a row of all gradients a process, and one for their mean.
        count: see above.
        links: of process 0, a connection to each other process; of those, the one to process 0.
        patience: seconds to wait for another process.
    """

    def __init__(
        self,
        rank: int = 0,
        count: int = 1,
        rows: Any = None,
        links: Sequence[Connection] = (),
        patience: float = PATIENCE,
    ) -> None:
        self.rank, self.count = rank, count
        self.here = count  # of them, those that share this machine's cores
        self._links, self._patience = links, patience
        self._rows = (
            torch.frombuffer(rows, dtype=torch.float32).view(count + 1, -1) if rows else None
        )

    def mean(self, gradients: Sequence[Tensor]) -> None:
        """Makes each gradient the mean over all processes; waits until every process is there.

        Raises:
            UserError: if another process made a mistake, ended, or does not answer.
            EOFError: in another process, if process 0 is gone.
        """
        if self._rows is None:
            return
        torch.cat([gradient.flatten() for gradient in gradients], out=self._rows[self.rank])
        if self.rank:
            self._links[0].send_bytes(_READY)
            self._links[0].recv_bytes()
        else:
            self._wait()
            torch.mean(self._rows[:-1], 0, out=self._rows[-1])
            for link in self._links:
                _tell(link, _READY)
        parts = torch.split(self._rows[-1], [gradient.numel() for gradient in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))

    def _wait(self) -> None:
        """Waits until all others have put down their gradients."""
        for number, link in enumerate(self._links, 1):
            if not link.poll(self._patience):
                raise UserError(
                    f"process {number} of the training has not answered for {self._patience:g} "
                    "seconds; go on with --resume, perhaps with fewer --processes"
                )
            try:
                said = link.recv_bytes()
            except (EOFError, OSError):
                raise UserError(
                    f"process {number} of the training ended from outside, perhaps for want of "
                    "memory; go on with --resume, perhaps with fewer --processes"
                ) from None
            kind, _, words = said.partition(b" ")
            if kind == _MISTAKE:
                raise UserError(words.decode())
            if kind == _FAULT:
                raise RuntimeError(f"process {number} of the training failed:\n{words.decode()}")


class Launched(Group):
    """The workers that torchrun has started, on however many machines.

    Args:
        workers: all of them.
    """

    def __init__(self, workers: group.Group) -> None:
        super().__init__(workers.rank, workers.count)
        self.here = int(os.environ.get("LOCAL_WORLD_SIZE", workers.count))
        self._workers = workers

    def mean(self, gradients: Sequence[Tensor]) -> None:
        """Makes each gradient the mean over all workers; waits until every worker is there.

        Raises:
            UserError: if another worker ended, or does not answer.
        """
        self._workers.add(gradients)
        for gradient in gradients:
            gradient.div_(self.count)


@contextmanager
def processes(count: int, work: Work, numbers: int, patience: float = PATIENCE) -> Iterator[Group]:
    """Starts the other processes and gives this one's group; ends them all at the end.

    Args:
        count: of processes, this one among them.
        work: what the others do, told their team; can be pickled, tensors are copied.
        numbers: in all gradients together.
        patience: seconds to wait for another process.
    """
    if count == 1:
        yield Group()
        return
    context = multiprocessing.get_context("spawn")
    rows = context.RawArray("f", (count + 1) * numbers)
    copied = pickle.dumps(work)  # torch's own way would have them all train one set of weights
    links, others = [], []
    try:
        with _ignoring_interrupts():
            for rank in range(1, count):
                link, theirs = context.Pipe()
                other = context.Process(
                    target=_work, args=(rank, count, rows, theirs, copied), daemon=True
                )
                other.start()
                theirs.close()  # so that the end of the other is the end of the link
                links.append(link)
                others.append(other)
        yield Group(0, count, rows, links, patience)
    finally:
        for other in others:
            other.kill()
        for other in others:
            other.join()


def _work(rank: int, count: int, rows: Any, link: Connection, copied: bytes) -> None:
    """What another process does: its work, until that is done, fails, or process 0 is gone."""
    end_with_parent()
    try:
        pickle.loads(copied)(Group(rank, count, rows, [link]))
    except (EOFError, ConnectionError):
        pass  # process 0 is gone, and whoever ended it knows why
    except UserError as error:
        _tell(link, _MISTAKE + b" " + str(error).encode())
    except Exception:
        _tell(link, _FAULT + b" " + traceback.format_exc().encode())


def _tell(link: Connection, words: bytes) -> None:
    with suppress(OSError):  # nobody listens any more
        link.send_bytes(words)


@contextmanager
def _ignoring_interrupts() -> Iterator[None]:
    """Has the processes that are started now ignore Ctrl-C, which is for this one."""
    try:
        old = signal.signal(signal.SIGINT, signal.SIG_IGN)
    except ValueError:  # not the main thread, which alone can
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, old)
