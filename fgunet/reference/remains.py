"""What may stay of a polygon after it was cut.

Whether enough of a polygon is left is decided in each square of ground for itself. The share of
the whole polygon would depend on what lies on it beyond the tiles of the run, and with it what
becomes of polygons underneath: another tile would change those within the tiles there were.
"""

from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from fgunet.reference.chunks import added_up
from fgunet.reference.difference import ROUNDING_M2, on_grid
from fgunet.reference.ground import boxes, cut_by_squares
from fgunet.reference.pieces import in_pieces
from fgunet.reference.shapes import with_pieces


class Remains(NamedTuple):
    """What stays.

    Attributes
    ----------
    geometry : numpy.ndarray
        (n,), object: polygons, or empty geometries.
    small : numpy.ndarray
        (n,), float64: ground given up with small pieces, in m2.
    thin : numpy.ndarray
        (n,), float64: ground given up where too small a share was left, in m2.
    """

    geometry: NDArray[np.object_]
    small: NDArray[np.float64]
    thin: NDArray[np.float64]


def remains(
    before: NDArray[np.object_],
    rest: NDArray[np.object_],
    *,
    minimum_area: float,
    minimum_share: float,
    square_m: float,
) -> Remains:
    """Leave out small pieces, and the ground of squares where too small a share is left.

    Parameters
    ----------
    before, rest : numpy.ndarray
        (n,), object: valid polygons before and after they were cut.
    minimum_area : float
        Least area of a piece in m2; a piece that lies in several squares may be smaller.
    minimum_share : float
        Least share of a polygon's ground in a square that must be left there.
    square_m : float
        Side of the squares, in m.
    """
    left = _without_small(rest, minimum_area, square_m)
    area, after = shapely.area(rest), shapely.area(left)
    small = area - after
    whole = _single(shapely.bounds(before), square_m)
    geometry = left.copy()
    thin = whole & _too_little(shapely.area(before), after, minimum_share)
    geometry[thin] = shapely.Polygon()
    across = np.flatnonzero(~whole & (after > 0))
    geometry[across] = _enough_by_square(before[across], left[across], minimum_share, square_m)
    return Remains(geometry, small, after - shapely.area(geometry))


def _too_little(
    before: NDArray[np.float64], after: NDArray[np.float64], minimum_share: float
) -> NDArray[np.bool_]:
    return np.asarray(after < minimum_share * before - ROUNDING_M2, dtype=bool)


def _single(bounds: NDArray[np.float64], square_m: float) -> NDArray[np.bool_]:
    """Whether bounds (n, 4) lie in one square, its edges included."""
    low, high = np.floor(bounds[:, :2] / square_m), np.ceil(bounds[:, 2:] / square_m)
    return np.asarray((high - low <= 1).all(axis=1), dtype=bool)


def _without_small(
    rest: NDArray[np.object_], minimum_area: float, square_m: float
) -> NDArray[np.object_]:
    piece, owner = shapely.get_parts(rest, return_index=True)
    area = shapely.area(piece)
    small = (area < minimum_area) & _single(shapely.bounds(piece), square_m)
    small |= area < ROUNDING_M2
    return with_pieces(rest, piece, owner, ~small)


def _enough_by_square(
    before: NDArray[np.object_],
    rest: NDArray[np.object_],
    minimum_share: float,
    square_m: float,
) -> NDArray[np.object_]:
    """Polygons across squares without the ground of those where too small a share is left."""
    owner, cell, given = _by_square(before, square_m)
    kept_owner, kept_cell, kept = _by_square(rest, square_m)
    keys = np.concatenate([np.c_[owner, cell], np.c_[kept_owner, kept_cell]])
    rows, place = np.unique(keys, axis=0, return_inverse=True)
    place = place.reshape(-1)
    whole = added_up(place[: len(owner)], given, len(rows))
    left = added_up(place[len(owner) :], kept, len(rows))
    thin = _too_little(whole, left, minimum_share)
    n_left = np.bincount(rows[~thin & (left > 0), 0], minlength=len(rest))
    n_thin = np.bincount(rows[thin, 0], minlength=len(rest))
    result = rest.copy()
    result[n_left == 0] = shapely.Polygon()
    cut = (n_thin > 0) & (n_left > 0)
    for one in np.flatnonzero(cut).tolist():
        squares = boxes(rows[thin & (rows[:, 0] == one), 1:], square_m)
        result[one] = on_grid(result[one], shapely.union_all(squares))
    return result


def _by_square(
    geometry: NDArray[np.object_], square_m: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Polygon (m,), square (m, 2) and m2 of each piece of a polygon in a square."""
    piece, polygon = in_pieces(geometry)
    ground, owner, cell = cut_by_squares(piece, square_m)
    return polygon[owner], cell, shapely.area(ground)
