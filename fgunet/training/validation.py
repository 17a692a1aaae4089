"""Scores of the validation patches, by which a model is chosen."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Scores:
    """Loss, Cohen's kappa (unweighted) and overall accuracy; nan where undefined."""

    loss: float
    kappa: float
    overall_accuracy: float


def scores_of(loss_sum: float, weight_sum: float, confusion: NDArray[np.float64]) -> Scores:
    """Scores from sums over all validation patches.

    Parameters
    ----------
    loss_sum, weight_sum : float
        Weighted cross-entropy of the labelled pixels, and their weight.
    confusion : ndarray (reference, predicted) float64
        Labelled pixels.

    Returns
    -------
    Scores
        Kappa as Cohen (1960): classes are not ordered, so no disagreement counts more.
    """
    total = confusion.sum()
    if not total:
        return Scores(float("nan"), float("nan"), float("nan"))
    agreement = float(np.trace(confusion) / total)
    chance = float(confusion.sum(0) @ confusion.sum(1) / total**2)
    kappa = (agreement - chance) / (1 - chance) if chance < 1 else float("nan")
    loss = loss_sum / weight_sum if weight_sum else float("nan")
    return Scores(loss, kappa, agreement)
