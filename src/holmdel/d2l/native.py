"""The native engine under the book's loops: for the networks and the batches that it knows."""

import sys
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from holmdel import engine

_said: set[str] = set()  # reasons for PyTorch, each said once
_OWN_LOOP = (
    "PyTorch: a loop of your own calls the network layer by layer; the native engine takes a "
    "batch forward, backward and through the step in one call, as in d2l.train_ch6 and "
    "d2l.train_epoch_ch3"
)
_NO_LEAF = nn.Parameter(torch.empty(0))


class Native:
    """The native engine for one network, while a loop goes through its batches.

    Args:
        net: a module, or a function, which is never for the engine.
    """

    def __init__(self, net: nn.Module | Callable[..., Any] | None) -> None:
        self._net = net
        self._chains: dict[tuple[int, int, int], engine.Chain | None] = {}

    def learner(self, *batch: Any) -> engine.Chain | None:
        """Returns what learns from a batch in PyTorch's stead; as `chain`."""
        chain = self.chain(*batch)
        if chain is None:
            return None
        try:
            chain.expect_learning()
        except engine.Unsupported as error:
            _say(f"PyTorch: {error}")
            return None
        return chain

    def chain(self, *batch: Any) -> engine.Chain | None:
        """Returns what answers for a batch in PyTorch's stead, None where that must.

        The network may have changed since the last batch in any way. Why PyTorch computes is said
        on standard error, once.

        Args:
            batch: for the engine if it is float32 (N, C, H, W) and int64 (N,), on the processor.
        """
        if not isinstance(self._net, nn.Module) or len(batch) != 2 or not _takes(*batch):
            return None
        channels, height, width = batch[0].shape[1:]
        size = channels, height, width
        if size not in self._chains:
            self._chains[size] = _selected(self._net, size)
        if (chain := self._chains[size]) is not None:
            try:
                chain.follow()
            except engine.Unsupported:
                self._chains[size] = _selected(self._net, size)
        return self._chains[size]


def _selected(net: nn.Module, size: tuple[int, int, int]) -> engine.Chain | None:
    chain, line = engine.select(net, size)
    if chain is None:
        _say(line)
    return chain


def say_of_own_loop(y_hat: Tensor) -> None:
    """Says once, of scores that a loop of the user's own is to learn from, that PyTorch computes.

    Nothing where the engine could not: on another device, or where the weights are no module's.
    """
    if _OWN_LOOP in _said or y_hat.grad_fn is None or y_hat.device.type != "cpu":
        return
    if y_hat.dtype is torch.float32 and engine.status().instructions and _of_modules(y_hat):
        _say(_OWN_LOOP)


def _of_modules(y_hat: Tensor) -> bool:
    """Tells whether all that scores can be differentiated by are parameters of modules."""
    ahead, seen = [y_hat.grad_fn], set()
    while ahead:
        node = ahead.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if not isinstance(getattr(node, "variable", _NO_LEAF), nn.Parameter):
            return False
        ahead += [before for before, _ in node.next_functions]
    return True


def _say(line: str) -> None:
    if line not in _said:
        _said.add(line)
        print(f"holmdel: {line}", file=sys.stderr)  # noqa: T201  once, as the commands do


def _takes(X: Any, y: Any) -> bool:  # noqa: N803  the book's name
    """Tells whether a batch is of the engine's types and shapes."""
    if not isinstance(X, Tensor) or not isinstance(y, Tensor) or X.is_nested or not len(y):
        return False
    types = X.dtype, y.dtype, X.device.type, y.device.type
    shaped = X.ndim == 4 and y.shape == (len(X),)
    if types != (torch.float32, torch.int64, "cpu", "cpu") or not shaped:
        return False
    return int(y.min()) >= 0  # PyTorch's loss leaves out examples of the label -100
