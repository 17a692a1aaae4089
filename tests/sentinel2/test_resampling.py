import numpy as np
import pytest
import rasterio
import rasterio.warp
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from fgunet.errors import GridError
from fgunet.sentinel2.resampling import (
    MAXIMUM,
    Calibration,
    refine,
    repeat,
    rescale,
    stored_numbers,
)

shapes = st.tuples(st.integers(1, 6), st.integers(1, 6))
dtypes = st.sampled_from([np.int16, np.uint16])
# What products declare: nothing to do, the offset of baseline 4, a scale of 1/5000, and a mirror.
calibrations = st.sampled_from([(1, 0), (1, -1000), (2, 0), (0.5, 3), (0.1, -20.25), (-1, 65534)])


def refined(stored, usable, window=None, *, gain=1.0, shift=0.0, nodata=None):
    """All fine pixels, or those of a window (row, col, height, width); 0 where not valid."""
    row, col, height, width = window or (0, 0, 2 * stored.shape[0], 2 * stored.shape[1])
    out, valid = np.full((height, width), 4321, np.uint16), np.ones((height, width), bool)
    numbers = stored_numbers(stored, Calibration(gain, shift, nodata))
    refine(numbers, usable, row, col, valid=valid, out=out)
    return out * valid


def rescaled(stored, window=None, *, gain=1.0, shift=0.0, nodata=None):
    """The same of a band of 10 m."""
    row, col, *shape = window or (0, 0, *stored.shape)
    out, valid = np.full(shape, 4321, np.uint16), np.ones(shape, bool)
    numbers = stored_numbers(stored, Calibration(gain, shift, nodata))
    rescale(numbers, row, col, valid=valid, out=out)
    return out * valid


def scenes(draw, dtype):
    stored = draw(arrays.arrays(dtype, shapes))
    return stored, draw(arrays.arrays(np.bool_, stored.shape) | st.just(np.True_)) & np.ones(
        stored.shape, bool
    )


@st.composite
def coarse_scenes(draw):
    return scenes(draw, draw(dtypes))


def weighted_mean(stored, usable):
    """Bilinear interpolation over usable pixels in float64, straight from the definition."""
    value = np.zeros((2 * stored.shape[0], 2 * stored.shape[1]))
    for row, col in np.ndindex(*value.shape):
        own = row // 2, col // 2
        beside = own[0] + (1 if row % 2 else -1), own[1] + (1 if col % 2 else -1)
        total = weights = 0.0
        for y, weight_y in ((own[0], 0.75), (beside[0], 0.25)):
            for x, weight_x in ((own[1], 0.75), (beside[1], 0.25)):
                inside = 0 <= y < stored.shape[0] and 0 <= x < stored.shape[1]
                if inside and usable[y, x]:
                    total += weight_y * weight_x * float(stored[y, x])
                    weights += weight_y * weight_x
        value[row, col] = total / weights if usable[own] else np.nan
    return value


def test_weights_by_hand():
    """Only the first of four pixels is not zero: 9/16, 3/16 and 1/16 of it; edges see it whole."""
    stored = np.array([[16, 0], [0, 0]], np.int16)
    expected = [[16, 12, 4, 0], [12, 9, 3, 0], [4, 3, 1, 0], [0, 0, 0, 0]]
    np.testing.assert_array_equal(refined(stored, np.ones((2, 2), bool)), expected)


def test_unusable_neighbours_have_no_weight():
    stored = np.array([[100, -10000, 300]], np.int16)
    found = refined(stored, np.array([[True, False, True]]))
    np.testing.assert_array_equal(found, [[100, 100, 0, 0, 300, 300]] * 2)


def test_halves_go_to_the_even_number_and_the_rest_to_the_nearest():
    """Between 0 and 2, 6, 10: 0.5 of one digit number and 1.5, 2.5 of it, a quarter of the way."""
    usable = np.ones((1, 2), bool)
    for far, near_row in ((2, [0, 0, 2, 2]), (6, [0, 2, 4, 6]), (10, [0, 2, 8, 10])):
        found = refined(np.array([[0, far]], np.uint16), usable)
        np.testing.assert_array_equal(found, [near_row] * 2)


def test_numbers_are_scaled_shifted_and_clipped():
    stored = np.array([[0, 900, 1001, 65535]], np.uint16)
    apart = np.ones((1, 1), bool)
    expected = [0, 0, 1, 64535]
    for value, number in zip(stored[0], expected, strict=True):
        found = refined(np.array([[value]], np.uint16), apart, gain=1, shift=-1000)
        np.testing.assert_array_equal(found, np.full((2, 2), number))
    np.testing.assert_array_equal(rescaled(stored, shift=-1000), [expected])
    np.testing.assert_array_equal(rescaled(stored, gain=2), [[0, 1800, 2002, MAXIMUM]])


@pytest.mark.parametrize(
    ("dtype", "nodata"), [(np.int16, -10000), (np.uint16, 0), (np.uint16, 65535)]
)
def test_pixels_without_data_are_not_valid_and_not_mixed_in(dtype, nodata):
    stored = np.array([[100, nodata, 300]], dtype)
    usable = np.ones((1, 3), bool)
    found = refined(stored, usable, nodata=nodata)
    np.testing.assert_array_equal(found, [[100, 100, 0, 0, 300, 300]] * 2)
    np.testing.assert_array_equal(rescaled(stored, nodata=nodata), [[100, 0, 300]])
    # A number that the dtype cannot hold stands for no pixel.
    np.testing.assert_array_equal(rescaled(stored, nodata=-10000 if nodata >= 0 else 65535),
                                  np.clip(stored.astype(int), 0, MAXIMUM))  # fmt: skip


def test_what_was_not_valid_stays_so():
    stored, valid = np.full((2, 2), 7, np.uint16), np.array([[True, False], [True, True]])
    out = np.empty((2, 2), np.uint16)
    numbers = stored_numbers(stored, Calibration())
    rescale(numbers, 0, 0, valid=valid, out=out)
    assert valid.tolist() == [[True, False], [True, True]]
    refine(numbers, np.ones((2, 2), bool), 1, 1, valid=valid, out=out)
    assert valid.tolist() == [[True, False], [True, True]]


@given(coarse_scenes(), calibrations)
def test_definition_agrees(scene, calibration):
    stored, usable = scene
    gain, shift = np.float32(calibration[0]), np.float32(calibration[1])
    expected = weighted_mean(stored, usable) * float(gain) + float(shift)
    expected = np.nan_to_num(np.clip(expected, 0, MAXIMUM), nan=0)
    found = refined(stored, usable, gain=gain, shift=shift)
    # Half a number of rounding, and what float32 makes of a number near 2^16.
    assert np.abs(found - expected).max() <= 0.52
    assert not found[~repeat(usable)].any()


@given(coarse_scenes())
def test_usable_everywhere_the_result_is_exact(scene):
    stored, _ = scene
    usable = np.ones(stored.shape, bool)
    # A mean of sixteenths is exact in float64.
    expected = np.clip(np.rint(weighted_mean(stored, usable)), 0, MAXIMUM)
    np.testing.assert_array_equal(refined(stored, usable), expected)


@given(coarse_scenes(), st.data())
def test_values_of_unusable_pixels_do_not_matter(scene, data):
    stored, usable = scene
    filling = data.draw(arrays.arrays(stored.dtype, stored.shape))
    other = np.where(usable, stored, filling)
    np.testing.assert_array_equal(refined(stored, usable), refined(other, usable))


@given(coarse_scenes(), calibrations, st.data())
def test_a_pixel_does_not_depend_on_its_window(scene, calibration, data):
    """A window of the tile, read with a margin of one coarse pixel except at the tile's edge."""
    stored, usable = scene
    gain, shift = calibration
    whole = refined(stored, usable, gain=gain, shift=shift)
    row, col = (data.draw(st.integers(0, size - 1)) for size in whole.shape)
    height, width = (
        data.draw(st.integers(1, size - first))
        for size, first in zip(whole.shape, (row, col), strict=True)
    )
    top, left = max(row // 2 - 1, 0), max(col // 2 - 1, 0)
    around = (
        slice(top, (row + height - 1) // 2 + 2),
        slice(left, (col + width - 1) // 2 + 2),
    )
    window = (row - 2 * top, col - 2 * left, height, width)
    part = refined(stored[around], usable[around], window, gain=gain, shift=shift)
    np.testing.assert_array_equal(part, whole[row : row + height, col : col + width])


@given(coarse_scenes(), calibrations)
def test_a_band_of_10_m_is_rescaled_as_numpy_does_in_float32(scene, calibration):
    stored, _ = scene
    gain, shift = np.float32(calibration[0]), np.float32(calibration[1])
    expected = np.clip(np.rint(stored.astype(np.float32) * gain + shift), 0, MAXIMUM)
    np.testing.assert_array_equal(rescaled(stored, gain=gain, shift=shift), expected)
    window = (stored.shape[0] - 1, stored.shape[1] - 1, 1, 1)
    assert rescaled(stored, window, gain=gain, shift=shift)[0, 0] == expected[-1, -1]


def from_gdal(stored, **options):
    """The bilinear interpolation of GDAL, float32."""
    height, width = stored.shape
    expected = np.empty((2 * height, 2 * width), np.float32)
    rasterio.warp.reproject(
        stored.astype(np.float32),
        expected,
        src_transform=Affine(20, 0, 600000, 0, -20, 5e6),
        dst_transform=Affine(10, 0, 600000, 0, -10, 5e6),
        src_crs="EPSG:32631",
        dst_crs="EPSG:32631",
        resampling=rasterio.warp.Resampling.bilinear,
        **options,
    )
    return expected


def test_gdal_agrees():
    stored = np.random.default_rng(0).integers(0, 10000, (20, 30)).astype(np.int16)
    found = refined(stored, np.ones((20, 30), bool))
    # GDAL weighs to about a tenth of a number, this rounds to whole ones.
    np.testing.assert_allclose(found, from_gdal(stored), atol=0.6)


def test_gdal_agrees_around_nodata():
    rng = np.random.default_rng(3)
    stored = rng.integers(1, 10000, (20, 30)).astype(np.int16)
    usable = rng.random((20, 30)) < 0.7
    stored[~usable] = -10000
    expected = from_gdal(stored, src_nodata=-10000, dst_nodata=0)
    own = repeat(usable)
    found = refined(stored, usable)
    np.testing.assert_allclose(found[own], expected[own], atol=0.6)
    assert not found[~own].any()


@pytest.mark.parametrize(
    ("row", "col", "shape"), [(-1, 0, (2, 2)), (3, 0, (2, 2)), (0, 0, (2, 7)), (0, 5, (2, 2))]
)
def test_windows_must_lie_inside(row, col, shape):
    stored = np.zeros((2, 3), np.int16)
    with pytest.raises(GridError, match="leave 2 x 3 stored ones"):
        refined(stored, np.ones((2, 3), bool), (row, col, *shape))


@pytest.mark.parametrize(
    "out",
    [
        np.empty((2, 3), np.int16),
        np.empty((2, 6), np.uint16)[:, ::2],
        np.empty((2, 3), np.uint16)[::-1],
        np.empty(6, np.uint16),
        np.empty((3, 2), np.uint16),
    ],
)
def test_the_array_to_fill_must_fit(out):
    with pytest.raises(GridError, match="out"):
        rescale(
            stored_numbers(np.zeros((2, 3), np.int16), Calibration()),
            0,
            0,
            valid=np.ones((2, 3), bool),
            out=out,
        )


@pytest.mark.parametrize("usable", [np.ones((3, 2), bool), np.ones((2, 3), np.uint8)])
def test_usable_must_fit(usable):
    with pytest.raises(GridError, match="usable"):
        refined(np.zeros((2, 3), np.int16), usable)


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.float32])
def test_stored_numbers_have_16_bits(dtype):
    with pytest.raises(GridError, match=f"stored is {np.dtype(dtype)}"):
        rescaled(np.zeros((2, 3), dtype))
