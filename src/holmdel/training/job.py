"""A job: what stays the same throughout a training, and how it draws a batch."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from holmdel import engine
from holmdel.data import Split
from holmdel.data.dataset import Batches, balanced, batch_seed, permutation
from holmdel.evaluation import Answer, in_eval_mode, loss_and_accuracy
from holmdel.images.contract import ImageContract
from holmdel.settings import TrainSettings
from holmdel.training.folding import folded, with_batch_norm
from holmdel.training.group import ALONE, Group
from holmdel.training.optimise import draw_weights, make_optimizer
from holmdel.training.settings import Plan
from holmdel.training.state import State

Transform = Callable[[Tensor], Tensor]
CALIBRATED = 10_000  # training examples that calibrate, where no validation split is kept


@dataclass(frozen=True)
class Job:
    """What stays the same from the first batch of a training to the last.

    Attributes:
        plan: network, options and settings.
        train, validation, test: on the device; validation is None where none is held out.
        classes: how many there are.
        image: what the network sees.
        augment: from float images to float images, (N, C, H, W) in 0..255.
        to_input: from images in 0..255 to the network's input.
        device: where it runs.
        bfloat16: whether the forward pass runs under bfloat16 autocast.
        native: whether the native engine computes, not PyTorch.
        engine: the line that says so, and why.
        batches: how many an epoch has.
        inference_size: examples a batch where nothing is trained.
        group: the workers that share each batch.
    """

    plan: Plan
    train: Split
    validation: Split | None
    test: Split
    classes: int
    image: ImageContract
    augment: Transform
    to_input: Transform
    device: torch.device
    bfloat16: bool
    native: bool
    engine: str
    batches: int
    inference_size: int
    group: Group = ALONE

    @property
    def dtype(self) -> torch.dtype:
        """Of the weights while they are trained."""
        return torch.float64 if self.settings.precision == "float64" else torch.float32

    @property
    def settings(self) -> TrainSettings:
        """The settings of the plan."""
        return self.plan.settings

    @property
    def examples(self) -> int:
        """How many examples an epoch trains on."""
        return min(self.batches * self.settings.batch_size, len(self.train))

    @property
    def takes_bytes(self) -> bool:
        """Whether the native engine takes the images as they are stored."""
        return self.native and self.image.enlarge != "resize"

    def in_order(self, split: Split) -> Batches:
        """Returns a split in its own order, in batches for inference."""
        return Batches(split, self.to_input, self.inference_size)

    def measure(self, network: nn.Module, split: Split) -> tuple[float, float]:
        """Returns (mean cross-entropy, accuracy in 0..1) of a split, of which workers share."""
        part = self.group.share(len(split))
        mine = Split(split.images[part], split.labels[part])
        loss, right = loss_and_accuracy(*self.ask(network, mine)) if len(mine) else (0.0, 0.0)
        if self.group.count == 1:
            return loss, right
        loss, right = self.group.total(loss * len(mine), right * len(mine))
        return loss / len(split), right / len(split)

    def ask(self, network: nn.Module, split: Split) -> tuple[Answer, Batches]:
        """Returns what answers for a network, and a split in its own order as that takes it."""
        answer: Answer = network
        if self.native:
            answer = engine.compile(network, self.image).logits
        elif self.bfloat16:
            answer = self._in_bfloat16(network)
        elif self.dtype is torch.float64:
            answer = _in_float64(network)
        if self.takes_bytes:
            return answer, Batches(split, lambda images: images, self.inference_size)
        return answer, self.in_order(split)

    def _in_bfloat16(self, network: nn.Module) -> Answer:
        def answer(images: Tensor) -> Tensor:
            with in_eval_mode(network), torch.autocast(self.device.type, torch.bfloat16):
                logits: Tensor = network(images)
            return logits

        return answer

    def begin(self, seed: int) -> State:
        """Returns the state before the first batch, with weights drawn by the seed."""
        seed_all(seed, self.device)
        network = self.plan.build()
        if not (self.plan.made and self.settings.init == "torch"):  # as it was given, or made anew
            draw_weights(network, self.settings.init)
        if self.settings.batch_norm:
            network = with_batch_norm(network)
        plain = self.native or _skips(network)
        layout = torch.contiguous_format if plain else torch.channels_last
        network = on(network, self.device, layout).to(self.dtype)
        optimizer = make_optimizer(network, self.settings)
        average = bool(self.settings.average)
        return State.begin(network, optimizer, seed, self.batches, average=average)

    def result(self, state: State) -> nn.Module:
        """Returns the network of a state as it is kept, in eval mode: a copy."""
        network = folded(state.result).float()
        return self.plan.made.kept(network) if self.plan.made else network

    def order(self, seed: int, epoch: int) -> Tensor:
        """Returns the rows of the training examples (N,) in the order of an epoch, on the device.

        A permutation; or, balanced, as many of each class, some of them several times.
        """
        labels = self.train.labels.cpu()
        if self.settings.balance:
            return balanced(labels, seed, epoch).to(self.device)
        return permutation(len(labels), seed, epoch).to(self.device)

    def draw(
        self, seed: int, epoch: int, batch: int, order: Tensor, group: Group = ALONE
    ) -> tuple[Tensor, Tensor]:
        """Returns one batch: the network's input (B, C, H, W), and labels (B,).

        All random numbers from here to the next batch are seeded by (seed, epoch, batch).

        Args:
            seed: of the attempt.
            epoch: counted from 0.
            batch: counted from 0.
            order: the epoch's permutation of the training examples.
            group: the workers; random numbers are drawn for all, and this one's share is returned.
        """
        seed_all(batch_seed(seed, epoch, batch + 1), self.device)
        size = self.settings.batch_size
        index = order[batch * size : (batch + 1) * size]
        rows = self.train.images.flatten(1).index_select(0, index).float()
        images = rows.view(len(index), *self.train.images.shape[1:])
        part = group.share(len(index))
        inputs = self.to_input(self.augment(images)[part]).to(self.dtype)
        return inputs, self.train.labels[index][part]

    def calibration_batches(self, seed: int) -> Iterable[tuple[Tensor, Tensor]]:
        """Returns what to calibrate on: the validation split, or augmented training images."""
        if self.validation is not None:
            return self.in_order(self.validation)
        return self._augmented(seed)

    def _augmented(self, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Gives the first batches of the epoch that would come next."""
        epoch = self.settings.epochs
        order = self.order(seed, epoch)
        for batch in range(min(self.batches, -(-CALIBRATED // self.settings.batch_size))):
            yield self.draw(seed, epoch, batch, order)


def _in_float64(network: nn.Module) -> Answer:
    def answer(images: Tensor) -> Tensor:
        with in_eval_mode(network):
            logits: Tensor = network(images.double())
        return logits

    return answer


def _skips(network: nn.Module) -> bool:
    """Tells whether a convolution's windows leave places out, as a residual network's 1x1 do.

    PyTorch 2.13's way back through one, channels last, damages memory at some odd batch sizes.
    """
    windows = (m for m in network.modules() if isinstance(m, nn.Conv2d))
    return any(s > k for m in windows for s, k in zip(m.stride, m.kernel_size, strict=True))


def on(network: nn.Module, device: torch.device, layout: torch.memory_format) -> nn.Module:
    """Returns the network, moved in place to a device and a memory layout."""
    return network.to(device, memory_format=layout)  # type: ignore[call-overload,no-any-return]


def seed_all(seed: int, device: torch.device) -> None:
    """Seeds the default generators of the CPU and of the device."""
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        torch.cuda.manual_seed(seed)
    elif device.type == "mps":
        torch.mps.manual_seed(seed)


@contextmanager
def seeds_restored() -> Iterator[None]:
    """Leaves the caller's random numbers as they were."""
    state = torch.get_rng_state()
    try:
        yield
    finally:
        torch.set_rng_state(state)
