"""The fixed squares of ground that areas are balanced in.

Their corners lie at multiples of their side in the run's coordinate system, whatever the tiles.
"""

import numpy as np
import shapely
from numpy.typing import NDArray


def zone_of(footprint: shapely.Geometry, square_m: float) -> shapely.Geometry:
    """The union of all whole squares that a footprint touches.

    Parameters
    ----------
    footprint : shapely.Geometry
        Footprint of a tile in the run's coordinate system, in metres.
    square_m : float
        Side of the squares, in metres.
    """
    bounds = shapely.bounds(footprint) / square_m
    # A footprint that ends on an edge touches the square beyond.
    left, bottom = np.ceil(bounds[:2]).astype(int) - 1
    right, top = np.floor(bounds[2:]).astype(int)
    i, j = np.meshgrid(np.arange(left, right + 1), np.arange(bottom, top + 1))
    i, j = i.ravel(), j.ravel()
    squares = shapely.box(i * square_m, j * square_m, (i + 1) * square_m, (j + 1) * square_m)
    shapely.prepare(footprint)
    return shapely.union_all(squares[shapely.intersects(footprint, squares)])


def square_of(extent: NDArray[np.float64], square_m: float) -> NDArray[np.object_]:
    """Names of the squares that hold extents wholly.

    Parameters
    ----------
    extent : numpy.ndarray
        (n, 4), float64: left, bottom, right and top, in metres.
    square_m : float
        Side of the squares, in metres.

    Returns
    -------
    numpy.ndarray
        (n,), object: "i_j" of the square from (i, j) x `square_m`; empty text where an extent is
        not strictly inside one square.
    """
    low = np.floor(extent[:, :2] / square_m)
    high = np.ceil(extent[:, 2:] / square_m)
    inside = (high - low == 1).all(axis=1) & (extent[:, :2] > low * square_m).all(axis=1)
    inside &= (extent[:, 2:] < high * square_m).all(axis=1)
    names = np.full(len(extent), "", dtype=object)
    corners = low[inside].astype(np.int64)
    names[inside] = [f"{i}_{j}" for i, j in corners.tolist()]
    return names
