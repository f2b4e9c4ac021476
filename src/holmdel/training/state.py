"""The resume state: all that a training needs to continue as if it had never stopped."""

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn

from holmdel.errors import UserError
from holmdel.files.tensors import load_checked, save_tensors
from holmdel.schema import Setting, read_record
from holmdel.training.history import Epoch, read_epoch


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
    def begin(
        cls,
        network: nn.Module,
        optimizer: torch.optim.Optimizer,
        seed: int,
        batches: int,
        *,
        average: bool,
    ) -> "State":
        """Returns the state before the first batch; `average` says whether one is kept."""
        device = next(network.parameters()).device
        return cls(
            network=network,
            average=copy.deepcopy(network) if average else None,
            optimizer=optimizer,
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
        counters = {name: getattr(self, name) for name in _COUNTERS}
        counters["history"] = [asdict(epoch) for epoch in self.history]
        save_state(path, self._modules(), self.optimizer, counters, self._tensors())

    def load(self, path: Path) -> None:
        """Takes over what `save` wrote, in place.

        Raises:
            UserError: if the file cannot be read or is of another training.
        """
        with state_errors(path):
            counters = load_state(path, self._modules(), self.optimizer, self._tensors())
            fields = [*_COUNTERS.values(), Setting(name="history", type="list")]
            found = read_record(counters, fields, f"the header of {path}")
            history = [read_epoch(row, f"the history of {path}") for row in found.pop("history")]
            if found["batch"] > len(self.losses) or found["epoch"] != len(history):
                raise ValueError("its batch and epoch are not this training's")
            for name, value in found.items():
                setattr(self, name, value)
            self.history = history

    def _modules(self) -> dict[str, nn.Module]:
        average = {} if self.average is None else {"average": self.average}
        return {"network": self.network, **average}

    def _tensors(self) -> dict[str, Tensor]:
        return {"losses": self.losses, "correct": self.correct}


_COUNTERS = {
    one.name: one
    for one in (
        Setting(name="seed", type="int", least=0),
        Setting(name="epoch", type="int", least=0),
        Setting(name="batch", type="int", least=0),
        Setting(name="train_seconds", type="float", least=0),
        Setting(name="wall_seconds", type="float", least=0),
        Setting(name="best_accuracy", type="float", least=-1, most=1),
    )
}
_NAME = "state"  # of the header among a file's texts


def save_state(
    path: Path,
    modules: Mapping[str, nn.Module],
    optimizer: torch.optim.Optimizer,
    counters: Mapping[str, Any],
    tensors: Mapping[str, Tensor] = MappingProxyType({}),
) -> None:
    """Writes what a training of any kind needs to continue, atomically.

    Args:
        path: a file ending in `.safetensors`.
        modules: networks by name; their weights and buffers are saved.
        optimizer: with its moments.
        counters: JSON-ready.
        tensors: further ones, by name.

    Raises:
        UserError: if it cannot be written.
    """
    all_of_them = dict(tensors)
    for part, module in modules.items():
        all_of_them |= {f"{part}/{name}": t for name, t in module.state_dict().items()}
    for index, moments in optimizer.state_dict()["state"].items():
        all_of_them |= {
            f"optimizer/{index}/{name}": t for name, t in moments.items() if t is not None
        }
    save_tensors(path, all_of_them, _NAME, counters)


@torch.no_grad()
def load_state(
    path: Path,
    modules: Mapping[str, nn.Module],
    optimizer: torch.optim.Optimizer,
    tensors: Mapping[str, Tensor] = MappingProxyType({}),
) -> dict[str, Any]:
    """Takes over, in place, what `save_state` wrote; returns the counters.

    Call it under `state_errors`, with the counters' use.
    """
    saved, counters = load_checked(path, _NAME)
    if not isinstance(counters, dict):
        raise ValueError("it has no header of a state")
    for part, module in modules.items():
        module.load_state_dict(_under(f"{part}/", saved))
    optimizer.load_state_dict(_optimizer_state(optimizer, _under("optimizer/", saved)))
    for name, tensor in tensors.items():
        if saved[name].shape != tensor.shape:
            raise ValueError(f"{name} are of another number")
        tensor.copy_(saved[name])
    return counters


@contextmanager
def state_errors(path: Path) -> Iterator[None]:
    """Turns the errors of a state that does not fit into a UserError that names its file."""
    try:
        yield
    except (LookupError, RuntimeError, TypeError, ValueError) as error:
        raise UserError(
            f"{path} is not the state of this training ({error}); start anew in another folder"
        ) from None


def _optimizer_state(
    optimizer: torch.optim.Optimizer, moments: dict[str, Tensor]
) -> dict[str, Any]:
    weights = [p for group in optimizer.param_groups for p in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for key, tensor in moments.items():
        index, name = key.split("/")
        weight = weights[int(index)]
        if tensor.dim() and tensor.shape != weight.shape:
            raise ValueError(f"{key} is of shape {tuple(tensor.shape)}")
        if tensor.shape == weight.shape:  # fused optimizers want their moments laid out alike
            tensor = torch.empty_like(weight).copy_(tensor)
        state.setdefault(int(index), {})[name] = tensor
    return {"state": state, "param_groups": optimizer.state_dict()["param_groups"]}


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Returns the tensors whose names begin with a prefix, without it."""
    return {k.removeprefix(prefix): t for k, t in tensors.items() if k.startswith(prefix)}
