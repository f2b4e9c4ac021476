"""Who trains and who infers: the engine, PyTorch in its forms, ONNX Runtime, on the same images."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from holmdel import engine
from holmdel.benchmark.rounds import Contender, Maker, Missing, repeated
from holmdel.data import load
from holmdel.export.graph import IMAGES, LOGITS
from holmdel.export.network_graph import classifier_graph
from holmdel.images.contract import ImageContract
from holmdel.inspection import inspect
from holmdel.networks import build
from holmdel.training.optimise import draw_weights

FUSED, ENGINE = "engine, SGD fused", "engine"
CONTIGUOUS, CHANNELS_LAST = "PyTorch, contiguous", "PyTorch, channels-last"
COMPILED = "torch.compile"
LAYOUTS = {CHANNELS_LAST: torch.channels_last, CONTIGUOUS: torch.contiguous_format}
Size = tuple[int, int, int]
Call = Callable[[], object]


@dataclass(frozen=True)
class Workload:
    """A network, what it is trained on, and how.

    Attributes:
        build: gives the network, always with the same weights.
        images: uint8 (N, C, H, W).
        labels: int64 (N,).
        batch: examples a step.
        lr: of plain SGD.
    """

    build: Callable[[], nn.Sequential]
    images: Tensor
    labels: Tensor
    batch: int
    lr: float

    @property
    def input(self) -> Size:
        """The size (C, H, W) of an image."""
        channels, height, width = self.images.shape[1:]
        return channels, height, width

    def rows(self) -> list[Tensor]:
        """Returns the rows of each whole batch of a shuffled pass: int64 (batch,) each."""
        order = torch.randperm(len(self.labels), generator=torch.Generator().manual_seed(0))
        whole = len(order) // self.batch
        return list(order[: whole * self.batch].view(whole, self.batch))

    def batches(self, layout: torch.memory_format) -> list[tuple[Tensor, Tensor]]:
        """Returns the same batches made ready: float32 (batch, C, H, W) in 0..1, and labels."""
        return [
            (self.images[rows].float().div(255).contiguous(memory_format=layout), self.labels[rows])
            for rows in self.rows()
        ]


def workload(make: Callable[[], nn.Module], batch: int, lr: float, side: int = 28) -> Workload:
    """Returns a network on handwritten digits of side x side pixels, with weights of seed 0.

    The digits ship with the package, so that nothing need be fetched; larger ones have a black
    border.
    """
    digits = load("digits").train
    border = side - digits.images.shape[-1]
    images = F.pad(digits.images, (border // 2, border - border // 2) * 2)
    times = -(-batch // len(digits))  # a batch may be larger than the data set
    images, labels = images.repeat(times, 1, 1, 1), digits.labels.repeat(times)
    return Workload(partial(_drawn, make), images, labels, batch, lr)


def lenet(batch: int, side: int = 28) -> Workload:
    """Returns the book's LeNet, at a learning rate at which its loss falls."""
    return workload(lambda: build("lenet", size=(side, side)), batch, 0.9, side)


def lenet_max(batch: int) -> Workload:
    """Returns `lenet-max` with ReLU, likewise."""
    return workload(lambda: build("lenet-max", activation="relu"), batch, 0.05)


def _drawn(make: Callable[[], nn.Module]) -> nn.Sequential:
    """Returns the network with weights drawn by seed 0; the caller's random numbers stay."""
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)
        network = make()
        draw_weights(network, "xavier")
    assert isinstance(network, nn.Sequential)
    return network


def multiply_adds(network: nn.Module, input: Size) -> int:
    """Returns the multiply-adds of a training step for one image.

    Forward, the gradients of the weights and those of the inputs have as many each; the first layer
    with weights needs none of its input.
    """
    macs = [layer.macs or 0 for layer in inspect(network, input).layers]
    return 3 * sum(macs) - next(count for count in macs if count)


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


def onnx_names(threads: int) -> tuple[str, ...]:
    """Returns the names of ONNX Runtime's settings: on one thread, and on all of them."""
    return tuple(f"ONNX Runtime, threads {count}" for count in sorted({1, threads}))


def inferrers(work: Workload, threads: int) -> dict[str, Maker]:
    """Returns who can compute the logits of one batch, by name; every call is a batch."""
    calls: dict[str, Callable[[], Call]] = {ENGINE: partial(engine_logits, work)}
    for count, name in zip(sorted({1, threads}), onnx_names(threads), strict=True):
        calls[name] = partial(onnx_logits, work, count)
    calls |= {name: partial(torch_logits, work, layout) for name, layout in LAYOUTS.items()}
    return makers(calls, work.batch)


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


def onnx_logits(work: Workload, threads: int) -> Callable[[], Any]:
    """Returns a call that gives the logits (batch, classes), a NumPy array, by ONNX Runtime.

    Raises:
        ImportError: without onnx or onnxruntime.
    """
    import onnxruntime

    from holmdel.export.onnx_file import onnx_bytes

    contract = ImageContract(stored=work.input, input=work.input)
    graph = classifier_graph(work.build(), contract, "float32")
    graph.outputs = (LOGITS,)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(
        onnx_bytes(graph, {}), options, providers=["CPUExecutionProvider"]
    )
    images = {IMAGES: work.batches(torch.contiguous_format)[0][0].numpy()}
    return lambda: session.run([LOGITS], images)[0]
