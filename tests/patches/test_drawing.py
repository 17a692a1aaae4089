import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fgunet.errors import PatchError
from fgunet.grid import Window
from fgunet.patches.drawing import Bounds, PatchSource, count_drawn_labels
from fgunet.patches.placement import Placement
from fgunet.patches.random import sample_generator


@pytest.fixture(scope="module")
def shared_source(array_series, some_labels):
    def make(stream=0, augmented=True):
        generator = np.random.default_rng(9)
        tiles = [some_labels((40, 30), seed) for seed in (1, 2)]
        series = [
            array_series(generator.integers(0, 9000, (2, 3, 40, 30)).astype(np.uint16))
            for _ in tiles
        ]
        placement = Placement(tiles, n_classes=3, size=16, jitter=5)
        bounds = Bounds(np.full((2, 3), 500.0), np.full((2, 3), 8000.0))
        return PatchSource(
            series, tiles, placement, bounds, seed=4, stream=stream, augmented=augmented
        )

    return make


@pytest.fixture
def source(shared_source):
    return shared_source


def test_patch_is_the_same_whatever_was_drawn_before(source):
    one, other = source(), source()
    for index in range(5):
        one.patch(index)
    for mine, theirs in zip(one.patch(7), other.patch(7), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    images, labels = other.batch([3, 7])
    np.testing.assert_array_equal(images[1], one.patch(7)[0])
    assert images.shape == (2, 16, 16, 6)
    assert images.dtype == np.float32
    assert labels.shape == (2, 16, 16)
    assert labels.dtype == np.uint8


def test_labelled_pixels_are_those_on_the_ground(source, some_labels):
    window = Window(0, 0, 40, 30)
    both = np.concatenate([some_labels((40, 30), seed).read(window) for seed in (1, 2)])
    np.testing.assert_array_equal(source().labelled, [(both == label).sum() for label in range(3)])


def test_streams_and_seeds_differ():
    numbers = {
        sample_generator(*key).integers(2**62)
        for key in [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (0, 0, 2**50)]
    }
    assert len(numbers) == 5


def test_image_and_labels_turn_together(array_series, array_labels):
    # The label of a pixel equals its reflectance: that must survive every symmetry.
    values = np.arange(24 * 24).reshape(24, 24) % 200
    labels = array_labels(values.astype(np.uint8))
    series = array_series(values[None, None].astype(np.uint16))
    placement = Placement([labels], n_classes=200, size=8, jitter=3)
    bounds = Bounds(np.zeros((1, 1)), np.full((1, 1), 200.0))
    source = PatchSource([series], [labels], placement, bounds, seed=0, stream=0, augmented=True)
    for index in range(20):
        image, drawn = source.patch(index)
        np.testing.assert_allclose(image[..., 0] * 200, drawn, atol=1e-3)


def test_drawn_labels_are_those_of_the_patches(source):
    training = source()
    drawn = [training.patch(index)[1] for index in range(6)]
    counted = count_drawn_labels(
        training._labels, training._placement, n_patches=6, n_classes=3, seed=4
    )
    assert counted.tolist() == [sum(int((p == k).sum()) for p in drawn) for k in range(3)]


@settings(max_examples=20)
@given(
    indices=st.lists(st.integers(0, 40), min_size=1, max_size=12),
    threads=st.integers(1, 4),
    size=st.integers(1, 5),
)
def test_threads_workers_and_restarts_change_no_sample(shared_source, indices, threads, size):
    """Batches of any size in any order, by sources of their own and by one of several threads."""
    expected = [shared_source().patch(index) for index in indices]
    source = shared_source()
    with ThreadPoolExecutor(threads) as pool:
        parts = [indices[first : first + size] for first in range(0, len(indices), size)]
        batches = list(pool.map(source.batch, parts))
    images, labels = (np.concatenate(each) for each in zip(*batches, strict=True))
    for number, (image, drawn) in enumerate(expected):
        np.testing.assert_array_equal(images[number], image)
        np.testing.assert_array_equal(labels[number], drawn)


def test_a_sample_is_described_by_its_place(array_series, array_labels):
    values = np.full((20, 30), 255, np.uint8)
    values[6, 9] = 3  # a patch of 8 around it, without jitter: rows 2 to 9, columns 5 to 12
    labels = [array_labels(values)]
    placement = Placement(labels, n_classes=4, size=8, jitter=0, names=["T31TCJ"])
    series = array_series(np.zeros((1, 1, 20, 30), np.uint16))
    bounds = Bounds(np.zeros((1, 1)), np.ones((1, 1)))
    source = PatchSource([series], labels, placement, bounds, seed=0, stream=0, augmented=True)
    assert source.describe(1234) == (
        "sample 1234: tile T31TCJ, rows 2 to 9, columns 5 to 12, drawn for label 3"
    )


def test_the_description_is_of_the_patch_itself(source):
    plain = source(augmented=False)
    for index in range(20):
        numbers = [int(n) for n in re.findall(r"\d+", plain.describe(index))]
        _, tile, top, bottom, left, right, label = numbers
        drawn = plain._labels[tile].values[top : bottom + 1, left : right + 1]
        np.testing.assert_array_equal(plain.patch(index)[1], drawn)
        assert (drawn == label).any()


def test_tiles_must_pair(array_series, some_labels):
    labels = [some_labels((20, 20))]
    placement = Placement(labels, n_classes=3, size=8, jitter=3, names=["T31TCJ"])
    bounds = Bounds(np.zeros((1, 1)), np.ones((1, 1)))
    for series, message in (
        ([], "0 series, 1 label rasters and 1 tiles"),
        ([array_series(np.zeros((1, 1, 20, 21), np.uint16))],
         r"tile T31TCJ: the series lies on .*width=21\), the labels on .*width=20\); make"),
    ):  # fmt: skip
        with pytest.raises(PatchError, match=message):
            PatchSource(series, labels, placement, bounds, seed=0, stream=0, augmented=False)
