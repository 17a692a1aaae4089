"""Reference polygons as rasters."""

import numpy as np
import rasterio.features
import shapely
from numpy.typing import NDArray

from fgunet.grid import Grid


class Rasteriser:
    """Burns polygons onto grids: a pixel belongs to the polygon that holds its centre.

    Parameters
    ----------
    geometry : numpy.ndarray
        (n,), object: polygons in the coordinate system of the grids.
    code : numpy.ndarray
        (n,), integers 1..255: class codes.
    polygon_id : numpy.ndarray
        (n,), integers 1..2^32-1: distinct numbers.
    split : numpy.ndarray
        (n,), integers 1..3.
    """

    def __init__(
        self,
        geometry: NDArray[np.object_],
        code: NDArray[np.int64],
        polygon_id: NDArray[np.int64],
        split: NDArray[np.uint8],
    ) -> None:
        # Burned by rising number: where rounding makes two overlap, every tile agrees.
        order = np.argsort(polygon_id)
        self._geometry = geometry[order]
        self._tree = shapely.STRtree(self._geometry)
        self._code = np.concatenate([[0], code[order]]).astype(np.uint8)
        self._polygon = np.concatenate([[0], polygon_id[order]]).astype(np.uint32)
        self._split = np.concatenate([[0], split[order]]).astype(np.uint8)

    def burn(self, grid: Grid) -> tuple[NDArray[np.uint8], NDArray[np.uint32], NDArray[np.uint8]]:
        """Rasters of the polygons on `grid`, which may be a window of a larger one.

        Returns
        -------
        code : numpy.ndarray
            (y, x), uint8, 0 none.
        polygon : numpy.ndarray
            (y, x), uint32, 0 none.
        split : numpy.ndarray
            (y, x), uint8, 0 none, 1 training, 2 validation, 3 test.
        """
        place = np.zeros(grid.shape, dtype=np.uint32)
        near = np.sort(self._tree.query(shapely.box(*grid.bounds)))
        if near.size:
            rasterio.features.rasterize(
                zip(self._geometry[near], (near + 1).tolist(), strict=True),
                out=place,
                transform=grid.affine,
                all_touched=False,
            )
        return self._code[place], self._polygon[place], self._split[place]
