"""Reference polygons as rasters."""

from collections.abc import Iterator

import numpy as np
import rasterio.features
import shapely
from affine import Affine
from numpy.typing import NDArray
from rasterio.enums import MergeAlg

from fgunet.grid import Grid, Window

STRIP = 512
"""Rows that are burned together: a whole number of a GeoTIFF's blocks."""


def strips(shape: tuple[int, int], height: int = STRIP) -> Iterator[Window]:
    """Windows of full width and at most `height` rows that tile `shape` (height, width)."""
    for row in range(0, shape[0], height):
        yield Window(row, 0, min(height, shape[0] - row), shape[1])


class PixelPolygons:
    """Polygons on a grid, burned strip by strip: a pixel is of the polygon that holds its centre.

    Corners are turned into pixels once, for the whole grid and as GDAL does it, and strips are of
    full width: so the sums that decide on a centre that lies exactly on an edge are those of
    `gdal_rasterize` on the whole grid, whatever the strips. (In windows with an origin of their
    own such sums are rounded otherwise.)

    Parameters
    ----------
    geometry : numpy.ndarray
        (n,), object: polygons in the coordinate system of the grid.
    grid : Grid
        Grid of a tile.
    """

    def __init__(self, geometry: NDArray[np.object_], grid: Grid) -> None:
        a, _, c, _, e, f = grid.transform
        # Rows count downwards from 0: GDAL's rule for level edges needs y to rise to the north.
        scale, offset = (1 / a, -1 / e), (-c / a, f / e)
        self._grid = grid
        self._geometry = shapely.transform(geometry, lambda xy: offset + xy * scale)
        self._tree = shapely.STRtree(self._geometry)

    def burn(self, window: Window, *, count: bool = False) -> NDArray[np.uint32]:
        """Which polygon holds each pixel's centre.

        Parameters
        ----------
        window : Window
            A strip: of the grid's full width.
        count : bool
            Count the polygons instead.

        Returns
        -------
        numpy.ndarray
            (y, x), uint32: place of the polygon, from 1, the last where several hold the centre,
            0 where none does; or how many hold it.
        """
        burned = np.zeros(window.shape, dtype=np.uint32)
        top, bottom = window.row, window.row + window.height
        near = np.sort(self._tree.query(shapely.box(0, -bottom, window.width, -top)))
        if near.size:
            values = np.ones_like(near) if count else near + 1
            rasterio.features.rasterize(
                zip(self._geometry[near], values.tolist(), strict=True),
                out=burned,
                transform=Affine(1, 0, 0, 0, -1, -top),
                all_touched=False,
                merge_alg=MergeAlg.add if count else MergeAlg.replace,
            )
        return burned


class Rasteriser:
    """The three rasters of a tile.

    Parameters
    ----------
    geometry : numpy.ndarray
        (n,), object: polygons in the coordinate system of the grid.
    code : numpy.ndarray
        (n,), integers 1..255: class codes.
    polygon_id : numpy.ndarray
        (n,), integers 1..2^32-1: distinct numbers.
    split : numpy.ndarray
        (n,), integers 1..3.
    grid : Grid
        Grid of the tile.
    """

    def __init__(
        self,
        geometry: NDArray[np.object_],
        code: NDArray[np.int64],
        polygon_id: NDArray[np.int64],
        split: NDArray[np.uint8],
        grid: Grid,
    ) -> None:
        # Burned by rising number: where rounding makes two overlap, every tile agrees.
        order = np.argsort(polygon_id)
        self._polygons = PixelPolygons(geometry[order], grid)
        self._code = np.concatenate([[0], code[order]]).astype(np.uint8)
        self._polygon = np.concatenate([[0], polygon_id[order]]).astype(np.uint32)
        self._split = np.concatenate([[0], split[order]]).astype(np.uint8)

    def burn(
        self, window: Window
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint32], NDArray[np.uint8]]:
        """The rasters in a strip, a window of the grid's full width (see `strips`).

        Returns
        -------
        code : numpy.ndarray
            (y, x), uint8, 0 none.
        polygon : numpy.ndarray
            (y, x), uint32, 0 none.
        split : numpy.ndarray
            (y, x), uint8, 0 none, 1 training, 2 validation, 3 test.
        """
        place = self._polygons.burn(window)
        return self._code[place], self._polygon[place], self._split[place]
