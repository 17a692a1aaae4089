"""Which polygons lie in which tiles."""

import os
from collections.abc import Mapping, Sequence

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from fgunet.files import read_json
from fgunet.grid import Grid
from fgunet.vectors import read_layer

MARGIN_M = 100.0
"""Edges bend when they are reprojected: polygons are taken from so far beyond the tile."""


def polygons_on(
    grid: Grid, path: str | os.PathLike[str], columns: Sequence[str]
) -> gpd.GeoDataFrame:
    """Read the polygons that lie on a grid or within 100 m of it, in the grid's coordinates.

    Parameters
    ----------
    grid : Grid
        Grid of a tile, in metres.
    path : path
        The layer of split polygons, in any coordinate system.
    columns : sequence of str
        Fields to read.

    Returns
    -------
    geopandas.GeoDataFrame
        The columns and the geometry, reprojected corner by corner.

    Raises
    ------
    ReferenceDataError
        If the file or a field does not exist.
    """
    area = shapely.segmentize(grid.footprint(), 1000).buffer(MARGIN_M)
    frame = read_layer(path, columns=columns, area=area, area_crs=grid.crs)
    near: gpd.GeoDataFrame = frame.to_crs(grid.crs)
    return near


def read_footprints(
    paths: Sequence[str | os.PathLike[str]], crs: str
) -> dict[str, shapely.Geometry]:
    """Footprints of tiles in `crs`, by name, from the files of their grids."""
    found = map(read_json, paths)
    return {one["tile"]: Grid.from_dict(one["grid"]).footprint(crs) for one in found}


def tiles_of(
    geometry: NDArray[np.object_], footprints: Mapping[str, shapely.Geometry]
) -> NDArray[np.object_]:
    """Names of the tiles that each polygon touches.

    Parameters
    ----------
    geometry : numpy.ndarray
        (n,), object: polygons.
    footprints : mapping
        Footprint of each tile, in the same coordinate system.

    Returns
    -------
    numpy.ndarray
        (n,), object: sorted names joined by commas.
    """
    names = sorted(footprints)
    tree = shapely.STRtree([footprints[name] for name in names])
    polygon, tile = tree.query(geometry, predicate="intersects")
    order = np.lexsort((tile, polygon))
    polygon, tile = polygon[order], tile[order]
    result = np.full(len(geometry), "", dtype=object)
    start = np.searchsorted(polygon, np.arange(len(geometry) + 1))
    single = np.flatnonzero(np.diff(start) == 1)
    result[single] = np.array(names, dtype=object)[tile[start[single]]]
    for one in np.flatnonzero(np.diff(start) > 1):
        result[one] = ",".join(names[i] for i in tile[start[one] : start[one + 1]])
    return result
