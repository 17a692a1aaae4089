"""Accuracy by what may matter to it, and how far the maps' confidence can be believed.

Intervals are those of `fgunet.accuracy.intervals`: whole polygons are drawn again, class by class,
the same ones for all bins and methods, so that differences between these are paired.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fgunet.accuracy.context import CONFIDENCE, EDGES
from fgunet.accuracy.intervals import CONFIDENCE as INTERVAL
from fgunet.accuracy.intervals import interval, resample_confusions
from fgunet.accuracy.scores import Scores, share
from fgunet.errors import AccuracyError

DIFFERENCE = "difference"
"""Name, among the methods, of the first method less the second."""

FEWEST_POLYGONS = 2
"""A bin of fewer polygons has no interval."""

END_POLYGONS = 30
"""Fewest polygons of the bins between which a change is told."""

_CELL = ["polygon_id", "code", "bin"]


def context_table(
    counts: Mapping[str, pd.DataFrame], covariate: str, *, samples: int, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Accuracy of each method by the bins of a covariate.

    Parameters
    ----------
    counts : mapping of str to pandas.DataFrame
        Counts of each method by this covariate, as `fgunet.accuracy.context` gives them.
    covariate : str
        Name in `fgunet.accuracy.context.EDGES`.
    samples, seed : int
        Of the bootstrap.

    Returns
    -------
    bins : pandas.DataFrame
        One row a bin that has pixels and method, and where there are two methods one of their
        difference, the first less the second: covariate, lower, upper (edges, the last one may be
        infinite), method, polygons, pixels, unmapped (pixels of the bin without class in the map),
        accuracy with accuracy_lower and accuracy_upper (95 %; NaN with fewer than 2 polygons).
    changes : pandas.DataFrame
        One row a method, and one of the difference: how accuracy changes from the first to the last
        of the bins with at least 30 polygons. covariate, method, from_lower, from_upper, to_lower,
        to_upper; change, of all pixels; within, of pixels of the same class, because bins differ in
        their classes too: the Mantel-Haenszel risk difference over the classes [1]_; both with
        <name>_lower and <name>_upper. Empty where there are no two such bins.

    Raises
    ------
    AccuracyError
        If the methods were judged on different pixels, or `samples` is not positive.

    References
    ----------
    .. [1] Greenland, S. and Robins, J. M. (1985). Estimation of a common effect parameter from
       sparse follow-up data. Biometrics 41(1), 55-68, equation 3.
    """
    methods = list(counts)
    table = _side_by_side(counts)
    right = [f"right_{method}" for method in methods]
    sums = _resampled(table, ["pixels", *right], covariate, samples=samples, seed=seed)
    of_all = sums.sum(axis=-1)
    accuracy = _with_difference(dict(zip(methods, share(of_all[1:], of_all[0]), strict=True)))
    bins = _bins(table, covariate)
    rows = [
        {**of_bin, "method": method, **_scored("accuracy", values[:, of_bin["bin"]], of_bin)}
        for of_bin in bins
        for method, values in accuracy.items()
    ]
    columns = ["covariate", "lower", "upper", "method", "polygons", "pixels", "unmapped"]
    found = pd.DataFrame(rows, columns=[*columns, *_names("accuracy")])
    ends = [of_bin for of_bin in bins if of_bin["polygons"] >= END_POLYGONS]
    return found, _changes(accuracy, dict(zip(methods, sums[1:], strict=True)), sums[0], ends)


def _with_difference(of_methods: dict[str, Scores]) -> dict[str, Scores]:
    """The same, with the first less the second where there are two."""
    if len(of_methods) < 2:
        return of_methods
    first, second = list(of_methods.values())[:2]
    return {**of_methods, DIFFERENCE: first - second}


def _side_by_side(counts: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """A row a polygon and bin: pixels, unmapped, and right_<method> of each method."""
    first, *others = counts
    table = counts[first].rename(columns={"right": f"right_{first}"})
    cells = [*_CELL, "pixels", "unmapped"]
    for method in others:
        other = counts[method]
        joined = table.merge(
            other[[*cells, "right"]].rename(columns={"right": f"right_{method}"}), on=cells
        )
        if not len(joined) == len(table) == len(other):
            raise AccuracyError(
                f"{first} and {method} are judged on different pixels: of {len(table)} and "
                f"{len(other)} pairs of polygon and bin, {len(joined)} have the same pixels with "
                "and without a class. Make both maps of the same series, and judge them against "
                "the same reference"
            )
        table = joined
    return table


def _resampled(
    table: pd.DataFrame, columns: Sequence[str], covariate: str, *, samples: int, seed: int
) -> NDArray[np.float64]:
    """Sums (column, 1 + samples, bin, class): what was counted, then that of each resample.

    Class by class, so that no more than one class lies in memory polygon by bin.
    """
    shape = (len(EDGES[covariate]) - 1, len(columns))
    sums = np.zeros((table["code"].nunique(), 1 + samples, *shape))
    for place, (_, of_class) in enumerate(table.groupby("code")):
        ids, polygons = np.unique(of_class["polygon_id"], return_inverse=True)
        counts = np.zeros((ids.size, *shape), dtype=np.int64)
        counts[polygons, of_class["bin"]] = of_class[[*columns]]
        flat = counts.reshape(ids.size, -1)
        references = np.full(ids.size, place)
        drawn = resample_confusions(references, flat, place + 1, samples=samples, seed=seed)
        sums[place, 0] = counts.sum(axis=0)
        sums[place, 1:] = drawn[:, place].reshape(samples, *shape)
    return sums.transpose(3, 1, 2, 0)


def _bins(table: pd.DataFrame, covariate: str) -> list[dict[str, Any]]:
    """What the bins are that have pixels with a class, in their order."""
    bins = []
    for place, (lower, upper) in enumerate(pairwise(EDGES[covariate])):
        of_bin = table[table["bin"] == place]
        if of_bin["pixels"].any():
            bins.append(
                {
                    "covariate": covariate,
                    "bin": place,
                    "lower": lower,
                    "upper": upper,
                    "polygons": int((of_bin["pixels"] > 0).sum()),
                    "pixels": int(of_bin["pixels"].sum()),
                    "unmapped": int(of_bin["unmapped"].sum()),
                }
            )
    return bins


def _names(score: str) -> list[str]:
    return [score, f"{score}_lower", f"{score}_upper"]


def _scored(score: str, values: Scores, about: Mapping[str, Any]) -> dict[str, float]:
    """What was observed (the first of `values`), and its interval (of the others)."""
    lower, upper = interval(values[1:]) if about["polygons"] >= FEWEST_POLYGONS else (np.nan,) * 2
    return dict(zip(_names(score), map(float, (values[0], lower, upper)), strict=True))


def _changes(
    accuracy: Mapping[str, Scores],
    right: Mapping[str, Scores],
    pixels: Scores,
    ends: Sequence[Mapping[str, Any]],
) -> pd.DataFrame:
    """Rows of the change from the first of `ends` to the last; `right`, `pixels` by class."""
    numbers = ["from_lower", "from_upper", "to_lower", "to_upper"]
    numbers += [*_names("change"), *_names("within")]
    rows = []
    if len(ends) > 1:
        first, last = ends[0], ends[-1]
        a, b = first["bin"], last["bin"]
        within = _with_difference({m: _within(of, pixels, a, b) for m, of in right.items()})
        for method, values in accuracy.items():
            rows.append(
                {
                    "covariate": first["covariate"],
                    "method": method,
                    **{f"from_{edge}": first[edge] for edge in ("lower", "upper")},
                    **{f"to_{edge}": last[edge] for edge in ("lower", "upper")},
                    **_scored("change", values[:, b] - values[:, a], first),
                    **_scored("within", within[method], first),
                }
            )
    found = pd.DataFrame(rows, columns=["covariate", "method", *numbers])
    return found.astype(dict.fromkeys(numbers, "float64"))


def _within(right: Scores, pixels: Scores, a: int, b: int) -> Scores:
    """Change from bin `a` to bin `b` between pixels of the same class (1 + samples,).

    Each class counts by n_a n_b / (n_a + n_b): not at all where one of the bins lacks it.
    """
    n_a, n_b = pixels[:, a], pixels[:, b]
    either = np.where(n_a + n_b > 0, n_a + n_b, 1)
    gain = (right[:, b] * n_a - right[:, a] * n_b) / either
    return share(gain.sum(axis=-1), (n_a * n_b / either).sum(axis=-1))


def reliability_table(
    counts: pd.DataFrame, method: str, *, samples: int, seed: int
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """How far the confidence of a method's maps can be believed.

    Parameters
    ----------
    counts : pandas.DataFrame
        Counts by confidence, as `fgunet.accuracy.context` gives them.
    method : str
        Name that the results carry.
    samples, seed : int
        Of the bootstrap.

    Returns
    -------
    bins : pandas.DataFrame
        One row a bin of confidence that has pixels: method, lower, upper (percent), polygons,
        pixels, confidence (mean, 0..1), accuracy with accuracy_lower and accuracy_upper (95 %; NaN
        with fewer than 2 polygons).
    calibration : dict
        method, polygons, pixels, and accuracy, confidence (mean, 0..1), over_confidence (mean
        confidence less accuracy) and ece, each with <score>_lower and <score>_upper. The ece is the
        expected calibration error: the mean over the pixels of the distance between mean confidence
        and accuracy of the pixel's bin [1]_. Chance alone makes it larger than 0, and resamples
        larger than what was observed, which a percentile interval would then lie above: its
        interval is the symmetric one, as far to both sides as 95 % of the resamples lie from what
        was observed [2]_, and not below 0. It holds an error near 0 less often than it says.
        Undefined is NaN.

    Raises
    ------
    AccuracyError
        If `samples` is not positive.

    References
    ----------
    .. [1] Guo, C., Pleiss, G., Sun, Y. and Weinberger, K. Q. (2017). On calibration of modern
       neural networks. ICML, equation 3.
    .. [2] Hall, P. (1988). On symmetric bootstrap confidence intervals. Journal of the Royal
       Statistical Society B 50(1), 35-45.
    """
    sums = _resampled(
        counts, ["pixels", "right", "confidence"], CONFIDENCE, samples=samples, seed=seed
    )
    pixels, right, confidence = sums.sum(axis=-1) / np.array([1, 1, 100])[:, None, None]
    accuracy = share(right, pixels)
    rows = [
        {
            **of_bin,
            "method": method,
            "confidence": confidence[0, of_bin["bin"]] / pixels[0, of_bin["bin"]],
            **_scored("accuracy", accuracy[:, of_bin["bin"]], of_bin),
        }
        for of_bin in _bins(counts, CONFIDENCE)
    ]
    columns = ["method", "lower", "upper", "polygons", "pixels", "confidence"]
    bins = pd.DataFrame(rows, columns=[*columns, *_names("accuracy")])
    return bins, _calibration(counts, method, pixels, right, confidence)


def _calibration(
    counts: pd.DataFrame, method: str, pixels: Scores, right: Scores, confidence: Scores
) -> dict[str, Any]:
    total = pixels.sum(axis=1)
    about: dict[str, Any] = {
        "method": method,
        "polygons": int(counts["polygon_id"].nunique()),
        "pixels": int(total[0]),
    }
    over = (confidence - right).sum(axis=1)
    ece = share(np.abs(confidence - right).sum(axis=1), total)
    values = {
        "accuracy": share(right.sum(axis=1), total),
        "confidence": share(confidence.sum(axis=1), total),
        "over_confidence": share(over, total),
        "ece": ece,
    }
    scores: dict[str, float] = {}
    for name, of_score in values.items():
        scores |= _scored(name, of_score, about)
    if about["polygons"] >= FEWEST_POLYGONS:
        reach = float(np.quantile(np.abs(ece[1:] - ece[0]), INTERVAL))
        scores["ece_lower"] = max(float(ece[0]) - reach, 0.0)
        scores["ece_upper"] = float(ece[0]) + reach
    return {**about, **scores}
