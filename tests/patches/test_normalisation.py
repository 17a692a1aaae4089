import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fgunet.errors import PatchError
from fgunet.patches.augmentation import Symmetry
from fgunet.patches.normalisation import normalise

NODATA = 65535


def by_the_formula(series, low, high, nodata):
    """The formula in NumPy, all of it in float32."""
    scale = 1 / np.maximum(high - low, np.float32(1))
    values = np.moveaxis(series, (0, 1), (2, 3))
    scaled = np.clip((values.astype(np.float32) - low) * scale, 0, 1)
    scaled[values.astype(np.int64) == nodata] = 0
    return scaled.reshape(*values.shape[:2], -1)


def bits(image):
    return image.view(np.uint32)


def test_by_hand():
    series = np.array([[[[0, 500]], [[65535, 65535]]], [[[1000, 2000]], [[7, 8]]]], np.uint16)
    low = [[0, 0], [500, 7]]
    high = [[1000, 1000], [1500, 7]]
    out = normalise(series, low, high, NODATA)
    # Channels: date 1 band 1, date 1 band 2 (nodata), date 2 band 1, date 2 band 2 (constant).
    np.testing.assert_array_equal(out[0], [[0, 0, 0.5, 0], [0.5, 0, 1, 1]])
    assert out.dtype == np.float32


@settings(max_examples=60)
@given(
    shape=st.tuples(*(st.integers(1, most) for most in (3, 3, 5, 40))),
    seed=st.integers(0, 2**32),
    nodata=st.sampled_from([NODATA, 0, -10000]),
)
def test_to_the_bit_by_the_formula(shape, seed, nodata):
    generator = np.random.default_rng(seed)
    series = generator.integers(0, 65536, shape).astype(np.uint16)
    series[generator.random(shape) < 0.1] = nodata % 65536
    ends = np.sort(generator.uniform(0, 20000, (2, *shape[:2])), axis=0).astype(np.float32)
    ends[1] = np.where(generator.random(shape[:2]) < 0.2, ends[0], ends[1])
    found = normalise(series, *ends, nodata)
    np.testing.assert_array_equal(bits(found), bits(by_the_formula(series, *ends, nodata)))


@settings(max_examples=30)
@given(
    side=st.integers(1, 40),
    symmetry=st.builds(Symmetry, st.booleans(), st.booleans(), st.booleans()),
)
def test_turned_on_the_way(side, symmetry):
    series = np.random.default_rng(side).integers(0, 9000, (2, 3, side, side)).astype(np.uint16)
    low, high = np.full((2, 3), 1000.0), np.full((2, 3), 8000.0)
    image = np.full((side, side, 6), np.nan, np.float32)
    found = normalise(series, low, high, NODATA, symmetry=symmetry, out=image)
    assert found is image
    plain = normalise(series, low, high, NODATA)
    turned = np.moveaxis(symmetry.apply(np.moveaxis(plain, -1, 0)), 0, -1)
    np.testing.assert_array_equal(image, turned)


def test_arrays_may_lie_in_any_way():
    values = np.random.default_rng(1).integers(0, 9000, (2, 3, 20, 30)).astype(np.uint16)
    low, high = np.zeros((2, 3)), np.full((2, 3), 9000.0)
    expected = normalise(values, low, high, NODATA)
    fixed = values.copy()
    for array in (fixed, low, high):
        array.flags.writeable = False
    aside = np.empty((2, 3, 20, 60), np.uint16)[..., ::2]
    aside[:] = values
    for series in (fixed, aside, np.asfortranarray(values)):
        np.testing.assert_array_equal(normalise(series, low, high, NODATA), expected)


def test_bounds_of_other_series_are_refused():
    series = np.zeros((2, 1, 1, 1), np.uint16)
    with pytest.raises(PatchError, match="other series"):
        normalise(series, [[0]], [[1]], NODATA)
    with pytest.raises(PatchError, match="above its high"):
        normalise(series, [[2], [2]], [[1], [3]], NODATA)


def test_arrays_that_do_not_fit_are_refused():
    bounds = [[0], [0]], [[1], [1]]
    series = np.zeros((2, 1, 4, 5), np.uint16)
    with pytest.raises(PatchError, match="int16 cannot be normalised"):
        normalise(series.astype(np.int16), *bounds, NODATA)
    for out in (
        np.empty((4, 5, 3), np.float32),
        np.empty((4, 5, 2), np.float64),
        np.empty((5, 4, 2), np.float32).transpose(1, 0, 2),
    ):
        with pytest.raises(PatchError, match="cannot be written to an array"):
            normalise(series, *bounds, NODATA, out=out)
    with pytest.raises(PatchError, match="4 x 5 pixels is not square"):
        normalise(series, *bounds, NODATA, symmetry=Symmetry())
