"""A network in the native engine: gradients, steps of an optimizer, logits."""

import ctypes
import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from holmdel.deprecation import renamed_parameters
from holmdel.engine.calls import (
    checked_images,
    checked_labels,
    checked_rows,
    create,
    plain,
    pointers,
    refuse,
)
from holmdel.engine.layer import answering, bytes_kept
from holmdel.engine.layers import MOST_MEMORY, layers_of
from holmdel.engine.learning import Batch, Step, learn
from holmdel.engine.library import Images, library, status
from holmdel.engine.parts import Unsupported
from holmdel.engine.places import Places
from holmdel.engine.watch import Watch, hooked_gradient
from holmdel.errors import UserError
from holmdel.images.contract import ImageContract

Shape = tuple[int, int, int]


class Chain:
    """A network in the native engine, which follows the network as it changes.

    Other weights are taken as they are; other layers, settings or hooks have the chain made anew at
    the next call, which raises `Unsupported` where the engine does not know them. A frozen chain
    stays as it was made.

    Calls use `torch.get_num_threads()` threads; for the same number of threads the same numbers
    come out, bit by bit.

    Attributes:
        network: the module whose weights it uses.
        image: how bytes become what the network sees.
        classes: how many logits an image has.
    """

    def __init__(self, network: nn.Module, image: ImageContract, *, frozen: bool) -> None:
        found = library()
        if found is None:
            raise Unsupported(status().reason)
        self.network = network
        self.image = image
        self._library = found
        self._sizes = {
            torch.uint8: torch.Size(image.stored),
            torch.float32: torch.Size(image.input),
        }
        if image.enlarge == "resize":
            del self._sizes[torch.uint8]
        self._frozen = frozen
        self._make()
        if frozen:
            self._keep()

    def _make(self) -> None:
        """Makes the library's chains of the network as it is, one to learn and one to answer."""
        layers, self._logs = layers_of(self.network, self.image.input)
        answers = answering(layers)
        self._free()
        self.classes = math.prod(layers[-1].output)
        self._watch = Watch(self.network)
        self._places, self._answering = Places(layers), Places(answers)
        self._modes = [layer.switch for layer in layers if layer.switch is not None]
        self._random = any(layer.kind == "dropout" for layer in layers)
        norms = [layer for layer in layers if layer.kind == "norm"]
        self._kept = bytes_kept(layers)  # of an image
        self._fewest = min((math.prod(norm.input[1:]) for norm in norms), default=2)
        self._counts = [
            norm.module.num_batches_tracked
            for norm in norms
            if isinstance(norm.module, nn.BatchNorm1d | nn.BatchNorm2d)
            and norm.module.num_batches_tracked is not None
        ]
        self._handles = [create(self._library, layers, self.image)]
        if answers != layers:
            self._handles.append(create(self._library, answers, self.image))

    def follow(self) -> None:
        """Makes the chain anew if the network's layers, settings or hooks are others than before.

        Every call does so first, unless the chain is frozen.

        Raises:
            Unsupported: for what the engine does not know.
        """
        if not self._watch.same() or not self._places.same():
            self._make()

    def expect_learning(self, batch: int = 1) -> None:
        """Refuses a network that does not learn as PyTorch's would, as it is now.

        Args:
            batch: how many images it is to learn from at a time.

        Raises:
            Unsupported: for a batch norm or dropout in eval mode, hooks on weights, or a batch
                whose values would take more than `layers.MOST_MEMORY`.
        """
        if self._kept * batch > MOST_MEMORY:
            raise Unsupported(
                f"with batch norms, {batch} images take {self._kept * batch / 2**30:.1f} GiB; the "
                f"engine takes {MOST_MEMORY >> 30}; smaller batches fit"
            )
        if not all(module.training for module in self._modes):
            raise Unsupported("a batch norm or a dropout is in eval mode, as none is that learns")
        if any(p is not None and hooked_gradient(p) for p in self._places.found()):
            raise Unsupported("a weight has hooks, which the engine does not call")

    def __reduce__(self) -> tuple[Callable[..., "Chain"], tuple[nn.Module, ImageContract]]:
        """Returns how copies and pickles are made: anew, of the network or its copy."""
        if self._frozen:
            raise UserError(
                "a frozen chain was to be copied or pickled; compile its network once more"
            )
        return _again, (self.network, self.image)

    @renamed_parameters(pictures="images")
    def step(
        self, images: Tensor, labels: Tensor, *, label_smoothing: float = 0.0, seed: int = -1
    ) -> Step:
        """Returns loss and number right of a batch; sets `.grad` of every parameter.

        The gradient is that of the mean cross-entropy, and takes the place of what was there. Batch
        norms go by the batch, and move their running statistics.

        Args:
            images: uint8 (N, C, H, W) as stored, or float32 as the network sees them.
            labels: int64 (N,).
            label_smoothing: 0..1, as in `torch.nn.functional.cross_entropy`.
            seed: of dropouts, from 0; drawn from PyTorch's generator if -1.

        Raises:
            UserError: for an empty batch, a wrong type, shape or label, an image that holds
                something else than finite numbers, or one value for a batch norm's channel.
        """
        return self._learn(images, labels, None, None, label_smoothing, 0.0, seed, ())

    @renamed_parameters(pictures="images")
    def train(
        self,
        images: Tensor,
        labels: Tensor,
        rows: Tensor | None,
        optimizer: torch.optim.Optimizer,
        *,
        label_smoothing: float = 0.0,
        clip: float = 0.0,
        seed: int = -1,
        augment: Sequence[str] = (),
    ) -> Step:
        """Returns loss and number right of a batch after a step on it, in one call.

        What `step`, `clip_grad_norm_` and `optimizer.step()` do; rates, momentum and weight decay
        are read from the optimizer, and its state kept as PyTorch keeps it.

        Args:
            images: as for `step`, of the whole data set.
            labels: int64 (N,), likewise.
            rows: int64 (B,), which of them make the batch; None for all.
            optimizer: SGD or AdamW, of the network's parameters.
            label_smoothing: 0..1.
            clip: the largest norm of all gradients together; 0 for any.
            seed: of dropouts and of `augment`, as for `step`.
            augment: up to four of `flip`, `shift`, `affine`, `elastic`, made one after the other to
                images of bytes: the kinds and sizes of `holmdel.data.augment`. What an image gets
                follows from the seed and its place in the batch.

        Raises:
            UserError: as `step`, for a row that is not there, an optimizer of another kind, or
                floats to augment.
        """
        if augment and images.dtype is not torch.uint8:
            raise UserError(f"images to augment were given as {images.dtype}; expected torch.uint8")
        settings = label_smoothing, clip, seed, augment
        return self._learn(images, labels, rows, optimizer, *settings)

    @renamed_parameters(pictures="images")
    def logits(self, images: Tensor) -> Tensor:
        """Returns logits float32 (N, classes).

        Args:
            images: uint8 (N, C, H, W) as stored, or float32 as the network sees them.

        Raises:
            UserError: for a wrong type or shape, or an image that holds something else than
                finite numbers.
        """
        if not self._frozen:
            self.follow()
            self._keep()
        memory = checked_images(images, self._sizes)
        count = memory.shape[0]
        logits = torch.empty((count, self.classes))
        self._answer(memory, logits)
        return logits.log_softmax(1) if self._logs else logits

    def _answer(self, memory: Tensor, logits: Tensor) -> None:
        """Has the library write the logits of images."""
        count = len(memory)
        if count == 1:
            bytes_ = memory.dtype is torch.uint8
            start = memory.data_ptr(), bytes_, logits.data_ptr()
            if outcome := self._library.holmdel_answer_one(self._handles[-1], *start):
                refuse(outcome, 0, None)
        if count < 2:
            return
        where = ctypes.c_long()
        outcome = self._library.holmdel_answer(
            self._handles[-1],
            ctypes.byref(Images(memory.data_ptr(), memory.dtype == torch.uint8, None)),
            count,
            torch.get_num_threads(),
            logits.data_ptr(),
            ctypes.byref(where),
        )
        refuse(outcome, where.value, None)

    def _keep(self) -> None:
        """Gives the library the weights; it looks whether they are others than before."""
        values = [None if t is None else plain(t) for t in self._answering.checked()]
        outcome = self._library.holmdel_keep(
            self._handles[-1], pointers(values), torch.get_num_threads()
        )
        refuse(outcome, 0, None)

    def __del__(self) -> None:
        self._free()

    def _free(self) -> None:
        for handle in self.__dict__.pop("_handles", ()):
            self._library.holmdel_free(handle)

    def _learn(
        self,
        images: Tensor,
        labels: Tensor,
        rows: Tensor | None,
        optimizer: torch.optim.Optimizer | None,
        label_smoothing: float,
        clip: float,
        seed: int,
        augment: Sequence[str],
    ) -> Step:
        if self._frozen:
            raise UserError("a frozen chain was asked to learn; compile it without frozen=True")
        self.follow()
        memory = checked_images(images, self._sizes)
        labels, rows = checked_labels(labels, len(memory)), checked_rows(rows, len(memory))
        count = len(memory) if rows is None else len(rows)
        if not count:
            raise UserError("an empty batch was given; expected at least one image")
        if count * self._fewest < 2:
            raise UserError(
                "a batch norm was given one value a channel; expected a batch of two images or more"
            )
        if not 0 <= label_smoothing <= 1:
            raise UserError(f"label_smoothing was given as {label_smoothing}; expected 0..1")
        self.expect_learning(count)
        if (self._random or augment) and seed < 0:
            seed = int(torch.randint(2**63 - 1, ()))
        parameters = self._places.checked()
        batch = Batch(memory, labels, rows, count, label_smoothing, clip, max(seed, 0), augment)
        step = learn(self._library, self._handles[0], parameters, batch, optimizer, self.classes)
        if self._counts:
            torch._foreach_add_(self._counts, 1)
        return step


def _again(network: nn.Module, image: ImageContract) -> Chain:
    """Returns a chain that is not frozen; a copy or a pickle is made by it."""
    return Chain(network, image, frozen=False)
