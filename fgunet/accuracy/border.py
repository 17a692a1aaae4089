"""How far each pixel lies from the border of its polygon."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt


def halo_of(distance: float, resolution: tuple[float, float]) -> int:
    """Pixels around a window that it takes to know all distances up to `distance`, in m."""
    return math.ceil(distance / min(resolution)) + 1


def distance_to_border(
    polygons: NDArray[Any], resolution: tuple[float, float]
) -> NDArray[np.float64]:
    """Distance from the centre of each pixel to the nearest border between two polygons.

    A border lies between neighbouring pixels of different identifiers, and ground of no polygon
    (0) has one too. As a straight way out of a polygon crosses its own border first, the nearest
    border of a pixel is that of its polygon. The edge of the image is none: beyond it, the polygon
    may go on.

    Parameters
    ----------
    polygons : ndarray (y, x) of uint32
        Identifier of each pixel's polygon.
    resolution : tuple of 2 float
        Size of a pixel (x, y) in m.

    Returns
    -------
    ndarray (y, x) of float64
        m; infinite where the image has no border.
    """
    border = _border_nodes(polygons)
    if not border.any():
        return np.full(polygons.shape, np.inf)
    width, height = resolution
    distance: NDArray[np.float64] = distance_transform_edt(
        ~border, sampling=(height / 2, width / 2)
    )
    return distance[1::2, 1::2]


def _border_nodes(polygons: NDArray[Any]) -> NDArray[np.bool_]:
    """Which nodes (2 y + 1, 2 x + 1) of the lattice of half pixels lie on a border.

    Odd rows and columns hold the centres of pixels, even ones the lines between them. The point of
    a pixel's side that is nearest to the centre of any pixel is the side's middle or one of its
    ends, and all three are nodes: distances are exact.
    """
    rows, columns = polygons.shape
    border = np.zeros((2 * rows + 1, 2 * columns + 1), dtype=bool)
    across = polygons[1:] != polygons[:-1]
    along = polygons[:, 1:] != polygons[:, :-1]
    for end in (0, 1, 2):
        border[2:-2:2, end : end + 2 * columns - 1 : 2] |= across
        border[end : end + 2 * rows - 1 : 2, 2:-2:2] |= along
    return border
