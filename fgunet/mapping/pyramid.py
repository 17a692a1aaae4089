"""Overviews of a sparse raster, made only where it has data.

GDAL's own overviews read every pixel of the raster, which for a mosaic of a few tiles over a
country is nearly all nothing (minutes instead of a fraction of a second).
"""

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.windows import Window

from fgunet.grid import Grid
from fgunet.nomenclature import NODATA_CODE, NODATA_CONFIDENCE
from fgunet.rasters import read_grid
from fgunet.whole import require_whole

Halve = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
"""Makes of (y, x) uint8 one pixel of each square of 2 x 2, an odd side rounded up."""


def sparse_profile(grid: Grid, nodata: int, block: int) -> dict[str, object]:
    """Profile of a one-band uint8 GeoTIFF in which blocks without data take no room."""
    return {
        "driver": "GTiff",
        "crs": grid.crs,
        "transform": grid.affine,
        "height": grid.height,
        "width": grid.width,
        "count": 1,
        "dtype": "uint8",
        "nodata": nodata,
        "tiled": True,
        "blockxsize": block,
        "blockysize": block,
        "compress": "deflate",
        "SPARSE_OK": True,
        "BIGTIFF": "IF_SAFER",
    }


def build_pyramid(
    path: Path, blocks: Iterable[tuple[int, int]], *, nodata: int, block: int, halve: Halve
) -> None:
    """Write overviews beside a raster (.ovr, .ovr.ovr, ...).

    Each level is made from the one before, until one block holds the raster; GDAL takes the
    chain of files for the overviews of the first.

    Parameters
    ----------
    path : path
        Raster of one band, uint8.
    blocks : iterable of (row, column)
        Its blocks that may have data.
    nodata : int
        Value of pixels without data.
    block : int
        Side of a block in pixels.
    halve : callable
        `halve_codes` or `halve_percent`.

    Raises
    ------
    OSError
        If an overview was not written whole.
    """
    filled = set(blocks)
    grid = read_grid(path)
    while max(grid.shape) > block:
        filled = {(row // 2, col // 2) for row, col in filled}
        grid = _halved(grid)
        above = path.with_name(f"{path.name}.ovr")
        with (
            rasterio.open(path) as below,
            rasterio.open(above, "w", **sparse_profile(grid, nodata, block)) as level,
        ):
            for row, col in sorted(filled):
                values = _read(below, 2 * block * row, 2 * block * col, 2 * block)
                values = halve(values)
                height, width = values.shape
                level.write(values, 1, window=Window(block * col, block * row, width, height))
        require_whole(above, sparse=True)
        path = above


def _halved(grid: Grid) -> Grid:
    """The grid with pixels twice as large; an odd side is rounded up."""
    a, _, c, _, e, f = grid.transform
    shape = -(-grid.height // 2), -(-grid.width // 2)
    return Grid(grid.crs, (2 * a, 0.0, c, 0.0, 2 * e, f), *shape)


def halve_codes(codes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The most frequent code of each square of 2 x 2 pixels.

    Parameters
    ----------
    codes : ndarray (y, x) uint8
        Codes, 0 = nodata; an odd side is filled up with nodata.

    Returns
    -------
    ndarray (ceil(y / 2), ceil(x / 2)) uint8
        0 only where all four are; of equally frequent codes the upper left one.
    """
    four = _squares(codes, NODATA_CODE)
    votes = np.zeros(four.shape, dtype=np.uint8)
    for other in four:
        votes += four == other
    votes[four == NODATA_CODE] = 0
    best = votes.argmax(axis=0)[np.newaxis]
    winner: NDArray[np.uint8] = np.take_along_axis(four, best, axis=0)[0]
    return winner


def halve_percent(percent: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The mean of each square of 2 x 2 pixels, halves rounded up.

    Parameters
    ----------
    percent : ndarray (y, x) uint8
        Percent, 255 = nodata, which has no part in the mean; an odd side is filled up with it.

    Returns
    -------
    ndarray (ceil(y / 2), ceil(x / 2)) uint8
        255 only where all four are.
    """
    four = _squares(percent, NODATA_CONFIDENCE)
    known = four != NODATA_CONFIDENCE
    count = known.sum(axis=0, dtype=np.uint16)
    total = np.where(known, four, 0).sum(axis=0, dtype=np.uint16)
    mean = (2 * total + count) // np.maximum(2 * count, 1)
    return np.where(count, mean, NODATA_CONFIDENCE).astype(np.uint8)


def _squares(values: NDArray[np.uint8], nodata: int) -> NDArray[np.uint8]:
    """The four pixels (4, y, x) of each square, by rows."""
    height, width = values.shape
    values = np.pad(values, [(0, height % 2), (0, width % 2)], constant_values=nodata)
    return np.stack([values[row::2, col::2] for row in (0, 1) for col in (0, 1)])


def _read(dataset: rasterio.DatasetReader, row: int, col: int, side: int) -> NDArray[np.uint8]:
    height, width = min(side, dataset.height - row), min(side, dataset.width - col)
    values: NDArray[np.uint8] = dataset.read(1, window=Window(col, row, width, height))
    return values
