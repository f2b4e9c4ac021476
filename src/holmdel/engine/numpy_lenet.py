"""A LeNet on NumPy arrays in the native engine, without PyTorch, which takes a second to load."""

import ctypes
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holmdel.engine.library import (
    KINDS,
    SGD,
    Described,
    Images,
    Learned,
    OneStep,
    Scaling,
    Task,
    library,
    new_chain,
    status,
)
from holmdel.errors import UserError
from holmdel.shapes import output_size

Size = tuple[int, int, int]
Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Labels = NDArray[np.int64]

SIDE = 28  # pixels of a stored image
NAMES = ("c1", "c3", "f5", "f6", "output")

# Kind, channels or units, kernel, stride of each layer of `networks.lenet`. `Flatten` is left out,
# as the engine does it on the way.
_LAYERS = (
    ("conv", 6, 5, 1),
    ("relu", 0, 1, 1),
    ("max", 0, 2, 2),
    ("conv", 16, 5, 1),
    ("relu", 0, 1, 1),
    ("max", 0, 2, 2),
    ("linear", 120, 1, 1),
    ("relu", 0, 1, 1),
    ("linear", 84, 1, 1),
    ("relu", 0, 1, 1),
    ("linear", 10, 1, 1),
)


@dataclass(frozen=True)
class Rates:
    """What a step of SGD with Nesterov's momentum goes by.

    Attributes:
        momentum: of Nesterov's kind.
        weight_decay: on weights, not on biases.
        label_smoothing: 0..1.
    """

    momentum: float
    weight_decay: float
    label_smoothing: float


class NumpyLenet:
    """LeNet with ReLU and max pooling, on 28x28 images or on more, with background around them.

    At 28x28 it is `holmdel.build("lenet-max", activation="relu")`, at 32x32
    `holmdel.build("lenet5", activation="relu", pooling="max")`. The same number of threads gives
    the same weights, bit by bit.

    Attributes:
        weights: float32, by the names that the network's `state_dict` has.
    """

    def __init__(self, side: int, mean: float, std: float, rates: Rates, threads: int) -> None:
        """Makes the network, its weights still 0.

        Args:
            side: pixels a side that it sees.
            mean: subtracted from pixels in 0..1.
            std: they are divided by it then.
            rates: of its steps.
            threads: of the engine.

        Raises:
            UserError: if there is no native engine.
        """
        found = library()
        if found is None:
            raise UserError(
                f"training without PyTorch needs the native engine; this machine has {status()}; "
                "install Holmdel where a C++ compiler is at hand"
            )
        self._library, self._threads = found, threads
        described, shapes = _describe(side)
        edge = (side - SIDE) // 2
        scaling = Scaling(SIDE, SIDE, edge, edge, 1 / (255 * std), -mean / std)
        self._handle = new_chain(found, described, scaling)
        self.weights = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
        self._room = [[np.zeros_like(w) for w in self.weights.values()] for _ in range(2)]
        self._values = _pointers(list(self.weights.values()))
        self._gradients, self._velocities = map(_pointers, self._room)
        self._steps = (OneStep * len(shapes))()
        for step, shape in zip(self._steps, shapes.values(), strict=True):
            step.rule, step.momentum, step.nesterov = SGD, rates.momentum, True
            step.decay = rates.weight_decay if len(shape) > 1 else 0.0
        self._task = Task(
            threads=threads,
            smoothing=rates.label_smoothing,
            values=ctypes.addressof(self._values),
            gradients=ctypes.addressof(self._gradients),
            steps=ctypes.addressof(self._steps),
            velocities=ctypes.addressof(self._velocities),
            squares=ctypes.addressof(self._velocities),
        )

    def __del__(self) -> None:
        if handle := getattr(self, "_handle", None):
            self._library.holmdel_free(handle)

    def draw(self, random: np.random.Generator) -> None:
        """Draws the weights anew, as PyTorch's layers do: uniform within 1 / sqrt(fan-in)."""
        for name in NAMES:
            weight, bias = self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]
            bound = 1 / math.sqrt(weight[0].size)
            weight[...] = random.uniform(-bound, bound, weight.shape)
            bias[...] = random.uniform(-bound, bound, bias.shape)

    def learn(self, memory: int, labels: Labels, rows: Labels, rate: float) -> float:
        """Returns the loss of a batch before a step of SGD on it.

        Args:
            memory: where the first image of the data set lies, uint8 (N, 28, 28).
            labels: (N,), in 0..9.
            rows: (B,), contiguous, which of them make the batch.
            rate: the learning rate.
        """
        for step in self._steps:
            step.lr = rate
        self._task.images = Images(memory, True, rows.ctypes.data)
        self._task.labels, self._task.count = labels.ctypes.data, len(rows)
        learned = Learned()
        _expect_done(
            self._library.holmdel_learn(
                self._handle, ctypes.byref(self._task), ctypes.byref(learned)
            )
        )
        return float(learned.loss)

    def logits(self, images: Bytes) -> Floats:
        """Returns logits (N, 10) of images uint8 (N, 28, 28)."""
        images = np.ascontiguousarray(images)
        logits = np.empty((len(images), 10), np.float32)
        self._library.holmdel_keep(self._handle, self._values, self._threads)
        outcome = self._library.holmdel_answer(
            self._handle,
            ctypes.byref(Images(images.ctypes.data, True, None)),
            len(images),
            self._threads,
            logits.ctypes.data,
            ctypes.byref(ctypes.c_long()),
        )
        _expect_done(outcome)
        return logits


def _describe(side: int) -> tuple["ctypes.Array[Described]", dict[str, tuple[int, ...]]]:
    """Returns the layers as the library takes them, and the shapes of weights and biases."""
    described = (Described * len(_LAYERS))()
    shapes: dict[str, tuple[int, ...]] = {}
    names = iter(NAMES)
    size: Size = (1, side, side)
    for number, (kind, channels, kernel, stride) in enumerate(_LAYERS):
        to = described[number]
        before, after = size, output_size(size[1], kernel, stride)
        size = (channels or before[0], after, after)
        if kind == "linear":
            size = (channels, 1, 1)
        to.kind, to.input, to.output = KINDS.index(kind), before, size
        to.kernel, to.stride = (kernel, kernel), (stride, stride)
        to.dilation, to.groups, to.reads = (1, 1), 1, (number, -1)
        if kind in ("conv", "linear"):
            inputs = (before[0], kernel, kernel) if kind == "conv" else (math.prod(before),)
            name = next(names)
            shapes |= {f"{name}.weight": (channels, *inputs), f"{name}.bias": (channels,)}
    return described, shapes


def _expect_done(outcome: int) -> None:
    """Raises a MemoryError for any refusal: bytes are always numbers, and labels were checked."""
    if outcome:
        raise MemoryError("not enough memory, or threads, for the native engine")


def _pointers(arrays: list[Floats]) -> "ctypes.Array[ctypes.c_void_p]":
    """Returns where arrays without gaps begin."""
    return (ctypes.c_void_p * len(arrays))(*(array.ctypes.data for array in arrays))


@dataclass(frozen=True)
class Recipe:
    """How a network is trained; chosen on a part of the training set, see docs/bench.md.

    SGD in small steps, its rate in a straight line up and down again as Smith and Topin,
    "Super-convergence" (2018), do, with the label smoothing of Szegedy et al., "Rethinking the
    Inception architecture" (2016).

    Attributes:
        network: of `holmdel.build` that it equals.
        side: pixels a side that the network sees; around the image stands background.
        mean, std: of the training pixels, 0..1.
        epochs: passes over the training images.
        batch: images a step.
        lr: the learning rate at its peak.
        warmup: part of the steps in which the rate rises.
        shift: pixels that a batch is moved by at most, along each axis.
        rates: of SGD.
    """

    network: str
    side: int
    mean: float
    std: float
    epochs: float
    batch: int
    lr: float
    warmup: float
    shift: int
    rates: Rates


RECIPES = {
    "fashion-mnist": Recipe(
        network="lenet5",
        side=32,
        mean=0.2860,
        std=0.3530,
        epochs=4,
        batch=64,
        lr=0.08,
        warmup=0.3,
        shift=0,
        rates=Rates(momentum=0.9, weight_decay=5e-4, label_smoothing=0.05),
    ),
    "mnist": Recipe(
        network="lenet-max",
        side=28,
        mean=0.1307,
        std=0.3081,
        epochs=3.5,
        batch=64,
        lr=0.06,
        warmup=0.3,
        shift=1,
        rates=Rates(momentum=0.9, weight_decay=5e-4, label_smoothing=0.05),
    ),
}


def train(recipe: Recipe, images: Bytes, labels: Labels, seed: int, threads: int) -> NumpyLenet:
    """Returns a network after the recipe's number of steps.

    A batch is moved as a whole, by reading it so many bytes earlier or later: what leaves an image
    on one side comes in on the other, which is right where images have a margin.

    Args:
        recipe: the network and how it is trained.
        images: uint8 (N, 28, 28).
        labels: int64 (N,).
        seed: of the weights, the order and the shifts.
        threads: of the engine.
    """
    random = np.random.default_rng(seed)
    network = NumpyLenet(recipe.side, recipe.mean, recipe.std, recipe.rates, threads)
    network.draw(random)
    margin = recipe.shift * (SIDE + 1)
    memory = np.zeros(margin + images.size + margin, np.uint8)
    memory[margin : margin + images.size] = images.reshape(-1)
    start = memory.ctypes.data + margin
    batches = max(1, len(labels) // recipe.batch)
    steps = round(recipe.epochs * batches)
    moves = random.integers(-recipe.shift, recipe.shift + 1, (steps, 2)) @ (SIDE, 1)
    for step, move in enumerate(moves.tolist()):
        if step % batches == 0:
            order = random.permutation(len(labels))
        rows = order[step % batches * recipe.batch :][: recipe.batch]
        network.learn(start + move, labels, rows, recipe.lr * _part(step / steps, recipe.warmup))
    return network


def _part(progress: float, warmup: float) -> float:
    """Returns the part of the peak rate at a progress of 0..1."""
    return progress / warmup if progress < warmup else (1 - progress) / (1 - warmup)
