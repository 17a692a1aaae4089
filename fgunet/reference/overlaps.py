"""Ground that two polygons share."""

import numpy as np
import shapely
from numpy.typing import NDArray

OVERLAP_TOLERANCE_M2 = 0.01
"""Less shared ground than this is rounding (a pixel has 100 m2)."""


def touching_pairs(
    geometries: NDArray[np.object_],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of polygons that touch or overlap.

    Parameters
    ----------
    geometries : numpy.ndarray
        (n,), object: polygons in one metric coordinate system.

    Returns
    -------
    first, second : numpy.ndarray
        (pair,), int64: indices, first < second, sorted by second and then first.
    """
    shapely.prepare(geometries)
    tree = shapely.STRtree(geometries)
    second, first = tree.query(geometries, predicate="intersects").astype(np.int64)
    kept = first < second
    first, second = first[kept], second[kept]
    order = np.lexsort((first, second))
    return first[order], second[order]


def shared_area(
    geometries: NDArray[np.object_], first: NDArray[np.int64], second: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Area that the polygons of each pair share.

    Parameters
    ----------
    geometries : numpy.ndarray
        (n,), object: polygons in one metric coordinate system.
    first, second : numpy.ndarray
        (pair,), int64: indices of the pairs.

    Returns
    -------
    numpy.ndarray
        (pair,), float64, m2.
    """
    shapely.prepare(geometries)
    a, b = geometries[first], geometries[second]
    area = np.zeros(len(first))
    # One polygon inside a prepared one is common (a field in a forest) and cheap to see.
    for inner, outer in ((b, a), (a, b)):
        inside = shapely.contains_properly(outer, inner)
        area[inside] = shapely.area(inner[inside])
    rest = area == 0
    area[rest] = shapely.area(shapely.intersection(a[rest], b[rest]))
    return area
