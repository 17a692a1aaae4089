import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fgunet.grid import split_windows
from fgunet.patches.counting import Runs, rank_within

ANY_RUNS = st.builds(
    Runs, st.tuples(st.integers(1, 70), st.integers(1, 70)), st.integers(1, 20), st.integers(1, 5)
)


def counted(runs, values, n_classes):
    counts = runs.empty_counts(n_classes)
    for strip in runs.strips():
        runs.add_to(counts, strip, values[strip.slices])
    return counts


def test_counts_of_single_blocks(some_labels):
    values = some_labels((70, 45)).values
    counts = counted(Runs((70, 45), 16, 1), values, 3)
    for number, window in enumerate(split_windows((70, 45), 16)):
        block = values[window.slices]
        assert counts[:, number].tolist() == [(block == label).sum() for label in range(3)]
    assert counts.shape == (3, number + 1)


def test_a_tile_of_many_strips(some_labels):
    values = some_labels((1300, 20)).values
    runs = Runs((1300, 20), 64, 1)
    assert [strip.height for strip in runs.strips()] == [512, 512, 276]
    counts = counted(runs, values, 3)
    assert counts.sum() == (values != 255).sum()
    assert counts[:, 8].tolist() == [(values[512:576] == label).sum() for label in range(3)]


@settings(max_examples=60)
@given(runs=ANY_RUNS, seed=st.integers(0, 99))
def test_pixels_are_ranked_block_by_block_whatever_the_runs(runs, seed):
    mask = np.random.default_rng(seed).random(runs.shape) < 0.2
    ranked = [
        (window.row + row, window.col + col)
        for window in split_windows(runs.shape, runs.block)
        for row, col in np.argwhere(mask[window.slices]).tolist()
    ]
    counts = counted(runs, np.where(mask, 0, 255).astype(np.uint8), 1)[0]
    assert counts.sum() == len(ranked)
    ends = np.cumsum(counts, dtype=np.int64)
    for rank, expected in enumerate(ranked):
        number, within = rank_within(ends, rank)
        assert runs.pixel(number, mask[runs.window(number).slices], within) == expected


@given(runs=ANY_RUNS)
def test_runs_make_up_the_tile(runs):
    seen = np.zeros(runs.shape, int)
    for number in range(runs.grid[0] * runs.grid[1]):
        seen[runs.window(number).slices] += 1
    assert (seen == 1).all()


@pytest.mark.parametrize(("rank", "expected"), [(0, (1, 0)), (2, (1, 2)), (3, (3, 0))])
def test_places_without_pixels_hold_no_rank(rank, expected):
    assert rank_within(np.array([0, 3, 3, 4]), rank) == expected
