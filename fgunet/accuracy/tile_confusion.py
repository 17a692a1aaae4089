"""The test pixels of a tile, counted from its rasters window by window."""

from collections.abc import Iterator, Sequence

import numpy as np

from fgunet.accuracy.confusion import Block, Confusion, confuse
from fgunet.files import require_told
from fgunet.grid import split_windows
from fgunet.nomenclature import NODATA_CODE
from fgunet.rasters import read_band, read_grid, read_tags, require_same_grid
from fgunet.reference.sides import TEST

WINDOW = 2048
"""Side of the squares that are read at a time, in pixels; any gives the same counts."""


def confuse_tile(
    path_to_class: str,
    *,
    path_to_code: str,
    path_to_polygon: str,
    path_to_split: str,
    tile: str,
    method: str,
    codes: Sequence[int],
    window: int = WINDOW,
) -> Confusion:
    """Count the test pixels of a map by reference class, mapped class and polygon.

    Parameters
    ----------
    path_to_class : str
        Class map, uint8, 0 nodata; its tags tell the tile and the method.
    path_to_code, path_to_polygon, path_to_split : str
        Reference of the tile on the same grid: class codes (uint8, 0 nodata), identifiers of
        polygons (uint32, 0 none) and sides of the split (uint8, see `fgunet.reference.sides`).
    tile, method : str
        What is counted.
    codes : sequence of int
        Codes of the nomenclature.
    window : int
        Side of the squares that are read at a time, in pixels.

    Raises
    ------
    GridError
        If the rasters are not on one grid.
    AccuracyError
        If a code is not in `codes`.
    ResultError
        If the map is of another tile or method, or a raster cannot be read.
    """
    paths = (path_to_class, path_to_code, path_to_polygon, path_to_split)
    require_told(path_to_class, read_tags(path_to_class), tile=tile, method=method)
    grid = require_same_grid((path, read_grid(path)) for path in paths)

    def blocks() -> Iterator[Block]:
        for square in split_windows(grid.shape, window):
            mapped, code, polygon, split = (read_band(path, square) for path in paths)
            yield polygon, np.where(split == TEST, code, NODATA_CODE), mapped

    return confuse(blocks(), tile=tile, method=method, codes=codes)
