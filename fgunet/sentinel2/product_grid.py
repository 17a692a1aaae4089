"""The 10 m grid of a product, and the check that its files fit it."""

from collections.abc import Iterable, Mapping

import rasterio

from fgunet.errors import ProductError
from fgunet.grid import Grid
from fgunet.rasters import grid_of
from fgunet.sentinel2.bands import BANDS
from fgunet.sentinel2.images import open_image
from fgunet.sentinel2.stac_tiles import tile_crs

LARGEST_SIDE = 10980
"""Side of a tile, in 10 m pixels; a product may be cut smaller."""

_EASTINGS, _NORTHINGS = (0.0, 1e6), (-1e5, 1.01e7)
"""Where the tiles of any zone lie, in metres, and some way around."""


def ten_metre_grid(product: str, bands: Mapping[str, str], masks: Mapping[str, str]) -> Grid:
    """The 10 m grid of a product's files, each of which is opened and checked.

    Parameters
    ----------
    product : str
        Name of the product, for messages.
    bands : mapping
        File of each band, as GDAL opens it, at least one.
    masks : mapping
        File of each mask, of 10 m or 20 m.

    Returns
    -------
    Grid
        Grid of the 10 m bands; without any, the grid of the 20 m bands with pixels half as large.

    Raises
    ------
    ProductError
        If a file cannot be opened, the pixels of a band are not as large as the band's are, the
        grid is larger than a tile or where no tile is, or a file lies neither on the 10 m grid nor
        on the same ground with pixels twice as large.
    """
    grids = {name: read_product_grid(path) for name, path in bands.items()}
    for name, grid in grids.items():
        _require_pixel_size(bands[name], grid, BANDS[name].resolution_m, f"band {name}")
    finest = min(grids, key=lambda name: BANDS[name].resolution_m)
    grid = _refined(grids[finest], BANDS[finest].resolution_m // 10)
    _require_size_of_tile(bands[finest], grid)
    _require_place_of_tile(bands[finest], grid)
    for name, found in grids.items():
        _require_fit(bands[name], found, grid)
    for path in masks.values():
        _require_fit(path, read_product_grid(path), grid)
    return grid


def require_zone(product: str, tile: str, grid: Grid) -> None:
    """Refuse a product whose files lie in another coordinate system than its tile's.

    Parameters
    ----------
    product : str
        Name or path of the product, for messages.
    tile : str
        Name of its tile ("T31TCJ").
    grid : Grid
        Grid of its files.

    Raises
    ------
    ProductError
        If they do.
    """
    if grid.crs != tile_crs(tile):
        raise ProductError(
            f"{product} is of tile {tile}, whose coordinate system is {tile_crs(tile)}; its files "
            f"lie in {grid.crs}. Download the product again, or take it away"
        )


def read_product_grid(path: str) -> Grid:
    """The grid of a file. Raises ProductError, saying what to do, if it cannot be read."""
    try:
        with open_image(path) as dataset:
            return grid_of(dataset)
    except (rasterio.errors.RasterioError, OSError, ValueError) as error:
        raise ProductError(unreadable(path, error)) from error


def unreadable(path: str, error: Exception) -> str:
    """Message for a file that cannot be read."""
    cause = error.__cause__ or error
    return f"{path} cannot be read ({cause}); download the product again, or take it away"


def declared_nodata(paths: Iterable[str]) -> int | None:
    """The nodata number that files declare, or None if none does.

    Raises
    ------
    ProductError
        If two files declare different numbers, or one no whole number.
    """
    found: dict[int, str] = {}
    for path in paths:
        with open_image(path) as dataset:
            number = dataset.nodata
        if number is None:
            continue
        if not float(number).is_integer():
            raise ProductError(f"{path} declares nodata {number}; expected a whole number")
        found.setdefault(int(number), path)
    if len(found) > 1:
        told = ", ".join(f"{number} in {path}" for number, path in sorted(found.items()))
        raise ProductError(f"the bands of one product declare different nodata: {told}")
    return next(iter(found), None)


def _refined(grid: Grid, factor: int) -> Grid:
    a, _, c, _, e, f = grid.transform
    shape = grid.height * factor, grid.width * factor
    return Grid(grid.crs, (a / factor, 0.0, c, 0.0, e / factor, f), *shape)


def _require_pixel_size(path: str, grid: Grid, expected: int, what: str) -> None:
    if grid.resolution != (expected, expected):
        x, y = grid.resolution
        raise ProductError(
            f"{path} has pixels of {x:g} m x {y:g} m; {what} has pixels of {expected} m. The "
            "product was resampled or cut without its georeference: download it again, or take "
            "it away"
        )


def _require_size_of_tile(path: str, grid: Grid) -> None:
    """Refuse a small file that would be a huge image."""
    if max(grid.shape) > LARGEST_SIDE:
        raise ProductError(
            f"{path} makes a 10 m grid of {grid.height} x {grid.width} pixels; a tile of "
            f"Sentinel-2 has {LARGEST_SIDE} x {LARGEST_SIDE}. Download the product again, or take "
            "it away"
        )


def _require_place_of_tile(path: str, grid: Grid) -> None:
    left, bottom, right, top = grid.bounds
    if not (
        _EASTINGS[0] <= left and right <= _EASTINGS[1]
        and _NORTHINGS[0] <= bottom and top <= _NORTHINGS[1]
    ):  # fmt: skip
        raise ProductError(
            f"{path} lies at {left:g} to {right:g} east and {bottom:g} to {top:g} north; tiles lie "
            f"within {_EASTINGS[0]:g} to {_EASTINGS[1]:g} and {_NORTHINGS[0]:g} to "
            f"{_NORTHINGS[1]:g}. Download the product again, or take it away"
        )


def _require_fit(path: str, found: Grid, grid: Grid) -> None:
    """Refuse a file that lies neither on `grid` nor on `grid` with pixels twice as large."""
    fitting = [grid]
    if grid.height % 2 == 0 and grid.width % 2 == 0:
        fitting.append(grid.coarsened(2))
    if found not in fitting:
        raise ProductError(
            f"{path} lies on {found}; the product's 10 m grid is {grid}, and each 20 m pixel must "
            "cover exactly four of its pixels, from the same upper left corner. Download the "
            "product again, or crop its 10 m and 20 m files to the same ground"
        )
