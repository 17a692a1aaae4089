import time

import numpy as np
import pytest

from fgunet.accuracy.intervals import interval, polygon_weights, resample_confusions
from fgunet.accuracy.scores import kappa, overall_accuracy
from fgunet.errors import AccuracyError


def _polygons(n_polygons, n_classes, right, seed, pixels=20):
    random = np.random.default_rng(seed)
    references = np.sort(random.integers(n_classes, size=n_polygons))
    counts = np.empty((n_polygons, n_classes), dtype=np.int64)
    for row, reference in enumerate(references):
        share = np.full(n_classes, (1 - right) / (n_classes - 1))
        share[reference] = right
        counts[row] = random.multinomial(pixels, random.dirichlet(share * 5))
    return references, counts


def test_each_draw_has_as_many_polygons_as_there_are():
    weights = np.concatenate(list(polygon_weights(7, 50, np.random.default_rng(0))))
    assert weights.shape == (50, 7)
    np.testing.assert_array_equal(weights.sum(axis=1), 7)


def test_draws_do_not_depend_on_the_block_size(monkeypatch):
    references, counts = _polygons(30, 3, 0.8, 1)
    whole = resample_confusions(references, counts, 3, samples=40, seed=5)
    monkeypatch.setattr("fgunet.accuracy.intervals._DRAWS", 25)
    pieces = resample_confusions(references, counts, 3, samples=40, seed=5)
    np.testing.assert_array_equal(whole, pieces)


def test_a_class_with_one_polygon_is_always_drawn():
    references = np.array([0, 1, 1])
    counts = np.array([[4, 1], [2, 8], [9, 1]])
    drawn = resample_confusions(references, counts, 2, samples=20, seed=0)
    np.testing.assert_array_equal(drawn[:, 0], np.tile([4, 1], (20, 1)))
    np.testing.assert_array_equal(drawn[:, 1].sum(axis=1), 20)
    assert np.unique(drawn[:, 1, 0]).size > 1


def test_interval_holds_the_score_and_narrows_with_more_polygons():
    widths = []
    for n_polygons in (40, 1000):
        references, counts = _polygons(n_polygons, 4, 0.8, 2)
        observed = np.zeros((4, 4))
        np.add.at(observed, references, counts)
        drawn = resample_confusions(references, counts, 4, samples=400, seed=3)
        lower, upper = interval(kappa(drawn))
        assert lower < kappa(observed) < upper
        widths.append(upper - lower)
    assert widths[1] < widths[0] / 3


def test_interval_covers_the_true_accuracy_about_as_often_as_it_says():
    # Every polygon's accuracy is drawn around 0.8, so 0.8 is the truth of an endless sample.
    covered = 0
    for seed in range(60):
        references, counts = _polygons(80, 4, 0.8, seed)
        drawn = resample_confusions(references, counts, 4, samples=200, seed=seed)
        lower, upper = interval(overall_accuracy(drawn))
        covered += bool(lower <= 0.8 <= upper)
    assert covered >= 50


def test_undefined_resamples_are_left_aside():
    values = np.array([[np.nan, 1.0], [np.nan, 3.0], [np.nan, np.nan]])
    lower, upper = interval(values)
    assert np.isnan(lower[0])
    assert np.isnan(upper[0])
    assert 1 <= lower[1] <= upper[1] <= 3


def test_refuses_no_samples():
    with pytest.raises(AccuracyError, match="bootstrap_samples is 0"):
        resample_confusions(np.array([0]), np.array([[1]]), 1, samples=0, seed=0)


def test_is_fast_enough_for_a_country():
    references, counts = _polygons(6000, 17, 0.8, 4)
    start = time.process_time()
    drawn = resample_confusions(references, counts, 17, samples=1000, seed=0)
    interval(kappa(drawn))
    assert time.process_time() - start < 4  # half a second alone; the machine may be shared
