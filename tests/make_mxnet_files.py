"""Writes the files in tests/files with the real MXNet; run by an interpreter that has it.

    python3.11 -m venv mx && mx/bin/pip install "numpy<1.24" mxnet==1.9.1
    mx/bin/python tests/make_mxnet_files.py tests/files
    mx/bin/python tests/make_mxnet_files.py FOLDER lenet lenet-prefix alexnet vgg11 ...

Each network is one of *Dive into Deep Learning*, its listing in MXNet. Beside NAME.params stands
NAME.json: the logits that MXNet gave for the picture of `picture`, which a test draws again.
"""

import json
import sys
from pathlib import Path

import mxnet as mx
import numpy as onp
from mxnet import nd
from mxnet.gluon import nn

COMMITTED = ("lenet", "lenet-prefix", "exported", "halves", "types", "np", "sparse", "unnamed")


def picture(side):
    """Returns (1, 1, side, side) in 0..1, from whole numbers, so the same everywhere."""
    numbers = onp.arange(side * side, dtype=onp.int64)
    return (numbers * 7919 % 256 / 255).astype(onp.float32).reshape(1, 1, side, side)


def lenet():
    net = nn.HybridSequential()
    net.add(
        nn.Conv2D(channels=6, kernel_size=5, activation="sigmoid"),
        nn.MaxPool2D(pool_size=2, strides=2),
        nn.Conv2D(channels=16, kernel_size=5, activation="sigmoid"),
        nn.MaxPool2D(pool_size=2, strides=2),
        nn.Dense(120, activation="sigmoid"),
        nn.Dense(84, activation="sigmoid"),
        nn.Dense(10),
    )
    return net


def lenet_avg():
    net = nn.HybridSequential()
    net.add(
        nn.Conv2D(channels=6, kernel_size=5, padding=2, activation="sigmoid"),
        nn.AvgPool2D(pool_size=2, strides=2),
        nn.Conv2D(channels=16, kernel_size=5, activation="sigmoid"),
        nn.AvgPool2D(pool_size=2, strides=2),
        nn.Dense(120, activation="sigmoid"),
        nn.Dense(84, activation="sigmoid"),
        nn.Dense(10),
    )
    return net


def alexnet():
    net = nn.HybridSequential()
    net.add(
        nn.Conv2D(96, kernel_size=11, strides=4, activation="relu"),
        nn.MaxPool2D(pool_size=3, strides=2),
        nn.Conv2D(256, kernel_size=5, padding=2, activation="relu"),
        nn.MaxPool2D(pool_size=3, strides=2),
        nn.Conv2D(384, kernel_size=3, padding=1, activation="relu"),
        nn.Conv2D(384, kernel_size=3, padding=1, activation="relu"),
        nn.Conv2D(256, kernel_size=3, padding=1, activation="relu"),
        nn.MaxPool2D(pool_size=3, strides=2),
        nn.Dense(4096, activation="relu"),
        nn.Dropout(0.5),
        nn.Dense(4096, activation="relu"),
        nn.Dropout(0.5),
        nn.Dense(10),
    )
    return net


def vgg11():
    net = nn.HybridSequential()
    for convolutions, channels in ((1, 16), (1, 32), (2, 64), (2, 128), (2, 128)):
        block = nn.HybridSequential()
        for _ in range(convolutions):
            block.add(nn.Conv2D(channels, kernel_size=3, padding=1, activation="relu"))
        block.add(nn.MaxPool2D(pool_size=2, strides=2))
        net.add(block)
    net.add(
        nn.Dense(4096, activation="relu"),
        nn.Dropout(0.5),
        nn.Dense(4096, activation="relu"),
        nn.Dropout(0.5),
        nn.Dense(10),
    )
    return net


def nin():
    net = nn.HybridSequential()
    for channels, kernel, stride, padding in (
        (96, 11, 4, 0),
        (256, 5, 1, 2),
        (384, 3, 1, 1),
        (10, 3, 1, 1),
    ):
        block = nn.HybridSequential()
        block.add(nn.Conv2D(channels, kernel, stride, padding, activation="relu"))
        block.add(nn.Conv2D(channels, kernel_size=1, activation="relu"))
        block.add(nn.Conv2D(channels, kernel_size=1, activation="relu"))
        last = channels == 10
        net.add(nn.Dropout(0.5)) if last else None
        net.add(block)
        net.add(nn.GlobalAvgPool2D() if last else nn.MaxPool2D(pool_size=3, strides=2))
    net.add(nn.Flatten())
    return net


class Inception(nn.HybridBlock):
    def __init__(self, c1, c2, c3, c4, **kwargs):
        super().__init__(**kwargs)
        self.p1_1 = nn.Conv2D(c1, kernel_size=1, activation="relu")
        self.p2_1 = nn.Conv2D(c2[0], kernel_size=1, activation="relu")
        self.p2_2 = nn.Conv2D(c2[1], kernel_size=3, padding=1, activation="relu")
        self.p3_1 = nn.Conv2D(c3[0], kernel_size=1, activation="relu")
        self.p3_2 = nn.Conv2D(c3[1], kernel_size=5, padding=2, activation="relu")
        self.p4_1 = nn.MaxPool2D(pool_size=3, strides=1, padding=1)
        self.p4_2 = nn.Conv2D(c4, kernel_size=1, activation="relu")

    def hybrid_forward(self, F, x):  # noqa: N803
        paths = (
            self.p1_1(x),
            self.p2_2(self.p2_1(x)),
            self.p3_2(self.p3_1(x)),
            self.p4_2(self.p4_1(x)),
        )
        return F.concat(*paths, dim=1)


def googlenet():
    blocks = [nn.HybridSequential() for _ in range(5)]
    pool = {"pool_size": 3, "strides": 2, "padding": 1}
    b1, b2, b3, b4, b5 = blocks
    b1.add(nn.Conv2D(64, 7, 2, 3, activation="relu"), nn.MaxPool2D(**pool))
    b2.add(nn.Conv2D(64, kernel_size=1, activation="relu"))
    b2.add(nn.Conv2D(192, kernel_size=3, padding=1, activation="relu"), nn.MaxPool2D(**pool))
    b3.add(Inception(64, (96, 128), (16, 32), 32), Inception(128, (128, 192), (32, 96), 64))
    b3.add(nn.MaxPool2D(**pool))
    b4.add(Inception(192, (96, 208), (16, 48), 64), Inception(160, (112, 224), (24, 64), 64))
    b4.add(Inception(128, (128, 256), (24, 64), 64), Inception(112, (144, 288), (32, 64), 64))
    b4.add(Inception(256, (160, 320), (32, 128), 128), nn.MaxPool2D(**pool))
    b5.add(Inception(256, (160, 320), (32, 128), 128), Inception(384, (192, 384), (48, 128), 128))
    b5.add(nn.GlobalAvgPool2D())
    net = nn.HybridSequential()
    net.add(*blocks, nn.Dense(10))
    return net


NETWORKS = {  # the listing, and the side of its pictures
    "lenet": (lenet, 28),
    "lenet-avg": (lenet_avg, 28),
    "alexnet": (alexnet, 224),
    "vgg11": (vgg11, 224),
    "nin": (nin, 224),
    "googlenet": (googlenet, 96),
}


def write_network(folder, name):
    """Writes the network's weights in the form that `name` ends with, and its logits."""
    listing, side = NETWORKS[name.removesuffix("-prefix").removesuffix("-export")]
    mx.random.seed(0)
    net = listing()
    net.initialize(mx.init.Xavier(magnitude=6))  # twice the variance, so that logits differ
    net.hybridize()
    net(nd.array(picture(side)))  # the shapes follow from it
    for parameter in net.collect_params(".*bias").values():  # MXNet starts them at zero
        parameter.set_data(nd.random.uniform(-0.2, 0.2, parameter.shape))
    logits = net(nd.array(picture(side)))
    path = folder / f"{name}.params"
    if name.endswith("-prefix"):
        net.collect_params().save(str(path))
    elif name.endswith("-export"):
        export(net, folder, name)
    else:
        net.save_parameters(str(path))
    (folder / f"{name}.json").write_text(json.dumps(logits.asnumpy()[0].tolist()) + "\n")


def export(net, folder, name):
    """Writes the weights as `Module` checkpoints have them, `arg:` and `aux:` before the names."""
    net.export(str(folder / name))
    (folder / f"{name}-0000.params").rename(folder / f"{name}.params")
    (folder / f"{name}-symbol.json").unlink()


def write_array(folder, name):
    """Writes a small file: of one form of storage, or what one way of saving makes."""
    numbers = nd.arange(6).reshape((2, 3)) / 2 - 1
    path = str(folder / f"{name}.params")
    if name == "halves":
        nd.save(path, {"0.weight": numbers.astype("float16")})
    elif name == "types":
        kinds = ("float64", "uint8", "int32", "int8", "int64")
        nd.save(path, {kind: (numbers * 2 + 2).astype(kind) for kind in kinds})
    elif name == "exported":
        net = nn.HybridSequential()
        net.add(nn.Conv2D(2, kernel_size=3), nn.BatchNorm(), nn.Dense(3))
        net.initialize()
        net.hybridize()
        net(nd.array(picture(5)))
        export(net, folder, name)
    elif name == "sparse":
        nd.save(path, {"0.weight": numbers.tostype("row_sparse")})
    elif name == "unnamed":
        nd.save(path, [numbers])
    elif name == "np":  # arrays of no dimensions, as `npx.set_np()` allows them
        mx.npx.set_np()
        array = mx.np.array(1.5, dtype="float32")
        mx.npx.save(path, {"scalar": array, "empty": mx.np.zeros((0, 3))})
        mx.npx.reset_np()


def main():
    """Writes the files that are named, or those that are committed."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[2:] or COMMITTED:
        (write_network if name.split("-")[0] in NETWORKS else write_array)(folder, name)


if __name__ == "__main__":
    main()
