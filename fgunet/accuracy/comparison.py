"""Two methods judged on the same polygons: how far apart, and could it be chance."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from fgunet.accuracy.confusion import Confusion
from fgunet.accuracy.intervals import interval, resample_confusions
from fgunet.accuracy.scores import Scores, defined, map_scores
from fgunet.errors import AccuracyError

_ROUNDING = 1e-12
"""Differences closer than this are equal: the sums are the same, in another order."""

_DRAWS = 4_000_000


def compare_first_two(
    pooled: Sequence[Confusion], *, group: Sequence[int], samples: int, seed: int
) -> dict[str, Any]:
    """`compare` the first two methods of a run; {"reason": ...} where it has only one."""
    if len(pooled) < 2:
        methods = ", ".join(confusion.method for confusion in pooled)
        return {"reason": f"one method in this run: {methods}"}
    return compare(*pooled[:2], group=group, samples=samples, seed=seed)


def compare(
    first: Confusion, second: Confusion, *, group: Sequence[int], samples: int, seed: int
) -> dict[str, Any]:
    """Compare two maps on the polygons that both were judged on, and on the same pixels of them.

    The difference (first less second) comes with its 95 % bootstrap interval by polygon, then the
    p-value of a paired permutation test: under the hypothesis that the methods are alike, the
    two maps of a polygon can be exchanged. McNemar's exact test looks at whole polygons, right
    where the reference class has more pixels than any other.

    Parameters
    ----------
    first, second : Confusion
        Counts of two methods.
    group : sequence of int
        Codes of the focus group; may be empty.
    samples : int
        Number of resamples, and of permutations.
    seed : int
        Seed of both.

    Returns
    -------
    dict
        JSON can hold it: methods, polygons and pixels that both are judged on, samples, left_out
        (polygons judged in one map only), scores {name: {<method>: value, difference, lower,
        upper, p_value}} and mcnemar.

    Raises
    ------
    AccuracyError
        If the nomenclatures differ, no polygon is common, or a polygon has two reference classes
        or in one map more pixels with a class, or without, than in the other.
    """
    places = [first.codes.index(code) for code in group if code in first.codes]
    references, a, b, left_out = _paired(first, second)
    n = len(first.codes)
    observed = [_scores(_matrix(references, counts, n), places) for counts in (a, b)]
    drawn = resample_confusions(references, np.hstack([a, b]), n, samples=samples, seed=seed)
    resampled = [_scores(drawn[..., :n], places), _scores(drawn[..., n:], places)]
    permuted = _permuted_differences(references, a, b, n, places=places, samples=samples, seed=seed)
    scores = {}
    for name in observed[0]:
        lower, upper = interval(resampled[0][name] - resampled[1][name])
        difference = observed[0][name] - observed[1][name]
        scores[name] = {
            first.method: defined(observed[0][name]),
            second.method: defined(observed[1][name]),
            "difference": defined(difference),
            "lower": defined(lower),
            "upper": defined(upper),
            "p_value": _p_value(difference, permuted[name]),
        }
    return {
        "methods": [first.method, second.method],
        "polygons": int(references.size),
        "pixels": int(a.sum()),
        "left_out": left_out,
        "samples": samples,
        "scores": scores,
        "mcnemar": mcnemar(_majority_right(references, a), _majority_right(references, b)),
    }


def _paired(
    first: Confusion, second: Confusion
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], int]:
    """Reference places and both counts of the common polygons; how many are in one map only."""
    if first.codes != second.codes:
        raise AccuracyError(
            f"{first.method} and {second.method} have the codes {list(first.codes)} and "
            f"{list(second.codes)}; compare maps of one nomenclature"
        )
    common, at_first, at_second = np.intersect1d(
        first.polygon_ids, second.polygon_ids, assume_unique=True, return_indices=True
    )
    if not common.size:
        raise AccuracyError(
            f"{first.method} and {second.method} have no test polygon in common, of "
            f"{first.polygon_ids.size} and {second.polygon_ids.size}"
        )
    references = first.references[at_first]
    if np.any(references != second.references[at_second]):
        raise AccuracyError(
            f"a polygon has one reference class for {first.method} and another for "
            f"{second.method}; judge both maps against the same reference"
        )
    _require_same_pixels(first, second, at_first, at_second)
    left_out = first.polygon_ids.size + second.polygon_ids.size - 2 * common.size
    return references, first.counts[at_first], second.counts[at_second], int(left_out)


def _require_same_pixels(
    first: Confusion,
    second: Confusion,
    at_first: NDArray[np.int64],
    at_second: NDArray[np.int64],
) -> None:
    """Refuse common polygons of which the maps have other numbers of pixels, mapped or not."""
    ours, theirs = (
        np.column_stack([confusion.counts.sum(axis=1), confusion.unmapped_counts])[at]
        for confusion, at in ((first, at_first), (second, at_second))
    )
    odd = np.flatnonzero((ours != theirs).any(axis=1))
    if odd.size:
        one = odd[0]
        raise AccuracyError(
            f"{first.method} and {second.method} are judged on different pixels in {odd.size} of "
            f"{at_first.size} common polygons; polygon {first.polygon_ids[at_first[one]]} has "
            f"{ours[one, 0]} pixels with a class and {ours[one, 1]} without in one map, "
            f"{theirs[one, 0]} and {theirs[one, 1]} in the other. Make both maps of the same "
            "series, and judge them against the same reference"
        )


def _matrix(references: NDArray[np.int64], counts: NDArray[Any], n: int) -> NDArray[np.float64]:
    matrix = np.zeros((n, n))
    np.add.at(matrix, references, counts)
    return matrix


def _scores(confusion: NDArray[Any], places: Sequence[int]) -> dict[str, Scores]:
    """The scores that are compared: the higher, the better."""
    scores = map_scores(confusion, places)
    return {name: value for name, value in scores.items() if "disagreement" not in name}


def _permuted_differences(
    references: NDArray[np.int64],
    a: NDArray[np.int64],
    b: NDArray[np.int64],
    n: int,
    *,
    places: Sequence[int],
    samples: int,
    seed: int,
) -> dict[str, Scores]:
    """Differences of each score (samples,) when a random half of the polygons change maps."""
    # Polygon by polygon the sum of both maps stays: what one map gains the other loses.
    total = _matrix(references, a + b, n)
    kept = np.empty((samples, n, n))
    base = _matrix(references, b, n)
    for row in range(n):
        gain = (a - b)[references == row].astype(np.float64)
        random = np.random.default_rng([seed, row, 1])
        step = max(1, _DRAWS // max(len(gain), 1))
        for start in range(0, samples, step):
            size = (min(step, samples - start), len(gain))
            kept[start : start + size[0], row] = base[row] + random.integers(2, size=size) @ gain
    ours, theirs = _scores(kept, places), _scores(total - kept, places)
    return {name: ours[name] - theirs[name] for name in ours}


def _p_value(difference: Scores, permuted: Scores) -> float | None:
    """Share of the permutations at least as far from 0, the observed one counted among them."""
    known = permuted[~np.isnan(permuted)]
    if np.isnan(difference) or not known.size:
        return None
    as_far = np.count_nonzero(np.abs(known) >= np.abs(difference) - _ROUNDING)
    return float((1 + as_far) / (1 + known.size))


def _majority_right(references: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether the reference class has more pixels of its polygon than any other class (p,)."""
    rows = np.arange(references.size)
    right = counts[rows, references]
    others = counts.copy()
    others[rows, references] = 0
    majority: NDArray[np.bool_] = right > others.max(axis=1)
    return majority


def mcnemar(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> dict[str, Any]:
    """McNemar's exact test: a binomial test on the cases that one method alone gets right.

    Parameters
    ----------
    first, second : ndarray of bool, (p,)
        Whether each method is right, case by case.

    Returns
    -------
    dict
        both_right, only_first, only_second, both_wrong, p_value (two-sided; None where the
        methods never differ).
    """
    only_first = int(np.count_nonzero(first & ~second))
    only_second = int(np.count_nonzero(second & ~first))
    differ = only_first + only_second
    return {
        "both_right": int(np.count_nonzero(first & second)),
        "only_first": only_first,
        "only_second": only_second,
        "both_wrong": int(np.count_nonzero(~first & ~second)),
        "p_value": float(binomtest(only_first, differ).pvalue) if differ else None,
    }
