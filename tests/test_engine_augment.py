"""The engine's random changes of images: what `holmdel.data.augment` describes, image by image."""

import math

import pytest
import torch
from torch import Tensor, nn

from holmdel import engine
from holmdel.data import augment
from holmdel.errors import UserError

pytestmark = pytest.mark.skipif(
    engine.status().name == "torch",
    reason="no compiled engine here: it is built where a C++ compiler is at hand",
)
SIDE = 12


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def seen(images: Tensor, *names: str, seed: int = 0) -> Tensor:
    """Returns what a network sees of images (N, C, H, W) of bytes, in 0..255, one by one.

    Of two logits that are zero, the gradient by the second one's weights is half of the input.
    """
    size = tuple(images.shape[1:])
    net = nn.Sequential(nn.Flatten(), nn.Linear(math.prod(size), 2, bias=False))
    nn.init.zeros_(net[1].weight)
    chain = engine.compile(net, size)
    still = torch.optim.SGD(net.parameters(), lr=0.0)
    found = []
    for number, image in enumerate(images):
        labels = torch.zeros(1, dtype=torch.int64)
        chain.train(image[None], labels, None, still, seed=seed + number, augment=names)
        found.append(510 * net[1].weight.grad[1].view(size))
    return torch.stack(found)


def noise(count: int, channels: int = 1) -> Tensor:
    chance = torch.Generator().manual_seed(0)
    size = count, channels, SIDE, SIDE
    return torch.randint(256, size, generator=chance, dtype=torch.uint8)


def ramps(count: int) -> Tensor:
    """Returns images whose pixels say where they are: the column times 10, the row times 10."""
    line = torch.arange(SIDE) * 10 + 40
    pair = torch.stack([line.expand(SIDE, SIDE), line[:, None].expand(SIDE, SIDE)])
    return pair.to(torch.uint8).expand(count, 2, SIDE, SIDE).contiguous()


def moves(images: Tensor) -> Tensor:
    """Returns from where a ramp's inner pixels were read, (N, 2, 6, 6), columns then rows."""
    return (images[:, :, 3:9, 3:9] - 40) / 10


def test_a_flip_is_one_half_of_the_time():
    images = noise(60, 2)
    found = seen(images, "flip")
    turned = [
        torch.allclose(f, i.flip(2).float(), atol=1e-3) for f, i in zip(found, images, strict=False)
    ]
    same = [torch.allclose(f, i.float(), atol=1e-3) for f, i in zip(found, images, strict=False)]
    assert all(a != b for a, b in zip(turned, same, strict=False))
    assert 15 < sum(turned) < 45


def test_a_shift_is_one_of_nine():
    images = noise(90)
    found = seen(images, "shift")
    padded = nn.functional.pad(images.float(), [augment.SHIFT] * 4)
    met = set()
    for image, one in zip(found, padded, strict=False):
        places = [
            (y, x)
            for y in range(3)
            for x in range(3)
            if torch.allclose(image, one[:, y : y + SIDE, x : x + SIDE], atol=1e-3)
        ]
        assert len(places) == 1
        met.add(places[0])
    assert len(met) == 9


def test_an_affine_map_is_a_planar_distortion():
    where = moves(seen(ramps(200), "affine"))
    x, y = (part.flatten(1).double() for part in where.unbind(1))
    u = torch.arange(6.0).repeat(6) + 3 - (SIDE - 1) / 2
    v = torch.arange(6.0).repeat_interleave(6) + 3 - (SIDE - 1) / 2
    basis = torch.stack([u, v, torch.ones(36)], 1).double()
    fits = [torch.linalg.lstsq(basis.expand(200, -1, -1), part[..., None]) for part in (x, y)]
    for part, fit in zip((x, y), fits, strict=False):
        left = (basis @ fit.solution).squeeze(-1) - part
        assert left.abs().max() < 2e-2  # bilinear interpolation of a ramp is exact
    across, down = (fit.solution.squeeze(-1) for fit in fits)
    middle = (SIDE - 1) / 2
    assert (across[:, 2] - middle).abs().max() <= augment.SHIFT + 0.02
    assert (down[:, 2] - middle).abs().max() <= augment.SHIFT + 0.02
    angle = torch.atan2(down[:, 0], across[:, 0])  # of where the columns go
    assert angle.abs().max() <= math.radians(augment.ROTATION) + 0.01
    assert angle.std() > math.radians(augment.ROTATION) / 3
    width = (across[:, 0] ** 2 + down[:, 0] ** 2).sqrt()
    assert (width - 1).abs().max() <= augment.SCALE + 0.01
    lean = across[:, 1] + torch.sin(angle) * down[:, 1] / torch.cos(angle)
    assert lean.abs().max() <= augment.SHEAR + 0.02


def test_an_elastic_map_ripples_besides():
    where = moves(seen(ramps(100), "elastic"))
    x = where[:, 0].double()
    bent = x[:, :, 2:] - 2 * x[:, :, 1:-1] + x[:, :, :-2]  # 0 of an affine map
    assert bent.abs().mean() > 0.05
    assert (x - torch.arange(3.0, 9.0)).abs().max() < 3 * augment.RIPPLE + 2


def test_changes_are_made_one_after_the_other():
    images = noise(20)
    both = seen(images, "flip", "shift")
    padded = nn.functional.pad(images.float(), [augment.SHIFT] * 4)
    for image, one in zip(both, padded, strict=False):
        ways = [
            way[:, y : y + SIDE, x : x + SIDE]
            for way in (one, one.flip(2))
            for y in range(3)
            for x in range(3)
        ]
        assert any(torch.allclose(image, way, atol=1e-3) for way in ways)


def test_what_an_image_gets_follows_from_seed_and_place_alone():
    images = noise(4)
    one = seen(images, "elastic", seed=5)
    assert torch.equal(one, seen(images, "elastic", seed=5))
    assert not torch.equal(one, seen(images, "elastic", seed=6))


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_neither_threads_nor_blocks_change_what_an_image_gets(threads):
    """Fifty images at once: their mean input is the same to rounding."""
    torch.set_num_threads(threads)
    net = nn.Sequential(nn.Flatten(), nn.Linear(SIDE * SIDE, 2, bias=False))
    nn.init.zeros_(net[1].weight)
    chain = engine.compile(net, (1, SIDE, SIDE))
    still = torch.optim.SGD(net.parameters(), lr=0.0)
    labels = torch.zeros(50, dtype=torch.int64)
    chain.train(noise(50), labels, None, still, seed=3, augment=("affine", "flip"))
    gradient = net[1].weight.grad.clone()
    torch.set_num_threads(1)
    chain.train(noise(50), labels, None, still, seed=3, augment=("affine", "flip"))
    torch.testing.assert_close(net[1].weight.grad, gradient, rtol=1e-5, atol=1e-6)


def test_floats_are_not_augmented():
    net = nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
    chain, still = engine.compile(net, (1, 2, 2)), torch.optim.SGD(net.parameters(), lr=0.0)
    labels = torch.zeros(3, dtype=torch.int64)
    with pytest.raises(UserError, match=r"^images to augment were given as torch.float32; exp"):
        chain.train(torch.rand(3, 1, 2, 2), labels, None, still, augment=("flip",))
