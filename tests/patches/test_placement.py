import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from fgunet.errors import PatchError
from fgunet.grid import split_windows
from fgunet.patches.placement import Placement, count_labels
from fgunet.patches.random import sample_generator


def test_counts_of_blocks(some_labels):
    labels = some_labels((70, 45))
    counts = count_labels(labels, 3, block=16)
    for number, window in enumerate(split_windows((70, 45), 16)):
        block = labels.values[window.slices]
        assert counts[:, number].tolist() == [(block == label).sum() for label in range(3)]
    assert counts.shape == (3, number + 1)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), index=st.integers(0, 2**40), size=st.sampled_from([8, 9, 16]))
def test_a_patch_lies_in_its_tile_and_holds_its_class(some_labels_session, seed, index, size):
    tiles = some_labels_session
    placement = Placement(tiles, n_classes=3, size=size, jitter=(size - 1) // 2, block=7)
    place = placement.place(sample_generator(seed, 0, index))
    height, width = tiles[place.tile].grid.shape
    window = place.window
    assert window.row >= 0 <= window.col
    assert window.row + size <= height
    assert window.col + size <= width
    assert (tiles[place.tile].read(window) == place.label).any()


@pytest.fixture(scope="module")
def some_labels_session(array_labels):
    generator = np.random.default_rng(3)
    tiles = []
    for shape in ((20, 33), (16, 16)):
        values = generator.integers(3, size=shape).astype(np.uint8)
        values[generator.random(shape) > 0.05] = 255
        tiles.append(array_labels(values))
    return tiles


def test_classes_are_drawn_uniformly_and_pixels_within_them(array_labels):
    # Class 0 has 1 pixel, class 1 has 8 over two tiles, class 2 none.
    first, second = (np.full((6, 6), 255, dtype=np.uint8) for _ in range(2))
    first[2, 3] = 0
    first[5, :3] = 1
    second[0, :5] = 1
    tiles = [array_labels(first), array_labels(second)]
    placement = Placement(tiles, n_classes=3, size=1, jitter=0, block=4)
    assert placement.counts.tolist() == [1, 8, 0]
    places = [placement.place(sample_generator(1, 0, index)) for index in range(4000)]
    assert 1900 < sum(place.label == 0 for place in places) < 2100
    drawn = [(p.tile, p.window.row, p.window.col) for p in places if p.label == 1]
    pixels, counts = np.unique(drawn, axis=0, return_counts=True)
    assert len(pixels) == 8
    assert stats.chisquare(counts).pvalue > 0.001


def test_jitter_covers_its_range(array_labels):
    values = np.full((41, 41), 255, dtype=np.uint8)
    values[20, 20] = 0
    placement = Placement([array_labels(values)], n_classes=1, size=8, jitter=3)
    rows = {placement.place(sample_generator(0, 0, i)).window.row for i in range(200)}
    assert rows == set(range(13, 20))


@pytest.mark.parametrize(
    ("shape", "size", "jitter", "message"),
    [
        ((10, 30), 16, 2, "patch needs 16 x 16"),
        ((30, 30), 16, 8, "could lose its pixel"),
        ((30, 30), 16, -1, "could lose its pixel"),
    ],
)
def test_sizes_are_checked(some_labels, shape, size, jitter, message):
    with pytest.raises(PatchError, match=message):
        Placement([some_labels(shape)], n_classes=3, size=size, jitter=jitter)


def test_no_label_and_no_tile(array_labels):
    with pytest.raises(PatchError, match="none of the 1 tiles"):
        Placement([array_labels(np.full((9, 9), 255, np.uint8))], n_classes=2, size=4, jitter=1)
    with pytest.raises(PatchError, match="no tile"):
        Placement([], n_classes=2, size=4, jitter=1)
