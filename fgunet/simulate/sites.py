"""Sites: pieces of ground that one tile, or several overlapping tiles, look at."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import shapely

from fgunet.errors import ConfigError
from fgunet.grid import Grid

WORLD_CRS = "EPSG:2154"
"""Coordinate system of the simulated ground (Lambert-93, that of the French databases)."""

CELL_M = 5.0
"""Size of a cell of ground, in metres: half a pixel of the finest bands."""

MARGIN_M = 120.0
"""Ground beyond the outermost tile, in metres."""

PIXEL_M = 10.0
"""Size of a pixel of a tile, in metres."""


@dataclass(frozen=True)
class Placement:
    """Where a simulated tile lies (10 m grid) and what kind of landscape it shows."""

    name: str
    grid: Grid
    landscape: str


@dataclass(frozen=True)
class Site:
    """Ground under one or more tiles: a grid of 5 m cells in Lambert-93."""

    name: str
    landscape: str
    grid: Grid
    tiles: tuple[Placement, ...]


def place_tile(
    name: str, *, crs: str, left: float, top: float, size: int, landscape: str
) -> Placement:
    """A tile of `size` x `size` pixels of 10 m with its upper left corner at (left, top).

    Raises
    ------
    ConfigError
        If the corner is not on multiples of 20 m or the size is odd: then the 20 m bands
        would not fit the 10 m bands.
    """
    if left % (2 * PIXEL_M) or top % (2 * PIXEL_M) or size % 2:
        raise ConfigError(
            f"simulated tile {name} starts at ({left}, {top}) and has {size} pixels a side; "
            "left and top must be multiples of 20 m and the size even"
        )
    transform = (PIXEL_M, 0.0, float(left), 0.0, -PIXEL_M, float(top))
    return Placement(name, Grid(crs, transform, size, size), landscape)


def group_sites(tiles: Sequence[Placement]) -> tuple[Site, ...]:
    """Put tiles that share ground on one site, so that they show the same world.

    Raises
    ------
    ConfigError
        If tiles that overlap ask for different landscapes.
    """
    footprints = {tile.name: tile.grid.footprint(WORLD_CRS).buffer(MARGIN_M) for tile in tiles}
    left = sorted(tiles, key=lambda tile: tile.name)
    sites = []
    while left:
        group = [left.pop(0)]
        for member in group:
            near = [t for t in left if footprints[t.name].intersects(footprints[member.name])]
            group += near
            left = [tile for tile in left if tile not in near]
        group.sort(key=lambda tile: tile.name)
        sites.append(_site(group, [footprints[tile.name] for tile in group]))
    return tuple(sites)


def _site(tiles: Sequence[Placement], footprints: Sequence[shapely.Polygon]) -> Site:
    kinds = sorted({tile.landscape for tile in tiles})
    names = [tile.name for tile in tiles]
    if len(kinds) > 1:
        raise ConfigError(
            f"simulated tiles {', '.join(names)} overlap but ask for the landscapes "
            f"{', '.join(kinds)}; overlapping tiles show the same ground, give them one landscape"
        )
    left, bottom, right, top = shapely.union_all(list(footprints)).bounds
    west, north = math.floor(left / CELL_M) * CELL_M, math.ceil(top / CELL_M) * CELL_M
    height, width = math.ceil((north - bottom) / CELL_M), math.ceil((right - west) / CELL_M)
    grid = Grid(WORLD_CRS, (CELL_M, 0.0, west, 0.0, -CELL_M, north), height, width)
    return Site("-".join(names), kinds[0], grid, tuple(tiles))
