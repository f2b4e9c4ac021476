"""Sizes and receptive fields predicted with integers, against real forward passes."""

import itertools

import pytest
import torch
from torch import nn

from holmdel.errors import UserError
from holmdel.shapes import ReceptiveField, output_size, parameter_count, parse_size


@pytest.mark.parametrize("size", [5, 8, 13, 28])
def test_output_size_is_what_torch_makes(size):
    for kernel, stride, padding in itertools.product((1, 2, 3, 5), (1, 2, 3), (0, 1, 2)):
        made = nn.Conv2d(1, 1, kernel, stride, padding)(torch.zeros(1, 1, size, size))
        assert output_size(size, kernel, stride, padding) == made.shape[-1]


def test_a_window_too_large_is_told():
    with pytest.raises(UserError, match="a window of 5 does not fit into 2 pixels with a padding"):
        output_size(2, kernel=5, padding=1)


@pytest.mark.parametrize("text", ["28x28", "1x28", "axbxc", "1x0x28", "", "1x28x28x2"])
def test_a_size_of_another_form_is_told(text):
    with pytest.raises(UserError, match="expected CxHxW"):
        parse_size(text)


def test_receptive_field_by_hand():
    """LeNet: 5, then 5 + 1 = 6, then 6 + 4 x 2 = 14, then 14 + 1 x 2 = 16 pixels."""
    c1 = ReceptiveField().through((5, 5), padding=(2, 2))
    s2 = c1.through((2, 2), stride=(2, 2))
    c3 = s2.through((5, 5))
    assert c1 == ReceptiveField((5, 5), (1, 1), (-2, -2))
    assert s2 == ReceptiveField((6, 6), (2, 2), (-2, -2))
    assert c3 == ReceptiveField((14, 14), (2, 2), (-2, -2))
    assert c3.through((2, 2), stride=(2, 2)).size == (16, 16)


def test_dilation_spreads_the_kernel():
    assert ReceptiveField().through((3, 3), dilation=(2, 3)).size == (5, 7)


def test_each_axis_goes_by_itself():
    field = ReceptiveField().through((1, 3), stride=(2, 1), padding=(0, 1))
    assert field == ReceptiveField((1, 3), (2, 1), (0, -1))


def test_two_branches_join_in_the_smallest_window_that_holds_both():
    left = ReceptiveField((3, 3), (1, 1), (-1, -1))
    right = ReceptiveField((4, 1), (2, 1), (1, 0))
    assert left.joined(right) == ReceptiveField((6, 3), (2, 1), (-1, -1))
    assert left.joined(right) == right.joined(left)


def test_shared_numbers_are_counted_once():
    layer = nn.Linear(4, 4)
    assert parameter_count(nn.Sequential(layer, nn.ReLU(), layer)) == 4 * 4 + 4
