import numpy as np
import rasterio
import rasterio.warp
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from fgunet.sentinel2.resampling import refine, repeat

shapes = st.tuples(st.integers(1, 6), st.integers(1, 6))


def test_weights_by_hand():
    """Only the first of four pixels is not zero: 9/16, 3/16 and 1/16 of it; edges see it whole."""
    values = np.array([[16, 0], [0, 0]], np.float32)
    expected = [[16, 12, 4, 0], [12, 9, 3, 0], [4, 3, 1, 0], [0, 0, 0, 0]]
    np.testing.assert_array_equal(refine(values, np.ones((2, 2), bool)), expected)


def test_invalid_neighbours_have_no_weight():
    values = np.array([[100, -10000, 300]], np.float32)
    refined = refine(values, np.array([[True, False, True]]))
    np.testing.assert_array_equal(refined, [[100, 100, 0, 0, 300, 300]] * 2)


@given(arrays.arrays(np.int16, shapes), st.data())
def test_refined_values_stay_within_their_valid_neighbours(values, data):
    valid = data.draw(arrays.arrays(np.bool_, values.shape))
    refined = refine(values.astype(np.float32), valid)
    padded, known = np.pad(values.astype(float), 1), np.pad(valid, 1)
    for row, col in zip(*np.nonzero(valid), strict=True):
        block = slice(row, row + 3), slice(col, col + 3)
        near = padded[block][known[block]]
        own = refined[2 * row : 2 * row + 2, 2 * col : 2 * col + 2]
        assert near.min() - 0.01 <= own.min()
        assert own.max() <= near.max() + 0.01
    assert not refined[~repeat(valid)].any()


@given(arrays.arrays(np.int16, shapes), st.data())
def test_values_of_invalid_pixels_do_not_matter(values, data):
    valid = data.draw(arrays.arrays(np.bool_, values.shape))
    values = values.astype(np.float32)
    other = np.where(valid, values, np.float32(-10000))
    np.testing.assert_array_equal(refine(values, valid), refine(other, valid))


def test_gdal_agrees():
    values = np.random.default_rng(0).integers(0, 10000, (20, 30)).astype(np.float32)
    expected = np.empty((40, 60), np.float32)
    rasterio.warp.reproject(
        values,
        expected,
        src_transform=Affine(20, 0, 600000, 0, -20, 5e6),
        dst_transform=Affine(10, 0, 600000, 0, -10, 5e6),
        src_crs="EPSG:32631",
        dst_crs="EPSG:32631",
        resampling=rasterio.warp.Resampling.bilinear,
    )
    np.testing.assert_allclose(refine(values, np.ones((20, 30), bool)), expected, atol=0.1)
