"""Contenders for inference: the engine, ONNX Runtime and PyTorch, on the same float32 pictures."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from holmdel.benchmark.chains import Workload
from holmdel.benchmark.rounds import Contender, Maker, repeated
from holmdel.benchmark.training import CHANNELS_LAST, CONTIGUOUS

ENGINE = "engine"
Call = Callable[[], object]


def onnx_names(threads: int) -> tuple[str, ...]:
    """Returns the names of ONNX Runtime's settings: on one thread, and on all of them."""
    return tuple(f"ONNX Runtime, threads {count}" for count in sorted({1, threads}))


def inference_makers(work: Workload, threads: int) -> dict[str, Maker]:
    """Returns who can compute the logits of one batch, by name; every call is a batch.

    Args:
        work: its batch size is that of a call.
        threads: of the larger setting of ONNX Runtime.
    """
    calls: dict[str, Callable[[], Call]] = {ENGINE: partial(engine_logits, work)}
    for count, name in zip(sorted({1, threads}), onnx_names(threads), strict=True):
        calls[name] = partial(onnx_logits, work, count)
    calls[CHANNELS_LAST] = partial(torch_logits, work, torch.channels_last)
    calls[CONTIGUOUS] = partial(torch_logits, work, torch.contiguous_format)
    return {name: partial(_contender, name, work.batch, call) for name, call in calls.items()}


def _contender(name: str, batch: int, call: Callable[[], Call]) -> Contender:
    return Contender(name, batch, repeated(call()))


def _pictures(work: Workload, layout: torch.memory_format) -> Tensor:
    """Returns the workload's first batch: float32 (batch, C, H, W) in 0..1."""
    return work.batches(layout)[0][0]


def engine_logits(work: Workload) -> Callable[[], Tensor]:
    """Returns a call that gives the logits (batch, classes) by the engine.

    Raises:
        UserError: if the engine does not take the network.
    """
    from holmdel import engine

    chain = engine.compile(work.build().eval(), work.input, frozen=True)
    pictures = _pictures(work, torch.contiguous_format)
    return lambda: chain.logits(pictures)


def onnx_logits(work: Workload, threads: int) -> Callable[[], Any]:
    """Returns a call that gives the logits (batch, classes), a numpy array, by ONNX Runtime.

    Raises:
        ImportError: without onnx or onnxruntime.
    """
    import onnxruntime

    from holmdel.benchmark.onnx_graph import chain_as_onnx

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        chain_as_onnx(work.build(), work.input), options, providers=["CPUExecutionProvider"]
    )
    pictures = {"pictures": _pictures(work, torch.contiguous_format).numpy()}
    return lambda: session.run(None, pictures)[0]


def torch_logits(work: Workload, layout: torch.memory_format) -> Callable[[], Tensor]:
    """Returns a call that gives the logits (batch, classes) by PyTorch in a memory layout."""
    network: Any = work.build().eval()
    network = network.to(memory_format=layout)
    pictures = _pictures(work, layout)

    @torch.inference_mode()
    def call() -> Tensor:
        logits: Tensor = network(pictures)
        return logits

    return call
