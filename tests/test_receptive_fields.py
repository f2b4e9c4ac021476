"""Receptive fields: published ones, and the pixels that change a position."""

import random

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import holmdel
from holmdel.shapes import ReceptiveField


def field(size, stride=1, offset=0):
    return ReceptiveField((size, size), (stride, stride), (offset, offset))


@pytest.mark.parametrize(
    ("name", "layer", "expected", "source"),
    [
        ("vgg16", "block5.pool", field(212, 32, -90), "Araujo et al. (2019), table 1"),
        ("alexnet", "pool5", field(195, 32, -65), "Araujo et al. (2019), table 1: size and stride"),
        ("lenet5", "c3", field(14, 2, 0), "by hand, in test_shapes"),
        ("lenet5", "f5", field(32, 4, 0), "LeCun et al. (1998): C5 sees the whole picture"),
        ("lenet5-1998", "c5", field(32, 4, 0), "the same, as a convolution"),
        ("lenet5-1998", "output", field(32, 4, 0), "radial basis functions of the whole"),
        ("lenet-1989", "h2", field(13, 4, -6), "5 + 4 x 2 pixels"),
        (
            "nin",
            "block4.mlp2",
            field(195, 32, -64),
            "11 + 2x4 + 4x8 + 2x8 + 2x16 + 2x16 + 2x32",
        ),
    ],
)
def test_receptive_fields_of_the_networks(name, layer, expected, source):
    got = next(row for row in holmdel.inspect(name).layers if row.name == layer).receptive_field
    assert got == expected, source


def test_branches_join():
    names = [f"inception3a.path{n}.conv_relu" for n in (1, 2, 3, 4)]
    shown = {layer.name: layer for layer in holmdel.inspect("googlenet").layers}
    assert shown["inception3a.cat"].inputs == tuple(names)
    assert {
        shown[f"inception3a.path{n}.{first}"].inputs
        for n, first in [(1, "conv"), (2, "reduce"), (3, "reduce"), (4, "pool")]
    } == {("pool2",)}
    assert shown["inception3a.cat"].receptive_field == shown[names[2]].receptive_field


def chain(seed):
    """Returns a random network of convolutions, poolings, branches and reshapes, and a size."""
    chance = random.Random(seed)
    layers = []
    for _ in range(chance.randint(1, 3)):
        kernel, stride, padding = chance.choice([1, 2, 3, 5]), chance.choice([1, 1, 2, 3]), 0
        if kernel > 1:
            padding = chance.randint(0, kernel // 2)
        conv = nn.Conv2d(2, 2, kernel, stride, padding, dilation=chance.choice([1, 1, 2]))
        tall = nn.Conv2d(2, 2, (kernel, 1), (1, stride), padding)
        side = _Joined(nn.Conv2d(2, 2, 3, padding=1), nn.Conv2d(2, 2, 5, padding=2))
        layers += [chance.choice([conv, tall, nn.AvgPool2d(kernel, stride, kernel // 2), side])]
    layers += chance.choice([[], [_Gate()], [nn.ZeroPad2d((1, 2, 0, 3))], [_Crop()]])
    return nn.Sequential(*layers), (2, chance.randint(70, 90), chance.randint(70, 90))


class _Joined(nn.Module):
    def __init__(self, *paths):
        super().__init__()
        self.paths = nn.ModuleList(paths)

    def forward(self, x):
        return sum(path(x) for path in self.paths) + torch.cat([x[:, :1], x[:, 1:]], dim=1)


class _Gate(nn.Module):
    """Squeeze and excitation: each position also depends on the mean of all."""

    def forward(self, x):
        return x * x.mean((2, 3), keepdim=True).sigmoid()


class _Crop(nn.Module):
    def forward(self, x):
        return x.permute(0, 2, 3, 1)[:, 1::2].permute(0, 3, 1, 2)


def interior(first, end, side):
    """Returns whether a window lies so far inside that no layer's padding reaches into it."""
    return first >= 12 and end <= side - 12


@pytest.mark.parametrize("seed", range(60))
def test_a_position_sees_the_pixels_of_its_window(seed):
    """The pixels that change the central output lie in the window, and reach to its edges.

    Near the border a padding may hide an edge; beside a gate a position sees less than the window
    that holds what every position sees.
    """
    network, size = chain(seed)
    touched, at = pixels_that_matter(network, size)
    *_, last = holmdel.inspect(network, size).layers
    seen = last.receptive_field
    for axis in (0, 1):
        first = seen.offset[axis] + at[axis] * seen.stride[axis]
        end = first + seen.size[axis]
        lines = touched[:, axis]
        found = int(lines.min()), int(lines.max()) + 1
        assert first <= found[0] < found[1] <= end
        if interior(first, end, size[1 + axis]):
            assert found == (first, end)


def test_most_random_windows_are_checked_to_their_edges():
    exact = 0
    for seed in range(60):
        network, size = chain(seed)
        *_, last = holmdel.inspect(network, size).layers
        seen, at = last.receptive_field, last.output[1] // 2
        first = seen.offset[0] + at * seen.stride[0]
        exact += interior(first, first + seen.size[0], size[1])
    assert exact >= 30


def pixels_that_matter(network, size):
    """Returns rows and columns of the pixels that change the central output, and its position."""
    with torch.no_grad():
        for p in network.parameters():
            p.fill_(0.5)  # so that nothing cancels
    pixels = torch.ones(1, *size, requires_grad=True)
    output = network(pixels)
    at = [side // 2 for side in output.shape[-2:]]
    output[0, :, at[0], at[1]].sum().backward()
    return pixels.grad[0].abs().sum(0).nonzero(), at


def test_dense_layers_see_the_whole_map_wherever_they_stand():
    seen = field(10)
    heads = [
        [nn.Flatten(), nn.Linear(2 * 64, 5)],
        [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 5)],
        [nn.Conv2d(2, 5, 8)],
        [nn.Flatten(), nn.Linear(2 * 64, 16), nn.Unflatten(1, (1, 4, 4)), nn.Conv2d(1, 5, 1)],
    ]
    for head in heads:
        layers = holmdel.inspect(nn.Sequential(nn.Conv2d(1, 2, 3), *head), (1, 10, 10)).layers
        assert layers[-1].receptive_field == seen


def test_channels_last_is_followed():
    """A linear layer over channels, as ConvNeXt has it, sees what the position sees."""

    class Mixed(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.mix = nn.Conv2d(1, 4, 3), nn.Linear(4, 6)

        def forward(self, x):
            return F.avg_pool2d(self.mix(self.conv(x).permute(0, 2, 3, 1)).movedim(-1, 1), 2)

    shown = {layer.name: layer for layer in holmdel.inspect(Mixed(), (1, 28, 28)).layers}
    assert shown["mix"].receptive_field == field(3)
    assert shown["mix"].macs == 26 * 26 * 24
    assert shown["avg_pool2d"].receptive_field == field(4, 2)


def test_what_has_no_fixed_window_is_not_known():
    for layer in (nn.Upsample(scale_factor=2), nn.AdaptiveAvgPool2d(5), _Turned()):
        *_, last = holmdel.inspect(nn.Sequential(nn.Conv2d(1, 1, 3), layer), (1, 10, 10)).layers
        assert last.receptive_field is None


class _Turned(nn.Module):
    def forward(self, x):
        return x.flip(2)
