"""A paired permutation test by polygon, and what many tests at once make of its p-values."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fgunet.accuracy.pairing import Pair
from fgunet.accuracy.scores import Scores

Score = Callable[[NDArray[Any]], Scores]
"""From confusions (..., n, n) to k scores of each, (..., k)."""

_ROUNDING = 1e-12
"""Differences closer than this are equal: the sums are the same, in another order."""

_DRAWS = 4_000_000
"""Most numbers held at once; the permutations do not depend on it."""

_PERMUTATIONS_A_TEST = 40


def enough_permutations(samples: int, tests: int) -> int:
    """Permutations behind each of several p-values: `samples`, or more where the tests are many.

    Of N permutations no p-value is below 1 / (N + 1), and `holm` multiplies the smallest by the
    number of tests: with too few of them no difference could be told from chance, however large.
    """
    return max(samples, _PERMUTATIONS_A_TEST * tests)


def permuted_differences(pair: Pair, score: Score, *, permutations: int, seed: int) -> Scores:
    """Differences of scores when in a random half of the polygons the maps are exchanged.

    Parameters
    ----------
    pair : Pair
        Counts of both maps.
    score : callable
        From confusions (..., n, n) to scores (..., k).
    permutations : int
        Number of permutations.
    seed : int
        Same seed and polygons, same permutations.

    Returns
    -------
    ndarray of float64, (permutations, k)
        First less second; NaN where undefined.
    """
    n = len(pair.codes)
    # Polygon by polygon the sum of both maps stays: what one map gains the other loses.
    total = pair.matrix(pair.first + pair.second)
    base = pair.matrix(pair.second)
    change = (pair.first - pair.second).astype(np.float64)
    gains = [change[pair.references == row] for row in range(n)]
    # A stream a class: adding polygons of one class leaves the draws of the others alone.
    streams = [np.random.default_rng([seed, row, 1]) for row in range(n)]
    step = max(1, _DRAWS // max(pair.references.size, n * n))
    blocks = []
    for start in range(0, permutations, step):
        size = min(step, permutations - start)
        kept = np.empty((size, n, n))
        for row, (gain, stream) in enumerate(zip(gains, streams, strict=True)):
            kept[:, row] = base[row] + stream.integers(2, size=(size, len(gain))) @ gain
        blocks.append(score(kept) - score(total - kept))
    return np.concatenate(blocks)


def p_values(difference: Scores, permuted: Scores) -> Scores:
    """Share of the permutations at least as far from 0, the observed one counted among them [1]_.

    Parameters
    ----------
    difference : ndarray of float64, (k,)
        What was observed.
    permuted : ndarray of float64, (permutations, k)
        Differences of `permuted_differences`; NaN is left aside.

    Returns
    -------
    ndarray of float64, (k,)
        Two-sided; NaN where the difference, or every permutation, is undefined.

    References
    ----------
    .. [1] Phipson, B. and Smyth, G. K. (2010). Permutation P-values should never be zero.
       Statistical Applications in Genetics and Molecular Biology 9(1), 39.
    """
    known = (~np.isnan(permuted)).sum(axis=0)
    as_far = (np.abs(permuted) >= np.abs(difference) - _ROUNDING).sum(axis=0)
    return np.where(np.isnan(difference) | (known == 0), np.nan, (1 + as_far) / (1 + known))


def holm(p: ArrayLike) -> Scores:
    """Adjust the p-values of a family of tests, so that one false alarm among them stays rare.

    Where each true hypothesis is rejected at an adjusted p-value of a or less, the chance of any
    false rejection in the family is at most a, however the tests depend on one another [1]_.

    Parameters
    ----------
    p : array_like of float, (k,)
        NaN is no test: it stays NaN and does not count.

    Returns
    -------
    ndarray of float64, (k,)

    References
    ----------
    .. [1] Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian
       Journal of Statistics 6(2), 65-70.
    """
    values = np.asarray(p, dtype=np.float64)
    order = np.argsort(values, kind="stable")[: np.count_nonzero(~np.isnan(values))]
    times = np.arange(order.size, 0, -1)
    adjusted = np.full(values.shape, np.nan)
    adjusted[order] = np.minimum(np.maximum.accumulate(times * values[order]), 1)
    return adjusted
