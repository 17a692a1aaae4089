from dataclasses import fields
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from fgunet.errors import SeriesError
from fgunet.series.interpolation import NODATA, Interpolated, interpolate, interpolate_rows


def one_pixel(values, valid, days, targets, max_gap_days=30):
    """Interpolate one pixel of one band."""
    block = np.array(values, np.uint16)[:, None, None, None]
    mask = np.array(valid, bool)[:, None, None]
    return interpolate(block, mask, days, targets, max_gap_days=max_gap_days)


def series_of(*pixel):
    return one_pixel(*pixel).series[:, 0, 0, 0].tolist()


def gaps_of(valid, days, targets, max_gap_days):
    """Clear count, longest gap and bridged count of one pixel."""
    result = one_pixel([7] * len(days), valid, days, targets, max_gap_days)
    return [
        int(plane[0, 0]) for plane in (result.clear_count, result.longest_gap, result.bridged_count)
    ]


def assert_same(one, other):
    for field in fields(Interpolated):
        np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name))


def test_known_values():
    targets = [-5, 0, 3, 10, 15, 20, 99]
    result = series_of([100, 200, 400], [True] * 3, [0, 10, 20], targets)
    assert result == [100, 100, 130, 200, 300, 400, 400]


def test_dates_come_in_the_order_asked_for():
    assert series_of([100, 200], [True] * 2, [0, 10], [5, 0, 99, 5]) == [150, 100, 200, 150]


def test_invalid_acquisitions_are_bridged():
    assert series_of([100, 9999, 400], [True, False, True], [0, 10, 20], [10, 12]) == [250, 280]


def test_ends_are_held_from_the_nearest_valid_value():
    valid = [False, True, True, False]
    assert series_of([1, 200, 300, 4], valid, [0, 10, 20, 30], [0, 5, 25]) == [200, 200, 300]


def test_halves_go_to_the_even_neighbour():
    assert series_of([0, 5], [True] * 2, [0, 10], [1, 3, 5]) == [0, 2, 2]
    assert series_of([5, 0], [True] * 2, [0, 10], [1, 3, 5]) == [4, 4, 2]


def test_never_valid_pixels_are_nodata_and_leave_the_others_alone():
    values = np.full((2, 3, 1, 2), 7, np.uint16)
    valid = np.array([[[False, True]], [[False, False]]])
    result = interpolate(values, valid, [0, 5], [1, 2], max_gap_days=0)
    assert (result.series[..., 0] == NODATA).all()
    assert (result.series[..., 1] == 7).all()
    assert result.clear_count.tolist() == [[0, 1]]
    assert result.longest_gap.tolist() == [[NODATA, 2]]
    assert result.bridged_count.tolist() == [[0, 2]]


@pytest.mark.parametrize(
    ("valid", "targets", "max_gap_days", "expected"),
    [
        # On the days themselves nothing is bridged.
        ([True] * 4, [0, 10, 20, 50], 0, [4, 0, 0]),
        # Between them the gap is that of the two days around, however near one of them is.
        ([True] * 4, [1, 19, 49], 10, [4, 30, 1]),
        ([True] * 4, [1, 19, 49], 30, [4, 30, 0]),
        ([True] * 4, [1, 19, 49], 29, [4, 30, 1]),
        # A day that is not valid is no end of a gap: day 20 lies between 0 and 50.
        ([True, False, False, True], [0, 20, 21, 50], 40, [2, 50, 2]),
        # Beyond the ends it is the distance to the nearest valid day.
        ([False, True, True, False], [-5, 0, 10, 25, 50], 10, [2, 30, 2]),
        ([False, False, True, False], [0, 20, 50], 25, [1, 30, 1]),
    ],
)
def test_gaps_by_hand(valid, targets, max_gap_days, expected):
    assert gaps_of(valid, [0, 10, 20, 50], targets, max_gap_days) == expected


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
    result = interpolate(*block, max_gap_days=30).series
    for row, col in np.ndindex(valid.shape[1:]):
        usable = valid[:, row, col]
        for band in range(values.shape[1]):
            found = result[:, band, row, col]
            if not usable.any():
                assert (found == NODATA).all()
                continue
            known = np.asarray(days)[usable], values[usable, band, row, col].astype(float)
            assert np.abs(found - np.interp(targets, *known)).max() <= 0.5 + 1e-6


def gap_of(known, target):
    """The gap of a date by its definition, from the valid days of a pixel."""
    if target in known:
        return 0
    before = [day for day in known if day < target]
    after = [day for day in known if day > target]
    if before and after:
        return min(after) - max(before)
    return min(abs(day - target) for day in known)


@given(blocks(), st.integers(0, 120))
def test_gaps_are_those_of_their_definition(block, max_gap_days):
    _, valid, days, targets = block
    result = interpolate(*block, max_gap_days=max_gap_days)
    np.testing.assert_array_equal(result.clear_count, valid.sum(axis=0))
    for pixel in np.ndindex(valid.shape[1:]):
        known = [day for day, usable in zip(days, valid[:, *pixel], strict=True) if usable]
        gaps = [gap_of(known, target) for target in targets] if known else []
        assert result.longest_gap[pixel] == max(gaps, default=NODATA)
        assert result.bridged_count[pixel] == sum(gap > max_gap_days for gap in gaps)


# 65534 days are the most that days may span, and where an error of rounding would show first.
@given(st.integers(0, 65534), st.integers(0, 65534), st.integers(2, 65534), st.data())
def test_rounding_is_that_of_exact_numbers(start, end, gap, data):
    elapsed = data.draw(st.integers(1, gap - 1))
    exact = start + Fraction(end - start) * elapsed / gap
    assert series_of([start, end], [True] * 2, [0, gap], [elapsed]) == [round(exact)]


@given(st.integers(2, 65534), st.data())
def test_rounding_is_exact_at_and_beside_halves(gap, data):
    """Ends chosen so that the value is a half, or as near to one as whole numbers can be."""
    elapsed = data.draw(st.integers(1, gap - 1))
    step = np.arange(-65534, 65535)
    distance = np.abs(2 * (step * elapsed % gap) - gap)
    step = step[np.argsort(distance, kind="stable")[:200]]
    start = np.where(step < 0, 65534, 0)
    values = np.stack([start, start + step]).astype(np.uint16)[:, None, None]
    valid = np.ones((2, 1, step.size), bool)
    found = interpolate(values, valid, [0, gap], [elapsed], max_gap_days=0).series.reshape(-1)
    # Twice the number, then to nearest half to even, in whole numbers all the way.
    whole, rest = np.divmod(start * gap + step * elapsed, gap)
    up = (2 * rest > gap) | ((2 * rest == gap) & (whole % 2 == 1))
    np.testing.assert_array_equal(found, whole + up)


@given(blocks())
def test_valid_days_are_kept_as_they_are(block):
    values, valid, days, _ = block
    result = interpolate(values, valid, days, days, max_gap_days=30).series
    kept = np.broadcast_to(valid[:, None], values.shape)
    np.testing.assert_array_equal(result[kept], values[kept])


@given(blocks(), st.integers(0, 65535))
def test_values_that_are_not_valid_do_not_matter(block, filling):
    values, valid, days, targets = block
    other = np.where(valid[:, None], values, np.uint16(filling))
    assert_same(
        interpolate(*block, max_gap_days=30),
        interpolate(other, valid, days, targets, max_gap_days=30),
    )


@given(blocks(), st.data())
def test_a_pixel_does_not_depend_on_its_block(block, data):
    values, valid, days, targets = block
    row = data.draw(st.integers(0, valid.shape[1] - 1))
    alone = interpolate(values[:, :, row:], valid[:, row:], days, targets, max_gap_days=30)
    whole = interpolate(*block, max_gap_days=30)
    assert_same(
        alone,
        Interpolated(
            whole.series[:, :, row:],
            whole.clear_count[row:],
            whole.longest_gap[row:],
            whole.bridged_count[row:],
        ),
    )


def cloudy_block():
    """Larger than the pieces that are worked on at once, and no multiple of them."""
    rng = np.random.default_rng(20180312)
    values = rng.integers(0, 65535, (9, 2, 31, 97), np.uint16)
    valid = rng.random((9, 31, 97)) < 0.4
    return values, valid, [3, 8, 13, 18, 28, 33, 48, 53, 58], [0, 10, 60, 20, 30, 40, 50]


def test_strips_fill_a_larger_array_and_leave_its_other_rows_alone():
    values, valid, days, targets = cloudy_block()
    whole = interpolate(values, valid, days, targets, max_gap_days=20)
    into = Interpolated.allocate(len(targets), 2, 40, 97)
    for field in fields(Interpolated):
        getattr(into, field.name)[:] = 4321
    for row in range(0, 31, 7):
        rows = slice(row, row + 7)
        interpolate_rows(
            values[:, :, rows],
            valid[:, rows],
            days,
            targets,
            max_gap_days=20,
            into=into,
            row=row + 5,
        )
    for field in fields(Interpolated):
        filled = getattr(into, field.name)
        np.testing.assert_array_equal(filled[..., 5:36, :], getattr(whole, field.name))
        assert (filled[..., :5, :] == 4321).all()
        assert (filled[..., 36:, :] == 4321).all()


def test_large_blocks_equal_their_pixels():
    values, valid, days, targets = cloudy_block()
    whole = interpolate(values, valid, days, targets, max_gap_days=20)
    assert set(np.unique(whole.clear_count)) >= {0, 1, 2, 3}
    for row, col in [(0, 0), (10, 53), (10, 54), (10, 55), (21, 10), (21, 11), (30, 96)]:
        pixel = slice(row, row + 1), slice(col, col + 1)
        assert_same(
            interpolate(values[..., *pixel], valid[:, *pixel], days, targets, max_gap_days=20),
            Interpolated(
                whole.series[..., *pixel],
                whole.clear_count[pixel],
                whole.longest_gap[pixel],
                whole.bridged_count[pixel],
            ),
        )


def test_layout_of_the_arrays_does_not_matter():
    values, valid, days, targets = cloudy_block()
    expected = interpolate(values, valid, days, targets, max_gap_days=20)
    turned = np.asfortranarray(values), np.asfortranarray(valid)
    assert_same(interpolate(*turned, days, targets, max_gap_days=20), expected)


@pytest.mark.parametrize("days", [[0, 0], [5, 2], [0], []])
def test_days_must_fit_and_rise(days):
    with pytest.raises(SeriesError, match="days"):
        one_pixel([0, 0], [True] * 2, days, [0])


def test_days_must_have_one_origin():
    with pytest.raises(SeriesError, match="same origin"):
        one_pixel([0, 0], [True] * 2, [0, 5], [736695])


def test_the_limit_of_gaps_is_not_negative():
    with pytest.raises(SeriesError, match="max_gap_days is -1"):
        one_pixel([0], [True], [0], [0], -1)


@pytest.mark.parametrize(
    ("values", "valid", "message"),
    [
        (np.zeros((2, 1, 3, 3), np.uint16), np.ones((2, 3, 4), bool), "do not fit"),
        (np.zeros((2, 3, 3), np.uint16), np.ones((2, 3, 3), bool), "do not fit"),
        (np.zeros((2, 1, 3, 3), np.int16), np.ones((2, 3, 3), bool), "int16"),
        (np.zeros((2, 1, 3, 3), np.uint16), np.ones((2, 3, 3), np.uint8), "uint8"),
    ],
)
def test_values_and_valid_must_fit(values, valid, message):
    with pytest.raises(SeriesError, match=message):
        interpolate(values, valid, [0, 5], [1], max_gap_days=5)


def halves(array):
    return array[..., ::2]


@pytest.mark.parametrize(
    ("into", "row"),
    [
        (Interpolated.allocate(2, 1, 4, 5), 0),  # dates
        (Interpolated.allocate(3, 2, 4, 5), 0),  # bands
        (Interpolated.allocate(3, 1, 4, 6), 0),  # width
        (Interpolated.allocate(3, 1, 4, 5), 3),  # rows
        (Interpolated.allocate(3, 1, 4, 5), -1),
        (Interpolated(*map(halves, vars(Interpolated.allocate(3, 1, 4, 10)).values())), 0),
    ],
)
def test_arrays_to_fill_must_fit(into, row):
    values, valid = np.zeros((1, 1, 2, 5), np.uint16), np.ones((1, 2, 5), bool)
    with pytest.raises(SeriesError, match=r"does not fit|C-contiguous"):
        interpolate_rows(values, valid, [0], [1, 2, 3], max_gap_days=5, into=into, row=row)
