"""Scores of a confusion matrix.

Every function takes one matrix (n, n) or a stack of them (..., n, n), rows reference and columns
map, and returns float64 with the leading dimensions. What is undefined is NaN, never 0.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]


def share(part: NDArray[Any], whole: NDArray[Any]) -> Scores:
    """`part` / `whole`, NaN where `whole` is 0."""
    part, whole = np.broadcast_arrays(
        np.asarray(part, dtype=np.float64), np.asarray(whole, dtype=np.float64)
    )
    return np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole != 0)


def _diagonal(confusion: NDArray[Any]) -> NDArray[Any]:
    return np.diagonal(confusion, axis1=-2, axis2=-1)


def overall_accuracy(confusion: NDArray[Any]) -> Scores:
    """Share of the pixels mapped to their reference class; NaN without pixels."""
    return share(_diagonal(confusion).sum(axis=-1), confusion.sum(axis=(-2, -1)))


def kappa(confusion: NDArray[Any]) -> Scores:
    """Cohen's kappa, unweighted: (p_o - p_e) / (1 - p_e) [1]_.

    NaN without pixels, and where reference and map hold one and the same class (p_e = 1).

    References
    ----------
    .. [1] Cohen, J. (1960). A coefficient of agreement for nominal scales. Educational and
       Psychological Measurement 20(1), 37-46.
    """
    # 1 - (1 - p_o) / (1 - p_e): nothing is subtracted from a 1 that it nearly equals, so that
    # a matrix of one class gives NaN at any size, and a rare class loses no digits.
    rows, columns = confusion.sum(axis=-1), confusion.sum(axis=-2)
    total = rows.sum(axis=-1)
    wrong = total - _diagonal(confusion).sum(axis=-1)
    others = total[..., None] - columns
    wrong_by_chance = share((rows.astype(np.float64) * others).sum(axis=-1), total)
    return 1 - share(wrong, wrong_by_chance)


def producers_accuracy(confusion: NDArray[Any]) -> Scores:
    """Recall of each class (..., n); NaN where the reference has no pixel of it."""
    return share(_diagonal(confusion), confusion.sum(axis=-1))


def users_accuracy(confusion: NDArray[Any]) -> Scores:
    """Precision of each class (..., n); NaN where the map has no pixel of it."""
    return share(_diagonal(confusion), confusion.sum(axis=-2))


def f_scores(confusion: NDArray[Any]) -> Scores:
    """F-score of each class (..., n): 2 TP / (2 TP + FP + FN).

    NaN where the reference has no pixel of the class: its omissions cannot be measured there.
    A class that has reference and is never mapped has F = 0.
    """
    rows, columns = confusion.sum(axis=-1), confusion.sum(axis=-2)
    scores = share(2 * _diagonal(confusion), rows + columns)
    return np.where(rows > 0, scores, np.nan)


def _defined_mean(values: Scores, weights: NDArray[Any]) -> Scores:
    """Weighted mean over the last axis of what is not NaN."""
    defined = ~np.isnan(values)
    weights = np.where(defined, weights, 0)
    return share((np.where(defined, values, 0) * weights).sum(axis=-1), weights.sum(axis=-1))


def macro_f(confusion: NDArray[Any]) -> Scores:
    """Mean of the F-scores of the classes that have reference pixels."""
    scores = f_scores(confusion)
    return _defined_mean(scores, np.ones(scores.shape))


def weighted_f(confusion: NDArray[Any]) -> Scores:
    """Mean of the F-scores, each class weighted by its reference pixels."""
    return _defined_mean(f_scores(confusion), confusion.sum(axis=-1))


def group_f(confusion: NDArray[Any], places: Sequence[int]) -> Scores:
    """Mean of the F-scores of a group of classes, those that have reference pixels.

    `places` are the rows of the group's classes. NaN for an empty group.
    """
    scores = f_scores(confusion)[..., list(places)]
    return _defined_mean(scores, np.ones(scores.shape))


def group_micro_f(confusion: NDArray[Any], places: Sequence[int]) -> Scores:
    """F-score of a group from TP, FP and FN added up over its classes.

    A confusion between two classes of the group is an error of both. NaN where the reference
    has no pixel of the group.
    """
    chosen = list(places)
    rows = confusion.sum(axis=-1)[..., chosen].sum(axis=-1)
    columns = confusion.sum(axis=-2)[..., chosen].sum(axis=-1)
    score = share(2 * _diagonal(confusion)[..., chosen].sum(axis=-1), rows + columns)
    return np.where(rows > 0, score, np.nan)


def quantity_disagreement(confusion: NDArray[Any]) -> Scores:
    """Share of the pixels in excess or in want of their class's total [1]_.

    References
    ----------
    .. [1] Pontius, R. G. and Millones, M. (2011). Death to Kappa. International Journal of
       Remote Sensing 32(15), 4407-4429, equations 2 and 3.
    """
    excess = np.abs(confusion.sum(axis=-1) - confusion.sum(axis=-2)).sum(axis=-1)
    return share(excess / 2, confusion.sum(axis=(-2, -1)))


def allocation_disagreement(confusion: NDArray[Any]) -> Scores:
    """Share of the pixels that have the right totals in the wrong place.

    Total disagreement less quantity disagreement; equals equations 4 and 5 of Pontius and
    Millones (2011).
    """
    rows, columns, right = confusion.sum(axis=-1), confusion.sum(axis=-2), _diagonal(confusion)
    swapped = np.minimum(rows - right, columns - right).sum(axis=-1)
    return share(swapped, confusion.sum(axis=(-2, -1)))


def map_scores(confusion: NDArray[Any], places: Sequence[int] = ()) -> dict[str, Scores]:
    """All scores of whole maps, by name.

    Parameters
    ----------
    confusion : ndarray, (..., n, n)
        Pixels; rows reference, columns map.
    places : sequence of int
        Rows of the classes of the focus group; without any, its two scores are left out.

    Returns
    -------
    dict
        kappa, overall_accuracy, macro_f, weighted_f, [group_f, group_micro_f,]
        quantity_disagreement, allocation_disagreement; each (...,) float64.
    """
    scores = {
        "kappa": kappa(confusion),
        "overall_accuracy": overall_accuracy(confusion),
        "macro_f": macro_f(confusion),
        "weighted_f": weighted_f(confusion),
    }
    if places:
        scores["group_f"] = group_f(confusion, places)
        scores["group_micro_f"] = group_micro_f(confusion, places)
    scores["quantity_disagreement"] = quantity_disagreement(confusion)
    scores["allocation_disagreement"] = allocation_disagreement(confusion)
    return scores


def class_scores(confusion: NDArray[Any]) -> dict[str, Scores]:
    """Producer's accuracy, user's accuracy and F-score of each class; each (..., n)."""
    return {
        "producers_accuracy": producers_accuracy(confusion),
        "users_accuracy": users_accuracy(confusion),
        "f_score": f_scores(confusion),
    }


def defined(value: Any) -> float | None:
    """`value` as a float that JSON can hold: None where it is NaN or infinite."""
    number = float(value)
    return number if np.isfinite(number) else None
