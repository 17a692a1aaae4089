"""Polygons less the ground of others, proof against overlays that fail.

An overlay in floating point is seldom wrong (one in thirty thousand, where lines all but
coincide), but then it may silently take nothing at all. So its result is weighed, and made anew
on a grid where it cannot be right. GEOS is exact there.
"""

import numpy as np
import shapely
from numpy.typing import NDArray

from fgunet.reference.shapes import repaired

ROUNDING_M2 = 0.01
"""Less ground than this is rounding (a pixel has 100 m2)."""

GRID_M = 1e-6

_ROUNDING = 1e-9
_ONE_BY_ONE = 4


def cut_by_many(
    geometry: NDArray[np.object_],
    cutter: NDArray[np.object_],
    owner: NDArray[np.int64],
    *,
    least: NDArray[np.float64],
    most: NDArray[np.float64],
) -> NDArray[np.object_]:
    """Cut each polygon by its cutters.

    Parameters
    ----------
    geometry : numpy.ndarray
        (n,), object: valid polygons.
    cutter : numpy.ndarray
        (m,), object: valid polygons that do not overlap.
    owner : numpy.ndarray
        (m,), int64, rising: index of the polygon to cut.
    least, most : numpy.ndarray
        (n,), float64: bounds of what is taken from each polygon, in m2.

    Returns
    -------
    numpy.ndarray
        (n,), object: valid polygons, or empty geometries.
    """
    start = np.searchsorted(owner, np.arange(len(geometry) + 1))
    count = np.diff(start)
    result = geometry.copy()
    for one in np.flatnonzero(count > _ONE_BY_ONE).tolist():
        joined = _union(cutter[start[one] : start[one + 1]])
        result[one] = _difference(geometry[one : one + 1], joined)[0]
    count[count > _ONE_BY_ONE] = 0
    for place in range(_ONE_BY_ONE):
        chosen = np.flatnonzero(count > place)
        result[chosen] = _difference(result[chosen], cutter[start[chosen] + place])
    before = shapely.area(geometry)
    taken, rounding = before - shapely.area(result), ROUNDING_M2 + _ROUNDING * before
    # What has failed has no area, and NaN is in no bounds.
    right = shapely.is_valid(result) & (taken > least - rounding) & (taken < most + rounding)
    for one in np.flatnonzero(~right).tolist():
        all_cutters = shapely.union_all(cutter[start[one] : start[one + 1]], grid_size=GRID_M)
        result[one] = on_grid(geometry[one], all_cutters)
    return result


def on_grid(geometry: shapely.Geometry, cutter: shapely.Geometry) -> shapely.Geometry:
    """`geometry` less `cutter`, with corners on a grid of a thousandth of a millimetre."""
    rest = shapely.difference(geometry, cutter, grid_size=GRID_M)
    mended: shapely.Geometry = repaired(np.array([rest], dtype=object))[0][0]
    return mended


def _difference(a: NDArray[np.object_], b: NDArray[np.object_]) -> NDArray[np.object_]:
    """`a` (n,) less `b` (n,); None where that fails."""
    try:
        return np.asarray(shapely.difference(a, b), dtype=object)
    except shapely.GEOSException:
        if len(a) <= 1:
            return np.full(len(a), None, dtype=object)
        halves = np.array_split(np.arange(len(a)), 2)
        return np.concatenate([_difference(a[half], b[half]) for half in halves])


def _union(geometry: NDArray[np.object_]) -> NDArray[np.object_]:
    """The union of all, (1,); None where that fails."""
    try:
        return np.array([shapely.union_all(geometry)], dtype=object)
    except shapely.GEOSException:
        return np.array([None], dtype=object)
