"""The way back through a network: the gradients of a loss, each as the sum that it is."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from holmdel.errors import UserError
from holmdel.evaluation import in_eval_mode
from holmdel.insight.activations import Activation, Activations
from holmdel.tracing.call import INPUT

MOST_TERMS = 4096  # of a gradient's sum


@dataclass(frozen=True)
class Gradients:
    """The gradients of the cross entropy of one image and its true class.

    Attributes:
        seen: what the network made of the image.
        network: a copy of the network.
        target: the true class.
        loss: minus the logarithm of its probability.
        layers: the gradient by each layer's output, by the names of `seen`; (C, H, W) or (F,).
            Without those of functions that no module takes up.
        weights: the gradient by each parameter, by its name.
    """

    seen: Activations
    network: nn.Module
    target: int
    loss: float
    layers: dict[str, Tensor]
    weights: dict[str, Tensor]


@dataclass(frozen=True)
class Term:
    """What a unit's gradient gets from one unit behind it: `gradient` times `weight`.

    Attributes:
        layer: the layer behind.
        index: of the unit there.
        gradient: the loss by that unit.
        weight: that unit by this one: the slope between them.
    """

    layer: str
    index: tuple[int, ...]
    gradient: float
    weight: float


@dataclass(frozen=True)
class Step:
    """The weights of one unit before and after a step of gradient descent.

    Attributes:
        before: (I, K, K) of a convolution, (1, 1, I) of a dense layer.
        gradient: the loss by each of them.
        after: before - rate x gradient.
        at: (i, k, l) of the weight with the largest gradient.
        seen: what that weight was multiplied with, at each place.
        slopes: the loss by the unit's value at these places; the products sum to its gradient.
    """

    before: Tensor
    gradient: Tensor
    after: Tensor
    at: tuple[int, int, int]
    seen: Tensor
    slopes: Tensor


def gradients(network: nn.Module, seen: Activations, target: int) -> Gradients:
    """Returns the gradients of a network's loss for one image.

    Args:
        network: from (N, C, H, W) to logits, in float64; it is left as it was.
        seen: its activations for the image.
        target: the true class.

    Raises:
        UserError: for a class that the network does not have, or a network that changes values in
            place on the way.
    """
    classes = len(seen.logits)
    if not 0 <= target < classes:
        raise UserError(f"the class was given as {target}; expected 0 to {classes - 1}")
    network = _plain(network)
    with torch.inference_mode(mode=False), torch.enable_grad(), in_eval_mode(network):
        image = seen[INPUT].value.detach().clone()[None].requires_grad_()
        with _watched(network) as watched:
            logits = network(image)
        loss = functional.cross_entropy(logits, torch.tensor([target]))
        outputs = {INPUT: image, **{name: given for name, (_, given) in watched.items()}}
        takes = {name: taken for name, (taken, _) in watched.items()}
        parameters = dict(network.named_parameters())
        slopes = _slopes(loss, [*outputs.values(), *takes.values(), *parameters.values()])
    found = slopes[: len(outputs)]
    taken = dict(zip(takes, slopes[len(outputs) :], strict=False))
    layers = {name: slope[0] for name, slope in zip(outputs, found, strict=True)}
    weights = dict(zip(parameters, slopes[len(outputs) + len(takes) :], strict=True))
    known = {
        layer.name: value
        for layer in seen.layers
        if (value := _of(layer, seen, layers, taken)) is not None
    }
    return Gradients(seen, network, target, float(loss.detach()), known, weights)


def _plain(network: nn.Module) -> nn.Module:
    """Returns a copy in which no layer changes what it takes, and whose weights have gradients."""
    network = copy.deepcopy(network)
    for module in network.modules():
        if getattr(module, "inplace", False):
            module.inplace = False  # type: ignore[assignment]
    return network.requires_grad_()


@contextmanager
def _watched(network: nn.Module) -> Iterator[dict[str, tuple[Tensor, Tensor]]]:
    """Gives what each leaf module takes and gives while the network runs, by the anatomy's name."""
    found: dict[str, tuple[Tensor, Tensor]] = {}

    def watch(name: str) -> Any:
        def hook(module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
            if args and isinstance(args[0], Tensor) and isinstance(output, Tensor):
                free, number = name, 1
                while free in found:
                    number += 1
                    free = f"{name}:{number}"
                found[free] = args[0], output

        return hook

    leaves = [
        (name, module) for name, module in network.named_modules() if not any(module.children())
    ]
    handles = [module.register_forward_hook(watch(name)) for name, module in leaves]
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()


def _slopes(loss: Tensor, wanted: list[Tensor]) -> list[Tensor]:
    """Returns the loss by each of some tensors; zeros for those that it does not hang on."""
    try:
        found = torch.autograd.grad(loss, wanted, allow_unused=True, materialize_grads=True)
    except RuntimeError as error:
        raise UserError(
            f"this network has no gradients to show ({str(error).splitlines()[0]}); write its "
            "forward() without changes in place"
        ) from None
    return [slope.detach() for slope in found]


def _of(
    layer: Activation, seen: Activations, layers: dict[str, Tensor], taken: dict[str, Tensor]
) -> Tensor | None:
    """Returns the gradient by a layer's output; of a function's by what the module behind takes.

    None where that module takes something else: what a function between makes of it.
    """
    if layer.name in layers:
        return layers[layer.name].reshape(layer.value.shape)
    for behind in seen.layers:
        if behind.layer.inputs == (layer.name,) and behind.name in taken:
            slope = taken[behind.name][0]
            if torch.equal(behind.given[0].flatten(), layer.value.flatten()):
                return slope.reshape(layer.value.shape)
    return None


def terms(found: Gradients, layer: str, unit: tuple[int, ...]) -> list[Term]:
    """Returns what a unit's gradient is the sum of: a term for each unit that takes its value.

    Empty where it comes through something that is no module.

    Args:
        found: of `gradients`.
        layer: the name of a layer.
        unit: (channel, row, column), or (unit,) of a vector.
    """
    own = found.seen[layer]
    behind = [each for each in found.seen.layers if layer in each.layer.inputs]
    if not behind or any(each.module is None or each.name not in found.layers for each in behind):
        return []
    one = torch.zeros_like(own.value)
    one[unit] = 1.0
    return [term for each in behind for term in _through(found, each, own.value, one)]


def _through(found: Gradients, layer: Activation, value: Tensor, one: Tensor) -> list[Term]:
    """Returns the terms that a layer behind hands back; flattenings are gone through."""
    module = dict(found.network.named_modules()).get(layer.name.partition(":")[0])
    if module is None:
        return []
    onward = [each for each in found.seen.layers if layer.name in each.layer.inputs]
    if isinstance(module, nn.Flatten) and onward and all(each.module for each in onward):
        flat = [tensor.reshape(layer.value.shape) for tensor in (value, one)]
        return [term for each in onward for term in _through(found, each, *flat)]
    with torch.inference_mode(mode=False), torch.enable_grad(), in_eval_mode(module):
        _, column = torch.autograd.functional.jvp(  # type: ignore[no-untyped-call]
            module, value.clone()[None], one[None]
        )
    slope = found.layers[layer.name]
    column = column[0].reshape(slope.shape)
    places = column.nonzero()[:MOST_TERMS].tolist()
    return [
        Term(layer.name, tuple(at), float(slope[tuple(at)]), float(column[tuple(at)]))
        for at in places
    ]


def has_step(layer: Activation) -> bool:
    """Returns whether `step` shows what a step makes of a layer's weights."""
    module = layer.module
    return type(module) is nn.Linear or (type(module) is nn.Conv2d and module.groups == 1)


def step(found: Gradients, layer: str, unit: int, rate: float) -> Step:
    """Returns the weights of one unit before and after a step of plain gradient descent.

    Args:
        found: of `gradients`.
        layer: the name of a convolution or a dense layer.
        unit: its map, or its unit.
        rate: the learning rate.

    Raises:
        UserError: for another layer, or a unit that it does not have.
    """
    activation = found.seen[layer]
    module = activation.module
    if not has_step(activation):
        raise UserError(f"{layer!r} was given; expected a convolution or a dense layer")
    if not 0 <= unit < len(activation.value):
        raise UserError(f"unit {unit} of {layer} was given; it has {len(activation.value)}")
    name = layer.partition(":")[0]
    weight = found.network.get_parameter(f"{name}.weight").detach()[unit]
    slope = found.weights[f"{name}.weight"][unit]
    taken = activation.given[0]
    if isinstance(module, nn.Conv2d):
        patches = _patches(module, taken)
    else:
        weight, slope, patches = weight[None, None], slope[None, None], taken.reshape(1, 1, -1, 1)
    at = tuple(torch.unravel_index(slope.abs().argmax(), slope.shape))
    plane, row, column = (int(part) for part in at)
    return Step(
        before=weight,
        gradient=slope,
        after=weight - rate * slope,
        at=(plane, row, column),
        seen=patches[plane, row, column],
        slopes=found.layers[layer][unit].flatten(),
    )


def _patches(module: nn.Conv2d, taken: Tensor) -> Tensor:
    """Returns what each weight is multiplied with at each place: (I, K, K, places)."""
    size: Any = module.kernel_size
    padding: Any = module.padding
    unfolded = functional.unfold(taken[None], size, module.dilation, padding, module.stride)
    return unfolded.reshape(len(taken), *size, -1)
