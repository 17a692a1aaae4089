"""Intervals by resampling whole polygons.

The pixels of a polygon resemble one another, so they are drawn together (a cluster bootstrap);
each class keeps its number of polygons (stratified), as the split kept it.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from fgunet.accuracy.scores import Scores
from fgunet.errors import AccuracyError

CONFIDENCE = 0.95
"""Share of the resamples that an interval holds."""

_DRAWS = 4_000_000
"""Most draws held at once; the draws do not depend on it."""


def polygon_weights(
    count: int, samples: int, random: np.random.Generator
) -> Iterator[NDArray[np.float64]]:
    """Blocks (samples of the block, polygon) of how often each polygon is drawn.

    Every row is one draw of `count` polygons out of `count`, with replacement.
    """
    step = max(1, _DRAWS // max(count, 1))
    for start in range(0, samples, step):
        rows = min(step, samples - start)
        drawn = random.integers(count, size=(rows, count))
        drawn += np.arange(rows)[:, None] * count
        yield np.bincount(drawn.ravel(), minlength=rows * count).reshape(rows, count).astype(float)


def resample_confusions(
    references: NDArray[np.int64],
    counts: NDArray[np.int64],
    n_classes: int,
    *,
    samples: int,
    seed: int,
) -> NDArray[np.float64]:
    """Confusion matrices of resampled polygons.

    Parameters
    ----------
    references : ndarray of int64, (p,)
        Reference class of each polygon, 0..n_classes-1.
    counts : ndarray of int64, (p, k)
        Pixels of each polygon in each of k columns: the n mapped classes, or those of several
        maps side by side, which are then resampled alike.
    n_classes : int
        Number of classes.
    samples : int
        Number of resamples.
    seed : int
        Same seed and polygons, same resamples.

    Returns
    -------
    ndarray of float64, (samples, n_classes, k)
        Pixels; rows reference.

    Raises
    ------
    AccuracyError
        If `samples` is not positive.
    """
    if samples < 1:
        raise AccuracyError(f"bootstrap_samples is {samples}; it must be at least 1")
    drawn = np.zeros((samples, n_classes, counts.shape[1]))
    for row in np.unique(references):
        of_class = counts[references == row].astype(np.float64)
        # A stream a class: adding polygons of one class leaves the draws of the others alone.
        random = np.random.default_rng([seed, int(row)])
        blocks = polygon_weights(len(of_class), samples, random)
        drawn[:, row] = np.concatenate([weights @ of_class for weights in blocks])
    return drawn


def interval(values: Scores) -> tuple[Scores, Scores]:
    """The 95 % percentile interval (lower, upper) over the first axis, NaN left aside.

    Parameters
    ----------
    values : ndarray of float64, (samples, ...)
        A score of every resample; NaN where it is undefined.

    Returns
    -------
    tuple of ndarray, (...)
        NaN where every resample is undefined.
    """
    tail = (1 - CONFIDENCE) / 2
    flat = values.reshape(len(values), -1)
    lower, upper = np.full((2, flat.shape[1]), np.nan)
    some = ~np.isnan(flat).all(axis=0)
    if some.any():
        lower[some], upper[some] = np.nanquantile(flat[:, some], [tail, 1 - tail], axis=0)
    return lower.reshape(values.shape[1:]), upper.reshape(values.shape[1:])
