"""Fusion of sources: one layer of polygons that do not overlap."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from fgunet.logs import Progress
from fgunet.reference.overlaps import OVERLAP_TOLERANCE_M2, shared_area, touching_pairs
from fgunet.reference.shapes import without_small_pieces

COVERED = "less than the minimum share left after cutting"
TOO_SMALL = "smaller than the minimum area after cutting"


@dataclass(frozen=True)
class Overlap:
    """Ground that polygons of two kinds claim: ranks of the sources, codes, pairs, m2.

    The first kind keeps the ground. Where the codes differ the sources contradict each other.
    """

    rank: int
    code: int
    other_rank: int
    other_code: int
    pairs: int
    area_m2: float


@dataclass(frozen=True)
class Fusion:
    """What is left of the polygons.

    Attributes
    ----------
    geometry : numpy.ndarray
        (n,), object: the cut polygons; those that were dropped as they were before.
    reason : numpy.ndarray
        (n,), object: why a polygon was dropped; empty text where it was kept.
    overlaps : tuple of Overlap
        Shared ground by sources and codes, pair by pair, before anything was cut.
    """

    geometry: NDArray[np.object_]
    reason: NDArray[np.object_]
    overlaps: tuple[Overlap, ...]

    @property
    def kept(self) -> NDArray[np.bool_]:
        """(n,), bool: True where a polygon is left."""
        return np.asarray(self.reason == "", dtype=bool)


def fuse(
    geometry: NDArray[np.object_],
    rank: NDArray[np.int64],
    code: NDArray[np.int64],
    polygon_id: NDArray[np.int64],
    *,
    minimum_share: float,
    minimum_area: float,
) -> Fusion:
    """Cut polygons so that no two overlap.

    A polygon loses the ground that a polygon kept before it covers. Polygons come in the order
    of their source; within a source the smaller comes first, because a small polygon inside a
    large one is the finer statement, and the polygon number settles ties. A polygon that falls
    into pieces stays one polygon of several pieces, with its number.

    Parameters
    ----------
    geometry : numpy.ndarray
        (n,), object: valid polygons in one metric coordinate system.
    rank : numpy.ndarray
        (n,), int64: place of the polygon's source; 0 comes first and wins.
    code : numpy.ndarray
        (n,), int64: class codes.
    polygon_id : numpy.ndarray
        (n,), int64: distinct numbers.
    minimum_share : float
        A cut polygon is dropped if less than this share of its area remains (0 to 1).
    minimum_area : float
        Pieces of a cut polygon smaller than this are dropped, in m2.

    Returns
    -------
    Fusion
        In the order given; it does not depend on that order.
    """
    before = shapely.area(geometry)
    order = np.lexsort((polygon_id, before, rank))
    sorted_geometry = geometry[order]
    first, second = touching_pairs(sorted_geometry)
    shared = shared_area(sorted_geometry, first, second)
    real = shared > OVERLAP_TOLERANCE_M2
    first, second, shared = first[real], second[real], shared[real]

    cut = sorted_geometry.copy()
    reason = np.full(len(cut), "", dtype=object)
    for one, neighbours in _neighbours(first, second):
        above = neighbours[reason[neighbours] == ""]
        if not above.size:
            continue
        rest = shapely.difference(cut[one], shapely.union_all(cut[above]))
        share = shapely.area(rest) / before[order[one]]
        rest = without_small_pieces(np.array([rest], dtype=object), minimum_area)[0]
        if share < minimum_share or share == 0:
            reason[one] = COVERED
        elif rest.is_empty:
            reason[one] = TOO_SMALL
        else:
            cut[one] = rest
    return Fusion(
        geometry=_unsorted(cut, order),
        reason=_unsorted(reason, order),
        overlaps=_overlap_table(rank[order], code[order], first, second, shared),
    )


def _neighbours(
    first: NDArray[np.int64], second: NDArray[np.int64]
) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Each polygon that others come before, with those others; `second` rises."""
    polygons, start = np.unique(second, return_index=True)
    progress = Progress("overlapping polygons", len(polygons))
    for polygon, above in zip(polygons, np.split(first, start[1:]), strict=False):
        yield int(polygon), above
        progress.advance()


def _unsorted(values: NDArray[np.object_], order: NDArray[np.int64]) -> NDArray[np.object_]:
    result = np.empty_like(values)
    result[order] = values
    return result


def _overlap_table(
    rank: NDArray[np.int64],
    code: NDArray[np.int64],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    shared: NDArray[np.float64],
) -> tuple[Overlap, ...]:
    kinds = np.stack([rank[first], code[first], rank[second], code[second]], axis=1)
    rows, index = np.unique(kinds, axis=0, return_inverse=True)
    index = index.reshape(-1)
    area = np.bincount(index, weights=shared, minlength=len(rows))
    pairs = np.bincount(index, minlength=len(rows))
    return tuple(
        Overlap(one, one_code, other, other_code, pairs=int(n), area_m2=float(m2))
        for (one, one_code, other, other_code), n, m2 in zip(
            rows.tolist(), pairs, area, strict=True
        )
    )
