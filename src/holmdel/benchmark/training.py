"""Contenders for a training step: the engine, PyTorch in its forms, JAX and Keras."""

from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from holmdel import engine
from holmdel.benchmark import others
from holmdel.benchmark.chains import Workload
from holmdel.benchmark.rounds import Contender, Maker, Missing, repeated

FUSED = "engine, SGD fused"
STEPPED = "engine, torch SGD"
CONTIGUOUS = "PyTorch, contiguous"
CHANNELS_LAST = "PyTorch, channels-last"
COMPILED = "torch.compile"
JAX = "JAX"
KERAS = "Keras"
TRAINERS = (FUSED, STEPPED, CHANNELS_LAST, CONTIGUOUS, COMPILED, JAX, KERAS)
Call = Callable[[], object]


def training_makers(work: Workload) -> dict[str, Maker]:
    """Returns who can train the workload's network, by name; every call is one step."""
    calls: dict[str, Callable[[Workload], Call]] = {
        FUSED: fused_step,
        STEPPED: engine_step,
        CHANNELS_LAST: lambda work: torch_step(work, torch.channels_last),
        CONTIGUOUS: lambda work: torch_step(work, torch.contiguous_format),
        COMPILED: compiled_step,
        JAX: others.jax_step,
        KERAS: others.keras_step,
    }
    return {name: _maker(name, work, call) for name, call in calls.items()}


def _maker(name: str, work: Workload, call: Callable[[Workload], Call]) -> Maker:
    return lambda: Contender(name, work.batch, repeated(call(work)))


def fused_step(work: Workload) -> Call:
    """Returns a step of the engine from stored pictures to new weights: it gathers and scales too.

    Raises:
        UserError: if the engine does not take the network.
    """
    chain, optimizer = _engine(work)
    turns = cycle(work.rows())
    return lambda: chain.train(work.pictures, work.labels, next(turns), optimizer)


def engine_step(work: Workload) -> Call:
    """Returns a step of the engine on batches made ready, and one of torch's optimizer.

    Raises:
        UserError: if the engine does not take the network.
    """
    chain, optimizer = _engine(work)
    turns = cycle(work.batches(torch.contiguous_format))

    def step() -> None:
        chain.step(*next(turns))
        optimizer.step()

    return step


def _engine(work: Workload) -> tuple[engine.Chain, torch.optim.SGD]:
    """Returns the workload's network in the engine, and its optimizer."""
    network = work.build()
    chain = engine.compile(network, work.input)
    return chain, torch.optim.SGD(network.parameters(), lr=work.lr)


def torch_step(work: Workload, layout: torch.memory_format) -> Call:
    """Returns a plain PyTorch step on batches made ready in a memory layout."""
    network: Any = work.build()
    return _eager(work, network.to(memory_format=layout), layout)


def compiled_step(work: Workload) -> Call:
    """Returns a step of the network under torch.compile, compiled before it is returned.

    Raises:
        Missing: if it cannot be compiled here.
    """
    network: Any = work.build()
    network = network.to(memory_format=torch.channels_last)
    step = _eager(work, torch.compile(network), torch.channels_last)
    try:
        step()
    except Exception as error:  # without a compiler, or on a new Python: any of many
        raise Missing(f"it does not compile here ({type(error).__name__})") from error
    return step


def _eager(
    work: Workload, network: Callable[[Tensor], Tensor], layout: torch.memory_format
) -> Call:
    assert isinstance(network, nn.Module)
    optimizer = torch.optim.SGD(network.parameters(), lr=work.lr)
    turns: Iterator[tuple[Tensor, Tensor]] = cycle(work.batches(layout))

    def step() -> None:
        pictures, labels = next(turns)
        loss = F.cross_entropy(network(pictures), labels)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    return step
