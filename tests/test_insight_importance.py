"""Saliency against finite differences, occlusion against covering one square at a time."""

import pytest
import torch
from torch import nn

from holmdel.errors import UserError
from holmdel.insight import activations, occlusion, saliency, squares
from holmdel.networks import build, network_options

NAMES = ["lenet", "lenet-max", "lenet5-1998", "alexnet", "nin", "googlenet"]
SMALL = {
    "alexnet": {"size": (96, 96), "width": 0.1},
    "nin": {"size": (96, 96), "width": 0.1},
    "googlenet": {"size": (32, 32), "width": 0.1},
}


def made(name: str, **options: object) -> tuple[nn.Module, torch.Tensor]:
    """Returns a network in float64 and a picture for it."""
    torch.manual_seed(0)
    options = SMALL.get(name, {}) | options
    network = build(name, **options).double().eval()
    known = network_options(name) | options
    return network, torch.rand(known["channels"], *known["size"], dtype=torch.float64)


@pytest.mark.parametrize("name", NAMES)
def test_saliency_is_the_slope_of_the_logit(name):
    network, picture = made(name)
    found = saliency(network, picture, 3)
    assert found.shape == picture.shape[1:]
    middle = picture.shape[1] // 2
    step = 1e-6
    for row, column in [(middle, middle), (middle - 3, middle + 2), (middle + 5, middle)]:
        one, two = picture.clone(), picture.clone()
        one[0, row, column] += step
        two[0, row, column] -= step
        with torch.no_grad():
            rise = network(one[None])[0, 3] - network(two[None])[0, 3]
        assert float(found[row, column]) == pytest.approx(
            abs(float(rise)) / (2 * step), rel=1e-4, abs=1e-11
        )


def test_saliency_takes_the_largest_of_the_channels():
    dense = nn.Linear(2 * 1 * 2, 2, bias=False)
    dense.weight.data = torch.tensor([[1.0, -5.0, -3.0, 2.0], [0.0, 0.0, 0.0, 0.0]])
    network = nn.Sequential(nn.Flatten(), dense)
    assert saliency(network, torch.ones(2, 1, 2), 0).tolist() == [[3, 5]]


def test_saliency_of_no_class_is_of_the_predicted_one():
    network, picture = made("lenet")
    with torch.no_grad():
        said = int(network(picture[None]).argmax())
    assert torch.equal(saliency(network, picture), saliency(network, picture, said))


def test_saliency_leaves_the_network_as_it_was():
    network, picture = made("alexnet")
    network.train()
    with torch.inference_mode():
        saliency(network, picture, 0)
    assert network.training
    assert network.drop6.training
    assert all(parameter.grad is None for parameter in network.parameters())
    assert not picture.requires_grad


@pytest.mark.parametrize(("name", "window", "stride"), [("lenet", 6, 4), ("lenet5-1998", 9, 9)])
def test_occlusion_is_the_mean_drop_under_the_squares(name, window, stride):
    network, picture = made(name)
    found = occlusion(network, picture, 2, window=window, stride=stride, background=0.25)
    _, height, width = picture.shape
    tops = [*range(0, height - window, stride), height - window]
    drops = [[[] for _ in range(width)] for _ in range(height)]
    with torch.no_grad():
        whole = network(picture[None]).softmax(1)[0, 2]
        for top in tops:
            for left in tops:
                covered = picture.clone()
                covered[:, top : top + window, left : left + window] = 0.25
                drop = float(whole - network(covered[None]).softmax(1)[0, 2])
                for row in range(top, top + window):
                    for column in range(left, left + window):
                        drops[row][column].append(drop)
    expected = torch.tensor([[sum(cell) / len(cell) for cell in row] for row in drops]).double()
    assert torch.allclose(found.drop, expected, rtol=0, atol=1e-7)
    assert found.probability == pytest.approx(float(whole), abs=1e-12)
    assert found.target == 2


def test_occlusion_in_several_batches_is_the_same():
    network, picture = made("googlenet")
    first = occlusion(network, picture, 0, window=2, stride=1)  # 961 squares, 97 a batch
    again = occlusion(lambda batch: network(batch), picture, 0, window=2, stride=1)
    assert torch.equal(first.drop, again.drop)
    sizes: list[int] = []
    occlusion(lambda batch: sizes.append(len(batch)) or network(batch), picture, window=2, stride=1)
    assert (sizes[0], sum(sizes), max(sizes)) == (1, 1 + 31 * 31, 97)


def test_covering_what_is_background_already_changes_nothing():
    network, picture = made("lenet")
    picture[:, :, :14] = 0
    found = occlusion(network, picture, window=4, stride=2)
    assert (found.drop[:, :9] == 0).all()
    assert found.drop[:, 16:].any()


@pytest.mark.parametrize(
    ("side", "window", "stride"), [(28, 5, 2), (12, 5, 2), (9, 3, 3), (4, 4, 1)]
)
def test_squares_cover_every_pixel(side, window, stride):
    found = squares((side, side), window, stride)
    covered = torch.zeros(side, side)
    for top, left in found:
        assert 0 <= top <= side - window
        assert 0 <= left <= side - window
        covered[top : top + window, left : left + window] = 1
    assert covered.all()
    assert len(set(found)) == len(found)


def test_refusals_say_what_was_given():
    network, picture = made("lenet")
    for look in (saliency, occlusion):
        with pytest.raises(UserError, match="the class was given as 10; the network has 10"):
            look(network, picture, 10)
        with pytest.raises(UserError, match="the class was given as -1"):
            look(network, picture, -1)
    with pytest.raises(UserError, match="window was given as 29; expected 1 to 28 pixels"):
        occlusion(network, picture, window=29)
    with pytest.raises(UserError, match="stride was given as 6; expected 1 to 5 pixels"):
        occlusion(network, picture, window=5, stride=6)
    with pytest.raises(UserError, match="stride was given as 0"):
        occlusion(network, picture, stride=0)


def test_the_old_parameter_still_works():
    network, picture = made("lenet")
    for look in (activations, saliency, occlusion):
        with pytest.warns(DeprecationWarning, match="the parameter 'picture' of .* is now 'image'"):
            look(network, picture=picture)
