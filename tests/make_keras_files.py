"""Writes files of the real Keras, and the logits that it gave, for test_foreign_files.py.

    python tests/make_keras_files.py FOLDER [NAME ...]

Needs Keras 3 and TensorFlow, or with KERAS_BACKEND=jax JAX. Without names it writes what is
committed in tests/files. Every network sees the picture of `picture`.
"""

import json
import sys
from pathlib import Path

import keras
import numpy as np
from keras import layers

COMMITTED = (
    "keras-lenet",
    "keras-lenet-weights",
    "keras-lenet-legacy",
    "keras-first",
    "keras-reshape",
    "keras-googlenet",
    "keras-saved",
    "keras-checkpoint",
)


def picture(height, width):
    """Returns a picture (1, H, W, 1) of fixed numbers in 0..1."""
    numbers = np.arange(height * width, dtype=np.int64) * 7919 % 256 / 255
    return numbers.astype(np.float32).reshape(1, height, width, 1)


def lenet(
    size, classes=10, activation="sigmoid", pool=layers.AveragePooling2D, last=layers.Flatten
):
    """Returns the book's LeNet."""
    return keras.Sequential(
        [
            layers.Input((*size, 1)),
            layers.Conv2D(6, kernel_size=5, activation=activation, padding="same"),
            pool(pool_size=2, strides=2),
            layers.Conv2D(16, kernel_size=5, activation=activation),
            pool(pool_size=2, strides=2),
            last(),
            layers.Dense(120, activation=activation),
            layers.Dense(84, activation=activation),
            layers.Dense(classes),
        ]
    )


def lenet_first(last):
    """Returns LeNet with channels first, in the style of functions, its activations layers."""
    way = {"data_format": "channels_first"}
    seen = x = keras.Input((1, 16, 16))
    for maps, padding in ((6, "same"), (16, "valid")):
        x = layers.Conv2D(maps, 5, padding=padding, **way)(x)
        x = layers.Activation("relu")(x)
        x = layers.MaxPooling2D(2, **way)(x)
    x = last(x)
    for units in (120, 84):
        x = layers.ReLU()(layers.Dense(units)(x))
    return keras.Model(seen, layers.Dense(10, activation="softmax")(x))


def alexnet():
    """Returns the book's AlexNet."""
    return keras.Sequential(
        [
            layers.Input((224, 224, 1)),
            layers.Conv2D(96, kernel_size=11, strides=4, activation="relu"),
            layers.MaxPool2D(pool_size=3, strides=2),
            layers.Conv2D(256, kernel_size=5, padding="same", activation="relu"),
            layers.MaxPool2D(pool_size=3, strides=2),
            layers.Conv2D(384, kernel_size=3, padding="same", activation="relu"),
            layers.Conv2D(384, kernel_size=3, padding="same", activation="relu"),
            layers.Conv2D(256, kernel_size=3, padding="same", activation="relu"),
            layers.MaxPool2D(pool_size=3, strides=2),
            layers.Flatten(),
            *dense(),
        ]
    )


def dense():
    wide = [layers.Dense(4096, activation="relu"), layers.Dropout(0.5)]
    return [*wide, layers.Dense(4096, activation="relu"), layers.Dropout(0.5), layers.Dense(10)]


def vgg11():
    """Returns the book's small VGG, its blocks networks of their own."""
    net = keras.Sequential([layers.Input((224, 224, 1))])
    for convolutions, maps in ((1, 16), (1, 32), (2, 64), (2, 128), (2, 128)):
        block = keras.Sequential()
        for _ in range(convolutions):
            block.add(layers.Conv2D(maps, kernel_size=3, padding="same", activation="relu"))
        block.add(layers.MaxPool2D(pool_size=2, strides=2))
        net.add(block)
    for layer in (layers.Flatten(), *dense()):
        net.add(layer)
    return net


def nin(width=1.0):
    """Returns the book's NiN."""

    def block(maps, kernel_size, strides, padding):
        first = layers.Conv2D(
            maps, kernel_size, strides=strides, padding=padding, activation="relu"
        )
        ones = [layers.Conv2D(maps, kernel_size=1, activation="relu") for _ in range(2)]
        return keras.Sequential([first, *ones])

    m1, m2, m3 = (max(1, round(maps * width)) for maps in (96, 256, 384))
    return keras.Sequential(
        [
            layers.Input((224, 224, 1)),
            block(m1, 11, 4, "valid"),
            layers.MaxPool2D(pool_size=3, strides=2),
            block(m2, 5, 1, "same"),
            layers.MaxPool2D(pool_size=3, strides=2),
            block(m3, 3, 1, "same"),
            layers.MaxPool2D(pool_size=3, strides=2),
            layers.Dropout(0.5),
            block(10, 3, 1, "same"),
            layers.GlobalAvgPool2D(),
            layers.Reshape((1, 1, 10)),
            layers.Flatten(),
        ]
    )


@keras.saving.register_keras_serializable()
class Inception(keras.Model):
    """The book's block."""

    def __init__(self, c1, c2, c3, c4, **kwargs):
        super().__init__(**kwargs)
        self.paths = (c1, c2, c3, c4)
        self.p1_1 = layers.Conv2D(c1, 1, activation="relu")
        self.p2_1 = layers.Conv2D(c2[0], 1, activation="relu")
        self.p2_2 = layers.Conv2D(c2[1], 3, padding="same", activation="relu")
        self.p3_1 = layers.Conv2D(c3[0], 1, activation="relu")
        self.p3_2 = layers.Conv2D(c3[1], 5, padding="same", activation="relu")
        self.p4_1 = layers.MaxPool2D(3, 1, padding="same")
        self.p4_2 = layers.Conv2D(c4, 1, activation="relu")

    def call(self, x):
        p1 = self.p1_1(x)
        p2 = self.p2_2(self.p2_1(x))
        p3 = self.p3_2(self.p3_1(x))
        return layers.Concatenate()([p1, p2, p3, self.p4_2(self.p4_1(x))])

    def get_config(self):
        return dict(zip(("c1", "c2", "c3", "c4"), self.paths, strict=True))


def googlenet(width=1.0):
    """Returns the book's GoogLeNet."""

    def maps(count):
        return max(1, round(count * width))

    def inception(c1, c2, c3, c4):
        return Inception(maps(c1), [*map(maps, c2)], [*map(maps, c3)], maps(c4))

    conv = {"padding": "same", "activation": "relu"}

    def pool():
        return layers.MaxPool2D(pool_size=3, strides=2, padding="same")

    b1 = [layers.Conv2D(maps(64), 7, strides=2, **conv), pool()]
    b2 = [
        layers.Conv2D(maps(64), 1, activation="relu"),
        layers.Conv2D(maps(192), 3, **conv),
        pool(),
    ]
    b3 = [inception(64, (96, 128), (16, 32), 32), inception(128, (128, 192), (32, 96), 64), pool()]
    b4 = [
        inception(192, (96, 208), (16, 48), 64),
        inception(160, (112, 224), (24, 64), 64),
        inception(128, (128, 256), (24, 64), 64),
        inception(112, (144, 288), (32, 64), 64),
        inception(256, (160, 320), (32, 128), 128),
        pool(),
    ]
    b5 = [
        inception(256, (160, 320), (32, 128), 128),
        inception(384, (192, 384), (48, 128), 128),
        layers.GlobalAvgPool2D(),
        layers.Flatten(),
    ]
    blocks = [keras.Sequential(block) for block in (b1, b2, b3, b4, b5)]
    return keras.Sequential([layers.Input((96, 96, 1)), *blocks, layers.Dense(10)])


NETWORKS = {  # the network, and the ending that says the form of its file
    "keras-lenet": (lambda: lenet((16, 20)), ".keras"),
    "keras-lenet-weights": (lambda: lenet((16, 16)), ".weights.h5"),
    "keras-lenet-legacy": (
        lambda: lenet((16, 16), activation="tanh", pool=layers.MaxPooling2D),
        ".h5",
    ),
    "keras-first": (lambda: lenet_first(layers.Flatten(data_format="channels_first")), ".keras"),
    "keras-reshape": (lambda: lenet_first(layers.Reshape((-1,))), ".keras"),
    "keras-googlenet": (lambda: googlenet(1 / 16), ".weights.h5"),
    "keras-saved": (lambda: lenet((16, 16)), ""),
    "keras-checkpoint": (lambda: lenet((16, 16)), ".index"),
    "keras-nin": (lambda: nin(0.02), ".weights.h5"),
    "keras-full-lenet": (lambda: lenet((28, 28)), ".keras"),
    "keras-full-alexnet": (alexnet, ".keras"),
    "keras-full-vgg11": (vgg11, ".keras"),
    "keras-full-nin": (nin, ".keras"),
    "keras-full-googlenet": (googlenet, ".weights.h5"),
}


def coarse(values, rng):
    """Returns numbers of few values, so that the files pack well, and logits that differ."""
    limit = 3.0 / np.sqrt(np.prod(values.shape[:-1])) if values.ndim > 1 else 0.2
    return (rng.integers(-7, 8, values.shape) / 7 * limit).astype(np.float32)


def precise(make, weights, seen):
    """Returns the logits of a network of these weights in 64 bits."""
    keras.config.set_dtype_policy("float64")
    net = make()
    seen = seen.astype(np.float64)
    net(seen)
    net.set_weights([values.astype(np.float64) for values in weights])
    given = np.asarray(net(seen))[0]
    keras.config.set_dtype_policy("float32")
    assert given.dtype == np.float64
    return given


def write(folder, name):
    """Writes a network's file, and the logits it gave."""
    make, ending = NETWORKS[name]
    keras.utils.set_random_seed(0)
    net = make()
    first = net.input_shape[1] == 1
    height, width = net.input_shape[2:] if first else net.input_shape[1:3]
    seen = picture(height, width)
    seen = seen.transpose(0, 3, 1, 2) if first else seen
    net(seen)
    rng = np.random.default_rng(0)
    net.set_weights([coarse(values, rng) for values in net.get_weights()])
    given = np.asarray(net(seen))[0]
    if not ending:
        net.export(folder / name, verbose=False)
    elif ending == ".index":
        import tensorflow

        tensorflow.train.Checkpoint(model=net).write(folder / name)
    elif ending == ".weights.h5":
        net.save_weights(folder / f"{name}{ending}")
    else:
        net.save(folder / f"{name}{ending}")
    (folder / f"{name}.json").write_text(json.dumps(given.tolist()) + "\n")
    if "-full-" in name:
        logits = precise(make, net.get_weights(), seen)
        (folder / f"{name}.float64.json").write_text(json.dumps(logits.tolist()) + "\n")


def main():
    """Writes the files that are named, or those that are committed."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[2:] or COMMITTED:
        write(folder, name)


if __name__ == "__main__":
    main()
