"""What a training needs before its first batch, and how it draws a batch."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from holmdel import engine, images
from holmdel.checkpoint import Header
from holmdel.data import Dataset, Split
from holmdel.data.augment import augmentation
from holmdel.data.batches import Batches, batch_seed, hold_out
from holmdel.devices import choose_device, use_bfloat16
from holmdel.engine.layers import LARGEST
from holmdel.errors import UserError
from holmdel.evaluation import Answer, in_eval_mode
from holmdel.networks import build
from holmdel.settings import TrainSettings
from holmdel.training.batchnorm import with_batch_norm
from holmdel.training.optimise import draw_weights
from holmdel.training.settings import Plan
from holmdel.training.state import State

Transform = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Job:
    """What stays the same from the first batch to the last.

    Attributes:
        plan: network, options and settings.
        train, validation, test: on the device; validation is None where none is held out.
        classes: how many there are.
        image: what the network sees.
        augment: from float pictures to float pictures, (N, C, H, W) in 0..255.
        to_input: from pictures in 0..255 to the network's input.
        device: where it runs.
        bfloat16: whether the forward pass runs under bfloat16 autocast.
        native: whether the native engine computes, not PyTorch.
        engine: the line that says so, and why.
        batches: how many an epoch has.
        inference_size: examples a batch where nothing is trained.
    """

    plan: Plan
    train: Split
    validation: Split | None
    test: Split
    classes: int
    image: images.ImageContract
    augment: Transform
    to_input: Transform
    device: torch.device
    bfloat16: bool
    native: bool
    engine: str
    batches: int
    inference_size: int

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
        """Whether the native engine takes the pictures as they are stored."""
        return self.native and self.image.enlarge != "resize"

    def in_order(self, split: Split) -> Batches:
        """Returns a split in its own order, in batches for inference."""
        return Batches(split, self.to_input, self.inference_size)

    def ask(self, network: nn.Module, split: Split) -> tuple[Answer, Batches]:
        """Returns what answers for a network, and a split in its own order as that takes it."""
        answer: Answer = network
        if self.native:
            answer = engine.compile(network, self.image).logits
        elif self.bfloat16:
            answer = self._in_bfloat16(network)
        if self.takes_bytes:
            return answer, Batches(split, lambda pictures: pictures, self.inference_size)
        return answer, self.in_order(split)

    def _in_bfloat16(self, network: nn.Module) -> Answer:
        def answer(pictures: Tensor) -> Tensor:
            with in_eval_mode(network), torch.autocast(self.device.type, torch.bfloat16):
                logits: Tensor = network(pictures)
            return logits

        return answer

    def begin(self, seed: int) -> State:
        """Returns the state before the first batch, with weights drawn by the seed."""
        seed_all(seed, self.device)
        network = build(self.plan.network, **self.plan.options)
        draw_weights(network, self.settings.init)
        if self.settings.batch_norm:
            network = with_batch_norm(network)
        layout = torch.contiguous_format if self.native else torch.channels_last
        network = on(network, self.device, layout)
        return State.begin(network, self.settings, seed, self.batches)

    def draw(self, seed: int, epoch: int, batch: int, order: Tensor) -> tuple[Tensor, Tensor]:
        """Returns one batch: the network's input (B, C, H, W), and labels (B,).

        All random numbers from here to the next batch are seeded by (seed, epoch, batch).

        Args:
            seed: of the attempt.
            epoch: counted from 0.
            batch: counted from 0.
            order: the epoch's permutation of the training examples.
        """
        seed_all(batch_seed(seed, epoch, batch + 1), self.device)
        size = self.settings.batch_size
        index = order[batch * size : (batch + 1) * size]
        rows = self.train.images.flatten(1).index_select(0, index).float()
        pictures = rows.view(len(index), *self.train.images.shape[1:])
        return self.to_input(self.augment(pictures)), self.train.labels[index]


def prepare(plan: Plan, header: Header, dataset: Dataset) -> Job:
    """Returns what a plan and a data set give to do.

    Args:
        plan: network, options and settings.
        header: its image contract says what the network sees.
        dataset: train and test splits, uint8 (N, C, H, W).

    Raises:
        UserError: for an unknown device or augmentation, or an engine that cannot do this.
    """
    settings = plan.settings
    device = choose_device(settings.device)
    train, validation = dataset.train.take(settings.limit), None
    if settings.validation:
        train, validation = hold_out(train, settings.validation, settings.seed)
    full, rest = divmod(len(train), settings.batch_size)
    bfloat16 = use_bfloat16(settings.precision, device, header.image.input[1:])
    native, line = _choose_engine(plan, header.image, device, bfloat16)
    enough = rest > (1 if settings.batch_norm else 0)  # a batch norm needs two examples
    return Job(
        plan=plan,
        train=train.to(str(device)),
        validation=validation.to(str(device)) if validation else None,
        test=dataset.test.take(settings.limit).to(str(device)),
        classes=len(dataset.classes),
        image=header.image,
        augment=augmentation(settings.augment),
        to_input=lambda pictures: images.to_input(pictures, header.image),
        device=device,
        bfloat16=bfloat16,
        native=native,
        engine=line,
        batches=full + enough,
        inference_size=header.image.batch_size,
    )


def _choose_engine(
    plan: Plan, image: images.ImageContract, device: torch.device, bfloat16: bool
) -> tuple[bool, str]:
    """Returns whether the native engine does it, and the line that says which does, and why.

    Raises:
        UserError: if the settings insist on the native engine and it cannot.
    """
    choice = plan.settings.engine
    if choice == "torch":
        return False, "PyTorch"
    if obstacle := _obstacle(plan.settings, image, device, bfloat16):
        if choice == "native":
            raise UserError(f"engine was given as native; {obstacle}; use --engine auto")
        return False, f"PyTorch: {obstacle}"
    with seeds_restored():
        network = build(plan.network, **plan.options)
    selection = engine.select(network, image, choice)
    if selection.chain is None:
        return False, selection.line
    threads = torch.get_num_threads()
    return True, f"{selection.line}, {threads} thread{'s' if threads > 1 else ''}"


def _obstacle(
    settings: TrainSettings, image: images.ImageContract, device: torch.device, bfloat16: bool
) -> str:
    """Returns what keeps the native engine from a training of any network; "" for nothing."""
    height, width = image.input[1:]
    if device.type != "cpu":
        return f"the native engine runs on the processor, not on {device}"
    if max(height, width) > LARGEST:
        return f"pictures of {height}x{width} are above the native engine's {LARGEST}x{LARGEST}"
    if bfloat16:
        return "the native engine computes in float32, not in bfloat16"
    if settings.batch_norm:
        return "the native engine does not know batch norms"
    return ""


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
