"""The landscape of a site: its truth, cell by cell, and its roads."""

import logging
import os
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from fgunet.grid import Grid
from fgunet.rasters import read_band, read_grid, write_raster
from fgunet.simulate.canvas import Canvas
from fgunet.simulate.catalogue import Catalogue
from fgunet.simulate.countryside import make_relief, paint_layer
from fgunet.simulate.randomness import generator
from fgunet.simulate.roads import Road, country_roads, motorway, on_land, paint_roads
from fgunet.simulate.sites import Site
from fgunet.simulate.towns import build_town, choose_frame
from fgunet.vectors import write_layer

_LOG = logging.getLogger(__name__)

_LAYERS = ("cover", "material", "unit", "thing", "height")
_ROADS = "roads.gpkg"


@dataclass(frozen=True)
class Landscape:
    """The ground of a site. All rasters (y, x) on `grid`, cells of 5 m.

    Attributes
    ----------
    kind : str
        Kind of landscape.
    cover, material : uint8
        Numbers in the catalogue.
    unit : uint32
        Mapping unit: what a database draws as one polygon (a field, a stand, a block).
    thing : uint32
        What varies as one in reflectance (a field, a roof, a garden).
    height : uint8
        Rank of the height, 0 (lowest) to 255.
    roads : tuple of Road
        Centre lines with their width.
    """

    kind: str
    grid: Grid
    cover: NDArray[np.uint8]
    material: NDArray[np.uint8]
    unit: NDArray[np.uint32]
    thing: NDArray[np.uint32]
    height: NDArray[np.uint8]
    roads: tuple[Road, ...]


def build_landscape(site: Site, catalogue: Catalogue, *, seed: int) -> Landscape:
    """Make the landscape of a site; the same site and seed give the same landscape.

    Raises
    ------
    ConfigError
        If the site asks for a kind of landscape that does not exist.
    """
    recipe = catalogue.landscape(site.landscape)
    style = catalogue.towns
    cell = site.grid.resolution[0]
    rng = generator(seed, "landscape", site.name)
    canvas = Canvas(catalogue, cell, make_relief(rng, site.grid.shape, cell, recipe["relief"]))
    for layer in recipe["layers"]:
        paint_layer(rng, canvas, layer)
    roads: list[Road] = []
    for tile in site.tiles:
        frame = choose_frame(rng, canvas, site.grid, tile.grid, recipe["town"])
        roads += build_town(rng, canvas, site.grid, frame=frame, recipe=recipe["town"], style=style)
        reach = 0.45 * frame.size * cell
        count = recipe["roads"]["count"]
        roads += country_roads(
            rng, site.grid, centre=frame.centre, reach_m=reach, count=count, style=style
        )
        for _ in range(recipe["roads"]["motorways"]):
            turn = rng.uniform(0, 2 * np.pi)
            past = (
                frame.centre[0] + 1.25 * reach * np.cos(turn),
                frame.centre[1] + 1.25 * reach * np.sin(turn),
            )
            roads += motorway(rng, site.grid, past, style)
    roads = on_land(roads, canvas.open_ground(), site.grid)
    paint_roads(canvas, site.grid, roads)
    _LOG.info(
        "site %s: %s, %d cells a side, %d road sections",
        site.name,
        site.landscape,
        max(site.grid.shape),
        len(roads),
    )
    height = np.minimum(canvas.height * 256, 255).astype(np.uint8)
    return Landscape(
        site.landscape,
        site.grid,
        canvas.cover,
        canvas.material,
        canvas.unit,
        canvas.thing,
        height,
        tuple(roads),
    )


def write_landscape(folder: str | os.PathLike[str], landscape: Landscape) -> None:
    """Write a landscape as GeoTIFFs and one GeoPackage of roads into `folder`."""
    folder = Path(folder)
    for name in _LAYERS:
        write_raster(folder / f"{name}.tif", getattr(landscape, name), landscape.grid, None)
    roads = landscape.roads
    frame = gpd.GeoDataFrame(
        {
            "width_m": [road.width_m for road in roads],
            "cover": [road.cover for road in roads],
            "nature": [road.nature for road in roads],
            "importance": [road.importance for road in roads],
            "ground": [road.ground for road in roads],
        },
        geometry=[road.line for road in roads],
        crs=landscape.grid.crs,
    )
    write_layer(folder / _ROADS, frame)
    (folder / "kind.txt").write_text(landscape.kind + "\n", encoding="utf-8")


def read_landscape(folder: str | os.PathLike[str]) -> Landscape:
    """Read what `write_landscape` wrote."""
    folder = Path(folder)
    rasters = {name: read_band(folder / f"{name}.tif") for name in _LAYERS}
    frame = gpd.read_file(folder / _ROADS, engine="pyogrio").explode(index_parts=False)
    roads = tuple(
        Road(row.geometry, row.width_m, row.cover, row.nature, row.importance, row.ground)
        for row in frame.itertuples()
    )
    kind = (folder / "kind.txt").read_text(encoding="utf-8").strip()
    return Landscape(kind, read_grid(folder / "cover.tif"), **rasters, roads=roads)
