"""Ground that two polygons share."""

from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from fgunet.logs import Progress
from fgunet.reference.chunks import in_chunks
from fgunet.reference.difference import ROUNDING_M2
from fgunet.reference.pieces import in_pieces

_CHUNK = 4_000
_PAIRS_AT_ONCE = 50_000


class Pairs(NamedTuple):
    """Pairs of polygons that overlap.

    Attributes
    ----------
    first, second : numpy.ndarray
        (pair,), int64: indices, first < second, sorted by second and then first.
    area : numpy.ndarray
        (pair,), float64: ground that both cover, in m2.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    area: NDArray[np.float64]


def overlapping_pairs(geometry: NDArray[np.object_], *, threads: int = 1) -> Pairs:
    """Pairs of polygons that share more than a hundredth of a square metre.

    Parameters
    ----------
    geometry : numpy.ndarray
        (n,), object: valid polygons in one metric coordinate system.
    threads : int
        Threads; the result does not depend on them.
    """
    piece, owner = in_pieces(geometry)
    tree = shapely.STRtree(piece)

    def measured(chunk: slice) -> NDArray[np.float64]:
        second, first = tree.query(piece[chunk])
        second = second + chunk.start
        once = owner[first] < owner[second]
        return _shared(piece, owner, first[once], second[once])

    progress = Progress("polygons compared", len(piece))
    found = [np.zeros((3, 0))]
    for rows in in_chunks(measured, len(piece), size=_CHUNK, threads=threads):
        found.append(rows)
        progress.advance(min(_CHUNK, len(piece) - _CHUNK * (len(found) - 2)))
    return _by_polygon(np.concatenate(found, axis=1))


def _shared(
    piece: NDArray[np.object_],
    owner: NDArray[np.int64],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
) -> NDArray[np.float64]:
    """(3, pair), float64: owners of pieces that overlap, and the ground they share, in m2."""
    found = [np.zeros((3, 0))]
    for start in range(0, len(first), _PAIRS_AT_ONCE):
        a, b = (side[start : start + _PAIRS_AT_ONCE] for side in (first, second))
        # Most neighbours only touch, and to see that is cheaper than to intersect them.
        inside = shapely.relate_pattern(piece[a], piece[b], "T********")
        a, b = a[inside], b[inside]
        area = shapely.area(shapely.intersection(piece[a], piece[b]))
        found.append(np.stack([owner[a], owner[b], area]))
    return np.concatenate(found, axis=1)


def _by_polygon(found: NDArray[np.float64]) -> Pairs:
    """Add up the pieces of each pair of polygons."""
    first, second = found[0].astype(np.int64), found[1].astype(np.int64)
    order = np.lexsort((found[2], first, second))
    first, second, area = first[order], second[order], found[2][order]
    if not len(area):
        return Pairs(first, second, area)
    start = np.flatnonzero(np.r_[True, (np.diff(first) != 0) | (np.diff(second) != 0)])
    total = np.add.reduceat(area, start)
    real = total > ROUNDING_M2
    return Pairs(first[start][real], second[start][real], total[real])
