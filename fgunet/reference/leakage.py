"""What would let a test polygon be seen in training."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from fgunet.errors import SplitError
from fgunet.reference.sides import SPLIT_NAMES

ROUNDING_M2 = 0.01
"""Less shared ground than this is rounding (a pixel has 100 m2)."""

ROUNDING_M = 0.001
"""A gap may be so much narrower than asked for, by rounding."""

INFORMATION = (
    "neighbours_between_splits",
    "pixels_on_common_borders",
    "pixels_in_one_tile_only",
)
"""Counts that are told and may be above 0."""

_CHUNK = 50_000


def check_leakage(
    geometry: NDArray[np.object_],
    polygon_id: NDArray[np.int64],
    feature: NDArray[np.int64],
    split: NDArray[np.uint8],
    *,
    min_distance: float = 0.0,
) -> dict[str, Any]:
    """Look for leaks among the polygons.

    Parameters
    ----------
    geometry : numpy.ndarray
        (n,), object: polygons in one metric coordinate system.
    polygon_id, feature : numpy.ndarray
        (n,), int64: numbers of polygons and of the features they are parts of.
    split : numpy.ndarray
        (n,), uint8: 1..3.
    min_distance : float
        Polygons of two splits must be so many metres apart.

    Returns
    -------
    dict
        Counts that must be 0: `polygons_without_split`; `polygon_ids_repeated` (a number must
        mean one polygon, and so one split, in every tile); `features_in_several_splits`;
        `overlaps_between_splits` (pairs that share more than a hundredth of a square metre) and
        their m2; `closer_than_min_distance` (pairs, where there is such a distance). And, for
        information, `neighbours_between_splits` (pairs that at least touch).
    """
    _, splits_of_feature = np.unique(
        np.unique(np.stack([feature, split.astype(np.int64)], axis=1), axis=0)[:, 0],
        return_counts=True,
    )
    touching, overlapping, area, close = _pairs_between(geometry, split, min_distance)
    found = {
        "polygons_without_split": int((~np.isin(split, list(SPLIT_NAMES))).sum()),
        "polygon_ids_repeated": len(polygon_id) - len(np.unique(polygon_id)),
        "features_in_several_splits": int((splits_of_feature > 1).sum()),
        "overlaps_between_splits": overlapping,
        "overlaps_between_splits_m2": round(area, 2),
    }
    if min_distance > 0:
        found["closer_than_min_distance"] = close
    return {**found, "neighbours_between_splits": touching}


def _pairs_between(
    geometry: NDArray[np.object_], split: NDArray[np.uint8], min_distance: float
) -> tuple[int, int, float, int]:
    """Pairs of two splits: touching, overlapping, the m2 of those, closer than the distance."""
    touching, overlapping, area, close = 0, 0, 0.0, 0
    tree = shapely.STRtree(geometry)
    shapely.prepare(geometry)
    for start in range(0, len(geometry), _CHUNK):
        first, second = tree.query(
            geometry[start : start + _CHUNK], predicate="dwithin", distance=min_distance
        )
        first = first + start
        apart = (first < second) & (split[first] != split[second])
        one, other = geometry[first[apart]], geometry[second[apart]]
        distance = shapely.distance(one, other)
        shared = shapely.area(shapely.intersection(one[distance == 0], other[distance == 0]))
        touching += int((distance == 0).sum())
        overlapping += int((shared > ROUNDING_M2).sum())
        area += float(shared[shared > ROUNDING_M2].sum())
        close += int((distance < min_distance - ROUNDING_M).sum())
    return touching, overlapping, area, close


def require_no_leak(leakage: Mapping[str, Any]) -> None:
    """Stop where a check found a leak.

    Raises
    ------
    SplitError
        If a count other than those for information is not 0.
    """
    leaks = {k: v for k, v in leakage.items() if v and k not in INFORMATION}
    if leaks:
        raise SplitError(
            f"the audit of the reference found {', '.join(f'{k} = {v}' for k, v in leaks.items())}"
            ", all of which must be 0; a file in results/reference was changed by hand or by "
            "another version: remove the folder and run again"
        )
