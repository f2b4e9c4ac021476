"""The optimiser of a line network: Muon for its convolutions, AdamW for all else.

K. Jordan and others, "Muon: An optimizer for hidden layers in neural networks" (2024); the size of
its steps is brought to AdamW's as in J. Liu and others, "Muon is Scalable for LLM Training" (2025),
so that both have one learning rate.
"""

import torch
from torch import Tensor, nn

from holmdel.reader_training.settings import ReaderPlan

CLIP = 5.0  # largest norm of the whole gradient


class LineOptimizer:
    """Steps the weights of a network along their gradients.

    Attributes:
        adamw: of the first convolution, the last, and the batch norms.
        momenta: Muon's, by the names of the weights.

    Args:
        network: its convolutions in channels-last order.
        plan: gives learning rate and weight decay.
    """

    def __init__(self, network: nn.Module, plan: ReaderPlan) -> None:
        self._weights = list(network.parameters())
        self._hidden = _hidden(network)
        hidden = {id(weight) for weight in self._hidden.values()}
        rest = [weight for weight in self._weights if id(weight) not in hidden]
        decay = plan.weight_decay
        self.adamw = torch.optim.AdamW(rest, lr=plan.lr, weight_decay=decay, fused=True)
        self._matrices = [_matrix(weight.detach()) for weight in self._hidden.values()]
        self._muon = torch.optim.Muon(
            self._matrices, lr=plan.lr, weight_decay=decay, adjust_lr_fn="match_rms_adamw"
        )
        for matrix in self._matrices:
            self._muon.state[matrix]["momentum_buffer"] = torch.zeros_like(matrix)

    @property
    def momenta(self) -> dict[str, Tensor]:
        """Muon's momenta, which are written to in place."""
        buffers = (self._muon.state[matrix]["momentum_buffer"] for matrix in self._matrices)
        return {
            f"momentum/{name}": buffer for name, buffer in zip(self._hidden, buffers, strict=True)
        }

    @property
    def gradients(self) -> list[Tensor]:
        """Of all weights, in the network's order."""
        return [weight.grad for weight in self._weights if weight.grad is not None]

    def clear(self) -> None:
        """Forgets the gradients."""
        for weight in self._weights:
            weight.grad = None

    def step(self, lr: float) -> None:
        """Takes a step of this learning rate."""
        torch.nn.utils.clip_grad_norm_(self._weights, CLIP)
        for weight, matrix in zip(self._hidden.values(), self._matrices, strict=True):
            matrix.grad = _matrix(weight.grad) if weight.grad is not None else None
        for optimizer in (self.adamw, self._muon):
            for group in optimizer.param_groups:
                group["lr"] = lr
            optimizer.step()


def _hidden(network: nn.Module) -> dict[str, nn.Parameter]:
    """Returns the weights of all convolutions but the first and the last, by name."""
    convolutions = [(name, w) for name, w in network.named_parameters() if w.dim() == 4]
    return dict(convolutions[1:-1])


def _matrix(weight: Tensor) -> Tensor:
    """Returns (O, I, H, W) as (O, H W I), over the same numbers where they are channels-last."""
    return weight.permute(0, 2, 3, 1).reshape(len(weight), -1)
