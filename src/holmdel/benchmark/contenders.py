"""Who trains and who infers on the same images: the engine, PyTorch in its forms, runtimes."""

from collections.abc import Callable, Mapping
from functools import partial
from itertools import cycle
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from holmdel import engine
from holmdel.benchmark.rounds import Contender, Maker, Missing, repeated
from holmdel.benchmark.runtimes import RUNTIMES
from holmdel.benchmark.workload import Workload
from holmdel.errors import UserError

FUSED, ENGINE = "engine, SGD fused", "engine"
CONTIGUOUS, CHANNELS_LAST = "PyTorch, contiguous", "PyTorch, channels-last"
COMPILED = "torch.compile"
LAYOUTS = {CHANNELS_LAST: torch.channels_last, CONTIGUOUS: torch.contiguous_format}
Call = Callable[[], object]


def makers(calls: Mapping[str, Callable[[], Call]], batch: int) -> dict[str, Maker]:
    """Returns contenders by name; each call goes through one batch."""

    def contender(name: str, call: Callable[[], Call]) -> Contender:
        return Contender(name, batch, repeated(call()))

    return {name: partial(contender, name, call) for name, call in calls.items()}


def trainers(work: Workload) -> dict[str, Maker]:
    """Returns who can train the workload's network, by name; every call is one step."""
    calls: dict[str, Callable[[], Call]] = {FUSED: partial(fused_step, work)}
    calls |= {name: partial(torch_step, work, layout) for name, layout in LAYOUTS.items()}
    return makers(calls | {COMPILED: partial(compiled_step, work)}, work.batch)


def fused_step(work: Workload) -> Call:
    """Returns a step of the engine from stored images to new weights: it gathers and scales too.

    Raises:
        UserError: if the engine does not take the network.
    """
    network = work.build()
    chain = engine.compile(network, work.input)
    optimizer = torch.optim.SGD(network.parameters(), lr=work.lr)
    turns = cycle(work.rows())
    return lambda: chain.train(work.images, work.labels, next(turns), optimizer)


def torch_step(work: Workload, layout: torch.memory_format, *, compiled: bool = False) -> Call:
    """Returns a plain PyTorch step on batches made ready in a memory layout."""
    network: Any = work.build()
    network = network.to(memory_format=layout)
    if compiled:
        network = torch.compile(network)
    optimizer = torch.optim.SGD(network.parameters(), lr=work.lr)
    turns = cycle(work.batches(layout))

    def step() -> None:
        images, labels = next(turns)
        loss = F.cross_entropy(network(images), labels)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    return step


def compiled_step(work: Workload) -> Call:
    """Returns a step of the network under torch.compile, compiled before it is returned.

    Raises:
        Missing: if it cannot be compiled here.
    """
    step = torch_step(work, torch.channels_last, compiled=True)
    try:
        step()
    except Exception as error:  # without a compiler, or on a new Python: any of many
        raise Missing(f"it does not compile here ({type(error).__name__})") from error
    return step


def runtime_names(threads: int) -> tuple[str, ...]:
    """Returns the names of all runtimes, each on one thread, and on all of them."""
    return tuple(_runtimes(threads))


def _runtimes(threads: int) -> dict[str, tuple[str, int]]:
    """Returns the runtime and its number of threads by the contender's name."""
    counts = sorted({1, threads})
    return {f"{name}, threads {count}": (name, count) for name in RUNTIMES for count in counts}


def inferrers(work: Workload, threads: int) -> dict[str, Maker]:
    """Returns who can compute the logits of one batch, by name; every call is a batch."""
    calls: dict[str, Callable[[], Call]] = {ENGINE: partial(engine_logits, work)}
    for name, (runtime, count) in _runtimes(threads).items():
        calls[name] = partial(_runtime_logits, runtime, work, count)
    calls |= {name: partial(torch_logits, work, layout) for name, layout in LAYOUTS.items()}
    return makers(calls, work.batch)


def _runtime_logits(name: str, work: Workload, threads: int) -> Call:
    """Returns a runtime's call, made once before it is returned.

    Raises:
        ImportError: if it is not installed.
        Missing: if it does not run here.
    """
    try:
        call = RUNTIMES[name](work, threads)
        call()
    except (ImportError, Missing):
        raise
    except UserError as error:  # of the export that it needs, say that a package is missing
        raise Missing(str(error)) from None
    except Exception as error:  # of another version, on another processor: any of many
        raise Missing(f"it does not run here ({type(error).__name__})") from error
    return call


def engine_logits(work: Workload) -> Callable[[], Tensor]:
    """Returns a call that gives the logits (batch, classes) by the engine, its weights frozen.

    Raises:
        UserError: if the engine does not take the network.
    """
    chain = engine.compile(work.build().eval(), work.input, frozen=True)
    images = work.batches(torch.contiguous_format)[0][0]
    return lambda: chain.logits(images)


def torch_logits(work: Workload, layout: torch.memory_format) -> Callable[[], Tensor]:
    """Returns a call that gives the logits (batch, classes) by PyTorch in a memory layout."""
    network: Any = work.build().eval()
    network = network.to(memory_format=layout)
    images = work.batches(layout)[0][0]

    @torch.inference_mode()
    def call() -> Tensor:
        logits: Tensor = network(images)
        return logits

    return call
