"""Writes files of the real PaddlePaddle, and the logits that it gave, for test_foreign_files.py.

    python tests/make_paddle_files.py FOLDER [NAME ...]

Needs paddlepaddle. Without names it writes what is committed in tests/files. Every network sees
the picture of `picture`.
"""

import json
import sys
from pathlib import Path

import numpy as np
import paddle
from paddle import nn

COMMITTED = ("paddle-lenet", "paddle-vision")


def picture(height, width):
    """Returns a picture (1, 1, H, W) of fixed numbers in 0..1."""
    numbers = np.arange(height * width, dtype=np.int64) * 7919 % 256 / 255
    return numbers.astype(np.float32).reshape(1, 1, height, width)


def lenet(inputs=16 * 5 * 5):
    """Returns the book's LeNet."""
    return nn.Sequential(
        nn.Conv2D(1, 6, kernel_size=5, padding=2),
        nn.Sigmoid(),
        nn.AvgPool2D(kernel_size=2, stride=2),
        nn.Conv2D(6, 16, kernel_size=5),
        nn.Sigmoid(),
        nn.AvgPool2D(kernel_size=2, stride=2),
        nn.Flatten(),
        nn.Linear(inputs, 120),
        nn.Sigmoid(),
        nn.Linear(120, 84),
        nn.Sigmoid(),
        nn.Linear(84, 10),
    )


def dense(inputs):
    wide = [nn.Linear(inputs, 4096), nn.ReLU(), nn.Dropout(p=0.5)]
    return [*wide, nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(p=0.5), nn.Linear(4096, 10)]


def alexnet():
    """Returns the book's AlexNet."""
    return nn.Sequential(
        nn.Conv2D(1, 96, kernel_size=11, stride=4, padding=1),
        nn.ReLU(),
        nn.MaxPool2D(kernel_size=3, stride=2),
        nn.Conv2D(96, 256, kernel_size=5, padding=2),
        nn.ReLU(),
        nn.MaxPool2D(kernel_size=3, stride=2),
        nn.Conv2D(256, 384, kernel_size=3, padding=1),
        nn.ReLU(),
        nn.Conv2D(384, 384, kernel_size=3, padding=1),
        nn.ReLU(),
        nn.Conv2D(384, 256, kernel_size=3, padding=1),
        nn.ReLU(),
        nn.MaxPool2D(kernel_size=3, stride=2),
        nn.Flatten(),
        *dense(256 * 5 * 5),
    )


def vgg11():
    """Returns the book's small VGG."""
    blocks, seen = [], 1
    for convolutions, maps in ((1, 16), (1, 32), (2, 64), (2, 128), (2, 128)):
        layers = []
        for _ in range(convolutions):
            layers += [nn.Conv2D(seen, maps, kernel_size=3, padding=1), nn.ReLU()]
            seen = maps
        blocks.append(nn.Sequential(*layers, nn.MaxPool2D(kernel_size=2, stride=2)))
    return nn.Sequential(*blocks, nn.Flatten(), *dense(seen * 7 * 7))


def nin():
    """Returns the book's NiN."""

    def block(seen, maps, kernel_size, stride, padding):
        first = nn.Conv2D(seen, maps, kernel_size, stride, padding)
        ones = [nn.Conv2D(maps, maps, 1), nn.ReLU(), nn.Conv2D(maps, maps, 1), nn.ReLU()]
        return nn.Sequential(first, nn.ReLU(), *ones)

    return nn.Sequential(
        block(1, 96, 11, 4, 0),
        nn.MaxPool2D(3, stride=2),
        block(96, 256, 5, 1, 2),
        nn.MaxPool2D(3, stride=2),
        block(256, 384, 3, 1, 1),
        nn.MaxPool2D(3, stride=2),
        nn.Dropout(p=0.5),
        block(384, 10, 3, 1, 1),
        nn.AdaptiveAvgPool2D((1, 1)),
        nn.Flatten(),
    )


class Inception(nn.Layer):
    """The book's block."""

    def __init__(self, seen, c1, c2, c3, c4):
        super().__init__()
        self.p1_1 = nn.Conv2D(seen, c1, kernel_size=1)
        self.p2_1 = nn.Conv2D(seen, c2[0], kernel_size=1)
        self.p2_2 = nn.Conv2D(c2[0], c2[1], kernel_size=3, padding=1)
        self.p3_1 = nn.Conv2D(seen, c3[0], kernel_size=1)
        self.p3_2 = nn.Conv2D(c3[0], c3[1], kernel_size=5, padding=2)
        self.p4_1 = nn.MaxPool2D(kernel_size=3, stride=1, padding=1)
        self.p4_2 = nn.Conv2D(seen, c4, kernel_size=1)

    def forward(self, x):
        relu = nn.functional.relu
        p1 = relu(self.p1_1(x))
        p2 = relu(self.p2_2(relu(self.p2_1(x))))
        p3 = relu(self.p3_2(relu(self.p3_1(x))))
        return paddle.concat(x=[p1, p2, p3, relu(self.p4_2(self.p4_1(x)))], axis=1)


def googlenet():
    """Returns the book's GoogLeNet."""

    def pool():
        return nn.MaxPool2D(kernel_size=3, stride=2, padding=1)

    b1 = [nn.Conv2D(1, 64, 7, stride=2, padding=3), nn.ReLU(), pool()]
    b2 = [nn.Conv2D(64, 64, 1), nn.ReLU(), nn.Conv2D(64, 192, 3, padding=1), nn.ReLU(), pool()]
    b3 = [
        Inception(192, 64, (96, 128), (16, 32), 32),
        Inception(256, 128, (128, 192), (32, 96), 64),
        pool(),
    ]
    b4 = [
        Inception(480, 192, (96, 208), (16, 48), 64),
        Inception(512, 160, (112, 224), (24, 64), 64),
        Inception(512, 128, (128, 256), (24, 64), 64),
        Inception(512, 112, (144, 288), (32, 64), 64),
        Inception(528, 256, (160, 320), (32, 128), 128),
        pool(),
    ]
    b5 = [
        Inception(832, 256, (160, 320), (32, 128), 128),
        Inception(832, 384, (192, 384), (48, 128), 128),
        nn.AdaptiveAvgPool2D((1, 1)),
        nn.Flatten(),
    ]
    return nn.Sequential(*(nn.Sequential(*b) for b in (b1, b2, b3, b4, b5)), nn.Linear(1024, 10))


NETWORKS = {
    "paddle-lenet": (lambda: lenet(16 * 2 * 2), 16),
    "paddle-vision": (lambda: paddle.vision.models.LeNet(), 28),
    "paddle-full-lenet": (lenet, 28),
    "paddle-full-alexnet": (alexnet, 224),
    "paddle-full-vgg11": (vgg11, 224),
    "paddle-full-nin": (nin, 224),
    "paddle-full-googlenet": (googlenet, 96),
}


def coarse(values, rng):
    """Returns numbers of few values, so that the files pack well, and logits that differ."""
    fan = np.prod(values.shape[1:]) if values.ndim == 4 else values.shape[0]
    limit = 3.0 / np.sqrt(fan) if values.ndim > 1 else 0.2
    return (rng.integers(-7, 8, values.shape) / 7 * limit).astype(np.float32)


def write(folder, name):
    """Writes a network's file, and the logits it gave."""
    make, side = NETWORKS[name]
    net, rng = make(), np.random.default_rng(0)
    net.eval()
    net.set_state_dict({key: coarse(v.numpy(), rng) for key, v in net.state_dict().items()})
    logits = net(paddle.to_tensor(picture(side, side))).numpy()[0]
    paddle.save(net.state_dict(), str(folder / f"{name}.pdparams"))
    (folder / f"{name}.json").write_text(json.dumps(logits.tolist()) + "\n")
    if "-full-" in name:
        net.to(dtype="float64")
        logits = net(paddle.to_tensor(picture(side, side).astype(np.float64))).numpy()[0]
        assert logits.dtype == np.float64
        (folder / f"{name}.float64.json").write_text(json.dumps(logits.tolist()) + "\n")


def main():
    """Writes the files that are named, or those that are committed."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[2:] or COMMITTED:
        write(folder, name)


if __name__ == "__main__":
    main()
