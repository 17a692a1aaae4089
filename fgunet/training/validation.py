"""Scores of the validation patches, by which a model is chosen."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Scores:
    """Scores of an epoch; nan where undefined.

    Attributes
    ----------
    loss : float
        Weighted cross-entropy over the labelled weight.
    kappa : float
        Cohen's kappa: classes are not ordered, so no disagreement counts more than another.
    quadratic_kappa : float
        Kappa that weighs a disagreement by the square of the distance of the labels, which is for
        ordered classes; only to repeat the study.
    overall_accuracy : float
        Share of labelled pixels that agree.
    f_scores : tuple of float
        Of each class, in the order of labels.
    """

    loss: float
    kappa: float
    quadratic_kappa: float
    overall_accuracy: float
    f_scores: tuple[float, ...]


def scores_of(losses: ArrayLike, weights: ArrayLike, confusion: NDArray[np.float64]) -> Scores:
    """Scores from the loss of each validation patch and the confusion of them all.

    Losses are added exactly (`math.fsum`), so the order in which they came does not matter.

    Parameters
    ----------
    losses, weights : array_like (patch,) float
        Weighted cross-entropy of the labelled pixels of each patch, and their weight.
    confusion : ndarray (reference, predicted) float64
        Labelled pixels.

    Returns
    -------
    Scores
        Both kappas as Cohen (1960, Educational and Psychological Measurement 20(1); 1968,
        Psychological Bulletin 70(4)).
    """
    weight = math.fsum(np.ravel(weights))
    places = np.arange(len(confusion))
    unlike = places[:, None] != places
    total = confusion.sum()
    sides = confusion.sum(axis=0) + confusion.sum(axis=1)
    with np.errstate(invalid="ignore"):
        f_scores = 2 * np.diag(confusion) / np.where(sides > 0, sides, np.nan)
    return Scores(
        loss=math.fsum(np.ravel(losses)) / weight if weight else math.nan,
        kappa=_kappa(confusion, unlike.astype(np.float64)),
        quadratic_kappa=_kappa(confusion, (places[:, None] - places) ** 2.0),
        overall_accuracy=float(np.trace(confusion) / total) if total else math.nan,
        f_scores=tuple(f_scores.tolist()),
    )


def _kappa(confusion: NDArray[np.float64], disagreement: NDArray[np.float64]) -> float:
    """One less the weighted disagreement over that of chance."""
    total = confusion.sum()
    chance = confusion.sum(axis=1)[:, None] * confusion.sum(axis=0) / total if total else confusion
    expected = float((disagreement * chance).sum())
    return 1 - float((disagreement * confusion).sum()) / expected if expected else math.nan
