"""The points of a sample, for a person to fill in, and what maps have there."""

import os
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray

from fgunet.accuracy.areas import M2_PER_HECTARE
from fgunet.errors import AccuracyError
from fgunet.grid import Grid, Window
from fgunet.nomenclature import Nomenclature
from fgunet.rasters import OpenBand, gdal_cache, read_grid
from fgunet.vectors import find_layer, read_layer

DESIGN = ("point_id", "stratum", "stratum_pixels", "stratum_points", "map_pixels", "pixel_m2")
"""Fields that carry the design of a sample, so that the points alone are enough to judge by."""

REFERENCE = "reference"
"""Field for the code of the class that is seen at a point; empty as drawn."""

_AT_THE_EDGE = 0.5
"""Pixels that a point may lie outside: a mosaic reaches across the edge of a tile by less."""


def pixel_area(crs: str, resolution: tuple[float, float]) -> float:
    """Area of a pixel in square metres, on the plane of its coordinate system.

    On the ground it is that only where the coordinate system keeps areas (`keeps_areas`).

    Raises
    ------
    AccuracyError
        If the coordinates are degrees.
    """
    system = pyproj.CRS(crs)
    if not system.is_projected:
        raise AccuracyError(
            f"areas cannot be counted in {crs}, whose pixels are of degrees; set "
            "mapping.mosaic_crs to a system that keeps areas, such as EPSG:3035"
        )
    across, down = (axis.unit_conversion_factor for axis in system.axis_info[:2])
    return float(resolution[0] * across * resolution[1] * down)


def keeps_areas(crs: str) -> bool:
    """Whether a coordinate system is of an equal-area projection."""
    operation = pyproj.CRS(crs).coordinate_operation
    return operation is not None and "Equal Area" in operation.method_name


def points_frame(
    grid: Grid,
    rows: NDArray[np.int64],
    cols: NDArray[np.int64],
    labels: NDArray[np.int64],
    pixels: NDArray[np.int64],
    *,
    seed: int,
) -> tuple[gpd.GeoDataFrame, NDArray[np.int64]]:
    """Points for a person to fill in, who cannot tell from them what the map says.

    Parameters
    ----------
    grid : Grid
        Grid of the map.
    rows, cols, labels : ndarray of int64, (n,)
        Pixels and their mapped classes, as `fgunet.accuracy.drawing.draw_pixels` gives them.
    pixels : ndarray of int64, (k,)
        Pixels of each class in the map.
    seed : int
        Seed of the numbers of the strata.

    Returns
    -------
    points : geopandas.GeoDataFrame
        The fields of `DESIGN`, REFERENCE (empty), and centres of the pixels. point_id counts
        from 1; pixel_m2 is in square metres.
    numbers : ndarray of int64, (k,)
        Number of the stratum of each class, 1...k in random order.

    Raises
    ------
    AccuracyError
        As `pixel_area` does.
    """
    numbers = np.random.default_rng([seed, 256]).permutation(len(pixels)) + 1
    a, _, left, _, e, top = grid.transform
    frame = gpd.GeoDataFrame(
        {
            "point_id": np.arange(1, len(rows) + 1),
            "stratum": numbers[labels],
            "stratum_pixels": pixels[labels],
            "stratum_points": np.bincount(labels, minlength=len(pixels))[labels],
            "map_pixels": pixels.sum(),
            "pixel_m2": pixel_area(grid.crs, grid.resolution),
            REFERENCE: pd.array([None] * len(rows), dtype="Int32"),
        },
        geometry=shapely.points(left + a * (cols + 0.5), top + e * (rows + 0.5)),
        crs=grid.crs,
    )
    return frame, numbers


def strata_table(
    classes: Nomenclature,
    numbers: NDArray[np.int64],
    pixels: NDArray[np.int64],
    points: NDArray[np.int64],
    pixel_m2: float,
) -> list[dict[str, Any]]:
    """What each stratum is: the class of its number, and how many pixels and points it has.

    Parameters
    ----------
    classes : Nomenclature
        The k classes.
    numbers, pixels, points : ndarray of int64, (k,)
        Number of the stratum of each class, its pixels and its points.
    pixel_m2 : float
        Area of a pixel in square metres.

    Returns
    -------
    list of dict
        JSON can hold it; one a mapped class: stratum, code, name, pixels, area_ha, points.
    """
    return [
        {
            "stratum": int(numbers[label]),
            "code": one.code,
            "name": one.name,
            "pixels": int(pixels[label]),
            "area_ha": float(pixels[label] * pixel_m2 / M2_PER_HECTARE),
            "points": int(points[label]),
        }
        for label, one in enumerate(classes.classes)
        if pixels[label]
    ]


def refuse_filled_in(path: str | os.PathLike[str]) -> None:
    """Refuse to draw points over those that a person has begun to fill in.

    Raises
    ------
    AccuracyError
        If the file exists, and a point has a class or the points have a field more.
    ReferenceDataError
        If it cannot be read, or has lost its field REFERENCE.
    """
    if not Path(path).exists():
        return
    added = sorted(set(find_layer(path).fields) - {*DESIGN, REFERENCE})
    filled = int(read_layer(path, columns=[REFERENCE])[REFERENCE].notna().sum())
    if filled or added:
        found = f"the new field {', '.join(added)}" if added else f"a class at {filled} points"
        raise AccuracyError(
            f"{path} is to be drawn again, but has {found}; move it to a place of your own and "
            "name it under accuracy.sample.labelled, or delete it"
        )


def require_inside(
    inside: NDArray[np.bool_],
    path_to_points: str | os.PathLike[str],
    path_to_map: str | os.PathLike[str],
) -> None:
    """Refuse points outside of the map that they are to judge.

    Raises
    ------
    AccuracyError
        If any lies outside.
    """
    if not inside.all():
        raise AccuracyError(
            f"{np.count_nonzero(~inside)} of {inside.size} points of {path_to_points} lie outside "
            f"of {path_to_map}; give the sample of this map, or correct the coordinate system "
            "of the points"
        )


def codes_at(
    path: str | os.PathLike[str], points: gpd.GeoDataFrame
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Read a map at points.

    Parameters
    ----------
    path : path
        Class map (uint8, 0 = nodata).
    points : geopandas.GeoDataFrame
        n points, in any coordinate system.

    Returns
    -------
    codes : ndarray of uint8, (n,)
        Code of the pixel that each point lies in; 0 outside of the map.
    inside : ndarray of bool, (n,)
        Whether it lies in the map, or beyond its edge by half a pixel at most.

    Raises
    ------
    GridError
        As `fgunet.rasters.read_grid` does.
    """
    grid = read_grid(path)
    x, y = shapely.get_coordinates(points.to_crs(grid.crs).geometry.centroid.to_numpy()).T
    a, _, left, _, e, top = grid.transform
    row, col = (y - top) / e, (x - left) / a
    low, high = -_AT_THE_EDGE, _AT_THE_EDGE
    inside = (row >= low) & (row < grid.height + high) & (col >= low) & (col < grid.width + high)
    rows = np.clip(np.floor(row), 0, grid.height - 1).astype(np.int64)
    cols = np.clip(np.floor(col), 0, grid.width - 1).astype(np.int64)
    codes = np.zeros(len(points), dtype=np.uint8)
    band = OpenBand(path)
    with gdal_cache():
        for place in np.flatnonzero(inside):
            codes[place] = band.read(Window(int(rows[place]), int(cols[place]), 1, 1))[0, 0]
    return codes, inside
