"""Outlines of mapping units, drawn as imperfectly as real databases draw them."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from rasterio.features import shapes

from fgunet.simulate.catalogue import Catalogue
from fgunet.simulate.landscape import Landscape
from fgunet.simulate.randomness import generator


@dataclass(frozen=True)
class Draughtsman:
    """How a database is drawn.

    Attributes
    ----------
    shift_m : float
        Standard deviation of its displacement on a site, in metres.
    tolerance_m : float
        Generalisation of its lines, in metres.
    minimum_m2 : float
        Smallest area that is drawn.
    missing : float
        Share of the features left out.
    mistaken : float
        Share of the features with the attributes of another feature.
    """

    shift_m: float
    tolerance_m: float
    minimum_m2: float
    missing: float
    mistaken: float


def outline_units(
    landscape: Landscape, wanted: NDArray[np.bool_], ids: NDArray[np.uint32]
) -> gpd.GeoDataFrame:
    """Outlines of all patches of equal identifier among the cells `wanted` (y, x).

    Returns
    -------
    geopandas.GeoDataFrame
        `unit` (int), `cover` (int, the catalogue's number) and the exact outline.
    """
    # GDAL outlines no uint32: identifiers are counted anew for it.
    values, places = np.unique(ids[wanted], return_inverse=True)
    compact = np.zeros(landscape.grid.shape, dtype=np.int32)
    compact[wanted] = places.reshape(-1) + 1
    found = list(shapes(compact, mask=wanted, transform=landscape.grid.affine))
    rows = np.array([value for _, value in found], dtype=np.int64) - 1
    cover_of = np.zeros(len(values), dtype=np.int64)
    cover_of[places.reshape(-1)] = landscape.cover[wanted]
    return gpd.GeoDataFrame(
        {"unit": values[rows].astype(np.int64), "cover": cover_of[rows]},
        geometry=[shapely.geometry.shape(outline) for outline, _ in found],
        crs=landscape.grid.crs,
    )


def redraw(
    frame: gpd.GeoDataFrame, style: Draughtsman, *, seed: int, database: str, site: str
) -> gpd.GeoDataFrame:
    """Draw outlines as a database would: shifted, generalised, some missing or mistaken.

    A mistaken feature takes the cover of another one of the same database and site.
    """
    rng = generator(seed, "database", database, site)
    shift = rng.normal(0, style.shift_m, 2)
    outlines = shapely.simplify(frame.geometry.to_numpy(), style.tolerance_m)
    outlines = shapely.transform(shapely.make_valid(outlines), lambda points: points + shift)
    frame = frame.set_geometry(gpd.GeoSeries(outlines, index=frame.index, crs=frame.crs))
    frame = frame[frame.geom_type.isin(["Polygon", "MultiPolygon"])]
    frame = frame[frame.area >= style.minimum_m2]
    frame = frame[rng.random(len(frame)) >= style.missing].reset_index(drop=True)
    wrong = np.flatnonzero(rng.random(len(frame)) < style.mistaken)
    if len(frame):
        others = rng.integers(0, len(frame), len(wrong))
        frame.loc[wrong, "cover"] = frame["cover"].to_numpy()[others]
    return frame


def covers_with(catalogue: Catalogue, attribute: str) -> NDArray[np.bool_]:
    """Which covers a database knows: those whose `attribute` is not empty, bool (cover,)."""
    return np.array([bool(getattr(cover, attribute)) for cover in catalogue.covers])
