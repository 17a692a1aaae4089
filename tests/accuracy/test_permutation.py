from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, norm

from fgunet.accuracy.pairing import Pair
from fgunet.accuracy.permutation import (
    enough_permutations,
    holm,
    p_values,
    permuted_differences,
)
from fgunet.accuracy.scores import f_scores, kappa, overall_accuracy

N = 3


def _score(confusion):
    whole = np.stack([kappa(confusion), overall_accuracy(confusion)], axis=-1)
    return np.concatenate([whole, f_scores(confusion)], axis=-1)


def _pair(references, first, second):
    counts = np.array(first, dtype=np.int64), np.array(second, dtype=np.int64)
    return Pair(("a", "b"), (1, 2, 3), np.array(references), *counts, 0)


def _alike(random, polygons=24):
    """Two maps that differ by chance alone: each polygon is as hard for one as for the other."""
    references = np.arange(polygons) % N
    counts = np.empty((2, polygons, N), dtype=np.int64)
    for row, reference in enumerate(references):
        shares = np.ones(N)
        shares[reference] = 8
        hardness = random.dirichlet(shares)
        for each in counts:
            each[row] = random.multinomial(30, random.dirichlet(hardness * 6 + 0.05))
    return _pair(references, *counts)


def _p(pair, seed, permutations=199):
    n = [_score(pair.matrix(counts)) for counts in (pair.first, pair.second)]
    drawn = permuted_differences(pair, _score, permutations=permutations, seed=seed)
    return p_values(n[0] - n[1], drawn)


def test_permutations_are_exchanges_of_whole_polygons():
    pair = _pair([0, 0, 1, 2], [[5, 1, 0], [2, 2, 2], [1, 8, 0], [0, 3, 3]],
                 [[6, 0, 0], [0, 3, 3], [4, 4, 1], [1, 1, 4]])  # fmt: skip
    possible = []
    for swapped in product([False, True], repeat=4):
        keep = np.array(swapped)[:, None]
        one, other = (np.where(keep, *maps) for maps in (
            (pair.second, pair.first), (pair.first, pair.second)))  # fmt: skip
        possible.append(_score(pair.matrix(one)) - _score(pair.matrix(other)))
    drawn = permuted_differences(pair, _score, permutations=400, seed=3)
    assert drawn.shape == (400, 5)
    nearest = np.abs(drawn[:, None] - np.array(possible)).max(axis=-1)
    assert nearest.min(axis=1).max() < 1e-12
    counts = np.bincount(nearest.argmin(axis=1), minlength=16)
    assert counts.min() > binom.ppf(1e-6, 400, 1 / 16)
    assert counts.max() < binom.ppf(1 - 1e-6, 400, 1 / 16)


def test_more_permutations_begin_with_the_same_ones():
    pair = _alike(np.random.default_rng(0))
    few, many = (permuted_differences(pair, _score, permutations=k, seed=1) for k in (9, 50))
    np.testing.assert_array_equal(few, many[:9])


def test_how_many_are_held_at_once_does_not_matter(monkeypatch):
    pair = _alike(np.random.default_rng(0))
    whole = permuted_differences(pair, _score, permutations=50, seed=1)
    monkeypatch.setattr("fgunet.accuracy.permutation._DRAWS", 24 * 7)
    np.testing.assert_array_equal(
        permuted_differences(pair, _score, permutations=50, seed=1), whole
    )


def test_p_values_by_hand():
    permuted = np.array([[0.1, np.nan], [-0.3, np.nan], [0.2, np.nan], [-0.2, np.nan]])
    found = p_values(np.array([0.2, 0.2]), permuted)
    assert found[0] == pytest.approx((1 + 3) / (1 + 4))
    assert np.isnan(found[1])
    assert np.isnan(p_values(np.array([np.nan]), permuted[:, :1])[0])
    with_gap = np.array([[0.1], [np.nan], [0.3]])
    assert p_values(np.array([0.3]), with_gap)[0] == pytest.approx((1 + 1) / (1 + 2))


def test_where_methods_are_alike_the_test_rejects_at_its_level():
    worlds = 500
    random = np.random.default_rng(11)
    found = np.array([_p(_alike(random), seed) for seed in range(worlds)])
    for level in (0.05, 0.2):
        rejected = (found <= level).sum(axis=0)
        low, high = binom.ppf([0.0005, 0.9995], worlds, level)
        assert (rejected >= low).all()
        assert (rejected <= high).all()


def test_the_pixels_of_a_polygon_are_not_taken_for_independent():
    """The same worlds, tested pixel by pixel, would sound an alarm far too often."""
    random = np.random.default_rng(11)
    alarms = 0
    for _ in range(200):
        pair = _alike(random)
        right = [
            counts[np.arange(24), pair.references].sum() for counts in (pair.first, pair.second)
        ]
        shares = np.array(right) / pair.first.sum()
        spread = np.sqrt((shares * (1 - shares)).sum() / pair.first.sum())
        alarms += 2 * norm.sf(abs(shares[0] - shares[1]) / spread) <= 0.05
    assert alarms > binom.ppf(0.9999, 200, 0.05)


def test_holm_keeps_the_chance_of_any_false_alarm_in_a_family():
    worlds, tiles = 300, 5
    random = np.random.default_rng(5)
    bare = np.array([
        [_p(_alike(random, polygons=18), seed)[0] for _ in range(tiles)] for seed in range(worlds)
    ])  # fmt: skip
    adjusted = np.array([holm(family) for family in bare])
    most = binom.ppf(0.9995, worlds, 0.05)
    assert (adjusted <= 0.05).any(axis=1).sum() <= most
    assert (bare <= 0.05).any(axis=1).sum() > most


def test_holm_by_hand_and_as_r_gives_it():
    # R: p.adjust(c(0.01, 0.02, 0.03, 0.04, 0.05), "holm"); 4 x 0.02, 3 x 0.03, then no less.
    assert holm([0.01, 0.02, 0.03, 0.04, 0.05]) == pytest.approx([0.05, 0.08, 0.09, 0.09, 0.09])
    assert holm([0.04, 0.001, 0.6]) == pytest.approx([0.08, 0.003, 0.6])
    assert holm([0.9, 0.8]) == pytest.approx([1, 1])
    assert holm([0.03]) == pytest.approx([0.03])
    assert holm([]).size == 0


def test_an_undefined_p_value_is_no_test():
    found = holm([np.nan, 0.02, np.nan, 0.5])
    assert np.isnan(found[[0, 2]]).all()
    assert found[[1, 3]] == pytest.approx([0.04, 0.5])
    assert np.isnan(holm([np.nan, np.nan])).all()


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_holm_is_the_closed_test_of_bonferroni(p):
    """Marcus, Peritz and Gabriel (1976): reject what every intersection that holds it rejects."""
    places = range(len(p))
    families = [f for size in range(1, len(p) + 1) for f in combinations(places, size)]
    closed = [
        max(min(1, len(f) * min(p[i] for i in f)) for f in families if place in f)
        for place in places
    ]
    assert holm(p) == pytest.approx(closed)


def test_many_tests_get_permutations_enough_to_find_something():
    assert enough_permutations(1000, 11) == 1000
    permutations = enough_permutations(1000, 1100)
    smallest = np.full(1100, 1 / (permutations + 1))
    assert holm(smallest).max() < 0.05
