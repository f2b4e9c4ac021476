"""Sizes predicted with integers, against real forward passes."""

import itertools

import pytest
import torch
from torch import nn

from holmdel.errors import UserError
from holmdel.shapes import output_size, parse_size


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
