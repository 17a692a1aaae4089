"""Reading vector layers."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pyogrio
import shapely
from numpy.typing import NDArray

from fgunet.errors import ReferenceDataError
from fgunet.vectors.gdal import as_file, offline
from fgunet.vectors.layers import Layer, find_layer

Bounds = tuple[float, float, float, float]

_CURVED = ("CIRCULARSTRING", "COMPOUNDCURVE", "CURVEPOLYGON", "MULTICURVE", "MULTISURFACE")
_STRAIGHT_TYPES = {"Point", "LineString", "Polygon", "MultiPoint", "MultiLineString"} | {
    "MultiPolygon"
}
_STRAIGHT_DRIVERS = {"ESRI Shapefile", "GeoJSON", "GeoJSONSeq", "FlatGeobuf"}

_ALL = {"GPKG": "1 = 1"}
"""Filters that all features pass. Without any, no more features are read than a GeoPackage notes
of itself, which another program may have left behind the truth."""

_GREATEST_COORDINATE = 1e12
"""In any unit: in millimetres 25 times around the globe."""


@dataclass(frozen=True)
class Features:
    """Features of a layer.

    Attributes
    ----------
    identifier : numpy.ndarray
        (n,), int64: the features' identifiers in the file.
    geometry : numpy.ndarray
        (n,), object: geometries; curves as GDAL approximates them (arcs of 4 degrees), M values
        left out; None where there is none or it cannot be read.
    columns : dict
        (n,) each: fields, by name; whole numbers with gaps as int and None.
    closed : numpy.ndarray
        (n,), bool: True where a ring was open and has been closed.
    unreadable : numpy.ndarray
        (n,), bool: True where the geometry is of a kind that is not supported (a TIN), is broken,
        or has coordinates that are no numbers or beyond any globe.
    """

    identifier: NDArray[np.int64]
    geometry: NDArray[np.object_]
    columns: dict[str, NDArray[Any]]
    closed: NDArray[np.bool_]
    unreadable: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.identifier)

    def only(self, chosen: NDArray[np.bool_]) -> "Features":
        """The features where `chosen` (n,) is True."""
        return Features(
            self.identifier[chosen],
            self.geometry[chosen],
            {name: values[chosen] for name, values in self.columns.items()},
            self.closed[chosen],
            self.unreadable[chosen],
        )


def read_features(
    layer: Layer,
    *,
    columns: Sequence[str],
    where: str | None = None,
    bounds: Bounds | None = None,
) -> Features:
    """Read features of a layer.

    Parameters
    ----------
    layer : Layer
        What to read.
    columns : sequence of str
        Fields to read; each must exist.
    where : str, optional
        OGR SQL filter on the fields.
    bounds : tuple, optional
        (left, bottom, right, top) in the layer's coordinates: only features whose bounds touch
        these are read, by the file's spatial index where there is one. No feature without
        geometry is then read.

    Raises
    ------
    ReferenceDataError
        If a field is missing or holds lists, the filter is wrong, or GDAL meets an error on the
        way.
    """
    names = list(dict.fromkeys(columns))
    layer.require_fields(names)
    if where is not None:
        _require_one_condition(layer, where)
    condition = _ALL.get(layer.driver) if where is None and bounds is None else where
    try:
        with offline():
            meta, identifier, wkb, values = pyogrio.raw.read(
                as_file(layer.path),
                layer=layer.name,
                columns=names,
                where=condition,
                bbox=bounds,
                return_fids=True,
            )
    except (RuntimeError, ValueError) as error:
        raise _unread(layer, where, error) from error
    # GDAL gives fields in the order of the file.
    kinds = dict(zip(map(str, meta["fields"]), meta["ogr_types"], strict=True))
    _require_no_lists(layer, kinds)
    given = {
        name: _whole(column) if "Int" in kind else column
        for (name, kind), column in zip(kinds.items(), values, strict=True)
    }
    geometry, closed, unreadable = _geometries(wkb)
    return Features(
        identifier.astype(np.int64),
        geometry,
        {name: given[name] for name in names},
        closed,
        unreadable,
    )


def curved_features(layer: Layer, bounds: Bounds) -> NDArray[np.int64]:
    """Identifiers (n,), int64, of features within `bounds` that are curved or may hold curves."""
    if layer.geometry_type in _STRAIGHT_TYPES or layer.driver in _STRAIGHT_DRIVERS:
        return np.zeros(0, dtype=np.int64)
    if layer.geometry_type.removesuffix(" Z").removeprefix("2.5D ") in _STRAIGHT_TYPES:
        return np.zeros(0, dtype=np.int64)
    quoted = layer.name.replace('"', '\\"')
    kinds = ", ".join(f"'{kind}'" for kind in _CURVED)
    try:
        with offline():
            _, identifier, _, _ = pyogrio.raw.read(
                as_file(layer.path),
                sql=f'SELECT FID FROM "{quoted}" WHERE OGR_GEOMETRY IN ({kinds})',  # noqa: S608
                sql_dialect="OGRSQL",
                bbox=bounds,
                read_geometry=False,
                return_fids=True,
            )
    except (RuntimeError, ValueError) as error:
        raise _unread(layer, None, error) from error
    return np.asarray(identifier, dtype=np.int64)


def layer_bounds(layer: Layer) -> Bounds:
    """Left, bottom, right and top of a layer, in its coordinates."""
    with offline():
        info = pyogrio.read_info(as_file(layer.path), layer=layer.name, force_total_bounds=True)
    left, bottom, right, top = info["total_bounds"]
    return float(left), float(bottom), float(right), float(top)


def read_layer(
    path: str | os.PathLike[str],
    *,
    layer: str | None = None,
    columns: Sequence[str],
    where: str | None = None,
    area: shapely.Geometry | None = None,
    area_crs: str | None = None,
) -> gpd.GeoDataFrame:
    """Read the features of one layer, only the columns and the area asked for.

    Parameters
    ----------
    path : path
        Any file that OGR reads.
    layer : str, optional
        Layer name; the only layer where left out.
    columns : sequence of str
        Fields to read; each must exist.
    where : str, optional
        OGR SQL filter on the fields.
    area : shapely.Geometry, optional
        Only features that intersect it are read.
    area_crs : str, optional
        Coordinate system of `area`; the layer's own where left out.

    Returns
    -------
    geopandas.GeoDataFrame
        The columns, the geometry, and `feature_id`, the feature's identifier in the file.

    Raises
    ------
    ReferenceDataError
        If the file, the layer or a field does not exist, the layer has no coordinate system, or
        the file is damaged or locked.
    """
    found = find_layer(path, layer)
    if area is not None and area_crs is not None:
        area = gpd.GeoSeries([area], crs=area_crs).to_crs(found.crs).iloc[0]
    bounds = None
    if area is not None:
        left, bottom, right, top = shapely.bounds(area).tolist()
        bounds = (left, bottom, right, top)
    features = read_features(found, columns=columns, where=where, bounds=bounds)
    if area is not None:
        shapely.prepare(area)
        features = features.only(shapely.intersects(area, features.geometry))
    return gpd.GeoDataFrame(
        {"feature_id": features.identifier} | features.columns,
        geometry=features.geometry,
        crs=found.crs,
    )


def _geometries(
    wkb: NDArray[np.object_],
) -> tuple[NDArray[np.object_], NDArray[np.bool_], NDArray[np.bool_]]:
    geometry = np.asarray(shapely.from_wkb(wkb, on_invalid="ignore"), dtype=object)
    given = np.array([one is not None for one in wkb], dtype=bool)
    broken = given & shapely.is_missing(geometry)
    geometry[broken] = shapely.from_wkb(wkb[broken], on_invalid="fix")
    geometry[_beyond(geometry)] = None
    unreadable = given & shapely.is_missing(geometry)
    return geometry, broken & ~unreadable, unreadable


def _beyond(geometry: NDArray[np.object_]) -> NDArray[np.bool_]:
    far = ~(np.abs(shapely.bounds(geometry)) <= _GREATEST_COORDINATE).all(axis=1)
    return np.asarray(far & ~shapely.is_missing(geometry) & ~shapely.is_empty(geometry))


def _require_no_lists(layer: Layer, kinds: dict[str, str]) -> None:
    lists = [name for name, kind in kinds.items() if kind.endswith("List")]
    if lists:
        raise ReferenceDataError(
            f"{layer}: the field {', '.join(lists)} holds lists, where each feature must have one "
            "value; choose another field, or write the values into one of their own"
        )


def _whole(column: NDArray[Any]) -> NDArray[Any]:
    """Whole numbers, which come as floats where the field has gaps: int and None."""
    if column.dtype.kind != "f":
        return column
    result = np.full(len(column), None, dtype=object)
    given = ~np.isnan(column)
    result[given] = column[given].astype(np.int64)
    return result


def _require_one_condition(layer: Layer, where: str) -> None:
    """Refuse what SQLite would pass over.

    It takes a name in double quotes that is no field for a text, and finds nothing; and it reads
    nothing after a semicolon.
    """
    if ";" in re.sub(r"'[^']*'|\"[^\"]*\"", "", where):
        raise ReferenceDataError(
            f"{layer}: the filter {where!r} is more than one condition; correct 'where', which has "
            "no semicolon"
        )
    known = {*layer.fields, layer.identifier, layer.geometry_name, "FID"}
    layer.require_fields([name for name in quoted_names(where) if name not in known])


def quoted_names(sql: str) -> list[str]:
    """Names in double quotes of an SQL expression."""
    return re.findall(r'"([^"]*)"', re.sub(r"'[^']*'", "''", sql))


def _unread(layer: Layer, where: str | None, error: Exception) -> ReferenceDataError:
    if where is None:
        return ReferenceDataError(
            f"{layer} cannot be read: {error}; copy or download the file again"
        )
    return ReferenceDataError(
        f"{layer} cannot be read with the filter {where!r}: {error}; correct 'where' (the fields "
        f"are {', '.join(layer.fields)}), or copy the file again"
    )
