"""The operations from scratch: each against torch over random sizes, and one case by hand."""

import random

import pytest
import torch
from scipy.signal import convolve2d as scipy_convolve2d
from torch.nn import functional as F

from holmdel import ops
from holmdel.errors import UserError
from holmdel.shapes import output_size

NINE = torch.arange(9.0).reshape(3, 3)
FOUR = torch.arange(4.0).reshape(2, 2)
SEEDS = range(15)


def corr2d_of_torch(x: torch.Tensor, k: torch.Tensor) -> torch.Tensor:
    return F.conv2d(x[None, None], k[None, None])[0, 0]


def draw(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


class Sizes:
    """A random picture and window that fits into it; height and width drawn apart."""

    def __init__(self, seed: int) -> None:
        dice = random.Random(seed)
        self.batch, self.channels, self.maps = (dice.randint(1, 3) for _ in range(3))
        self.kernel = dice.randint(1, 5), dice.randint(1, 5)
        self.picture = tuple(k + dice.randint(0, 6) for k in self.kernel)
        self.stride = dice.randint(1, 4), dice.randint(1, 4)
        self.padding = dice.randint(0, 3), dice.randint(0, 3)
        self.half = tuple(dice.randint(0, k // 2) for k in self.kernel)  # a pooling's padding

    def __repr__(self) -> str:
        return repr(vars(self))


def test_cross_correlation_by_hand():
    # 0*0 + 1*1 + 3*2 + 4*3 = 19, and so on
    assert ops.corr2d(NINE, FOUR).tolist() == [[19, 25], [37, 43]]


def test_true_convolution_by_hand():
    # 0*3 + 1*2 + 3*1 + 4*0 = 5, and so on
    assert ops.convolve2d(NINE, FOUR).tolist() == [[5, 11], [23, 29]]


@pytest.mark.parametrize("seed", SEEDS)
def test_cross_correlation_is_torchs_and_convolution_scipys(seed):
    sizes = Sizes(seed)
    x, k = draw(seed, *sizes.picture), draw(seed + 1000, *sizes.kernel)
    torch.testing.assert_close(ops.corr2d(x, k), corr2d_of_torch(x, k))
    convolved = torch.from_numpy(scipy_convolve2d(x.numpy(), k.numpy(), mode="valid"))
    torch.testing.assert_close(ops.convolve2d(x, k), convolved)


def test_whole_numbers_give_floats_as_in_the_book():
    x, k = torch.arange(9).reshape(3, 3), torch.arange(4).reshape(2, 2)
    for y in (ops.corr2d(x, k), ops.pool2d(x, 2), ops.conv2d(x[None, None], k[None, None])):
        assert y.dtype == torch.float32
    assert ops.pool2d(x, 2, "avg").tolist() == [[2, 3], [5, 6]]


def test_many_channels_in_by_hand():
    # the first channel gives 19, 25, 37, 43 and the second 37, 47, 67, 77
    x, k = torch.stack([NINE, NINE + 1]), torch.stack([FOUR, FOUR + 1])
    assert ops.corr2d_multi_in(x, k).tolist() == [[56, 72], [104, 120]]


def test_many_channels_out_by_hand():
    x, k = torch.stack([NINE, NINE + 1]), torch.stack([FOUR, FOUR + 1])
    y = ops.corr2d_multi_in_out(x, torch.stack([k, k + 1, k + 2]))
    assert y.tolist() == [[[56, 72], [104, 120]], [[76, 100], [148, 172]], [[96, 128], [192, 224]]]


@pytest.mark.parametrize("seed", SEEDS)
def test_many_channels_are_torchs(seed):
    sizes = Sizes(seed)
    x = draw(seed, sizes.channels, *sizes.picture)
    k = draw(seed + 1000, sizes.maps, sizes.channels, *sizes.kernel)
    torch.testing.assert_close(ops.corr2d_multi_in_out(x, k), F.conv2d(x[None], k)[0])


@pytest.mark.parametrize("seed", SEEDS)
def test_a_1x1_convolution_is_a_matrix_product(seed):
    sizes = Sizes(seed)
    x = draw(seed, sizes.channels, *sizes.picture)
    k = draw(seed + 1000, sizes.maps, sizes.channels, 1, 1)
    product = ops.corr2d_multi_in_out_1x1(x, k)
    torch.testing.assert_close(product, ops.corr2d_multi_in_out(x, k))
    torch.testing.assert_close(product, F.conv2d(x[None], k)[0])


def test_stride_and_padding_by_hand():
    # the padded 5x5 picture, in steps of 3 down and 2 to the right: 1*0 + ... + 0*3 = 0, and so on
    y = ops.conv2d(NINE[None, None], FOUR[None, None], stride=(3, 2), padding=1)
    assert y.tolist() == [[[[0, 8], [6, 8]]]]


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_batches_are_torchs_and_so_are_their_gradients(seed, bias):
    sizes = Sizes(seed)
    leaves = [
        draw(seed, sizes.batch, sizes.channels, *sizes.picture),
        draw(seed + 1000, sizes.maps, sizes.channels, *sizes.kernel),
    ]
    leaves += [draw(seed + 2000, sizes.maps)] if bias else []
    told = {"stride": sizes.stride, "padding": sizes.padding}
    results = []
    for conv2d in (ops.conv2d, F.conv2d):
        given = [leaf.clone().requires_grad_() for leaf in leaves]
        y = conv2d(*given, **told)
        (y**2).sum().backward()
        results.append([y, *(leaf.grad for leaf in given)])
    torch.testing.assert_close(*results)


def test_padding_is_a_border():
    x = draw(0, 2, 3, 4)
    torch.testing.assert_close(ops.pad2d(x, (1, 2), 7.0), F.pad(x, (2, 2, 1, 1), value=7.0))
    assert ops.pad2d(torch.ones(1, 1), 1).tolist() == [[0, 0, 0], [0, 1, 0], [0, 0, 0]]


def test_pooling_by_hand():
    assert ops.pool2d(NINE, (2, 2)).tolist() == [[4, 5], [7, 8]]
    assert ops.pool2d(NINE, (2, 2), "avg").tolist() == [[2, 3], [5, 6]]


def test_pooling_with_padding_and_stride_by_hand():
    # rows 0-1, 2-3 and columns -1..1, 0..2, 1..3 of 0 ... 15 with padding (0, 1)
    x = torch.arange(16.0).reshape(4, 4)
    y = ops.pool2d(x, (2, 3), stride=(2, 1), padding=(0, 1))
    assert y.tolist() == [[5, 6, 7, 7], [13, 14, 15, 15]]


def test_what_an_average_counts_by_hand():
    corner = ops.pool2d(torch.full((2, 2), 9.0), 2, "avg", padding=1)[0, 0]
    without = ops.pool2d(torch.full((2, 2), 9.0), 2, "avg", padding=1, count_include_pad=False)
    assert corner == 9 / 4  # three zeros of the padding are counted
    assert without[0, 0] == 9 / 1


def test_the_ceiling_keeps_the_last_window_by_hand():
    x = torch.arange(6.0).reshape(1, 6)
    assert ops.pool2d(x, (1, 3), stride=(1, 2)).tolist() == [[2, 4]]
    assert ops.pool2d(x, (1, 3), stride=(1, 2), ceil_mode=True).tolist() == [[2, 4, 5]]
    # the average of the pixels that are there, (4 + 5) / 2
    kept = ops.pool2d(x, (1, 3), "avg", stride=(1, 2), ceil_mode=True)
    assert kept.tolist() == [[1, 3, 4.5]]


@pytest.mark.parametrize("ceil_mode", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_pooling_is_torchs_and_so_are_its_gradients(seed, ceil_mode):
    sizes = Sizes(seed)
    told = {"stride": sizes.stride, "padding": sizes.half, "ceil_mode": ceil_mode}
    pairs = [
        (lambda x: ops.pool2d(x, sizes.kernel, "max", **told),
         lambda x: F.max_pool2d(x, sizes.kernel, **told)),
    ]  # fmt: skip
    for counted in (False, True):
        pairs += [
            (lambda x, c=counted: ops.pool2d(x, sizes.kernel, "avg", **told, count_include_pad=c),
             lambda x, c=counted: F.avg_pool2d(x, sizes.kernel, **told, count_include_pad=c)),
        ]  # fmt: skip
    for ours, theirs in pairs:
        results = []
        for pool2d in (ours, theirs):
            x = draw(seed, sizes.batch, sizes.channels, *sizes.picture).requires_grad_()
            y = pool2d(x)
            (y**2).sum().backward()
            results.append((y, x.grad))
        torch.testing.assert_close(*results)


def test_the_ceiling_is_predicted_as_torch_makes_it():
    for size in range(1, 12):
        for kernel, stride in ((1, 2), (1, 3), (2, 2), (3, 2), (3, 3), (5, 3)):
            for padding in range(kernel // 2 + 1):
                told = {"stride": stride, "padding": padding, "ceil_mode": True}
                try:
                    made = F.max_pool2d(torch.zeros(1, 1, size), (1, kernel), **_flat(told))
                except RuntimeError:
                    with pytest.raises(UserError, match="does not fit"):
                        output_size(size, kernel, stride, padding, ceil=True)
                else:
                    assert output_size(size, kernel, stride, padding, ceil=True) == made.shape[-1]


def _flat(told: dict) -> dict:
    return told | {"stride": (1, told["stride"]), "padding": (0, told["padding"])}


def test_pooling_takes_pictures_maps_and_batches_alike():
    x = draw(0, 2, 3, 5, 7)
    whole = ops.pool2d(x, (2, 3), stride=2)
    torch.testing.assert_close(ops.pool2d(x[1], (2, 3), stride=2), whole[1])
    torch.testing.assert_close(ops.pool2d(x[1, 2], (2, 3), stride=2), whole[1, 2])


# The edge learner: a white 6x8 picture with a black band, and the kernel that finds its edges.
PICTURE = torch.ones(6, 8)
PICTURE[:, 2:6] = 0
EDGES = ops.corr2d(PICTURE, torch.tensor([[1.0, -1.0]]))


def learn(layer: torch.nn.Module, x: torch.Tensor, y: torch.Tensor, steps: int, lr: float) -> None:
    for _ in range(steps):
        layer.zero_grad()
        ((layer(x) - y) ** 2).sum().backward()
        for parameter in layer.parameters():
            if parameter.requires_grad:
                parameter.data -= lr * parameter.grad


def test_the_edge_is_where_the_picture_changes():
    assert EDGES.tolist() == [[0, 1, 0, 0, 0, -1, 0]] * 6
    assert not ops.corr2d(PICTURE.t(), torch.tensor([[1.0, -1.0]])).any()


@pytest.mark.parametrize("seed", range(5))
def test_torchs_layer_learns_the_edge_in_ten_steps(seed):
    torch.manual_seed(seed)
    layer = torch.nn.Conv2d(1, 1, (1, 2), bias=False)
    learn(layer, PICTURE[None, None], EDGES[None, None], steps=10, lr=3e-2)
    torch.testing.assert_close(layer.weight.data, torch.tensor([[[[1.0, -1.0]]]]), atol=0.1, rtol=0)


@pytest.mark.parametrize("seed", range(5))
def test_our_layer_learns_the_edge_in_ten_steps(seed):
    torch.manual_seed(seed)
    layer = ops.Conv2D((1, 2))
    layer.bias.requires_grad_(False)
    learn(layer, PICTURE, EDGES, steps=10, lr=3e-2)
    torch.testing.assert_close(layer.weight.data, torch.tensor([[1.0, -1.0]]), atol=0.1, rtol=0)


def test_our_layer_learns_its_bias_too():
    torch.manual_seed(0)
    layer = ops.Conv2D((1, 2))
    learn(layer, PICTURE, EDGES + 0.5, steps=120, lr=1e-2)
    torch.testing.assert_close(layer.weight.data, torch.tensor([[1.0, -1.0]]), atol=0.01, rtol=0)
    torch.testing.assert_close(layer.bias.data, torch.tensor([0.5]), atol=0.01, rtol=0)


def test_our_layer_is_torchs():
    torch.manual_seed(0)
    ours, theirs = ops.Conv2D((3, 2)), torch.nn.Conv2d(1, 1, (3, 2))
    theirs.load_state_dict({"weight": ours.weight[None, None], "bias": ours.bias})
    torch.testing.assert_close(ours(PICTURE), theirs(PICTURE[None, None])[0, 0])
    assert [name for name, _ in ours.named_parameters()] == ["weight", "bias"]


@pytest.mark.parametrize("seed", range(5))
def test_learning_does_not_care_which_of_the_two_it_is(seed):
    """From flipped starts both go the same way: at each step one kernel is the other's flip."""
    picture, wanted = draw(seed, 9, 10), draw(seed + 1000, 7, 9)
    start = draw(seed + 2000, 3, 2)
    kernels = [start.clone().requires_grad_(), start.flip(0, 1).clone().requires_grad_()]
    for _ in range(20):
        for kernel, operation in zip(kernels, (ops.corr2d, ops.convolve2d), strict=True):
            kernel.grad = None
            ((operation(picture, kernel) - wanted) ** 2).mean().backward()
            kernel.data -= 0.1 * kernel.grad
        torch.testing.assert_close(kernels[0], kernels[1].flip(0, 1))
    assert not torch.allclose(kernels[0], start)
    assert not torch.allclose(kernels[0], kernels[1])
    found, seen = ops.corr2d(picture, kernels[0]), ops.convolve2d(picture, kernels[1])
    torch.testing.assert_close(found, seen)


X4 = torch.ones(1, 2, 4, 4)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: ops.corr2d(X4, FOUR), r"x is \(1, 2, 4, 4\); expected 2 axes, \(H, W\)"),
        (lambda: ops.corr2d(NINE, X4), r"the kernel is \(1, 2, 4, 4\); expected 2 axes"),
        (lambda: ops.convolve2d(NINE, X4), r"the kernel is \(1, 2, 4, 4\); expected 2 axes"),
        (lambda: ops.corr2d(FOUR, NINE), "a window of 3 does not fit into 2 pixels"),
        (lambda: ops.corr2d_multi_in(NINE, X4[0]), r"x is \(3, 3\); expected 3 axes, \(C, H, W\)"),
        (lambda: ops.corr2d_multi_in(X4[0], X4), r"expected 3 axes, \(C, K, K'\)"),
        (lambda: ops.corr2d_multi_in(X4[0], X4[0, :1]), "x has 2 channels, the kernel 1; expected"),
        (lambda: ops.corr2d_multi_in_out(X4[0], X4[0]), r"expected 4 axes, \(O, C, K, K'\)"),
        (lambda: ops.corr2d_multi_in_out_1x1(X4[0], X4), "expected a 1x1 kernel"),
        (lambda: ops.corr2d_multi_in_out_1x1(X4, X4), r"expected 3 axes, \(C, H, W\)"),
        (
            lambda: ops.corr2d_multi_in_out_1x1(X4[0], torch.ones(1, 3, 1, 1)),
            "x has 2 channels, the kernel 3",
        ),
        (lambda: ops.conv2d(X4[0], X4), r"expected 4 axes, \(N, C, H, W\)"),
        (lambda: ops.conv2d(X4, X4[0]), r"expected 4 axes, \(O, C, K, K'\)"),
        (lambda: ops.conv2d(X4, X4[:, :1]), "x has 2 channels, the kernel 1"),
        (lambda: ops.conv2d(X4, X4, torch.ones(3)), r"the bias is \(3,\); expected \(1,\)"),
        (lambda: ops.conv2d(X4, X4, stride=0), "stride was given as 0; expected one or two num"),
        (lambda: ops.conv2d(X4, X4, padding=(1, -1)), r"padding was given as \(1, -1\)"),
        (lambda: ops.conv2d(X4, torch.ones(1, 2, 5, 5)), "a window of 5 does not fit into 4"),
        (lambda: ops.Conv2D((1, 2, 3)), r"kernel_size was given as \(1, 2, 3\); .*numbers from 1"),
        (lambda: ops.pad2d(torch.ones(3), 1), r"x is \(3,\); expected two axes or more"),
        (lambda: ops.pad2d(NINE, 1.5), "padding was given as 1.5; .*numbers from 0"),
        (lambda: ops.pool2d(torch.ones(3), 2), r"x is \(3,\); expected \(H, W\), \(C, H, W\) or"),
        (lambda: ops.pool2d(NINE, 2, "mean"), "mode was given as 'mean'; choose from max, avg"),
        (lambda: ops.pool2d(NINE, 2, padding=2), r"a padding of \(2, 2\) was given for a window"),
        (lambda: ops.pool2d(NINE, (4, 1)), "a window of 4 does not fit into 3 pixels"),
    ],
)
def test_a_mistake_is_told(call, sentence):
    with pytest.raises(UserError, match=sentence):
        call()
