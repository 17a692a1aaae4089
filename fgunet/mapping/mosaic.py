"""One class map of all tiles, in one coordinate system."""

import logging
import math
import os
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import shapely
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT

from fgunet.errors import GridError
from fgunet.grid import Grid, Window
from fgunet.logs import Progress
from fgunet.mapping.deliverables import class_tags, set_tags, write_cog
from fgunet.mapping.overlap import OverlapCount, most_confident
from fgunet.mapping.pyramid import build_pyramid, sparse_profile
from fgunet.nomenclature import Nomenclature
from fgunet.rasters import rasterio_window, read_grid, require_same_grid

BLOCK = 512
"""Side of the windows of a mosaic and of its blocks, in pixels."""

_CACHE_MB = 256
_log = logging.getLogger(__name__)


def mosaic_tiles(
    maps: Sequence[tuple[str, str]],
    nomenclature: Nomenclature,
    target: str | os.PathLike[str],
    *,
    crs: str,
    resolution: float,
    tolerance: float = 0.125,
) -> dict[str, Any]:
    """Join the class maps of all tiles (nearest neighbour) into a COG.

    Where tiles overlap, the higher confidence decides, then the order of the tiles. Only
    windows that a tile touches are visited, and only those take room in the file.

    Parameters
    ----------
    maps : sequence of (path, path)
        Class map (uint8, 0 = nodata) and confidence (percent, 255 = nodata) of each tile.
    nomenclature : Nomenclature
        Names and colours of the classes.
    target : path
        File to write, atomically.
    crs : str
        Coordinate system of the mosaic ("EPSG:2154").
    resolution : float
        Pixel size in its units. The pixels lie on multiples of it.
    tolerance : float
        Greatest error of the approximate reprojection, in pixels; a small one is exact and slower.

    Returns
    -------
    dict
        Counts of overlapping and agreeing pixels (`OverlapCount.to_dict`).

    Raises
    ------
    GridError
        If there is no map, a confidence lies on another grid than its map, or the resolution
        is not positive.
    """
    if resolution <= 0:
        raise GridError(f"mosaic resolution {resolution}; it must be positive")
    grids = [require_same_grid((path, read_grid(path)) for path in pair) for pair in maps]
    footprints = [grid.footprint(crs) for grid in grids]
    grid = enclosing_grid(footprints, crs, resolution)
    touched = _tiles_of_blocks(footprints, grid)
    _log.info(
        "mosaic of %d x %d pixels; %d of %d blocks touch a tile",
        *grid.shape,
        len(touched),
        math.ceil(grid.height / BLOCK) * math.ceil(grid.width / BLOCK),
    )
    # GDAL would fill a twentieth of the machine's memory with blocks that are read once.
    with tempfile.TemporaryDirectory() as folder, rasterio.Env(GDAL_CACHEMAX=_CACHE_MB):
        tiled = Path(folder, "mosaic.tif")
        count = _write_blocks(
            tiled, maps, grid, touched, colours=nomenclature.colours, tolerance=tolerance
        )
        set_tags(tiled, class_tags(nomenclature))
        build_pyramid(tiled, touched, BLOCK)
        write_cog(tiled, target, overviews="MODE", block=BLOCK, sparse=True)
    return count.to_dict()


def enclosing_grid(footprints: Sequence[shapely.Polygon], crs: str, resolution: float) -> Grid:
    """The smallest grid on multiples of `resolution` that holds all footprints (in `crs`).

    Raises
    ------
    GridError
        If there is no footprint.
    """
    if not footprints:
        raise GridError("a mosaic needs at least one tile")
    left, bottom, right, top = shapely.total_bounds(footprints) / resolution
    col, row = math.floor(left), math.ceil(top)
    transform = (resolution, 0.0, col * resolution, 0.0, -resolution, row * resolution)
    return Grid(crs, transform, row - math.floor(bottom), math.ceil(right) - col)


def _tiles_of_blocks(
    footprints: Sequence[shapely.Polygon], grid: Grid
) -> dict[tuple[int, int], list[int]]:
    """Tiles (by number) that each block touches, by rows; blocks without tile are left out."""
    left, _, _, top = grid.bounds
    touched: dict[tuple[int, int], list[int]] = defaultdict(list)
    for number, footprint in enumerate(footprints):
        shapely.prepare(footprint)
        side = BLOCK * grid.resolution[0]
        west, south, east, north = footprint.bounds
        for row in range(int((top - north) // side), int((top - south) // side) + 1):
            for col in range(int((west - left) // side), int((east - left) // side) + 1):
                window = _block_window(row, col, grid.shape)
                if min(window.height, window.width) < 1:
                    continue
                if footprint.intersects(grid.cut(window).footprint()):
                    touched[row, col].append(number)
    return dict(sorted(touched.items()))


def _block_window(row: int, col: int, shape: tuple[int, int]) -> Window:
    top, left = row * BLOCK, col * BLOCK
    return Window(top, left, min(BLOCK, shape[0] - top), min(BLOCK, shape[1] - left))


def _write_blocks(
    path: Path,
    maps: Sequence[tuple[str, str]],
    grid: Grid,
    touched: dict[tuple[int, int], list[int]],
    *,
    colours: dict[int, tuple[int, int, int]],
    tolerance: float,
) -> OverlapCount:
    count = OverlapCount()
    progress = Progress("blocks", len(touched))
    with ExitStack() as stack:
        warped = [
            tuple(stack.enter_context(_warped(name, grid, tolerance)) for name in pair)
            for pair in maps
        ]
        dataset = stack.enter_context(rasterio.open(path, "w", **sparse_profile(grid, BLOCK)))
        dataset.write_colormap(1, {code: (*rgb, 255) for code, rgb in colours.items()})
        for (row, col), tiles in touched.items():
            window = _block_window(row, col, grid.shape)
            pairs = [[_read(vrt, window) for vrt in warped[tile]] for tile in tiles]
            codes = [pair[0] for pair in pairs]
            winner = most_confident(codes, [pair[1] for pair in pairs])
            if len(tiles) > 1:
                count.add(codes, winner)
            dataset.write(winner, 1, window=rasterio_window(window))
            progress.advance()
    return count


@contextmanager
def _warped(path: str, grid: Grid, tolerance: float) -> Iterator[WarpedVRT]:
    """A virtual raster of the file on `grid`."""
    with (
        rasterio.open(path) as dataset,
        WarpedVRT(
            dataset,
            crs=grid.crs,
            transform=grid.affine,
            height=grid.height,
            width=grid.width,
            resampling=Resampling.nearest,
            tolerance=tolerance,
        ) as vrt,
    ):
        yield vrt


def _read(vrt: WarpedVRT, window: Window) -> NDArray[np.uint8]:
    values: NDArray[np.uint8] = vrt.read(1, window=rasterio_window(window))
    return values
