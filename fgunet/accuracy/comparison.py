"""Two methods judged on the same polygons: how far apart, and could it be chance."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fgunet.accuracy.confusion import Confusion, majority_votes
from fgunet.accuracy.intervals import interval, resample_confusions
from fgunet.accuracy.mcnemar import mcnemar
from fgunet.accuracy.pairing import Pair, pair_up
from fgunet.accuracy.permutation import (
    Score,
    enough_permutations,
    p_values,
    permuted_differences,
)
from fgunet.accuracy.scores import Scores, defined, f_scores, map_scores
from fgunet.errors import AccuracyError

_FEWEST_POLYGONS = 2
"""Fewer polygons of a class are drawn alike every time: they give no interval."""


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
        Number of resamples; of permutations at least as many.
    seed : int
        Seed of both.

    Returns
    -------
    dict
        JSON can hold it: methods, polygons and pixels that both are judged on, samples,
        permutations, left_out (polygons judged in one map only), scores {name: {<method>: value,
        difference, lower, upper, p_value}}, classes {code: likewise of the F-score, and polygons
        and pixels of the class} and mcnemar. A class with one polygon has no interval.

    Raises
    ------
    AccuracyError
        If the nomenclatures differ, no polygon is common, or a polygon has two reference classes
        or in one map more pixels with a class, or without, than in the other.
    """
    pair = pair_up(first, second)
    if not pair.references.size:
        raise AccuracyError(
            f"{first.method} and {second.method} have no test polygon in common, of "
            f"{first.polygon_ids.size} and {second.polygon_ids.size}"
        )
    places = [first.codes.index(code) for code in group if code in first.codes]

    def score(confusion: NDArray[Any]) -> Scores:
        whole = np.stack(list(_map_scores(confusion, places).values()), axis=-1)
        return np.concatenate([whole, f_scores(confusion)], axis=-1)

    permutations = enough_permutations(samples, len(first.codes))
    found = differences(pair, score, samples=samples, permutations=permutations, seed=seed)
    names = list(_map_scores(pair.matrix(pair.first), places))
    rows = found.to_dict("records")
    by_class = rows[len(names) :]
    return {
        "methods": list(pair.methods),
        "polygons": int(pair.references.size),
        "pixels": int(pair.first.sum()),
        "left_out": pair.left_out,
        "samples": samples,
        "permutations": permutations,
        "scores": {
            name: _told(row, pair.methods)
            for name, row in zip(names, rows[: len(names)], strict=True)
        },
        "classes": _classes(pair, by_class),
        "mcnemar": mcnemar(_right(pair, pair.first), _right(pair, pair.second)),
    }


def differences(
    pair: Pair, score: Score, *, samples: int, permutations: int, seed: int
) -> pd.DataFrame:
    """Scores of two maps, how far apart they are, and whether chance could have done it.

    Parameters
    ----------
    pair : Pair
        Counts of both maps.
    score : callable
        From confusions (..., n, n) to k scores of each, (..., k).
    samples, permutations : int
        Resamples behind each interval, and permutations behind each p-value.
    seed : int
        Seed of both.

    Returns
    -------
    pandas.DataFrame
        One row a score: first, second, difference (first less second), lower and upper (95 %
        interval; both maps are resampled by the same polygons), p_value. NaN is undefined: the
        interval too where no class has two polygons.
    """
    n = len(pair.codes)
    first, second = (score(pair.matrix(counts)) for counts in (pair.first, pair.second))
    side_by_side = np.hstack([pair.first, pair.second])
    drawn = resample_confusions(pair.references, side_by_side, n, samples=samples, seed=seed)
    lower, upper = interval(score(drawn[..., :n]) - score(drawn[..., n:]))
    if pair.polygons.max() < _FEWEST_POLYGONS:
        lower, upper = np.full_like(lower, np.nan), np.full_like(upper, np.nan)
    permuted = permuted_differences(pair, score, permutations=permutations, seed=seed)
    difference = first - second
    return pd.DataFrame(
        {
            "first": first,
            "second": second,
            "difference": difference,
            "lower": lower,
            "upper": upper,
            "p_value": p_values(difference, permuted),
        }
    )


def _right(pair: Pair, counts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each polygon (p,) is mapped to its class by its majority."""
    votes = majority_votes(pair.references, counts)
    right: NDArray[np.bool_] = votes[np.arange(pair.references.size), pair.references] == 1
    return right


def _map_scores(confusion: NDArray[Any], places: Sequence[int]) -> dict[str, Scores]:
    """The scores that are compared: the higher, the better."""
    scores = map_scores(confusion, places)
    return {name: value for name, value in scores.items() if "disagreement" not in name}


def _classes(pair: Pair, rows: Sequence[Mapping[Any, float]]) -> dict[str, dict[str, Any]]:
    pixels = pair.matrix(pair.first).sum(axis=1)
    classes = {}
    for place, (code, row) in enumerate(zip(pair.codes, rows, strict=True)):
        told = _told(row, pair.methods)
        polygons = int(pair.polygons[place])
        if polygons < _FEWEST_POLYGONS:
            told |= {"lower": None, "upper": None}
        classes[str(code)] = {**told, "polygons": polygons, "pixels": int(pixels[place])}
    return classes


def _told(row: Mapping[Any, float], methods: Sequence[str]) -> dict[str, float | None]:
    """A row of `differences` as JSON can hold it, its values by the names of the methods."""
    names = dict(zip(("first", "second"), methods, strict=True))
    return {names.get(key, key): defined(value) for key, value in row.items()}
