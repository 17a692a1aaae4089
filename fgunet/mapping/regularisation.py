"""Filters of class maps: a majority in a square, then a sieve of small patches."""

import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fgunet.errors import GridError
from fgunet.files import scratch_beside
from fgunet.grid import Grid, Window, split_windows
from fgunet.mapping.majority import majority_windows
from fgunet.mapping.sieve import sieve
from fgunet.nomenclature import NODATA_CODE
from fgunet.rasters import create_raster, read_band, read_grid


def regularise(
    path: str | os.PathLike[str],
    *,
    majority_radius: int,
    minimum_area_m2: float,
    protect: Sequence[int],
    core: int,
    scratch: Path,
) -> Iterator[tuple[Window, NDArray[np.uint8]]]:
    """Filter a class map: `majority`, then `sieve`.

    To both filters, pixels of protected classes are what nodata is: they have no vote, part
    patches, and stay. So these classes lose no pixel and gain none. The other pixels change
    among the other classes.

    Parameters
    ----------
    path : path
        Class map, uint8, 0 = nodata.
    majority_radius : int
        Of the majority filter, in pixels; 0: none.
    minimum_area_m2 : float
        Smaller patches join their largest neighbour, in square metres; 0: none. Part of a
        pixel counts as a whole one.
    protect : sequence of int
        Codes of the protected classes, 1..255.
    core : int
        Side of the windows in pixels. The result does not depend on it.
    scratch : pathlib.Path
        Folder with room for the map without compression; nothing is left there.

    Yields
    ------
    window : Window
        Part of the map.
    codes : ndarray (y, x) uint8
        Its filtered codes, 0 where the map is.

    Raises
    ------
    GridError
        If the map is not uint8 or its grid is not north-up.
    ModelError
        If the radius is negative or `core` below 1.
    MapError
        If `scratch` has no room.
    """
    grid = read_grid(path)
    open_code = np.arange(256, dtype=np.uint8)
    open_code[list(protect)] = NODATA_CODE

    def read(window: Window) -> NDArray[np.uint8]:
        return open_code[_read_codes(path, window)]

    with scratch_beside(scratch / "filtered") as folder:
        filtered = folder / "filtered.tif"
        with create_raster(filtered, grid, "uint8", NODATA_CODE) as write:
            for part in majority_windows(read, grid.shape, radius=majority_radius, core=core):
                write(*part)
        sieve(filtered, pixels_of(minimum_area_m2, grid))
        for window in split_windows(grid.shape, core):
            raw, codes = _read_codes(path, window), read_band(filtered, window)
            yield window, np.where(open_code[raw] == NODATA_CODE, raw, codes)


def pixels_of(area_m2: float, grid: Grid) -> int:
    """Least pixels of a grid in metres that cover an area in square metres."""
    return math.ceil(area_m2 / math.prod(grid.resolution))


def _read_codes(path: str | os.PathLike[str], window: Window) -> NDArray[np.uint8]:
    codes = read_band(path, window)
    if codes.dtype != np.uint8:
        raise GridError(f"{path} holds {codes.dtype}; a class map must be uint8")
    return codes
