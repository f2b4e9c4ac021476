"""Descriptions of layers that the native library is given: what does not follow is refused.

Whatever it takes it also runs here, with tensors of just the sizes that the description asks for;
under a sanitizer (`make sanitize`) that shows that nothing is read or written outside of them.
"""

import ctypes
import random
import re
from dataclasses import replace

import numpy as np
import pytest
from torch import nn

from holmdel import engine
from holmdel.engine.calls import create
from holmdel.engine.layer import Layer
from holmdel.engine.layers import layers_of
from holmdel.engine.library import Images, Learned, Task, library
from holmdel.images import ImageContract

pytestmark = pytest.mark.skipif(
    engine.status().name == "torch",
    reason="no compiled engine here: it is built where a C++ compiler is at hand",
)
SIZE = (2, 12, 11)
FIELDS = ("input", "output", "kernel", "stride", "padding", "dilation", "groups", "reads")


def layers() -> list[Layer]:
    """Returns a convolution with its pooling, one in groups, a batch norm, a dense layer."""
    network = nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(4, 6, 3, stride=2, padding=2, dilation=2, groups=2), nn.BatchNorm2d(6),
        nn.Sigmoid(), nn.AvgPool2d(2, stride=1, ceil_mode=True), nn.Flatten(), nn.Linear(24, 5),
    )  # fmt: skip
    return layers_of(network, SIZE)[0]


WRONG = {
    "a row of outputs more": (0, {"output": (4, 13, 11)}),
    "a column of outputs less": (0, {"output": (4, 12, 10)}),
    "no channel": (0, {"output": (0, 12, 11)}),
    "a size below zero": (0, {"output": (4, -12, -11)}),
    "a border more": (0, {"padding": (2, 1)}),
    "a border below zero": (0, {"padding": (-1, 1)}),
    "no stride": (0, {"stride": (0, 1)}),
    "no kernel": (0, {"kernel": (3, 0)}),
    "a border that no number holds": (0, {"padding": (2**30, 1)}),
    "a kernel larger than the image": (3, {"kernel": (11, 3)}),
    "another size than it reads": (1, {"input": (4, 12, 12), "output": (4, 12, 12)}),
    "an activation that changes the size": (1, {"output": (4, 12, 10)}),
    "a pooling of other channels": (2, {"output": (3, 6, 5)}),
    "a pooling that gives more than it reads": (2, {"output": (4, 7, 5)}),
    "a pooling whose border is wider than half its window": (2, {"padding": (2, 0)}),
    "channels that make no groups": (3, {"groups": 3}),
    "outputs that make no groups": (3, {"groups": 4}),
    "no group": (3, {"groups": 0}),
    "kernels further apart": (3, {"dilation": (3, 2)}),
    "what comes later": (3, {"reads": (5,)}),
    "nothing": (3, {"reads": (-1,)}),
    "two values for one layer": (3, {"reads": (3, 3)}),
    "a batch norm of other channels": (4, {"output": (5, 3, 3)}),
    "a sum with one value": (5, {"kind": "sum"}),
    "a sum with another size": (5, {"kind": "sum", "reads": (5, 0)}),
    "dense outputs in maps": (7, {"output": (5, 2, 1)}),
    "a dense layer's inputs": (7, {"input": (6, 2, 1)}),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_layer_that_does_not_follow_is_named(name):
    at, changes = WRONG[name]
    described = layers()
    described[at] = wrong = replace(described[at], **changes)
    what = re.escape(f"layer {at} of a chain, {wrong.kind} from {wrong.input} to {wrong.output}")
    with pytest.raises(engine.Unsupported, match=f"^{what}, does not follow from its settings and"):
        made(described)


def test_a_layer_whose_values_nobody_reads_is_named():
    described = layers()
    described[6] = replace(described[6], reads=(5,))  # the pooling takes what the norm gives
    with pytest.raises(engine.Unsupported, match=r"^layer 5 of a chain, sigmoid from"):
        made(described)


def test_a_network_of_another_size_than_its_images_is_refused():
    with pytest.raises(engine.Unsupported, match=r"^layer 0 of a chain reads \(2, 12, 11\), not"):
        create(library(), layers(), ImageContract(stored=(2, 12, 12), input=(2, 12, 12)))


def test_images_of_other_channels_than_the_network_sees_are_refused():
    with pytest.raises(engine.Unsupported, match=r"images stored as \(3, 12, 11\) do not become"):
        create(library(), layers(), ImageContract(stored=(3, 12, 11), input=SIZE))


def test_more_numbers_than_addresses_reach_are_refused():
    wide = [Layer("conv", (1, 96, 96), (70_000, 96, 96), module=None)]
    with pytest.raises(engine.Unsupported, match=r"^a layer has more numbers than the"):
        create(library(), wide, ImageContract(stored=(1, 96, 96), input=(1, 96, 96)))


@pytest.mark.parametrize(
    "seed", [*range(8), *(pytest.param(s, marks=pytest.mark.exhaustive) for s in range(8, 200))]
)
def test_what_is_taken_runs(seed):
    """Numbers of a description are changed at random, most of the time to what does not follow."""
    dice, taken = random.Random(seed), 0
    for _ in range(40):
        described = layers()
        for _ in range(dice.choice((1, 1, 2, 3))):
            at, field = dice.randrange(len(described)), dice.choice(FIELDS)
            described[at] = replace(described[at], **{field: other(described[at], field, dice)})
        try:
            run(described)
        except engine.Unsupported:
            continue
        taken += 1
    run(layers())
    assert taken < 20


def other(layer: Layer, field: str, dice: random.Random):
    """Returns other numbers for a field of a layer."""
    there = getattr(layer, field)
    change = dice.choice((-1, 1, 1, 2, 100, 2**20, 2**30))
    if isinstance(there, int):
        return there + change
    place = dice.randrange(len(there))
    return (*there[:place], there[place] + change, *there[place + 1 :])


def made(described: list[Layer]) -> int:
    size = described[0].input
    return create(library(), described, ImageContract(stored=SIZE, input=size))


def run(described: list[Layer]) -> None:
    """Learns from a batch and answers, with tensors as large as the description says."""
    handle = made(described)
    values = [
        np.ones(shape, np.float32)
        for layer in described
        if layer.kind in ("conv", "linear", "norm")
        for shape in [*layer.shapes().values()] * (2 if layer.kind == "norm" else 1)
    ]
    gradients = [np.zeros_like(value) for value in values]
    starts, into = (
        (ctypes.c_void_p * len(arrays))(*(array.ctypes.data for array in arrays))
        for arrays in (values, gradients)
    )
    count, classes = 19, int(np.prod(described[-1].output))
    images, labels = np.ones((count, *SIZE), np.uint8), np.zeros(count, np.int64)
    logits = np.empty((count, classes), np.float32)
    given = Images(images.ctypes.data, True, None)
    task = Task(
        images=given, labels=labels.ctypes.data, count=count, threads=2,
        values=ctypes.addressof(starts), gradients=ctypes.addressof(into),
    )  # fmt: skip
    found = library()
    assert found.holmdel_learn(handle, ctypes.byref(task), ctypes.byref(Learned())) in (0, 1)
    found.holmdel_keep(handle, starts, 2)
    where = ctypes.c_long()
    found.holmdel_answer(
        handle, ctypes.byref(given), count, 2, logits.ctypes.data, ctypes.byref(where)
    )
    found.holmdel_answer_one(handle, images.ctypes.data, 1, logits.ctypes.data)
    found.holmdel_free(handle)
