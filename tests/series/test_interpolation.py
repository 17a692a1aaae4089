from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from fgunet.errors import SeriesError
from fgunet.series.interpolation import NODATA, interpolate


def one_pixel(values, valid, days, targets):
    """Interpolate one pixel of one band."""
    block = np.array(values, np.uint16)[:, None, None, None]
    return interpolate(block, np.array(valid, bool)[:, None, None], days, targets)[:, 0, 0, 0]


def test_known_values():
    result = one_pixel([100, 200, 400], [True] * 3, [0, 10, 20], [-5, 0, 3, 10, 15, 20, 99])
    assert result.tolist() == [100, 100, 130, 200, 300, 400, 400]


def test_invalid_acquisitions_are_bridged():
    result = one_pixel([100, 9999, 400], [True, False, True], [0, 10, 20], [10, 12])
    assert result.tolist() == [250, 280]


def test_ends_are_held_from_the_nearest_valid_value():
    result = one_pixel([1, 200, 300, 4], [False, True, True, False], [0, 10, 20, 30], [0, 5, 25])
    assert result.tolist() == [200, 200, 300]


def test_halves_go_to_the_even_neighbour():
    assert one_pixel([0, 5], [True] * 2, [0, 10], [1, 3, 5]).tolist() == [0, 2, 2]
    assert one_pixel([5, 0], [True] * 2, [0, 10], [1, 3, 5]).tolist() == [4, 4, 2]


def test_never_valid_pixels_are_nodata_and_leave_the_others_alone():
    values = np.full((2, 3, 1, 2), 7, np.uint16)
    valid = np.array([[[False, True]], [[False, False]]])
    result = interpolate(values, valid, [0, 5], [1, 2])
    assert (result[..., 0] == NODATA).all()
    assert (result[..., 1] == 7).all()


@st.composite
def blocks(draw):
    count, bands = draw(st.integers(1, 6)), draw(st.integers(1, 3))
    height, width = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    values = draw(
        arrays.arrays(np.uint16, (count, bands, height, width), elements={"max_value": 65534})
    )
    valid = draw(arrays.arrays(np.bool_, (count, height, width)))
    days = sorted(draw(st.sets(st.integers(0, 400), min_size=count, max_size=count)))
    targets = draw(st.lists(st.integers(-50, 450), min_size=1, max_size=5))
    return values, valid, days, targets


@given(blocks())
def test_numpy_agrees_pixel_by_pixel(block):
    values, valid, days, targets = block
    result = interpolate(values, valid, days, targets)
    for row, col in np.ndindex(valid.shape[1:]):
        usable = valid[:, row, col]
        for band in range(values.shape[1]):
            found = result[:, band, row, col]
            if not usable.any():
                assert (found == NODATA).all()
                continue
            known = np.asarray(days)[usable], values[usable, band, row, col].astype(float)
            assert np.abs(found - np.interp(targets, *known)).max() <= 0.5 + 1e-6


@given(st.integers(0, 65534), st.integers(0, 65534), st.integers(2, 3000), st.data())
def test_rounding_is_that_of_exact_numbers(start, end, gap, data):
    elapsed = data.draw(st.integers(1, gap - 1))
    exact = start + Fraction(end - start) * elapsed / gap
    assert one_pixel([start, end], [True] * 2, [0, gap], [elapsed])[0] == round(exact)


@given(blocks())
def test_valid_days_are_kept_as_they_are(block):
    values, valid, days, _ = block
    result = interpolate(values, valid, days, days)
    kept = np.broadcast_to(valid[:, None], values.shape)
    np.testing.assert_array_equal(result[kept], values[kept])


@given(blocks(), st.integers(0, 65535))
def test_values_that_are_not_valid_do_not_matter(block, filling):
    values, valid, days, targets = block
    other = np.where(valid[:, None], values, np.uint16(filling))
    np.testing.assert_array_equal(
        interpolate(values, valid, days, targets), interpolate(other, valid, days, targets)
    )


@given(blocks(), st.data())
def test_a_pixel_does_not_depend_on_its_block(block, data):
    values, valid, days, targets = block
    row = data.draw(st.integers(0, valid.shape[1] - 1))
    alone = interpolate(values[:, :, row:], valid[:, row:], days, targets)
    np.testing.assert_array_equal(alone, interpolate(values, valid, days, targets)[:, :, row:])


@pytest.mark.parametrize("days", [[0, 0], [5, 2], [0], []])
def test_days_must_fit_and_rise(days):
    with pytest.raises(SeriesError, match="days"):
        interpolate(np.zeros((2, 1, 1, 1), np.uint16), np.ones((2, 1, 1), bool), days, [0])
