"""Everything a training must remember to go on as if it had never stopped."""

import copy
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from holmdel.checkpoint import load_tensors, save_tensors
from holmdel.errors import UserError
from holmdel.settings import TrainSettings
from holmdel.training.optimise import make_optimizer
from holmdel.training.report import Epoch


@dataclass
class State:
    """A training between two batches.

    Attributes:
        network: the one that is trained, its batch norms included.
        average: the running average of its weights, or None.
        optimizer: with its moments.
        seed: of this attempt; a restart takes the next one.
        epoch, batch: the next batch to train on, both counted from 0.
        losses, correct: (batches,) the loss and the number right of this epoch's batches so far.
        history: the epochs done.
        train_seconds: this epoch's time in forward, backward and step before the last resume.
        wall_seconds: this epoch's whole time before the last resume.
        best_accuracy: the best validation accuracy so far.
    """

    network: nn.Module
    average: nn.Module | None
    optimizer: torch.optim.Optimizer
    seed: int
    losses: Tensor
    correct: Tensor
    epoch: int = 0
    batch: int = 0
    history: list[Epoch] = field(default_factory=list)
    train_seconds: float = 0.0
    wall_seconds: float = 0.0
    best_accuracy: float = -1.0

    @classmethod
    def begin(cls, network: nn.Module, settings: TrainSettings, seed: int, batches: int) -> "State":
        """Returns the state before the first batch."""
        device = next(network.parameters()).device
        return cls(
            network=network,
            average=copy.deepcopy(network) if settings.average else None,
            optimizer=make_optimizer(network, settings),
            seed=seed,
            losses=torch.zeros(batches, device=device),
            correct=torch.zeros(batches, device=device),
        )

    @property
    def result(self) -> nn.Module:
        """The network to evaluate and to save: the average where one is kept."""
        return self.network if self.average is None else self.average

    def save(self, path: Path) -> None:
        """Writes the state to `path`, atomically.

        Raises:
            UserError: if it cannot be written.
        """
        tensors = {"losses": self.losses, "correct": self.correct}
        for part, module in self._modules():
            tensors |= {f"{part}/{name}": t for name, t in module.state_dict().items()}
        for index, moments in self.optimizer.state_dict()["state"].items():
            tensors |= {
                f"optimizer/{index}/{name}": t for name, t in moments.items() if t is not None
            }
        counters = {name: getattr(self, name) for name in _COUNTERS}
        counters["history"] = [asdict(epoch) for epoch in self.history]
        save_tensors(path, tensors, {"state": json.dumps(counters)})

    def load(self, path: Path) -> None:
        """Takes over what `save` wrote, in place.

        Raises:
            UserError: if the file cannot be read or is of another training.
        """
        tensors, metadata = load_tensors(path)
        try:
            counters = json.loads(metadata["state"])
            for part, module in self._modules():
                module.load_state_dict(_under(f"{part}/", tensors))
            self.optimizer.load_state_dict(self._optimizer_state(_under("optimizer/", tensors)))
            self.losses.copy_(tensors["losses"])
            self.correct.copy_(tensors["correct"])
            for name in _COUNTERS:
                setattr(self, name, counters[name])
            self.history = [Epoch(**values) for values in counters["history"]]
        except (KeyError, RuntimeError, TypeError, ValueError) as error:
            raise UserError(
                f"{path} is not the state of this training ({error}); start anew in another folder"
            ) from None

    def _modules(self) -> list[tuple[str, nn.Module]]:
        parts: list[tuple[str, nn.Module | None]] = [
            ("network", self.network),
            ("average", self.average),
        ]
        return [(name, module) for name, module in parts if module is not None]

    def _optimizer_state(self, moments: dict[str, Tensor]) -> dict[str, Any]:
        weights = [p for group in self.optimizer.param_groups for p in group["params"]]
        state: dict[int, dict[str, Tensor]] = {}
        for key, tensor in moments.items():
            index, name = key.split("/")
            weight = weights[int(index)]
            if tensor.shape == weight.shape:  # fused optimizers want their moments laid out alike
                tensor = torch.empty_like(weight).copy_(tensor)
            state.setdefault(int(index), {})[name] = tensor
        return {"state": state, "param_groups": self.optimizer.state_dict()["param_groups"]}


_COUNTERS = ("seed", "epoch", "batch", "train_seconds", "wall_seconds", "best_accuracy")


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Returns the tensors whose names begin with a prefix, without it."""
    return {k.removeprefix(prefix): t for k, t in tensors.items() if k.startswith(prefix)}
