import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fgunet.reference.balance import Strata, balanced, draws, keys_of


def test_draws_are_even_and_of_their_own():
    keys = keys_of(np.arange(20_000))
    one = draws(keys, 5, "test")
    counts = np.histogram(one, bins=10, range=(0, 1))[0]
    # 2000 each, with a deviation of 42.
    assert abs(counts - 2000).max() < 200
    np.testing.assert_array_equal(one[[7, 9]], draws([keys[7], keys[9]], 5, "test"))
    for other in (draws(keys, 6, "test"), draws(keys, 5, "validation")):
        assert abs(np.corrcoef(one, other)[0, 1]) < 0.03


def mend(chosen, area, of, *, tolerance=0.05, dither=(0.99, 0.99), given=None, taken=None):
    none = np.zeros(len(dither))
    strata = Strata(
        of=np.array(of),
        dither=np.array(dither),
        given=none if given is None else np.array(given, dtype=float),
        given_chosen=none if taken is None else np.array(taken, dtype=float),
    )
    return balanced(
        np.array(chosen, dtype=bool),
        np.array(area, dtype=float),
        strata,
        share=0.34,
        tolerance=tolerance,
    ).tolist()


def test_the_largest_unit_that_fits_changes():
    # 60 of 100 are chosen, 34 should be: 20 fits into the 26 too many, 30 does not; then 6 are
    # left, 10 does not fit, and the stratum's draw is against it.
    assert mend([1, 1, 1, 0], [30, 20, 10, 40], [0] * 4) == [True, False, True, False]
    # 6 / 10 is the probability that it changes.
    assert mend([1, 1, 1, 0], [30, 20, 10, 40], [0] * 4, dither=[0.59])[2] is False
    assert mend([1, 1, 1, 0], [30, 20, 10, 40], [0] * 4, dither=[0.61])[2]


def test_within_the_tolerance_nothing_moves():
    assert mend([1, 0, 0], [38, 31, 31], [0] * 3) == [True, False, False]
    assert mend([1, 0, 0], [90, 5, 5], [0] * 3, tolerance=1.0) == [True, False, False]


def test_strata_have_no_say_in_one_another_and_some_units_keep_their_side():
    chosen, area = [1, 1, 1, 0, 0, 1], [30, 30, 40, 30, 70, 1000]
    assert mend(chosen, area, [0, 0, 0, 1, 1, -1]) == [True, True, False, True, False, True]


def test_given_ground_counts():
    # 41 of the 100 given are chosen, 120 are there in all: 0.2 too many are no matter.
    assert mend([0, 0], [10, 10], [0, 0], given=(100, 0), taken=(41, 0)) == [False, False]
    # With 20 chosen of 100 the two bring it to 33 %.
    assert mend([0, 0], [10, 10], [0, 0], given=(100, 0), taken=(20, 0)) == [True, True]


def test_a_lone_unit_is_chosen_as_often_as_the_share():
    rng = np.random.default_rng(1)
    results = [
        mend([draw < 0.34], [7.0], [0], dither=[dither])[0]
        for draw, dither in rng.random((4000, 2))
    ]
    # A deviation of 0.0075.
    assert np.mean(results) == pytest.approx(0.34, abs=0.03)


@given(seed=st.integers(0, 10**6), n=st.integers(1, 60))
@settings(max_examples=60)
def test_what_is_left_is_less_than_a_unit(seed, n):
    rng = np.random.default_rng(seed)
    area, chosen = rng.lognormal(0, 1, n), rng.random(n) < 0.34
    result = np.array(mend(chosen, area, [0] * n, dither=[rng.random()]))
    excess = area[result].sum() - 0.34 * area.sum()
    assert abs(excess) <= max(0.05 * area.sum(), area.max()) + 1e-9
    # However large, a unit leaves its side only to bring the share nearer, or by the dither.
    before = area[chosen].sum() - 0.34 * area.sum()
    assert abs(excess) <= max(abs(before), area[chosen != result].max(initial=0.0)) + 1e-9


@pytest.mark.parametrize(
    ("n", "by_chance_at_least", "mended_at_most"), [(10, 0.055, 0.03), (30, 0.03, 0.014)]
)
def test_balance_against_chance(n, by_chance_at_least, mended_at_most):
    """Shares of a class over eleven squares of some uneven polygons."""
    rng = np.random.default_rng(0)
    by_chance, mended, large = [], [], []
    for _ in range(60):
        area, drawn = rng.lognormal(0, 1, 11 * n), rng.random(11 * n) < 0.34
        result = np.array(mend(drawn, area, np.repeat(np.arange(11), n), dither=rng.random(11)))
        by_chance.append(area[drawn].sum() / area.sum())
        mended.append(area[result].sum() / area.sum())
        large.append(result[np.argsort(area)[-2 * n :]].mean())
    assert np.std(by_chance) > by_chance_at_least
    assert np.std(mended) < mended_at_most
    assert np.mean(mended) == pytest.approx(0.34, abs=0.01)
    # Large polygons are tested as often as small ones.
    assert np.mean(large) == pytest.approx(0.34, abs=0.05)
