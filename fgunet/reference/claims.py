"""Pixels that several polygons claim."""

import numpy as np
import shapely
from numpy.typing import NDArray

from fgunet.grid import Grid

BORDER_M = 0.05
"""A centre so close to a common border (m) may be of either side: edges bend by less when they
are reprojected, and GDAL gives centres on a level edge to both."""


class Claims:
    """Tells overlaps from common borders.

    Parameters
    ----------
    geometry : numpy.ndarray
        (n,), object: polygons in the coordinates of the grid, in metres.
    grid : Grid
        Grid of the tile.
    """

    def __init__(self, geometry: NDArray[np.object_], grid: Grid) -> None:
        self._geometry, self._grid = geometry, grid
        self._tree: shapely.STRtree | None = None

    def overlapping(self, rows: NDArray[np.int64], cols: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether two polygons hold the centre of a pixel by more than 5 cm.

        Parameters
        ----------
        rows, cols : numpy.ndarray
            (pixel,), int64: places on the grid.

        Returns
        -------
        numpy.ndarray
            (pixel,), bool.
        """
        if not rows.size:
            return np.zeros(0, dtype=bool)
        if self._tree is None:
            self._tree = shapely.STRtree(self._geometry)
        points = centres(self._grid, rows, cols)
        pixel, polygon = self._tree.query(points, predicate="intersects")
        depth = shapely.distance(points[pixel], shapely.boundary(self._geometry[polygon]))
        holders = np.bincount(pixel[depth > BORDER_M], minlength=len(points))
        return np.asarray(holders > 1, dtype=bool)

    def outside(
        self, rows: NDArray[np.int64], cols: NDArray[np.int64], polygon: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """Whether the centre of a pixel is more than 5 cm outside of a polygon.

        Parameters
        ----------
        rows, cols, polygon : numpy.ndarray
            (pixel,), int64: places on the grid, and place of the polygon.

        Returns
        -------
        numpy.ndarray
            (pixel,), bool.
        """
        points = centres(self._grid, rows, cols)
        return np.asarray(~shapely.dwithin(self._geometry[polygon], points, BORDER_M), dtype=bool)


def centres(grid: Grid, rows: NDArray[np.int64], cols: NDArray[np.int64]) -> NDArray[np.object_]:
    """Centres of pixels (pixel,) of a grid, as points (pixel,) in its coordinates."""
    a, _, c, _, e, f = grid.transform
    points = shapely.points(c + a * (cols + 0.5), f + e * (rows + 0.5))
    return np.asarray(points, dtype=object)
