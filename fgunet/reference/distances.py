"""How far test polygons lie from training polygons."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from fgunet.reference.sides import TEST, TRAINING

EDGES_M = (0, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000)
"""Edges of the histogram; the last bin has no upper one."""

PERCENTILES = (0, 5, 25, 50, 75, 95, 100)

_CHUNK = 50_000


def distances_to_training(
    geometry: NDArray[np.object_], split: NDArray[np.uint8]
) -> NDArray[np.float64]:
    """Distance from each test polygon to the nearest training polygon, between nearest edges.

    Parameters
    ----------
    geometry : numpy.ndarray
        (n,), object: polygons in one metric coordinate system.
    split : numpy.ndarray
        (n,), uint8: 1..3.

    Returns
    -------
    numpy.ndarray
        (test polygon,), float64, m, in the order given; infinite where there is no training.
    """
    test, training = geometry[split == TEST], geometry[split == TRAINING]
    distance = np.full(len(test), np.inf)
    if not len(training):
        return distance
    tree = shapely.STRtree(training)
    for start in range(0, len(test), _CHUNK):
        part = test[start : start + _CHUNK]
        (place, _), found = tree.query_nearest(part, return_distance=True, all_matches=False)
        distance[start + place] = found
    return distance


def summarise_distances(
    distance: NDArray[np.float64], code: NDArray[np.int64], names: Mapping[int, str]
) -> dict[str, Any]:
    """The distribution of distances.

    Parameters
    ----------
    distance : numpy.ndarray
        (n,), float64, m: from each test polygon to the nearest training polygon.
    code : numpy.ndarray
        (n,), int64: classes of the test polygons.
    names : mapping
        Name of each class.

    Returns
    -------
    dict
        `polygons`, `percentiles` (m), `histogram` (`edges_m`, and `counts`: one more than there
        are pairs of edges, for those beyond the last), `classes` (name, polygons and median
        by code). JSON can hold it; no percentiles and medians where nothing was measured.
    """
    known = np.isfinite(distance)
    edges = np.array([*EDGES_M, np.inf])
    counts, _ = np.histogram(distance[known], bins=edges)
    return {
        "polygons": len(distance),
        "percentiles": {
            str(p): round(float(np.percentile(distance[known], p)), 2)
            for p in (PERCENTILES if known.any() else ())
        },
        "histogram": {"edges_m": list(EDGES_M), "counts": counts.tolist()},
        "classes": {
            str(one): {
                "name": names[one],
                "polygons": int((code == one).sum()),
                "median_m": round(float(np.median(distance[known & (code == one)])), 2),
            }
            for one in np.unique(code[known]).tolist()
        },
    }
