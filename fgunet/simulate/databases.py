"""Reference databases in their native schemas, drawn from the truth as imperfectly as real ones.

CORINE Land Cover really leaves out everything below 25 ha, which would leave next to nothing
of ground a few kilometres wide: here it keeps units from 0.5 ha on, does not merge neighbours
of one class, and is still the coarsest. Urban Atlas draws one polygon a block of houses.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from fgunet.simulate.catalogue import Catalogue
from fgunet.simulate.landscape import Landscape
from fgunet.simulate.outlines import Draughtsman, covers_with, outline_units, redraw
from fgunet.simulate.randomness import generator, hashed_uniforms

_LOG = logging.getLogger(__name__)

CLC, URBAN_ATLAS, RPG, BDTOPO, RGI = "clc", "urban_atlas", "rpg", "bdtopo", "rgi"

STYLES: dict[str, Draughtsman] = {
    CLC: Draughtsman(4.0, 9.0, 5000.0, 0.04, 0.03),
    URBAN_ATLAS: Draughtsman(2.0, 4.0, 1200.0, 0.04, 0.03),
    RPG: Draughtsman(1.0, 4.0, 600.0, 0.05, 0.02),
    BDTOPO: Draughtsman(0.7, 2.5, 50.0, 0.03, 0.0),
    RGI: Draughtsman(6.0, 8.0, 2500.0, 0.0, 0.0),
}
"""How carefully each database is drawn."""

EUROPE, FRANCE, WORLD = "EPSG:3035", "EPSG:2154", "EPSG:4326"


def draw_clc(
    landscape: Landscape, catalogue: Catalogue, *, seed: int, site: str
) -> gpd.GeoDataFrame:
    """CORINE Land Cover of a site: Code_18, ID, Area_Ha, Remark; EPSG:3035."""
    frame = _draw(landscape, catalogue, "clc", CLC, seed=seed, site=site)
    codes = [str(catalogue.covers[cover].clc) for cover in frame["cover"]]
    return _finish(
        frame,
        EUROPE,
        Code_18=codes,
        Remark=[None] * len(frame),
        Area_Ha=np.round(frame.area / 1e4, 3),
        ID=[f"EU_{site}_{i + 1}" for i in range(len(frame))],
    )


def draw_urban_atlas(
    landscape: Landscape, catalogue: Catalogue, *, seed: int, site: str
) -> gpd.GeoDataFrame:
    """Urban Atlas of a site: code_2018, class_2018, area, identifier; EPSG:3035."""
    frame = _draw(landscape, catalogue, "urban_atlas", URBAN_ATLAS, seed=seed, site=site)
    pairs = _pairs(frame, catalogue, "urban_atlas")
    return _finish(
        frame,
        EUROPE,
        country=["FR"] * len(frame),
        fua_name=[site] * len(frame),
        code_2018=[code for code, _ in pairs],
        class_2018=[name for _, name in pairs],
        identifier=[f"{i + 1}-{site}" for i in range(len(frame))],
        area=np.round(frame.area, 1),
    )


def draw_rpg(
    landscape: Landscape, catalogue: Catalogue, *, seed: int, site: str
) -> gpd.GeoDataFrame:
    """RPG parcels of a site: ID_PARCEL, SURF_PARC (ha), CODE_CULTU, CODE_GROUP; EPSG:2154."""
    frame = _draw(landscape, catalogue, "rpg", RPG, seed=seed, site=site)
    pairs = _pairs(frame, catalogue, "rpg")
    return _finish(
        frame,
        FRANCE,
        ID_PARCEL=[""] * len(frame),
        SURF_PARC=np.round(frame.area / 1e4, 2),
        CODE_CULTU=[culture for culture, _ in pairs],
        CODE_GROUP=[group for _, group in pairs],
    )


def draw_water(
    landscape: Landscape, catalogue: Catalogue, *, seed: int, site: str
) -> gpd.GeoDataFrame:
    """BD TOPO water surfaces of a site: NATURE, PERSISTANC; EPSG:2154."""
    frame = _draw(landscape, catalogue, "bdtopo", BDTOPO, seed=seed, site=site)
    return _finish(
        frame,
        FRANCE,
        NATURE=[str(catalogue.covers[cover].bdtopo) for cover in frame["cover"]],
        PERSISTANC=["Permanent"] * len(frame),
    )


def draw_buildings(
    landscape: Landscape, catalogue: Catalogue, *, seed: int, site: str
) -> gpd.GeoDataFrame:
    """BD TOPO buildings of a site, one a roof: NATURE, USAGE1; EPSG:2154."""
    roofs = np.array([material.roof for material in catalogue.materials])
    known = covers_with(catalogue, "buildings")
    wanted = roofs[landscape.material] & known[landscape.cover]
    frame = outline_units(landscape, wanted, landscape.thing)
    frame = redraw(frame, STYLES[BDTOPO], seed=seed, database="buildings", site=site)
    kinds = [catalogue.covers[cover].buildings or ("", "") for cover in frame["cover"]]
    return _finish(
        frame, FRANCE, NATURE=[nature for nature, _ in kinds], USAGE1=[use for _, use in kinds]
    )


def draw_roads(landscape: Landscape, *, seed: int, site: str) -> gpd.GeoDataFrame:
    """BD TOPO road lines of a site: NATURE, IMPORTANCE, LARGEUR (m), POS_SOL; EPSG:2154.

    LARGEUR is the width of the carriageway, up to 1.5 m less than that of the road as painted.
    """
    rng = generator(seed, "database", "roads", site)
    roads = [road for road in landscape.roads if rng.random() >= STYLES[BDTOPO].missing]
    frame = gpd.GeoDataFrame(geometry=[road.line for road in roads], crs=landscape.grid.crs)
    shift = rng.normal(0, STYLES[BDTOPO].shift_m, 2)
    frame["geometry"] = frame.geometry.translate(*shift)
    widths = [round(2 * (road.width_m - rng.uniform(0, 1.5))) / 2 for road in roads]
    return _finish(
        frame,
        FRANCE,
        NATURE=[road.nature for road in roads],
        IMPORTANCE=[road.importance for road in roads],
        LARGEUR=np.array(widths, dtype=float),
        POS_SOL=[road.ground for road in roads],
    )


def draw_rgi(
    landscape: Landscape, catalogue: Catalogue, *, seed: int, site: str
) -> gpd.GeoDataFrame:
    """Outlines of the Randolph Glacier Inventory 6 of a site; EPSG:4326."""
    frame = _draw(landscape, catalogue, "rgi", RGI, seed=seed, site=site)
    area = np.round(frame.area / 1e6, 3)
    points = frame.geometry.centroid.to_crs(WORLD)
    count = len(frame)
    return _finish(
        frame,
        WORLD,
        RGIId=[""] * count,
        GLIMSId=[
            f"G{round(x * 1000) % 360000:06d}E{round(y * 1000):05d}N"
            for x, y in zip(points.x, points.y, strict=True)
        ],
        BgnDate=["20160799"] * count,
        EndDate=["20160999"] * count,
        CenLon=np.round(points.x, 4),
        CenLat=np.round(points.y, 4),
        O1Region=["11"] * count,
        O2Region=["1"] * count,
        Area=area,
        Form=["0"] * count,
        Name=[None] * count,
    )


def number_features(frames: Mapping[str, gpd.GeoDataFrame]) -> None:
    """Give identifiers that must be unique over all sites: parcels and glaciers, in place."""
    rpg, rgi = frames[RPG], frames[RGI]
    rpg["ID_PARCEL"] = [str(1_000_001 + i) for i in range(len(rpg))]
    rgi["RGIId"] = [f"RGI60-11.{i + 1:05d}" for i in range(len(rgi))]


def join_sites(frames: Sequence[gpd.GeoDataFrame]) -> gpd.GeoDataFrame:
    """One layer of the layers of all sites; columns keep their types where sites are empty."""
    filled = [frame for frame in frames if len(frame)]
    if not filled:
        return frames[0]
    return gpd.GeoDataFrame(pd.concat(filled, ignore_index=True), crs=frames[0].crs)


def _draw(
    landscape: Landscape,
    catalogue: Catalogue,
    attribute: str,
    database: str,
    *,
    seed: int,
    site: str,
) -> gpd.GeoDataFrame:
    wanted = covers_with(catalogue, attribute)[landscape.cover]
    frame = outline_units(landscape, wanted, landscape.unit)
    return redraw(frame, STYLES[database], seed=seed, database=database, site=site)


def _pairs(frame: gpd.GeoDataFrame, catalogue: Catalogue, attribute: str) -> list[tuple[str, str]]:
    """The pair of native codes of each feature, always the same one for a mapping unit."""
    draws = hashed_uniforms(frame["unit"].to_numpy(), salt=7)
    choices = [getattr(catalogue.covers[cover], attribute) for cover in frame["cover"]]
    return [pairs[int(u * len(pairs))] for pairs, u in zip(choices, draws, strict=True)]


def _finish(frame: gpd.GeoDataFrame, crs: str, **columns: Any) -> gpd.GeoDataFrame:
    """The native columns and the geometry alone, in the database's CRS."""
    values = {name: np.asarray(column) for name, column in columns.items()}
    return gpd.GeoDataFrame(values, geometry=frame.geometry.to_numpy(), crs=frame.crs).to_crs(crs)


def draw_databases(
    sites: Iterable[tuple[str, Landscape]], catalogue: Catalogue, *, seed: int
) -> dict[str, dict[str, gpd.GeoDataFrame]]:
    """The five databases of all sites: layers by name, by database.

    Parameters
    ----------
    sites : iterable of (name, Landscape)
        By rising name.
    catalogue : Catalogue
        Land covers and their native codes.
    seed : int
        Seed of the run.
    """
    drawn: dict[str, list[gpd.GeoDataFrame]] = {}
    for site, ground in sites:
        for name, draw in _LAYERS.items():
            drawn.setdefault(name, []).append(draw(ground, catalogue, seed=seed, site=site))
        drawn.setdefault(_ROADS, []).append(draw_roads(ground, seed=seed, site=site))
    layers = {name: join_sites(frames) for name, frames in drawn.items()}
    for name, frame in layers.items():
        _LOG.info("%s: %d features", name, len(frame))
    number_features(layers)
    return {
        CLC: {"U2018_CLC2018_V2020_20u1": layers[CLC]},
        URBAN_ATLAS: {"urban_atlas": layers[URBAN_ATLAS]},
        RPG: {"PARCELLES_GRAPHIQUES": layers[RPG]},
        BDTOPO: {name: layers[name] for name in (_WATER, _BUILDINGS, _ROADS)},
        RGI: {"rgi": layers[RGI]},
    }


_WATER, _BUILDINGS, _ROADS = "SURFACE_HYDROGRAPHIQUE", "BATIMENT", "TRONCON_DE_ROUTE"
_LAYERS = {
    CLC: draw_clc,
    URBAN_ATLAS: draw_urban_atlas,
    RPG: draw_rpg,
    RGI: draw_rgi,
    _WATER: draw_water,
    _BUILDINGS: draw_buildings,
}
