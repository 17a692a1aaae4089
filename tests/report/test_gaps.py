import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgunet.report import gaps
from fgunet.report.gaps import LEVELS, measure_gaps, percentiles


def counts_of(shape, seed=0):
    random = np.random.default_rng(seed)
    clear = random.integers(0, 5, shape).astype(np.uint16)
    longest = random.integers(1, 200, shape).astype(np.uint16)
    return {
        "clear_count": clear,
        "longest_gap": np.where(clear, longest, 65535).astype(np.uint16),
        "bridged_count": np.where(clear, longest // 50, 0).astype(np.uint16),
    }


def reader(counts):
    return lambda window: {name: values[window.slices] for name, values in counts.items()}


@given(st.lists(st.integers(0, 65535), min_size=1, max_size=60))
def test_percentiles_of_counted_numbers_are_those_of_numpy(numbers):
    found = percentiles(np.bincount(numbers, minlength=65536))
    expected = np.percentile(numbers, LEVELS)
    np.testing.assert_allclose(list(found.values()), expected, rtol=1e-12)


def test_percentiles_of_nothing():
    assert percentiles(np.zeros(10, np.int64)) is None


def test_gaps_worked_out_by_hand():
    counts = {
        "clear_count": np.array([[0, 3], [5, 10]], np.uint16),
        "longest_gap": np.array([[65535, 80], [70, 20]], np.uint16),
        "bridged_count": np.array([[0, 4], [2, 0]], np.uint16),
    }
    found = measure_gaps(reader(counts), (2, 2), 10, 1).figures
    assert found["never_clear_share"] == 0.25
    assert found["clear_days"]["50"] == 5
    assert found["longest_gap_days"]["50"] == 70
    assert found["bridged_share"] == pytest.approx(6 / 30)


@pytest.mark.parametrize("step", [1, 2, 7, 40])
@pytest.mark.parametrize("window", [4, 16, 512])
def test_windows_do_not_show(step, window, monkeypatch):
    monkeypatch.setattr(gaps, "_WINDOW", window)
    counts = counts_of((37, 50))
    found = measure_gaps(reader(counts), (37, 50), 12, step)
    np.testing.assert_array_equal(found.clear_count, counts["clear_count"][::step, ::step])
    np.testing.assert_array_equal(found.longest_gap, counts["longest_gap"][::step, ::step])
    seen = counts["clear_count"] > 0
    assert found.figures["never_clear_share"] == pytest.approx(1 - seen.mean())
    bridged = counts["bridged_count"][seen].mean() / 12
    assert found.figures["bridged_share"] == pytest.approx(bridged)
    for name, array in (("clear_days", "clear_count"), ("longest_gap_days", "longest_gap")):
        expected = np.percentile(counts[array][seen], LEVELS)
        np.testing.assert_allclose(list(found.figures[name].values()), expected)


def test_a_tile_never_seen_has_no_percentiles():
    counts = counts_of((3, 3))
    counts["clear_count"][:] = 0
    found = measure_gaps(reader(counts), (3, 3), 12, 1).figures
    assert found["never_clear_share"] == 1
    assert found["clear_days"] is found["longest_gap_days"] is found["bridged_share"] is None
