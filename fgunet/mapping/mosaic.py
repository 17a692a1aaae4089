"""One class map of all tiles, in one coordinate system."""

import logging
import math
import os
from collections import defaultdict
from collections.abc import Sequence

import shapely

from fgunet.errors import GridError
from fgunet.grid import Grid, Window
from fgunet.logs import Progress
from fgunet.mapping.attribute_table import attribute_table
from fgunet.mapping.mosaic_tiles import TileMaps, check_maps, common_tags, read_blocks
from fgunet.mapping.overlap import OverlapCount, most_confident
from fgunet.mapping.pyramid import halve_codes, halve_percent
from fgunet.mapping.sparse_cog import BLOCK, Layer, create_sparse_cogs
from fgunet.nomenclature import NODATA_CODE, NODATA_CONFIDENCE, Nomenclature
from fgunet.rasters import gdal_cache

_log = logging.getLogger(__name__)


def mosaic_tiles(
    maps: Sequence[TileMaps],
    nomenclature: Nomenclature,
    path_to_class: str | os.PathLike[str],
    path_to_confidence: str | os.PathLike[str] | None = None,
    *,
    crs: str,
    resolution: float,
    tolerance: float = 0.125,
) -> OverlapCount:
    """Join the class maps of all tiles (nearest neighbour) into one, and their confidences.

    Where tiles overlap, the higher confidence decides, then the order of the tiles. Only
    windows that a tile touches are visited, and only those with data take room in the files.

    Parameters
    ----------
    maps : sequence of TileMaps
        Class map (uint8, 0 = nodata) and confidence (uint8 percent, 255 = nodata) of each tile.
    nomenclature : Nomenclature
        The classes; every class map must name it in its tags.
    path_to_class : path
        COG to write: uint8 codes, 0 = nodata. Its attribute table is written beside it.
    path_to_confidence : path, optional
        COG to write: uint8 percent, 255 = nodata, of the tile that decides.
    crs : str
        Coordinate system of the mosaic ("EPSG:2154").
    resolution : float
        Pixel size in its units. The pixels lie on multiples of it.
    tolerance : float
        Greatest error of the approximate reprojection, in pixels; a small one is exact and slower.

    Returns
    -------
    OverlapCount
        How often each pair of tiles agrees, in pixels of the mosaic.

    Raises
    ------
    GridError
        If there is no map, one is not uint8, a confidence lies on another grid than its map, or
        the resolution is not positive.
    NomenclatureError
        If a class map names another nomenclature or none, or has a code that is not in it.
    MapError
        If a map cannot be read, or a mosaic not written (a full disk); none is left then.
    """
    if resolution <= 0:
        raise GridError(f"mosaic resolution {resolution}; it must be positive")
    footprints = [grid.footprint(crs) for grid in check_maps(maps, nomenclature)]
    grid = enclosing_grid(footprints, crs, resolution)
    touched = _tiles_of_blocks(footprints, grid)
    _log.info(
        "mosaic of %d x %d pixels; %d of %d blocks touch a tile",
        *grid.shape,
        len(touched),
        math.ceil(grid.height / BLOCK) * math.ceil(grid.width / BLOCK),
    )
    layers = [
        Layer(
            path_to_class,
            NODATA_CODE,
            halve_codes,
            common_tags([each.path_to_class for each in maps]),
            nomenclature.colours,
            attribute_table(nomenclature),
        )
    ]
    if path_to_confidence is not None:
        tags = common_tags([each.path_to_confidence for each in maps])
        layers.append(Layer(path_to_confidence, NODATA_CONFIDENCE, halve_percent, tags))
    count = OverlapCount(nomenclature)
    progress = Progress("blocks", len(touched))
    with (
        gdal_cache(256),
        create_sparse_cogs(layers, grid, len(touched)) as write,
    ):
        for block in read_blocks(maps, grid, touched, nomenclature, tolerance=tolerance):
            count.add([maps[tile].tile for tile in block.tiles], block.codes)
            write(block.window, *most_confident(block.codes, block.confidences)[: len(layers)])
            progress.advance()
    return count


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


def _tiles_of_blocks(footprints: Sequence[shapely.Polygon], grid: Grid) -> dict[Window, list[int]]:
    """Tiles (by number) that each block touches, by rows; blocks without tile are left out."""
    left, _, _, top = grid.bounds
    touched: dict[Window, list[int]] = defaultdict(list)
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
                    touched[window].append(number)
    return dict(sorted(touched.items()))


def _block_window(row: int, col: int, shape: tuple[int, int]) -> Window:
    top, left = row * BLOCK, col * BLOCK
    return Window(top, left, min(BLOCK, shape[0] - top), min(BLOCK, shape[1] - left))
