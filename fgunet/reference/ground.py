"""Ground of polygons by squares."""

import numpy as np
import shapely
from numpy.typing import NDArray

from fgunet.reference.shapes import without_small_pieces


def cells_of(
    bounds: NDArray[np.float64], square_m: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Squares that bounds reach into.

    Parameters
    ----------
    bounds : numpy.ndarray
        (n, 4), float64: left, bottom, right and top, in metres.
    square_m : float
        Side of the squares, in metres.

    Returns
    -------
    owner : numpy.ndarray
        (pair,), int64, rising: index of the bounds.
    cell : numpy.ndarray
        (pair, 2), int64: column and row of a square.
    """
    low = np.floor(bounds[:, :2] / square_m).astype(np.int64)
    high = np.maximum(np.ceil(bounds[:, 2:] / square_m).astype(np.int64) - 1, low)
    size = high - low + 1
    count = size.prod(axis=1)
    owner = np.repeat(np.arange(len(bounds)), count)
    place = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    cell = low[owner] + np.stack([place % size[owner, 0], place // size[owner, 0]], axis=1)
    return owner, cell


def boxes(cell: NDArray[np.int64], square_m: float, margin: float = 0.0) -> NDArray[np.object_]:
    """Squares `cell` (n, 2) as polygons (n,), grown by `margin` metres."""
    low, high = cell * square_m - margin, (cell + 1) * square_m + margin
    result: NDArray[np.object_] = shapely.box(low[:, 0], low[:, 1], high[:, 0], high[:, 1])
    return result


def cut_by_squares(
    geometry: NDArray[np.object_], square_m: float
) -> tuple[NDArray[np.object_], NDArray[np.int64], NDArray[np.int64]]:
    """Cut polygons at the edges of squares.

    Parameters
    ----------
    geometry : numpy.ndarray
        (n,), object: valid polygons.
    square_m : float
        Side of the squares, in metres.

    Returns
    -------
    piece : numpy.ndarray
        (m,), object: the part of a polygon in a square; of positive area.
    owner : numpy.ndarray
        (m,), int64, rising: index of the polygon.
    cell : numpy.ndarray
        (m, 2), int64: column and row of the square.
    """
    owner, cell = cells_of(shapely.bounds(geometry), square_m)
    piece = geometry[owner]
    shared = np.bincount(owner, minlength=len(geometry))[owner] > 1
    # A polygon that also touches the square from outside gives a line there, which goes.
    piece[shared] = without_small_pieces(
        shapely.intersection(piece[shared], boxes(cell[shared], square_m)), 0.0
    )
    real = shapely.area(piece) > 0
    return piece[real], owner[real], cell[real]
