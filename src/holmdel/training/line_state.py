"""Where the training of a line network stands, on disk."""

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from holmdel.checkpoint import load_tensors, save_tensors
from holmdel.errors import UserError
from holmdel.networks.line import LineNetwork


@dataclass
class LineState:
    """The training of a line network between two steps.

    Attributes:
        network: the one that is trained.
        averaged: a running average of its weights and statistics.
        optimizer: with its moments.
        step: how many are done.
        losses: of the steps since the last report.
        seconds: of training before the last resume.
    """

    network: LineNetwork
    averaged: LineNetwork
    optimizer: torch.optim.AdamW
    step: int = 0
    losses: list[float] = field(default_factory=list)
    seconds: float = 0.0

    @classmethod
    def begin(cls, network: LineNetwork, lr: float, weight_decay: float) -> "LineState":
        """Returns the state before the first step; the network is put into train mode."""
        network.to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
        optimizer = torch.optim.AdamW(
            network.parameters(), lr=lr, weight_decay=weight_decay, foreach=True
        )
        return cls(network, copy.deepcopy(network).eval(), optimizer)

    def save(self, path: Path, seconds: float) -> None:
        """Writes the state to `path`, atomically.

        Args:
            path: a file ending in `.safetensors`.
            seconds: of training so far.

        Raises:
            UserError: if it cannot be written.
        """
        tensors = dict(self._tensors())
        counters = {"step": self.step, "losses": self.losses, "seconds": seconds}
        save_tensors(path, tensors, {"state": json.dumps(counters)})

    @torch.no_grad()
    def load(self, path: Path) -> None:
        """Takes over what `save` wrote, in place.

        Raises:
            UserError: if the file cannot be read or is of another training.
        """
        tensors, metadata = load_tensors(path)
        try:
            counters = json.loads(metadata["state"])
            for weight in self.network.parameters():
                self.optimizer.state[weight] = {
                    "step": torch.zeros(()),
                    "exp_avg": torch.zeros_like(weight),
                    "exp_avg_sq": torch.zeros_like(weight),
                }
            for name, tensor in self._tensors():
                tensor.copy_(tensors[name])
            self.step, self.losses = int(counters["step"]), list(counters["losses"])
            self.seconds = float(counters["seconds"])
        except (KeyError, RuntimeError, TypeError, ValueError) as error:
            raise UserError(
                f"{path} is not the state of this training ({error}); start anew in another folder"
            ) from None

    def _tensors(self) -> Iterator[tuple[str, Tensor]]:
        """Gives all tensors that belong to the state, by name."""
        for part, module in (("network", self.network), ("averaged", self.averaged)):
            for name, tensor in module.state_dict().items():
                yield f"{part}/{name}", tensor
        for index, weight in enumerate(self.network.parameters()):
            moments: dict[str, Any] = self.optimizer.state[weight]
            for name, tensor in moments.items():
                yield f"optimizer/{index}/{name}", tensor
