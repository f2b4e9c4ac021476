"""Writes files of the real Flax, and the logits that it gave, for test_foreign_files.py.

    python tests/make_flax_files.py FOLDER [NAME ...]

Needs JAX and Flax. Without names it writes what is committed in tests/files. Every network sees
the picture of `picture`.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp
from flax import nnx, serialization

COMMITTED = ("flax-lenet", "flax-nnx", "flax-orbax")


def picture(height, width):
    """Returns a picture (1, H, W, 1) of fixed numbers in 0..1."""
    numbers = np.arange(height * width, dtype=np.int64) * 7919 % 256 / 255
    return numbers.astype(np.float32).reshape(1, height, width, 1)


def flat(x):
    return x.reshape((x.shape[0], -1))


def mean_pool(x):
    return nn.avg_pool(x, window_shape=(2, 2), strides=(2, 2))


def max_pool(x, side=3, padding="VALID"):
    return nn.max_pool(x, window_shape=(side, side), strides=(2, 2), padding=padding)


def lenet():
    """Returns the book's LeNet."""
    return nn.Sequential(
        [
            nn.Conv(features=6, kernel_size=(5, 5), padding="SAME"),
            nn.sigmoid,
            mean_pool,
            nn.Conv(features=16, kernel_size=(5, 5), padding="VALID"),
            nn.sigmoid,
            mean_pool,
            flat,
            nn.Dense(features=120),
            nn.sigmoid,
            nn.Dense(features=84),
            nn.sigmoid,
            nn.Dense(features=10),
        ]
    )


def dense():
    return [nn.Dense(4096), nn.relu, nn.Dense(4096), nn.relu, nn.Dense(10)]


def alexnet():
    """Returns the book's AlexNet, without its dropout."""
    return nn.Sequential(
        [
            nn.Conv(features=96, kernel_size=(11, 11), strides=4, padding=1),
            nn.relu,
            max_pool,
            nn.Conv(features=256, kernel_size=(5, 5)),
            nn.relu,
            max_pool,
            nn.Conv(features=384, kernel_size=(3, 3)),
            nn.relu,
            nn.Conv(features=384, kernel_size=(3, 3)),
            nn.relu,
            nn.Conv(features=256, kernel_size=(3, 3)),
            nn.relu,
            max_pool,
            flat,
            *dense(),
        ]
    )


def vgg11():
    """Returns the book's small VGG, without its dropout."""
    layers = []
    for convolutions, maps in ((1, 16), (1, 32), (2, 64), (2, 128), (2, 128)):
        block = []
        for _ in range(convolutions):
            block += [nn.Conv(maps, kernel_size=(3, 3), padding=(1, 1)), nn.relu]
        block.append(lambda x: max_pool(x, side=2))
        layers.append(nn.Sequential(block))
    return nn.Sequential([*layers, flat, *dense()])


def nin():
    """Returns the book's NiN, without its dropout."""

    def block(maps, kernel_size, strides, padding):
        ones = [nn.Conv(maps, (1, 1)), nn.relu, nn.Conv(maps, (1, 1)), nn.relu]
        return nn.Sequential([nn.Conv(maps, kernel_size, strides, padding), nn.relu, *ones])

    return nn.Sequential(
        [
            block(96, (11, 11), (4, 4), (0, 0)),
            max_pool,
            block(256, (5, 5), (1, 1), (2, 2)),
            max_pool,
            block(384, (3, 3), (1, 1), (1, 1)),
            max_pool,
            block(10, (3, 3), (1, 1), (1, 1)),
            lambda x: x.mean(axis=(1, 2)),
        ]
    )


class Inception(nn.Module):
    """The book's block."""

    c1: int
    c2: tuple
    c3: tuple
    c4: int

    def setup(self):
        self.b1_1 = nn.Conv(self.c1, kernel_size=(1, 1))
        self.b2_1 = nn.Conv(self.c2[0], kernel_size=(1, 1))
        self.b2_2 = nn.Conv(self.c2[1], kernel_size=(3, 3), padding="same")
        self.b3_1 = nn.Conv(self.c3[0], kernel_size=(1, 1))
        self.b3_2 = nn.Conv(self.c3[1], kernel_size=(5, 5), padding="same")
        self.b4_1 = lambda x: nn.max_pool(x, (3, 3), strides=(1, 1), padding="same")
        self.b4_2 = nn.Conv(self.c4, kernel_size=(1, 1))

    def __call__(self, x):
        b1 = nn.relu(self.b1_1(x))
        b2 = nn.relu(self.b2_2(nn.relu(self.b2_1(x))))
        b3 = nn.relu(self.b3_2(nn.relu(self.b3_1(x))))
        b4 = nn.relu(self.b4_2(self.b4_1(x)))
        return jnp.concatenate((b1, b2, b3, b4), axis=-1)


def googlenet():
    """Returns the book's GoogLeNet."""

    def pool(x):
        return max_pool(x, padding="same")

    b1 = [nn.Conv(64, (7, 7), strides=(2, 2), padding="same"), nn.relu, pool]
    b2 = [nn.Conv(64, (1, 1)), nn.relu, nn.Conv(192, (3, 3), padding="same"), nn.relu, pool]
    b3 = [Inception(64, (96, 128), (16, 32), 32), Inception(128, (128, 192), (32, 96), 64), pool]
    b4 = [
        Inception(192, (96, 208), (16, 48), 64),
        Inception(160, (112, 224), (24, 64), 64),
        Inception(128, (128, 256), (24, 64), 64),
        Inception(112, (144, 288), (32, 64), 64),
        Inception(256, (160, 320), (32, 128), 128),
        pool,
    ]
    b5 = [
        Inception(256, (160, 320), (32, 128), 128),
        Inception(384, (192, 384), (48, 128), 128),
        lambda x: x.mean(axis=(1, 2)),
    ]
    return nn.Sequential([*map(nn.Sequential, (b1, b2, b3, b4, b5)), nn.Dense(10)])


class LeNet(nnx.Module):
    """LeNet with max pooling, in the style of nnx; its dropout has a state of its own."""

    def __init__(self, rngs):
        self.conv1 = nnx.Conv(1, 6, (5, 5), padding="VALID", rngs=rngs)
        self.conv2 = nnx.Conv(6, 16, (5, 5), padding="VALID", rngs=rngs)
        self.dense1 = nnx.Linear(2 * 2 * 16, 120, rngs=rngs)
        self.drop = nnx.Dropout(0.0, rngs=rngs)
        self.dense2 = nnx.Linear(120, 84, rngs=rngs)
        self.dense3 = nnx.Linear(84, 10, rngs=rngs)

    def __call__(self, x):
        x = max_pool(nnx.relu(self.conv1(x)), side=2)
        x = flat(max_pool(nnx.relu(self.conv2(x)), side=2))
        x = self.drop(nnx.relu(self.dense1(x)))
        return self.dense3(nnx.relu(self.dense2(x)))


NETWORKS: dict[str, tuple[Callable, int]] = {
    "flax-lenet": (lenet, 16),
    "flax-orbax": (lenet, 16),
    "flax-full-lenet": (lenet, 28),
    "flax-full-alexnet": (alexnet, 224),
    "flax-full-vgg11": (vgg11, 224),
    "flax-full-nin": (nin, 224),
    "flax-full-googlenet": (googlenet, 96),
}


def coarse(values, rng):
    """Returns numbers of few values, so that the files pack well, and logits that differ."""
    limit = 3.0 / np.sqrt(np.prod(values.shape[:-1])) if values.ndim > 1 else 0.2
    return (rng.integers(-7, 8, values.shape) / 7 * limit).astype(np.float32)


def of_linen(name):
    """Returns what is saved of a network of linen, and its logits."""
    make, side = NETWORKS[name]
    net, seen = make(), jnp.asarray(picture(side, side))
    rng = np.random.default_rng(0)
    params = jax.tree.map(lambda value: coarse(value, rng), net.init(jax.random.key(0), seen))
    return params, net.apply(params, seen)


def precise(name, params):
    """Returns the logits of a network of linen in 64 bits."""
    make, side = NETWORKS[name]
    with jax.enable_x64(True):
        wide = jax.tree.map(lambda value: jnp.asarray(value, jnp.float64), params)
        logits = make().apply(wide, jnp.asarray(picture(side, side), jnp.float64))
        assert logits.dtype == jnp.float64
        return np.asarray(logits)[0]


def of_nnx():
    """Returns what is saved of a network of nnx, and its logits."""
    net, rng = LeNet(nnx.Rngs(0)), np.random.default_rng(0)
    params = jax.tree.map(lambda value: jnp.asarray(coarse(value, rng)), nnx.state(net, nnx.Param))
    nnx.update(net, params)
    saved = nnx.to_pure_dict(nnx.state(net))
    saved["drop"] = {"rngs": {"count": np.uint32(0), "key": np.zeros(2, np.uint32)}}
    return serialization.msgpack_serialize(jax.tree.map(np.asarray, saved)), net(
        jnp.asarray(picture(20, 20))
    )


def main():
    """Writes the files that are named, or those that are committed."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[2:] or COMMITTED:
        params, logits = of_nnx() if name == "flax-nnx" else of_linen(name)
        if name == "flax-orbax":
            with ocp.StandardCheckpointer() as checkpointer:
                checkpointer.save((folder / name).resolve(), jax.tree.map(jnp.asarray, params))
        else:
            content = params if name == "flax-nnx" else serialization.to_bytes(params)
            (folder / f"{name}.msgpack").write_bytes(content)
        (folder / f"{name}.json").write_text(json.dumps(np.asarray(logits)[0].tolist()) + "\n")
        if "-full-" in name:
            found = precise(name, params).tolist()
            (folder / f"{name}.float64.json").write_text(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
