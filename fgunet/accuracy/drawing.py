"""A stratified random sample of a map's pixels: how many of each class, and which."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from fgunet.errors import AccuracyError
from fgunet.grid import Window
from fgunet.nomenclature import NODATA_CODE, Nomenclature


def count_by_row(
    blocks: Iterable[tuple[Window, NDArray[np.uint8]]], height: int, nomenclature: Nomenclature
) -> NDArray[np.int64]:
    """Count the pixels of each class in each row of a map.

    Parameters
    ----------
    blocks : iterable of (Window, ndarray (y, x) uint8)
        Windows that cover the map without overlap, in any order, and their codes; 0 is nodata.
    height : int
        Rows of the map.
    nomenclature : Nomenclature
        The n classes.

    Returns
    -------
    ndarray of int64, (height, n)
        Pixels by row and label.

    Raises
    ------
    NomenclatureError
        If a code is not in the nomenclature.
    """
    counts = np.zeros((height, len(nomenclature.codes)), dtype=np.int64)
    for window, codes in blocks:
        # Most of a country's mosaic may be empty.
        if not codes.any():
            continue
        present = np.flatnonzero(np.bincount(codes.ravel(), minlength=256)).astype(np.uint8)
        present = present[present != NODATA_CODE]
        rows = window.slices[0]
        for code, label in zip(present, nomenclature.labels(present), strict=True):
            counts[rows, label] += np.count_nonzero(codes == code, axis=1)
    return counts


def allocate(pixels: Sequence[int], *, size: int, minimum: int) -> NDArray[np.int64]:
    """Share a sample out over classes: each its minimum, then by area.

    Classes that would get less by area get the minimum, and the others share the rest in
    proportion to their area [1]_, rounded by highest averages (Webster). No class gets more
    points than it has pixels.

    Parameters
    ----------
    pixels : sequence of int, (h,)
        Pixels of each class, 0 where the map lacks it.
    size : int
        Points of the sample.
    minimum : int
        Points of each mapped class at least; all of its pixels where it has fewer.

    Returns
    -------
    ndarray of int64, (h,)
        Points of each class; their sum is `size`, or all pixels where there are fewer.

    Raises
    ------
    AccuracyError
        If no class has a pixel, or the minima alone are more than `size`.

    References
    ----------
    .. [1] Olofsson, P. et al. (2014). Good practices for estimating area and assessing accuracy
       of land change. Remote Sensing of Environment 148, 42-57, section 5.1.3.
    """
    area = np.asarray(pixels, dtype=np.int64)
    points = np.minimum(area, minimum)
    if not area.any():
        raise AccuracyError("the map has no pixel with a class, so no sample can be drawn of it")
    if points.sum() > size:
        raise AccuracyError(
            f"a sample of {size} points cannot hold {minimum} of each of the "
            f"{np.count_nonzero(area)} mapped classes; make accuracy.sample.size at least "
            f"{points.sum()}, or accuracy.sample.minimum_per_class smaller"
        )
    for _ in range(min(size, int(area.sum())) - int(points.sum())):
        wanting = np.where(points < area, area / (2 * points + 1), -1)
        points[wanting.argmax()] += 1
    return points


def draw_pixels(
    counts: NDArray[np.int64],
    points: Sequence[int],
    codes: Sequence[int],
    read_row: Callable[[int], NDArray[np.uint8]],
    *,
    seed: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Draw pixels of each class by simple random sampling without replacement.

    The draw depends on the map, the number of points and the seed alone: pixels are numbered by
    row and column within their class, whatever the windows they were counted in.

    Parameters
    ----------
    counts : ndarray of int64, (y, n)
        Pixels by row and class, as `count_by_row` gives them.
    points : sequence of int, (n,)
        Points of each class.
    codes : sequence of int, (n,)
        Codes of the classes.
    read_row : callable
        Gives the codes (x,) uint8 of a row. It is called for the rows of drawn pixels, rising.
    seed : int
        Seed of the draw, at least 0.

    Returns
    -------
    rows, cols, labels : ndarray of int64, (sum of `points`,)
        Pixels and their class 0...n-1, in random order.
    """
    drawn = [_draw_numbers(counts[:, k], points[k], [seed, codes[k]]) for k in range(len(codes))]
    rows = np.concatenate([row for row, _ in drawn])
    places = np.concatenate([place for _, place in drawn])
    labels = np.repeat(np.arange(len(codes)), points)
    cols = np.zeros(len(rows), dtype=np.int64)
    for row in np.unique(rows):
        codes_of_row = read_row(int(row))
        here = rows == row
        for label in np.unique(labels[here]):
            chosen = here & (labels == label)
            cols[chosen] = np.flatnonzero(codes_of_row == codes[label])[places[chosen]]
    # Class after class would tell the person who looks at the points what the map says.
    order = np.random.default_rng([seed, NODATA_CODE]).permutation(len(rows))
    return rows[order], cols[order], labels[order]


def _draw_numbers(
    by_row: NDArray[np.int64], points: int, seed: Sequence[int]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row of each drawn pixel of a class, and its place among the pixels of the class there."""
    last = by_row.cumsum()
    numbers = np.random.default_rng(seed).choice(int(last[-1]), points, replace=False)
    rows = last.searchsorted(numbers, side="right")
    return rows, numbers - (last - by_row)[rows]
