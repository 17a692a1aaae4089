"""What a tile sees of a landscape."""

from dataclasses import dataclass

import numpy as np
import pyproj
from numpy.typing import NDArray
from scipy import sparse

from fgunet.errors import GridError
from fgunet.grid import Grid
from fgunet.simulate.catalogue import Catalogue
from fgunet.simulate.landscape import Landscape
from fgunet.simulate.phenology import Surfaces
from fgunet.simulate.randomness import hashed_normals

_TEXTURE = 0.05
_SNOW_EDGE = 0.05
_COLDEST_DAY = 45


@dataclass(frozen=True)
class Scene:
    """A tile's view of the ground.

    Attributes
    ----------
    grid : Grid
        The tile's 10 m grid.
    code : uint8 (y, x)
        The truth: class code at the centre of each pixel.
    height : float32 (y, x)
        Rank of the height, 0..1.
    mixture : sparse matrix (pixel, surface)
        Share of each surface in each pixel, times its fine texture.
    surfaces : Surfaces
        The surfaces, with their reflectance through the year.
    """

    grid: Grid
    code: NDArray[np.uint8]
    height: NDArray[np.float32]
    mixture: sparse.csr_array
    surfaces: Surfaces

    def reflectance(self, day: float) -> NDArray[np.float32]:
        """Surface reflectance without noise (band, y, x), float32, 0..1, on the 10 m grid."""
        pixels = self.mixture @ self.surfaces.reflectance(day)
        return np.ascontiguousarray(pixels.T).reshape(-1, *self.grid.shape)


def view_landscape(
    landscape: Landscape, grid: Grid, catalogue: Catalogue, *, seed: int, region: str
) -> Scene:
    """Look at a landscape through the grid of a tile: each pixel averages four points.

    Raises
    ------
    GridError
        If the tile leaves the landscape.
    """
    quarter = grid.resolution[0] / 4
    corners = [(dx, dy) for dy in (-quarter, quarter) for dx in (-quarter, quarter)]
    cells = np.stack([_cells(landscape.grid, grid, dx, dy) for dx, dy in corners], axis=-1)
    flat = cells.reshape(-1)
    key = landscape.thing.reshape(-1)[flat].astype(np.uint64) * np.uint64(256)
    key += landscape.material.reshape(-1)[flat]
    pairs, surface = np.unique(key, return_inverse=True)
    texture = 1 + _TEXTURE * hashed_normals(flat, salt=seed % 2**31)
    pixels = np.repeat(np.arange(cells.shape[0] * cells.shape[1]), len(corners))
    mixture = sparse.csr_array(
        (texture / np.float32(len(corners)), (pixels, surface.reshape(-1))),
        shape=(cells.shape[0] * cells.shape[1], len(pairs)),
    )
    surfaces = Surfaces(
        catalogue,
        (pairs % 256).astype(np.uint8),
        (pairs // 256).astype(np.uint32),
        seed=seed,
        region=region,
    )
    centre = _cells(landscape.grid, grid, 0.0, 0.0)
    code = catalogue.codes[landscape.cover.reshape(-1)[centre]]
    height = (landscape.height.reshape(-1)[centre] / np.float32(255)).astype(np.float32)
    return Scene(grid, code, height, mixture, surfaces)


def _cells(ground: Grid, tile: Grid, dx: float, dy: float) -> NDArray[np.int64]:
    """Flat index of the cell of ground under each pixel centre (y, x), shifted by (dx, dy) m."""
    x, y = ground_points(ground.crs, tile, dx, dy)
    a, _, c, _, e, f = ground.transform
    cols, rows = np.floor((x - c) / a).astype(np.int64), np.floor((y - f) / e).astype(np.int64)
    inside = (rows >= 0) & (cols >= 0) & (rows < ground.height) & (cols < ground.width)
    if not inside.all():
        raise GridError(
            f"{np.count_nonzero(~inside)} pixels of the tile at {tile.bounds} ({tile.crs}) leave "
            f"the simulated ground {ground.bounds}; simulate the world again with this tile"
        )
    index: NDArray[np.int64] = rows * ground.width + cols
    return index


def ground_points(
    crs: str, tile: Grid, dx: float = 0.0, dy: float = 0.0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Coordinates in `crs` of the pixel centres (y, x) of a tile, shifted by (dx, dy) metres."""
    a, _, c, _, e, f = tile.transform
    cols, rows = np.meshgrid(np.arange(tile.width) + 0.5, np.arange(tile.height) + 0.5)
    transformer = pyproj.Transformer.from_crs(tile.crs, crs, always_xy=True)
    x, y = transformer.transform(c + a * cols + dx, f + e * rows + dy)
    return x, y


def snow_cover(
    height: NDArray[np.float32], day: float, *, winter: float, summer: float
) -> NDArray[np.float32]:
    """Share of snow on the ground (y, x), 0..1.

    Parameters
    ----------
    height : float32 (y, x)
        Rank of the height, 0..1.
    day : float
        Day of the year.
    winter, summer : float
        Height of the snow line on its lowest and on its highest day.
    """
    season = (1 - np.cos(2 * np.pi * (day - _COLDEST_DAY) / 365.25)) / 2
    line = winter + (summer - winter) * season
    share = 1 / (1 + np.exp(-(height - line) / _SNOW_EDGE))
    return np.where(share > 0.02, share, 0).astype(np.float32)
