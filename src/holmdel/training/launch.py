"""Starts the other workers of a training on this machine, as `torchrun` does on many."""

import multiprocessing
import os
import signal
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from typing import Any, TypeAlias

import torch

from holmdel.errors import UserError
from holmdel.processes import end_with_parent
from holmdel.training.callbacks import Stopped
from holmdel.training.group import LostWorkers, launched

MOST_A_CORE = 16  # workers; each takes hundreds of megabytes

Started: TypeAlias = "tuple[multiprocessing.process.BaseProcess, Connection]"


@contextmanager
def workers(count: int, function: Any, arguments: Mapping[str, Any]) -> Iterator[None]:
    """Starts workers 1 to `count` - 1, makes this process worker 0, and ends them all at the end.

    Where torchrun has started this process already, or there is but one worker, nothing is done.

    Args:
        count: of workers.
        function: what the others call; each finds its number by `group.launched`.
        arguments: by name; can be pickled.

    Raises:
        UserError: for another number than torchrun's, or one that fills the machine; the mistake
            of a worker that ended first.
    """
    already = launched().count
    if already > 1 and count not in (1, already):
        raise UserError(
            f"workers was given as {count}, and torchrun has started {already}; leave one out"
        )
    if already > 1 or count == 1:
        yield
        return
    most = MOST_A_CORE * (os.cpu_count() or 1)
    if count > most:
        raise UserError(f"workers was given as {count}; expected at most {most} on this machine")
    threads = torch.get_num_threads()
    place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(_free_port()), "WORLD_SIZE": str(count)}
    share = max(1, threads // count)
    started = _started(count, place, function, arguments, share)
    torch.set_num_threads(share)
    try:
        with _environment({**place, "RANK": "0", "LOCAL_RANK": "0"}):
            yield
    except LostWorkers as lost:
        raise _reason(started) or lost from None
    finally:
        torch.set_num_threads(threads)
        for process, _ in started:
            process.join(timeout=1)
            process.kill()
            process.join()


def _started(
    count: int,
    place: Mapping[str, str],
    function: Any,
    arguments: Mapping[str, Any],
    threads: int,
) -> list[Started]:
    """Starts the other workers, which ignore Ctrl-C: it is for this one."""
    context = multiprocessing.get_context("spawn")
    started: list[Started] = []
    for rank in range(1, count):
        mine, theirs = context.Pipe()
        environment = {**place, "RANK": str(rank), "LOCAL_RANK": str(rank)}
        process = context.Process(
            target=_work,
            args=(environment, function, arguments, threads, theirs),
            daemon=True,
        )
        try:
            process.start()
        except Exception as error:  # what cannot be pickled says so in many ways
            raise UserError(
                f"workers was given as {count}, and what is trained cannot go to other processes "
                f"({error}); give a name, or FILE.py:NAME"
            ) from None
        theirs.close()
        started.append((process, mine))
    return started


def _work(
    environment: Mapping[str, str],
    function: Any,
    arguments: Mapping[str, Any],
    threads: int,
    told: Connection,
) -> None:
    """What another worker does; its mistake goes to worker 0, which says it."""
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ |= environment
    torch.set_num_threads(threads)
    try:
        function(**arguments)
    except (LostWorkers, Stopped, KeyboardInterrupt):
        pass  # worker 0 knows why
    except UserError as error:
        with suppress(OSError):
            told.send(str(error))


def _reason(started: Sequence[Started]) -> UserError | None:
    """Returns the mistake of a worker that has ended, if one said it."""
    for process, said in started:
        process.join(timeout=1)
        with suppress(EOFError, OSError):
            if said.poll():
                return UserError(said.recv())
    return None


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ |= values
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
