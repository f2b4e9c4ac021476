"""The names of *Dive into Deep Learning*: `from holmdel import d2l` runs its listings.

In place of `from d2l import torch as d2l`, for the chapters on convolutional networks, in a script
and in a notebook. docs/d2l.md lists the names, and what differs from the book's own module.

Zhang, Lipton, Li and Smola, "Dive into Deep Learning", Cambridge University Press, 2023.
"""

from difflib import get_close_matches
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from matplotlib import pyplot as plt
from torch import nn

from holmdel.d2l.accuracies import accuracy, evaluate_accuracy, evaluate_accuracy_gpu
from holmdel.d2l.aliases import (
    abs,
    arange,
    argmax,
    astype,
    batch_matmul,
    concat,
    cos,
    cosh,
    exp,
    expand_dims,
    eye,
    float32,
    int32,
    int64,
    linspace,
    log,
    matmul,
    meshgrid,
    normal,
    numpy,
    ones,
    ones_like,
    rand,
    randn,
    reduce_mean,
    reduce_sum,
    repeat,
    reshape,
    sigmoid,
    sin,
    sinh,
    size,
    stack,
    swapaxes,
    tanh,
    tensor,
    to,
    transpose,
    zeros,
    zeros_like,
)
from holmdel.d2l.animation import Animator, ProgressBoard
from holmdel.d2l.blocks import Residual, ResNeXtBlock, init_cnn, resnet18
from holmdel.d2l.bookkeeping import (
    Accumulator,
    HyperParameters,
    Timer,
    add_to_class,
    cpu,
    gpu,
    linreg,
    num_gpus,
    sgd,
    squared_loss,
    synthetic_data,
    try_all_gpus,
    try_gpu,
)
from holmdel.d2l.dense_blocks import (
    BatchNorm,
    DenseBlock,
    batch_norm,
    conv_block,
    transition_block,
)
from holmdel.d2l.design import Classifier, DataModule, FashionMNIST, LeNet, Module
from holmdel.d2l.fashion_mnist import (
    get_dataloader_workers,
    get_fashion_mnist_labels,
    load_array,
    load_data_fashion_mnist,
)
from holmdel.d2l.loops import (
    train_ch3,
    train_ch5,
    train_ch6,
    train_epoch_ch3,
)
from holmdel.d2l.plotting import (
    plot,
    predict_ch3,
    set_axes,
    set_figsize,
    show_images,
    use_svg_display,
)
from holmdel.d2l.trainer import Trainer
from holmdel.ops import (
    corr2d,
    corr2d_multi_in,
    corr2d_multi_in_out,
    corr2d_multi_in_out_1x1,
    pool2d,
)

__all__ = [
    "Accumulator",
    "Animator",
    "BatchNorm",
    "Classifier",
    "DataModule",
    "DenseBlock",
    "F",
    "FashionMNIST",
    "HyperParameters",
    "LeNet",
    "Module",
    "ProgressBoard",
    "ResNeXtBlock",
    "Residual",
    "Timer",
    "Trainer",
    "abs",
    "accuracy",
    "add_to_class",
    "arange",
    "argmax",
    "astype",
    "batch_matmul",
    "batch_norm",
    "concat",
    "conv_block",
    "corr2d",
    "corr2d_multi_in",
    "corr2d_multi_in_out",
    "corr2d_multi_in_out_1x1",
    "cos",
    "cosh",
    "cpu",
    "evaluate_accuracy",
    "evaluate_accuracy_gpu",
    "exp",
    "expand_dims",
    "eye",
    "float32",
    "get_dataloader_workers",
    "get_fashion_mnist_labels",
    "gpu",
    "init_cnn",
    "int32",
    "int64",
    "linreg",
    "linspace",
    "load_array",
    "load_data_fashion_mnist",
    "log",
    "matmul",
    "meshgrid",
    "nn",
    "normal",
    "np",
    "num_gpus",
    "numpy",
    "ones",
    "ones_like",
    "plot",
    "plt",
    "pool2d",
    "predict_ch3",
    "rand",
    "randn",
    "reduce_mean",
    "reduce_sum",
    "repeat",
    "reshape",
    "resnet18",
    "set_axes",
    "set_figsize",
    "sgd",
    "show_images",
    "sigmoid",
    "sin",
    "sinh",
    "size",
    "squared_loss",
    "stack",
    "swapaxes",
    "synthetic_data",
    "tanh",
    "tensor",
    "to",
    "torch",
    "train_ch3",
    "train_ch5",
    "train_ch6",
    "train_epoch_ch3",
    "transition_block",
    "transpose",
    "try_all_gpus",
    "try_gpu",
    "use_svg_display",
    "zeros",
    "zeros_like",
]


def __getattr__(name: str) -> Any:
    """Raises the AttributeError of a name that is not here."""
    near = get_close_matches(name, __all__, n=1)
    raise AttributeError(
        f"holmdel.d2l has no {name!r}{f', but {near[0]}' if near else ''}; it has the names of the "
        "book's chapters on convolutional networks, listed in docs/d2l.md"
    )
