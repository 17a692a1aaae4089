from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgunet.errors import PatchError
from fgunet.patches.statistics import (
    class_weights,
    merge_statistics,
    read_statistics,
    tile_statistics,
    write_statistics,
)


@pytest.fixture
def tiles(array_series, some_labels):
    generator = np.random.default_rng(5)
    result = []
    for seed in (1, 2):
        values = generator.integers(0, 65535, (2, 2, 30, 40)).astype(np.uint16)
        values[:, :, generator.random((30, 40)) < 0.1] = 65535
        result.append((array_series(values), some_labels((30, 40), seed)))
    return result


def test_percentiles_are_those_of_the_training_pixels_of_all_tiles(tiles):
    parts = [(str(n), tile_statistics(*tile, window=16)) for n, tile in enumerate(tiles)]
    merged = merge_statistics(parts)
    chosen = np.concatenate(
        [series.values[:, :, labels.values != 255] for series, labels in tiles], axis=-1
    )
    known = chosen[0, 0] != 65535
    for percent in (0, 3, 50, 97, 100):
        expected = np.percentile(chosen[:, :, known], percent, axis=-1)
        np.testing.assert_allclose(merged.percentile(percent), expected, rtol=1e-12)
    assert merged.labelled == chosen.shape[-1]
    assert merged.without_data == (~known).sum()


def test_statistics_survive_their_file_and_merge_in_any_order(tiles, tmp_path):
    found = []
    for number, tile in enumerate(tiles):
        paths = tmp_path / f"{number}.npz", tmp_path / f"{number}_again.npz"
        for path in paths:
            write_statistics(path, tile_statistics(*tile))
        assert paths[0].read_bytes() == paths[1].read_bytes()
        found.append(read_statistics(paths[0]))
    one, two = found
    direct = tile_statistics(*tiles[0])
    np.testing.assert_array_equal(one.histograms, direct.histograms)
    assert replace(one, histograms=0) == replace(direct, histograms=0)
    forth = merge_statistics([("a", one), ("b", two)])
    back = merge_statistics([("b", two), ("a", one)])
    np.testing.assert_array_equal(forth.histograms, back.histograms)


def test_statistics_that_do_not_fit(tiles, array_series, some_labels, tmp_path):
    one = tile_statistics(*tiles[0])
    other = tile_statistics(array_series(np.zeros((1, 2, 8, 8), np.uint16)), some_labels((8, 8)))
    with pytest.raises(PatchError, match=r"b differs from a \(dates: 20180102 missing\); stack"):
        merge_statistics([("a", one), ("b", other)])
    with pytest.raises(PatchError, match="no statistics"):
        merge_statistics([])
    (tmp_path / "broken.npz").write_bytes(b"no archive")
    with pytest.raises(PatchError, match="holds no statistics"):
        read_statistics(tmp_path / "broken.npz")
    with pytest.raises(PatchError, match=r"series lies on .* \(rule rasterise_reference"):
        tile_statistics(tiles[0][0], some_labels((8, 8)))


def test_a_channel_without_data(array_series, some_labels):
    empty = tile_statistics(
        array_series(np.full((1, 1, 8, 8), 65535, np.uint16)), some_labels((8, 8))
    )
    with pytest.raises(PatchError, match="no training pixel with data"):
        empty.percentile(3)


def test_class_weights_by_hand():
    # Shares 1/4, 3/4 and 0: weights 4 and 4/3, scaled to sum to 3.
    np.testing.assert_allclose(class_weights([10, 30, 0]), [2.25, 0.75, 0])
    with pytest.raises(PatchError, match="no weights"):
        class_weights([0, 0])


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=30).filter(any))
def test_class_weights_sum_to_the_classes_and_balance_them(counts):
    weights = class_weights(counts)
    assert weights.sum() == pytest.approx(len(counts))
    shares = weights[np.array(counts) > 0] * np.array(counts)[np.array(counts) > 0]
    assert shares == pytest.approx(shares[0])
