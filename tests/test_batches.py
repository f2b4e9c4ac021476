"""Augmentation and shuffling: what they change, and what they leave."""

import pytest
import torch

from holmdel.data import Split
from holmdel.data.augment import AUGMENTATIONS, augmentation, flip, shift
from holmdel.data.dataset import Batches, batch_seed, hold_out, permutation
from holmdel.errors import UserError


@pytest.mark.parametrize("name", AUGMENTATIONS)
@pytest.mark.parametrize("size", [(1, 28, 28), (3, 20, 33)])
def test_augmentations_keep_shape_and_range(name, size):
    pictures = torch.rand(8, *size) * 255
    changed = AUGMENTATIONS[name](pictures)
    assert changed.shape == pictures.shape
    assert changed.min() >= 0
    assert changed.max() <= 255.01
    assert not torch.equal(changed, pictures)


def test_flip_mirrors_about_half():
    pictures = torch.zeros(1000, 1, 2, 2)
    pictures[..., 0] = 1.0
    mirrored = flip(pictures)[:, 0, 0, 1].sum()
    assert 430 < mirrored < 570


def test_shift_moves_by_whole_pixels_and_zeros_come_in():
    pictures = torch.zeros(200, 1, 9, 9)
    pictures[:, :, 4, 4] = 7.0
    moved = shift(pictures)
    assert moved.sum(dim=(1, 2, 3)).tolist() == [7.0] * 200
    rows, columns = moved[:, 0].nonzero()[:, 1:].unbind(1)
    assert set(rows.tolist()) == set(columns.tolist()) == {3, 4, 5}


@pytest.mark.parametrize("name", ["affine", "elastic"])
def test_distortions_keep_the_digit_in_the_middle(name):
    pictures = torch.zeros(200, 1, 28, 28)
    pictures[:, :, 8:20, 8:20] = 255
    changed = AUGMENTATIONS[name](pictures)
    mean = changed.mean(dim=0)[0]
    assert mean[14, 14] > 250
    assert mean[1, 1] < 5


def test_names_are_joined_by_plus_and_done_in_order():
    torch.manual_seed(0)
    expected = shift(flip(torch.ones(4, 1, 5, 5)))
    torch.manual_seed(0)
    assert torch.equal(augmentation("flip+shift")(torch.ones(4, 1, 5, 5)), expected)
    pictures = torch.rand(4, 1, 5, 5)
    assert torch.equal(augmentation("none")(pictures), pictures)
    with pytest.raises(UserError, match="augment was given as 'flip\\+turn'; expected none, or"):
        augmentation("flip+turn")


def test_an_epochs_order_is_a_permutation_of_its_own():
    first, second = permutation(50, seed=1, epoch=0), permutation(50, seed=1, epoch=1)
    assert sorted(first.tolist()) == list(range(50))
    assert not torch.equal(first, second)
    assert torch.equal(first, permutation(50, seed=1, epoch=0))


def test_batch_seeds_do_not_meet():
    seeds = {batch_seed(s, e, b) for s in range(5) for e in range(20) for b in range(50)}
    assert len(seeds) == 5 * 20 * 50
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_batches_cover_the_split_in_order_again_and_again():
    split = Split(torch.arange(10, dtype=torch.uint8).view(10, 1, 1, 1), torch.arange(10))
    batches = Batches(split, lambda pictures: pictures.float(), batch_size=4)
    for _ in range(2):
        sizes = [len(labels) for _, labels in batches]
        assert sizes == [4, 4, 2]
        assert len(batches) == 3
        assert torch.cat([x.flatten() for x, _ in batches]).tolist() == list(map(float, range(10)))


def test_what_is_held_out_is_not_trained_on():
    split = Split(torch.arange(100, dtype=torch.uint8).view(100, 1, 1, 1), torch.arange(100))
    rest, held = hold_out(split, 0.2, seed=3)
    assert (len(rest), len(held)) == (80, 20)
    assert not set(rest.labels.tolist()) & set(held.labels.tolist())
    assert torch.equal(rest.images.flatten().long(), rest.labels)
    assert torch.equal(hold_out(split, 0.2, seed=3)[1].labels, held.labels)
