"""The book's training loops; they print the book's lines."""
# ruff: noqa: N803, N806, T201  X is the book's name; the printed lines are the contract

from collections.abc import Callable, Sequence, Sized
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from holmdel.d2l.accuracies import (
    Batches,
    Network,
    count_right,
    evaluate_accuracy,
    evaluate_accuracy_gpu,
    moved,
)
from holmdel.d2l.animation import Animator
from holmdel.d2l.blocks import init_cnn
from holmdel.d2l.bookkeeping import Accumulator, Timer, sgd
from holmdel.d2l.mistakes import through, warn_of_chance
from holmdel.d2l.native import Native
from holmdel.errors import UserError
from holmdel.training.callbacks import in_notebook
from holmdel.training.optimise import without_compiler

LEGEND = ["train loss", "train acc", "test acc"]


def train_ch6(
    net: nn.Module,
    train_iter: Batches,
    test_iter: Batches,
    num_epochs: int,
    lr: float,
    device: torch.device | str,
) -> None:
    """Trains a network as the book's chapter on LeNet does, and prints the book's three lines.

    As in the book the network is started anew: the weights of every dense and every convolutional
    layer are drawn again (Glorot and Bengio's uniform distribution, "xavier"), whatever they were.
    Then stochastic gradient descent on the cross-entropy. The network is left in eval mode.

    The last line is examples trained on over the time spent on training batches, with neither
    loading nor testing in it. In a script the curves are pyplot's figure afterwards, for
    `plt.show()` and `plt.savefig()`. They have a point every fifth of an epoch, every batch
    where there are fewer than five, and every epoch where `train_iter` does not know its length.

    Args:
        net: from X to logits (N, classes); it is moved to `device`.
        train_iter: pairs (X, y), gone through once an epoch.
        test_iter: likewise.
        num_epochs: at least 1.
        lr: the learning rate.
        device: where to train.

    Raises:
        UserError: for less than one epoch, or if there is no batch in one.
    """
    _expect_epochs(num_epochs)
    net.apply(init_cnn)
    print("training on", device)
    net.to(device)
    with without_compiler():
        optimizer = torch.optim.SGD(net.parameters(), lr=lr)
    animator = Animator(xlabel="epoch", xlim=[1, num_epochs], legend=LEGEND)
    timer = Timer()
    for epoch in range(num_epochs):
        metric = _train_epoch_ch6(net, train_iter, optimizer, device, timer, animator, epoch)
        test_acc = evaluate_accuracy_gpu(net, test_iter)
        animator.add(epoch + 1, (None, None, test_acc))
    net.eval()
    if not in_notebook():
        animator.to_pyplot("train_ch6")
    warn_of_chance(metric[0] / metric[2], metric[1] / metric[2])
    print(
        f"loss {metric[0] / metric[2]:.3f}, train acc {metric[1] / metric[2]:.3f}, "
        f"test acc {test_acc:.3f}"
    )
    print(f"{metric[2] * num_epochs / timer.sum():.1f} examples/sec on {device}")


def _train_epoch_ch6(
    net: nn.Module,
    train_iter: Batches,
    optimizer: torch.optim.SGD,
    device: torch.device | str,
    timer: Timer,
    animator: Animator,
    epoch: int,
) -> Accumulator:
    """Trains an epoch, and returns the sums of loss, right answers and examples."""
    batches = len(train_iter) if isinstance(train_iter, Sized) else 0  # 0 is unknown
    metric, native = Accumulator(3), Native(net)
    net.train()
    for number, (X, y) in enumerate(train_iter, start=1):
        timer.start()
        X, y = moved(X, device), moved(y, device)
        batch_loss, correct = _train_batch(net, X, y, optimizer, native)
        metric.add(batch_loss * len(y), correct, len(y))
        timer.stop()
        if batches and (number % max(1, batches // 5) == 0 or number == batches):
            figures = (metric[0] / metric[2], metric[1] / metric[2], None)
            animator.add(epoch + number / batches, figures)
    _expect_batches(metric, epoch)
    if not batches:
        animator.add(epoch + 1, (metric[0] / metric[2], metric[1] / metric[2], None))
    return metric


def _train_batch(
    net: nn.Module, X: Any, y: Tensor, optimizer: torch.optim.SGD, native: Native
) -> tuple[Tensor | float, float]:
    """Returns the mean cross-entropy of a batch and how many are right, after a step."""
    if chain := native.learner(X, y):
        return chain.train(X, y, torch.arange(len(y)), optimizer)
    optimizer.zero_grad()
    y_hat = through(net, X)
    loss = F.cross_entropy(y_hat, y)
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    return loss.detach(), count_right(y_hat, y)


def train_epoch_ch3(
    net: Network,
    train_iter: Batches,
    loss: Callable[[Tensor, Tensor], Tensor],
    updater: torch.optim.Optimizer | Callable[[int], Any],
) -> tuple[float, float]:
    """Trains an epoch, and returns (mean loss, accuracy in 0..1).

    Args:
        net: from X to scores (N, classes).
        train_iter: pairs (X, y).
        loss: from (scores, labels) to a loss an example (N,).
        updater: an optimizer, which gets the gradient of the mean, or a function of the batch size,
            which finds the gradient of the sum.

    Raises:
        UserError: if there is no batch.
    """
    if isinstance(net, nn.Module):
        net.train()
    metric = Accumulator(3)
    native = Native(net if _is_cross_entropy(loss) else None)
    for X, y in train_iter:
        if isinstance(updater, torch.optim.Optimizer) and (chain := native.learner(X, y)):
            updater.zero_grad()
            mean, correct = chain.step(X, y)
            updater.step()
            metric.add(mean * len(y), correct, len(y))
            continue
        y_hat = through(net, X)
        losses = loss(y_hat, y)
        if isinstance(updater, torch.optim.Optimizer):
            updater.zero_grad()
            losses.mean().backward()  # type: ignore[no-untyped-call]
            updater.step()
        else:
            losses.sum().backward()  # type: ignore[no-untyped-call]
            updater(len(y))
        # A loss that is a mean already stands for every example of the batch.
        total = losses.detach().sum() * (len(y) / losses.numel())
        metric.add(total, count_right(y_hat, y), y.numel())
    _expect_batches(metric)
    return metric[0] / metric[2], metric[1] / metric[2]


def _is_cross_entropy(loss: object) -> bool:
    """Tells whether a loss is PyTorch's plain one, of each example or their mean."""
    if type(loss) is not nn.CrossEntropyLoss or loss.weight is not None or loss.label_smoothing:
        return False
    return loss.reduction in ("none", "mean") and loss.ignore_index < 0


def train_ch3(
    net: Network,
    train_iter: Batches,
    test_iter: Batches,
    loss: Callable[[Tensor, Tensor], Tensor],
    num_epochs: int,
    updater: torch.optim.Optimizer | Callable[[int], Any] | int,
    params: Sequence[Tensor] | None = None,
    lr: float | None = None,
    optimizer: torch.optim.Optimizer | None = None,
) -> None:
    """Trains a network as the book's chapter on softmax regression does, with its curves.

    Nothing is printed. A module is left in eval mode, as in the book.

    The form of an older edition is taken as well, `train_ch3(net, train_iter, test_iter, loss,
    num_epochs, batch_size, params, lr, optimizer)`; it prints a line an epoch.

    Args:
        net: as for `train_epoch_ch3`.
        train_iter: likewise.
        test_iter: pairs (X, y).
        loss: as for `train_epoch_ch3`.
        num_epochs: at least 1.
        updater: as for `train_epoch_ch3`; the batch size in the older form.
        params: in the older form, what `sgd` updates where there is no optimizer.
        lr: in the older form, the learning rate of `sgd`.
        optimizer: in the older form, what updates.

    Raises:
        UserError: for less than one epoch, or if there is no batch in one.
    """
    _expect_epochs(num_epochs)
    older = isinstance(updater, int)
    if isinstance(updater, int):
        updater = optimizer or _sgd_of(params, lr)
    animator = Animator(xlabel="epoch", xlim=[1, num_epochs], ylim=[0.3, 0.9], legend=LEGEND)
    for epoch in range(num_epochs):
        figures = train_epoch_ch3(net, train_iter, loss, updater)
        test_acc = evaluate_accuracy(net, test_iter)
        animator.add(epoch + 1, (*figures, test_acc))
        if older:
            print(_line(epoch, *figures, test_acc))
    if isinstance(net, nn.Module):
        net.eval()
    if not in_notebook():
        animator.to_pyplot("train_ch3")


def train_ch5(
    net: nn.Module,
    train_iter: Batches,
    test_iter: Batches,
    batch_size: int,
    optimizer: torch.optim.Optimizer,
    device: torch.device | str,
    num_epochs: int,
) -> None:
    """Trains a network as an older edition's chapter on LeNet does, and prints a line an epoch.

    The network keeps its weights, and the optimizer is the caller's: the book's `train_ch6` draws
    the weights again, and descends by itself.

    Args:
        net: from X to logits (N, classes); it is moved to `device`.
        train_iter: pairs (X, y), gone through once an epoch.
        test_iter: likewise.
        batch_size: not used; the batches say it.
        optimizer: of the network's parameters.
        device: where to train.
        num_epochs: at least 1.

    Raises:
        UserError: for less than one epoch, or if there is no batch in one.
    """
    _expect_epochs(num_epochs)
    net = net.to(device)
    print("training on", device)
    for epoch in range(num_epochs):
        timer = Timer()
        batches = ((moved(X, device), moved(y, device)) for X, y in train_iter)
        figures = train_epoch_ch3(net, batches, nn.CrossEntropyLoss(), optimizer)
        line = _line(epoch, *figures, evaluate_accuracy(net, test_iter))
        print(f"{line}, time {timer.stop():.1f} sec")


def _line(epoch: int, loss: float, train_acc: float, test_acc: float) -> str:
    """Returns what an older edition prints of an epoch."""
    accuracies = f"train acc {train_acc:.3f}, test acc {test_acc:.3f}"
    return f"epoch {epoch + 1}, loss {loss:.4f}, {accuracies}"


def _sgd_of(params: Sequence[Tensor] | None, lr: float | None) -> Callable[[int], None]:
    """Returns the descent of the older form, which has no optimizer."""
    if params is None or lr is None:
        raise UserError("train_ch3 was given a batch size alone; expected params and lr with it")
    return lambda batch_size: sgd(params, lr, batch_size)


def _expect_epochs(num_epochs: int) -> None:
    if num_epochs < 1:
        raise UserError(f"num_epochs was given as {num_epochs}; expected at least 1")


def _expect_batches(metric: Accumulator, epoch: int = 0) -> None:
    if not metric[2]:
        raise UserError(
            f"train_iter gave no batch in epoch {epoch + 1}; expected pairs (X, y) every time it "
            "is gone through: a DataLoader or a list, not a generator"
        )
