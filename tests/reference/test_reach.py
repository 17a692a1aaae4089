import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fgunet.grid import Grid, Window
from fgunet.patches.placement import Placement
from fgunet.reference.rasterisation import strips
from fgunet.reference.reach import reaching, within_reach


def reached(training, size, jitter, height=1000):
    found = [
        within_reach(lambda w: training[w.slices], window, training.shape, size=size, jitter=jitter)
        for window in strips(training.shape, height)
    ]
    return np.concatenate(found)


def every_patch(training, size, jitter):
    """All patches that can be drawn, one after another."""
    height, width = training.shape
    shown = np.zeros_like(training)
    for row, col in np.argwhere(training):
        for down in range(-jitter, jitter + 1):
            for right in range(-jitter, jitter + 1):
                top = np.clip(row - size // 2 + down, 0, height - size)
                left = np.clip(col - size // 2 + right, 0, width - size)
                shown[top : top + size, left : left + size] = True
    return shown


def test_one_pixel_by_hand():
    training = np.zeros((20, 30), dtype=bool)
    training[10, 2] = True
    shown = reached(training, size=4, jitter=1)
    # Rows start at 8, shifted to 7 .. 9; columns at 0, shifted to -1 .. 1 and pushed inside.
    assert np.flatnonzero(shown.any(axis=1)).tolist() == [7, 8, 9, 10, 11, 12]
    assert np.flatnonzero(shown.any(axis=0)).tolist() == [0, 1, 2, 3, 4]
    assert shown.sum() == 6 * 5


@st.composite
def tiles(draw):
    shape = draw(st.tuples(st.integers(5, 24), st.integers(5, 24)))
    size = draw(st.integers(1, 5))
    jitter = draw(st.integers(0, (size + 1) // 2 - 1))
    seed = draw(st.integers(0, 2**32 - 1))
    density = draw(st.sampled_from([0.0, 0.01, 0.05, 0.3]))
    training = np.random.default_rng(seed).random(shape) < density
    return training, size, jitter, draw(st.integers(1, 9))


@given(tiles())
def test_equals_all_patches_one_after_another(tile):
    training, size, jitter, height = tile
    expected = every_patch(training, size, jitter)
    np.testing.assert_array_equal(reached(training, size, jitter, height), expected)


@given(hnp.arrays(bool, (6, 9)))
def test_a_patch_larger_than_the_tile_shows_all_of_it(training):
    assert (reached(training, size=64, jitter=16) == training.any()).all()


@pytest.mark.parametrize(("count", "size", "jitter"), [(30, 8, 3), (9, 8, 0), (12, 5, 2)])
def test_a_pixel_shows_itself(count, size, jitter):
    first, last = reaching(count, size, jitter)
    pixel = np.arange(count)
    assert ((first <= pixel) & (pixel <= last)).all()


class TrainingPixels:
    """A tile's labels: 0 where a pixel is of the training, 255 elsewhere."""

    def __init__(self, training):
        height, width = training.shape
        transform = (10.0, 0.0, 500_000.0, 0.0, -10.0, 5_000_000.0)
        self.grid = Grid("EPSG:32631", transform, height, width)
        self._values = np.where(training, 0, 255).astype(np.uint8)

    def read(self, window: Window):
        return self._values[window.slices]


def test_drawn_patches_stay_within_reach_and_fill_it():
    generator = np.random.default_rng(4)
    training = generator.random((70, 90)) < 0.001
    training[0, 0] = training[69, 40] = True
    placement = Placement([TrainingPixels(training)], n_classes=1, size=16, jitter=7)
    shown = np.zeros_like(training)
    for _ in range(8000):
        shown[placement.place(generator).window.slices] = True
    np.testing.assert_array_equal(shown, reached(training, 16, 7))
    assert 0 < shown.mean() < 1
