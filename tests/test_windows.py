"""Opening and closing leave what they keep where it was, whatever the window's sides."""

import numpy as np
import pytest

from holmdel.images import pixels
from holmdel.reading import image


@pytest.mark.parametrize("side", range(1, 8))
@pytest.mark.parametrize("of", [image, pixels])
def test_a_run_as_long_as_the_window_stays_where_it_is(of, side):
    ink = np.zeros((20, 30), np.uint8)
    ink[8, 10 : 10 + side] = ink[3, 20] = 1
    np.testing.assert_array_equal(of.opened(ink, 1, side)[8], ink[8])
    np.testing.assert_array_equal(of.opened(ink.T.copy(), side, 1).T[8], ink[8])
    assert of.opened(ink, 1, side)[3, 20] == (side == 1)


@pytest.mark.parametrize("side", range(2, 8))
@pytest.mark.parametrize("of", [image, pixels])
def test_a_gap_less_than_the_window_is_filled_and_nothing_beside_it(of, side):
    ink = np.zeros((20, 40), np.uint8)
    ink[8, 10:30] = 1
    whole = ink.copy()
    ink[8, 15 : 15 + side - 1] = 0
    np.testing.assert_array_equal(of.closed(ink, 1, side), whole)
    ink[8, 15 + side - 1] = 0
    np.testing.assert_array_equal(of.closed(ink, 1, side), ink)
