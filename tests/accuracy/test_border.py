import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fgunet.accuracy.border import distance_to_border, halo_of
from fgunet.grid import Window, split_windows


def test_known_distances_of_a_square_in_the_open():
    polygons = np.zeros((7, 7), np.uint32)
    polygons[1:6, 1:6] = 8
    found = distance_to_border(polygons, (10.0, 10.0))
    assert found[3].tolist() == [5, 5, 15, 25, 15, 5, 5]
    # The corner of the image looks at the corner of the square, half a pixel away on both axes.
    assert found[0, 0] == pytest.approx(np.hypot(5, 5))


def test_polygons_that_touch_have_a_border_and_the_image_has_none():
    found = distance_to_border(np.array([[1, 1, 2, 2, 2]], np.uint32), (10.0, 10.0))
    assert found.tolist() == [[15, 5, 5, 15, 25]]
    assert np.isinf(distance_to_border(np.full((3, 4), 5, np.uint32), (10.0, 10.0))).all()
    assert np.isinf(distance_to_border(np.ones((1, 1), np.uint32), (10.0, 10.0))).all()


def by_hand(polygons, resolution):
    """The nearest square of another polygon's pixel, pixel by pixel."""
    width, height = resolution
    distance = np.full(polygons.shape, np.inf)
    for row, col in np.ndindex(polygons.shape):
        others = np.argwhere(polygons != polygons[row, col])
        if len(others):
            down, right = (np.maximum(np.abs(others - (row, col)) - 0.5, 0)).T
            distance[row, col] = np.hypot(down * height, right * width).min()
    return distance


def random_polygons(seed, shape):
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 4, (shape[0] // 3 + 1, shape[1] // 3 + 1))
    return np.kron(coarse, np.ones((3, 3)))[: shape[0], : shape[1]].astype(np.uint32)


@given(
    st.integers(0, 10_000),
    st.tuples(st.integers(1, 16), st.integers(1, 16)),
    st.sampled_from([(10.0, 10.0), (20.0, 10.0), (10.0, 60.0)]),
)
@settings(max_examples=60)
def test_equals_the_nearest_pixel_of_another_polygon(seed, shape, resolution):
    polygons = random_polygons(seed, shape)
    found = distance_to_border(polygons, resolution)
    np.testing.assert_allclose(found, by_hand(polygons, resolution), rtol=1e-12)


@pytest.mark.parametrize("resolution", [(10.0, 10.0), (20.0, 10.0)])
def test_windows_with_their_halo_know_every_distance_up_to_the_limit(resolution):
    polygons = np.kron(random_polygons(3, (24, 24)), np.ones((5, 5), np.uint32))
    whole, limit = distance_to_border(polygons, resolution), 50
    for window in split_windows(polygons.shape, 16):
        outer = window.expanded(halo_of(limit, resolution), polygons.shape)
        inner = window.relative_to(outer)
        found = distance_to_border(polygons[outer.slices], resolution)[inner.slices]
        expected = whole[window.slices]
        np.testing.assert_array_equal(np.minimum(found, limit), np.minimum(expected, limit))


def test_a_halo_of_one_pixel_less_than_needed_is_noticed():
    polygons = np.zeros((1, 20), np.uint32)
    polygons[0, 6:] = 1
    # The pixel 0 lies 55 m from the border: a window of it alone needs the pixels up to 6.
    halo = halo_of(55, (10.0, 10.0))
    outer = Window(0, 0, 1, 1).expanded(halo, polygons.shape)
    assert distance_to_border(polygons[outer.slices], (10.0, 10.0))[0, 0] == 55
    assert np.isinf(distance_to_border(polygons[:, :6], (10.0, 10.0))[0, 0])
