"""More contenders for a training step: JAX, Keras, and the engine with torch's optimizer."""

import os
from collections.abc import Callable
from functools import partial
from itertools import cycle
from typing import Any

import torch
from torch import nn

from holmdel import engine
from holmdel.benchmark.contenders import makers, trainers
from holmdel.benchmark.machine import cores
from holmdel.benchmark.rounds import Maker, Missing
from holmdel.benchmark.workload import Workload

Call = Callable[[], object]
STEPPED, JAX, KERAS = "engine, torch SGD", "JAX", "Keras"


def all_trainers(work: Workload) -> dict[str, Maker]:
    """Returns who can train the workload's network: those of `holmdel bench` and the three here."""
    calls = {STEPPED: engine_step, JAX: jax_step, KERAS: keras_step}
    more = makers({name: partial(call, work) for name, call in calls.items()}, work.batch)
    return trainers(work) | more


def engine_step(work: Workload) -> Call:
    """Returns a step of the engine on batches made ready, and one of torch's optimizer.

    Raises:
        UserError: if the engine does not take the network.
    """
    network = work.build()
    chain = engine.compile(network, work.input)
    optimizer = torch.optim.SGD(network.parameters(), lr=work.lr)
    turns = cycle(work.batches(torch.contiguous_format))

    def step() -> None:
        chain.step(*next(turns))
        optimizer.step()

    return step


def jax_step(work: Workload) -> Call:
    """Returns a jitted step of the network in JAX, images as (N, H, W, C); it gives the loss.

    Raises:
        ImportError: without JAX.
        Missing: where JAX would take other threads than the rest.
    """
    import jax

    _refuse_fewer_threads()
    layers = flattened(work.build())
    parameters = [_jax_parameters(layer) for layer in layers]

    def loss_of(parameters: Any, images: Any, labels: Any) -> Any:
        x = images
        for layer, values in zip(layers, parameters, strict=True):
            x = _jax_layer(layer, values, x)
        scores = jax.nn.log_softmax(x)
        return -scores[jax.numpy.arange(len(labels)), labels].mean()

    def update(parameters: Any, images: Any, labels: Any) -> Any:
        loss, gradients = jax.value_and_grad(loss_of)(parameters, images, labels)
        moved = jax.tree.map(lambda p, g: p - work.lr * g, parameters, gradients)
        return loss, moved

    jitted = jax.jit(update)
    turns = cycle(
        [
            (jax.numpy.asarray(x.permute(0, 2, 3, 1).numpy()), jax.numpy.asarray(y.numpy()))
            for x, y in work.batches(torch.contiguous_format)
        ]
    )

    def step() -> float:
        nonlocal parameters
        loss, parameters = jitted(parameters, *next(turns))
        jax.block_until_ready(parameters)
        return float(loss)

    return step


def _refuse_fewer_threads() -> None:
    if torch.get_num_threads() != cores():
        raise Missing(f"it always takes all {cores()} cores")


def _jax_parameters(layer: nn.Module) -> list[Any]:
    """Returns a layer's weight, HWIO or (in, out), and bias."""
    import jax

    if isinstance(layer, nn.Conv2d | nn.Linear):
        weight = layer.weight.detach()
        order = (2, 3, 1, 0) if weight.ndim == 4 else (1, 0)
        assert layer.bias is not None
        values = [weight.permute(order), layer.bias.detach()]
        return [jax.numpy.asarray(value.numpy()) for value in values]
    return []


def _jax_layer(layer: nn.Module, values: list[Any], x: Any) -> Any:
    """Returns a layer's output; images and maps are (N, H, W, C)."""
    import jax
    from jax import lax

    match layer:
        case nn.Conv2d():
            padding = [(side, side) for side in pair(layer.padding)]
            form = ("NHWC", "HWIO", "NHWC")
            weight, bias = values
            stride = pair(layer.stride)
            return (
                lax.conv_general_dilated(x, weight, stride, padding, dimension_numbers=form) + bias
            )
        case nn.Linear():
            return x @ values[0] + values[1]
        case nn.MaxPool2d() | nn.AvgPool2d():
            height, width = pair(layer.kernel_size)
            window, steps = (1, height, width, 1), (1, *pair(layer.stride), 1)
            if isinstance(layer, nn.MaxPool2d):
                return lax.reduce_window(x, -jax.numpy.inf, lax.max, window, steps, "VALID")
            total = lax.reduce_window(x, 0.0, lax.add, window, steps, "VALID")
            return total / (height * width)
        case nn.Flatten():
            return x.transpose(0, 3, 1, 2).reshape(len(x), -1)
    activations: dict[type[nn.Module], Callable[[Any], Any]] = {
        nn.Sigmoid: jax.nn.sigmoid,
        nn.Tanh: jax.numpy.tanh,
        nn.ReLU: jax.nn.relu,
    }
    return activations[type(layer)](x)


def keras_step(work: Workload) -> Call:
    """Returns a step of the network in Keras with the backend it is set to; it gives the loss.

    Raises:
        ImportError: without Keras or its backend.
        Missing: where Keras would take other threads than the rest.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import keras

    _refuse_fewer_threads()
    channels, height, width = work.input
    layers = [part for layer in flattened(work.build()) for part in _keras_layers(keras, layer)]
    network = keras.Sequential([keras.Input((height, width, channels)), *layers])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(keras.optimizers.SGD(work.lr), loss)
    turns = cycle(
        [
            (x.permute(0, 2, 3, 1).contiguous().numpy(), y.numpy())
            for x, y in work.batches(torch.contiguous_format)
        ]
    )
    return lambda: float(network.train_on_batch(*next(turns)))


def _keras_layers(keras: Any, layer: nn.Module) -> list[Any]:
    """Returns a layer as Keras has it; its weights are drawn anew."""
    layers = keras.layers
    match layer:
        case nn.Conv2d():
            convolution = layers.Conv2D(
                layer.out_channels, pair(layer.kernel_size), pair(layer.stride)
            )
            padded = any(pair(layer.padding))
            return [layers.ZeroPadding2D(pair(layer.padding))] * padded + [convolution]
        case nn.Linear():
            return [layers.Dense(layer.out_features)]
        case nn.MaxPool2d():
            return [layers.MaxPooling2D(pair(layer.kernel_size), pair(layer.stride))]
        case nn.AvgPool2d():
            return [layers.AveragePooling2D(pair(layer.kernel_size), pair(layer.stride))]
        case nn.Flatten():
            return [layers.Flatten()]
    return [layers.Activation(type(layer).__name__.lower())]


def flattened(network: nn.Module) -> list[nn.Module]:
    """Returns the layers of a chain in the order they run, nested chains taken apart."""
    if isinstance(network, nn.Sequential):
        return [layer for part in network for layer in flattened(part)]
    return [] if isinstance(network, nn.Identity) else [network]


def pair(side: Any) -> tuple[int, int]:
    """Returns height and width of what may be given as one number."""
    height, width = side if isinstance(side, tuple) else (side, side)
    return height, width
