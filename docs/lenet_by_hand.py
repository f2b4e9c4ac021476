"""LeNet by hand: every number of its forward pass, of its gradients and of its descent, in NumPy.

Run it, and it descends for a moment on made-up images:

    python docs/lenet_by_hand.py

This file is to be read from top to bottom. It has no cleverness: a convolution is the sum that the
book writes, a gradient is the chain rule, and descent is a subtraction. What Holmdel computes with
PyTorch or with its own engine is the same up to rounding, and a test says so.

Letters: N images in a batch, C channels, H rows, W columns, K side of a kernel, O channels out.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Array = NDArray[np.float64]
Weights = dict[str, Array]

# --- A convolution --------------------------------------------------------------------------------
#
# Lay a kernel of KxK numbers on the image, multiply what lies on one another, and sum: that is one
# number of the output. Move the kernel by a column, and then by a row, for the others. With several
# channels in, there is a kernel for each, and their sums are added; for each channel out there is
# another set of kernels, and a bias that is added at the end.


def convolve(x: Array, kernel: Array, bias: Array) -> Array:
    """Returns (N, O, H - K + 1, W - K + 1) of x (N, C, H, W) and a kernel (O, C, K, K)."""
    windows = sliding_window_view(x, kernel.shape[2:], axis=(2, 3))  # (N, C, H', W', K, K)
    summed: Array = np.einsum("nchwij,ocij->nohw", windows, kernel, optimize=True)
    return summed + bias[:, None, None]


# Backwards. We are given how the loss changes with each number of the output, `up`, and ask how it
# changes with each number that went in. Weight (o, c, i, j) took part in every place (h, w) of
# channel o, each time times the pixel that lay under it: its share is the sum of these products.
# The bias took part everywhere, times 1.
#
# A pixel took part in up to KxK places, each time times another weight. Gathering them is a
# convolution again: of `up` with a margin of K - 1 zeros, by the kernel turned by half a turn, the
# channels in and out exchanged.


def convolve_back(x: Array, kernel: Array, up: Array) -> tuple[Array, Array, Array]:
    """Returns the gradients of x, of the kernel and of the bias."""
    windows = sliding_window_view(x, kernel.shape[2:], axis=(2, 3))
    for_kernel = np.einsum("nchwij,nohw->ocij", windows, up, optimize=True)
    for_bias = up.sum(axis=(0, 2, 3))
    turned = kernel[:, :, ::-1, ::-1].transpose(1, 0, 2, 3)
    for_x = convolve(pad(up, kernel.shape[2] - 1), turned, np.zeros(turned.shape[0]))
    return for_x, for_kernel, for_bias


def pad(x: Array, margin: int) -> Array:
    """Returns maps with a margin of zeros."""
    return np.pad(x, ((0, 0), (0, 0), (margin, margin), (margin, margin)))


# --- Pooling --------------------------------------------------------------------------------------
#
# Of every 2x2 pixels one, their mean. Each of the four has a quarter of the say, so backwards each
# gets a quarter of the gradient.


def pool(x: Array) -> Array:
    """Returns (N, C, H / 2, W / 2) of x (N, C, H, W), H and W even."""
    n, c, h, w = x.shape
    means: Array = x.reshape(n, c, h // 2, 2, w // 2, 2).mean(axis=(3, 5))
    return means


def pool_back(up: Array) -> Array:
    """Returns the gradient of what was pooled."""
    return up.repeat(2, axis=2).repeat(2, axis=3) / 4


# --- The sigmoid ----------------------------------------------------------------------------------
#
# s = 1 / (1 + e^-x) lies between 0 and 1. Its slope is s (1 - s), at most a quarter, at x = 0. Four
# such layers, one upon the other, leave a gradient at most 1/256 of what it was: that is why this
# network learns nothing for its first epochs, and why ReLU took the sigmoid's place.


def sigmoid(x: Array) -> Array:
    """Returns numbers in 0..1."""
    return 1 / (1 + np.exp(-x))


def sigmoid_back(s: Array, up: Array) -> Array:
    """Returns the gradient of what went into the sigmoid that gave s."""
    return up * s * (1 - s)


# --- A dense layer --------------------------------------------------------------------------------
#
# Each output is the sum of all inputs, each times a weight of its own, plus a bias. It is a product
# of matrices, and so is each of its gradients.


def dense(x: Array, weight: Array, bias: Array) -> Array:
    """Returns (N, out) of x (N, in) and a weight (out, in)."""
    return x @ weight.T + bias


def dense_back(x: Array, weight: Array, up: Array) -> tuple[Array, Array, Array]:
    """Returns the gradients of x, of the weight and of the bias."""
    return up @ weight, up.T @ x, up.sum(axis=0)


# --- The network ----------------------------------------------------------------------------------
#
#   image 1x28x28, a margin of 2
#   c1  convolution 5x5   6x28x28   sigmoid
#   s2  pooling           6x14x14
#   c3  convolution 5x5  16x10x10   sigmoid
#   s4  pooling          16x5x5     laid out in a row: 400 numbers
#   f5  dense                120    sigmoid
#   f6  dense                 84    sigmoid
#   output  dense             10    one number a class, the largest wins
#
# Going forward we keep what each layer gave: the gradients need it.


def forward(images: Array, w: Weights) -> dict[str, Array]:
    """Returns what every layer gives of images (N, 1, 28, 28); `output` is (N, 10)."""
    kept = {"image": pad(images, 2)}
    kept["c1"] = sigmoid(convolve(kept["image"], w["c1.weight"], w["c1.bias"]))
    kept["s2"] = pool(kept["c1"])
    kept["c3"] = sigmoid(convolve(kept["s2"], w["c3.weight"], w["c3.bias"]))
    kept["s4"] = pool(kept["c3"])
    kept["row"] = kept["s4"].reshape(len(images), -1)
    kept["f5"] = sigmoid(dense(kept["row"], w["f5.weight"], w["f5.bias"]))
    kept["f6"] = sigmoid(dense(kept["f5"], w["f6.weight"], w["f6.bias"]))
    kept["output"] = dense(kept["f6"], w["output.weight"], w["output.bias"])
    return kept


# --- The loss -------------------------------------------------------------------------------------
#
# The outputs become probabilities: e to each, divided by the sum (softmax). The loss of an image is
# -log of the probability of its true class, that of a batch the mean. Its gradient is the finest
# formula here: the probabilities, less 1 at the true class.


def loss(output: Array, labels: NDArray[np.int64]) -> tuple[float, Array]:
    """Returns the mean cross-entropy of a batch, and its gradient for the output (N, 10)."""
    powers = np.exp(
        output - output.max(axis=1, keepdims=True)
    )  # the largest taken off: no overflow
    probabilities = powers / powers.sum(axis=1, keepdims=True)
    each = np.arange(len(labels))
    up = probabilities.copy()
    up[each, labels] -= 1
    return float(-np.log(probabilities[each, labels]).mean()), up / len(labels)


# --- Backwards ------------------------------------------------------------------------------------
#
# The layers in turn, from the last to the first: each hands on the gradient of what went into it,
# and keeps that of its weights.


def backward(kept: dict[str, Array], w: Weights, up: Array) -> Weights:
    """Returns the gradient of every weight, by the weights' names."""
    g: Weights = {}
    for layer, before in (("output", "f6"), ("f6", "f5"), ("f5", "row")):
        if layer != "output":
            up = sigmoid_back(kept[layer], up)
        up, g[f"{layer}.weight"], g[f"{layer}.bias"] = dense_back(
            kept[before], w[f"{layer}.weight"], up
        )
    up = up.reshape(kept["s4"].shape)
    for layer, before in (("c3", "s2"), ("c1", "image")):
        up = sigmoid_back(kept[layer], pool_back(up))
        up, g[f"{layer}.weight"], g[f"{layer}.bias"] = convolve_back(
            kept[before], w[f"{layer}.weight"], up
        )
    return g


# --- Descent --------------------------------------------------------------------------------------
#
# Each weight goes against its gradient, a little: the learning rate times as much. That is all
# there is to learning.


def step(images: Array, labels: NDArray[np.int64], w: Weights, lr: float) -> float:
    """Descends once on a batch, in place; returns the loss before."""
    kept = forward(images, w)
    before, up = loss(kept["output"], labels)
    for name, gradient in backward(kept, w, up).items():
        w[name] -= lr * gradient
    return before


# --- The beginning --------------------------------------------------------------------------------
#
# Weights of zero would all learn the same. Glorot and Bengio (2010) draw them evenly between plus
# and minus the root of 6 / (numbers in + numbers out), so that signals neither grow nor fade.

SHAPES = {
    "c1": (6, 1, 5, 5),
    "c3": (16, 6, 5, 5),
    "f5": (120, 400),
    "f6": (84, 120),
    "output": (10, 84),
}


def begin(seed: int) -> Weights:
    """Returns weights drawn by chance, and biases of zero."""
    rng = np.random.default_rng(seed)
    w: Weights = {}
    for layer, shape in SHAPES.items():
        window = int(np.prod(shape[2:]))
        limit = np.sqrt(6 / ((shape[0] + shape[1]) * window))
        w[f"{layer}.weight"] = rng.uniform(-limit, limit, shape)
        w[f"{layer}.bias"] = np.zeros(shape[0])
    return w


def main() -> None:
    """Descends a few times on made-up images, and says how large each layer's gradient is.

    The nearer a layer is to the image, the smaller: the sigmoids at work.
    """
    images, labels = np.random.default_rng(1).random((10, 1, 28, 28)), np.arange(10)
    w = begin(seed=0)
    for number in range(3):
        print(f"step {number}: loss {step(images, labels, w, lr=0.9):.4f}")
    kept = forward(images, w)
    gradients = backward(kept, w, loss(kept["output"], labels)[1])
    for layer in SHAPES:
        print(f"{layer:6} mean gradient {np.abs(gradients[f'{layer}.weight']).mean():.1e}")


if __name__ == "__main__":
    main()
