import tracemalloc

import numpy as np
import pytest
from scipy.stats import binom, t

from fgunet.accuracy.intervals import interval, resample_confusions
from fgunet.accuracy.scores import f_scores, kappa, overall_accuracy
from fgunet.errors import AccuracyError

ONE_CLASS = np.zeros(10, dtype=np.int64)


def _polygons(n_polygons, n_classes, right, seed, pixels=20):
    random = np.random.default_rng(seed)
    references = np.sort(random.integers(n_classes, size=n_polygons))
    counts = np.empty((n_polygons, n_classes), dtype=np.int64)
    for row, reference in enumerate(references):
        share = np.full(n_classes, (1 - right) / (n_classes - 1))
        share[reference] = right
        counts[row] = random.multinomial(pixels, random.dirichlet(share * 5))
    return references, counts


def test_polygons_alike_weigh_as_many_as_there_are():
    drawn = resample_confusions(ONE_CLASS, np.full((10, 1), 7), 1, samples=200, seed=0)
    np.testing.assert_allclose(drawn, 70)


def test_totals_of_a_class_follow_students_distribution():
    # Ten normal polygons: the interval of their total is the one that a t-test gives.
    pixels = np.random.default_rng(5).normal(1000, 100, size=(10, 1)).astype(np.int64)
    drawn = resample_confusions(ONE_CLASS, pixels, 1, samples=40_000, seed=1)[:, 0, 0]
    spread = np.sqrt(10) * pixels.std(ddof=1)
    for share, tolerance in ((0.025, 0.25), (0.25, 0.06), (0.5, 0.06), (0.75, 0.06), (0.975, 0.25)):
        quantile = (np.quantile(drawn, share) - pixels.sum()) / spread
        assert quantile == pytest.approx(t(9).ppf(share), abs=tolerance)


def test_polygons_stay_whole():
    # Every polygon has three pixels of one column for one of the other.
    counts = np.arange(1, 11)[:, None] * [3, 1]
    drawn = resample_confusions(ONE_CLASS, counts, 1, samples=50, seed=2)
    np.testing.assert_allclose(drawn[..., 0], 3 * drawn[..., 1])
    assert np.unique(drawn[..., 0]).size > 20


def test_classes_are_drawn_by_themselves():
    references, counts = _polygons(30, 3, 0.8, 1)
    whole = resample_confusions(references, counts, 3, samples=40, seed=5)
    kept = references != 1
    without = resample_confusions(references[kept], counts[kept], 3, samples=40, seed=5)
    np.testing.assert_array_equal(whole[:, [0, 2]], without[:, [0, 2]])
    assert not without[:, 1].any()


def test_maps_side_by_side_are_drawn_alike():
    references, counts = _polygons(30, 3, 0.8, 1)
    options = {"samples": 40, "seed": 5}
    both = resample_confusions(references, np.hstack([counts, counts]), 3, **options)
    np.testing.assert_array_equal(both[..., :3], both[..., 3:])
    np.testing.assert_array_equal(
        both[..., :3], resample_confusions(references, counts, 3, **options)
    )


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
    np.testing.assert_allclose(drawn[:, 1].sum(axis=1), 20)
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


SHARES = np.array([[0.85, 0.1, 0.05], [0.15, 0.7, 0.15], [0.05, 0.15, 0.8]])
MEAN_PIXELS = np.array([40, 25, 60])
WORLDS = 1500


def _scores(drawn):
    """Overall accuracy, kappa and the F-score of the second class: of the first map (..., 3),
    and how far it is above the second."""
    first, second = (
        np.stack([overall_accuracy(m), kappa(m), f_scores(m)[..., 1]], axis=-1)
        for m in (drawn[..., :3], drawn[..., 3:])
    )
    return np.concatenate([first, first - second], axis=-1)


def _small_world(seed, per_class):
    """Polygons of three classes, unequal in size and accuracy, and their counts in two maps."""
    random = np.random.default_rng(seed)
    references = np.repeat(np.arange(3), per_class)
    least, most = MEAN_PIXELS[references] // 5, MEAN_PIXELS[references] * 9 // 5
    pixels = random.integers(least, most, endpoint=True)
    counts = np.empty((references.size, 6), dtype=np.int64)
    for row, reference in enumerate(references):
        own, other = random.dirichlet(3 * SHARES[reference], size=2)
        worse = 0.9 * (own + other) / 2 + 0.1 / 3
        counts[row] = np.hstack([random.multinomial(pixels[row], p) for p in (own, worse)])
    return references, counts


def _n_drawn(references, counts, samples, seed):
    """The plain bootstrap, which is known to be too narrow: as many polygons as there are."""
    random = np.random.default_rng(seed)
    drawn = np.zeros((samples, 3, 6))
    for row in range(3):
        of_class = counts[references == row]
        chosen = random.integers(len(of_class), size=(samples, len(of_class)))
        drawn[:, row] = of_class[chosen].sum(axis=1)
    return drawn


def _covered(per_class, resample):
    """In how many worlds each score's interval holds the truth (6,)."""
    expected = per_class * MEAN_PIXELS[:, None] * np.hstack([SHARES, 0.9 * SHARES + 0.1 / 3])
    truth = _scores(expected)
    covered = np.zeros(6, dtype=int)
    for seed in range(WORLDS):
        references, counts = _small_world(seed, per_class)
        lower, upper = interval(_scores(resample(references, counts, seed)))
        covered += (lower <= truth) & (truth <= upper)
    return covered


def test_intervals_cover_the_known_accuracy_at_the_nominal_rate():
    def resample(references, counts, seed):
        return resample_confusions(references, counts, 3, samples=400, seed=seed)

    for per_class in (5, 12):
        covered = _covered(per_class, resample)
        # A little wide is allowed, narrow is not: 90 % would be caught.
        assert (covered >= binom.ppf(0.001, WORLDS, 0.95)).all(), covered / WORLDS
        assert (covered <= binom.ppf(0.999, WORLDS, 0.97)).all(), covered / WORLDS


def test_the_plain_bootstrap_would_fail_that_test():
    covered = _covered(5, lambda *world: _n_drawn(*world[:2], samples=400, seed=world[2]))
    assert (covered < binom.ppf(0.001, WORLDS, 0.95)).all(), covered / WORLDS


def test_undefined_resamples_are_left_aside():
    values = np.array([[np.nan, 1.0], [np.nan, 3.0], [np.nan, np.nan]])
    lower, upper = interval(values)
    assert np.isnan(lower[0])
    assert np.isnan(upper[0])
    assert 1 <= lower[1] <= upper[1] <= 3


def test_refuses_no_samples():
    with pytest.raises(AccuracyError, match="bootstrap_samples is 0"):
        resample_confusions(np.array([0]), np.array([[1]]), 1, samples=0, seed=0)


def test_memory_does_not_grow_with_the_polygons():
    counts = np.ones((200_000, 3), dtype=np.int64)
    tracemalloc.start()
    drawn = resample_confusions(np.zeros(200_000, dtype=np.int64), counts, 1, samples=40, seed=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_allclose(drawn, 200_000)
    # All 8 million draws at once would take three times as much.
    assert peak < 90e6
