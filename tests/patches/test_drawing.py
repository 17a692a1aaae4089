import numpy as np
import pytest

from fgunet.errors import PatchError
from fgunet.patches.augmentation import Symmetry
from fgunet.patches.drawing import Bounds, PatchSource, count_drawn_labels
from fgunet.patches.normalisation import normalise
from fgunet.patches.placement import Placement
from fgunet.patches.random import sample_generator


@pytest.fixture
def source(array_series, some_labels):
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


def test_all_eight_symmetries_are_drawn():
    square = np.arange(9).reshape(3, 3)
    turned = {
        Symmetry.draw(sample_generator(0, 0, index)).apply(square).tobytes() for index in range(200)
    }
    assert len(turned) == 8
    with pytest.raises(PatchError, match="not square"):
        Symmetry().apply(np.zeros((2, 3)))


def test_normalise_by_hand():
    series = np.array([[[[0, 500]], [[65535, 65535]]], [[[1000, 2000]], [[7, 8]]]], np.uint16)
    low = [[0, 0], [500, 7]]
    high = [[1000, 1000], [1500, 7]]
    out = normalise(series, low, high, 65535)
    # Channels: date 1 band 1, date 1 band 2 (nodata), date 2 band 1, date 2 band 2 (constant).
    np.testing.assert_array_equal(out[0], [[0, 0, 0.5, 0], [0.5, 0, 1, 1]])
    assert out.dtype == np.float32


def test_normalise_refuses_bounds_of_other_series():
    series = np.zeros((2, 1, 1, 1), np.uint16)
    with pytest.raises(PatchError, match="other series"):
        normalise(series, [[0]], [[1]], 65535)
    with pytest.raises(PatchError, match="above its high"):
        normalise(series, [[2], [2]], [[1], [3]], 65535)


def test_drawn_labels_are_those_of_the_patches(source):
    training = source()
    drawn = [training.patch(index)[1] for index in range(6)]
    counted = count_drawn_labels(
        training._labels, training._placement, n_patches=6, n_classes=3, seed=4
    )
    assert counted.tolist() == [sum(int((p == k).sum()) for p in drawn) for k in range(3)]


def test_tiles_must_pair(array_series, some_labels):
    labels = [some_labels((20, 20))]
    placement = Placement(labels, n_classes=3, size=8, jitter=3)
    bounds = Bounds(np.zeros((1, 1)), np.ones((1, 1)))
    for series, message in (
        ([], "do not pair"),
        ([array_series(np.zeros((1, 1, 20, 21), np.uint16))], "the series lies on"),
    ):
        with pytest.raises(PatchError, match=message):
            PatchSource(series, labels, placement, bounds, seed=0, stream=0, augmented=False)
