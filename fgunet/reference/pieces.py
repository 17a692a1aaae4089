"""Large polygons in small pieces, so that a neighbour costs what lies near it."""

import numpy as np
import shapely
from numpy.typing import NDArray

GREATEST_VERTICES = 512
"""Polygons of more are taken apart: with fewer, an overlay costs little more than a parcel's."""

_LEAST_SIDE_M = 1.0


def in_pieces(
    geometry: NDArray[np.object_], greatest: int = GREATEST_VERTICES
) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """Halve large polygons along their longer side until no piece is large.

    Parameters
    ----------
    geometry : numpy.ndarray
        (n,), object: valid polygons, in metres.
    greatest : int
        Vertices that a piece may have.

    Returns
    -------
    piece : numpy.ndarray
        (m,), object: polygons whose interiors are apart; the small ones as they were.
    owner : numpy.ndarray
        (m,), int64, rising: index of the polygon a piece is of.
    """
    piece, owner = geometry, np.arange(len(geometry), dtype=np.int64)
    done = [(piece[:0], owner[:0])]
    while len(piece):
        left, bottom, right, top = shapely.bounds(piece).T
        large = shapely.get_num_coordinates(piece) > greatest
        # So many vertices on so little ground cannot be parted by halving it.
        large &= np.maximum(right - left, top - bottom) > _LEAST_SIDE_M
        done.append((piece[~large], owner[~large]))
        piece, owner = _halved(piece[large], owner[large])
    pieces = np.concatenate([part for part, _ in done])
    owners = np.concatenate([part for _, part in done])
    order = np.argsort(owners, kind="stable")
    return pieces[order], owners[order]


def _halved(
    piece: NDArray[np.object_], owner: NDArray[np.int64]
) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    left, bottom, right, top = shapely.bounds(piece).T
    x = np.where(right - left >= top - bottom, (left + right) / 2, right)
    y = np.where(right - left >= top - bottom, top, (bottom + top) / 2)
    wide = x < right
    lower = shapely.box(left, bottom, x, y)
    upper = shapely.box(np.where(wide, x, left), np.where(wide, bottom, y), right, top)
    halves = np.concatenate([shapely.intersection(piece, half) for half in (lower, upper)])
    parts, place = shapely.get_parts(halves, return_index=True)
    real = shapely.area(parts) > 0
    return parts[real], np.concatenate([owner, owner])[place[real]]
