"""Fusion of sources: one layer of polygons that do not overlap."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from fgunet.reference.cutting import Limits, cut
from fgunet.reference.overlaps import Pairs, overlapping_pairs


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
    small, thin : numpy.ndarray
        (n,), float64: ground that polygons that are kept gave up with small pieces, and in
        squares where too small a share was left, in m2.
    overlaps : tuple of Overlap
        Shared ground by sources and codes, pair by pair, before anything was cut.
    """

    geometry: NDArray[np.object_]
    reason: NDArray[np.object_]
    small: NDArray[np.float64]
    thin: NDArray[np.float64]
    overlaps: tuple[Overlap, ...]

    @property
    def kept(self) -> NDArray[np.bool_]:
        """(n,), bool: True where a polygon is left."""
        return np.asarray(self.reason == "", dtype=bool)


def fuse(
    geometry: NDArray[np.object_],
    rank: NDArray[np.int64],
    code: NDArray[np.int64],
    number: NDArray[np.int64],
    *,
    minimum_share: float,
    minimum_area: float,
    square_m: float,
    threads: int = 1,
) -> Fusion:
    """Cut polygons so that no two overlap.

    A polygon loses the ground that a polygon kept before it covers. Polygons come in the order
    of their source; within a source the smaller comes first, because a small polygon inside a
    large one is the finer statement, and the number settles ties. A polygon that falls into
    pieces stays one polygon of several pieces. What is left in a square of ground follows from
    what lies in the square alone.

    Parameters
    ----------
    geometry : numpy.ndarray
        (n,), object: valid polygons in one metric coordinate system.
    rank : numpy.ndarray
        (n,), int64: place of the polygon's source; 0 comes first and wins.
    code : numpy.ndarray
        (n,), int64: class codes.
    number : numpy.ndarray
        (n,), int64: distinct numbers.
    minimum_share : float
        A cut polygon gives up the ground it has left in a square if this is less than this share
        (0 to 1) of what it had there; most polygons lie in one square.
    minimum_area : float
        Pieces of a cut polygon smaller than this are dropped, in m2, unless they lie in several
        squares.
    square_m : float
        Side of the squares, in m, whose corners lie at its multiples.
    threads : int
        Threads; the result does not depend on them.

    Returns
    -------
    Fusion
        In the order given; it does not depend on that order.
    """
    order = np.lexsort((number, shapely.area(geometry), rank))
    pairs = overlapping_pairs(geometry[order], threads=threads)
    limits = Limits(minimum_area, minimum_share, square_m)
    done = cut(geometry[order], pairs, limits, threads=threads)
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    return Fusion(
        geometry=done.geometry[back],
        reason=done.reason[back],
        small=done.small[back],
        thin=done.thin[back],
        overlaps=_overlap_table(rank[order], code[order], pairs),
    )


def _overlap_table(
    rank: NDArray[np.int64], code: NDArray[np.int64], pairs: Pairs
) -> tuple[Overlap, ...]:
    first, second = pairs.first, pairs.second
    kinds = np.stack([rank[first], code[first], rank[second], code[second]], axis=1)
    rows, index = np.unique(kinds, axis=0, return_inverse=True)
    index = index.reshape(-1)
    area = np.bincount(index, weights=pairs.area, minlength=len(rows))
    count = np.bincount(index, minlength=len(rows))
    return tuple(
        Overlap(one, one_code, other, other_code, pairs=int(n), area_m2=float(m2))
        for (one, one_code, other, other_code), n, m2 in zip(
            rows.tolist(), count, area, strict=True
        )
    )
