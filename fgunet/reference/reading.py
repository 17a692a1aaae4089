"""The features of a source that lie near the tiles."""

from collections.abc import Iterator, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from fgunet.errors import ReferenceDataError
from fgunet.reference.expression import fields_of
from fgunet.reference.source import Source
from fgunet.reference.tally import Tally
from fgunet.vectors.hollow import count_hollow
from fgunet.vectors.layers import Layer
from fgunet.vectors.reading import Features, curved_features, layer_bounds, read_features

GREATEST_WIDTH_M = 1000.0
"""Lines are no wider than this: so it is known how far from a zone they must be read."""

_LEAST_MARGIN_M = 100.0
"""Features this near are read: edges bend when they are reprojected."""

_STEP_M = 1000.0


def features_near(
    source: Source, layer: Layer, zones: Sequence[shapely.Geometry], crs: str, tally: Tally
) -> Features:
    """Read the features whose bounds touch the zones or come near, each once.

    The layer is read zone by zone, by its spatial index where it has one, so that a large file
    costs what the zones need.

    Parameters
    ----------
    source : Source
        What to read.
    layer : Layer
        Its layer.
    zones : sequence of shapely.Geometry
        Polygons in `crs`; they may overlap.
    crs : str
        Coordinate system of the run, in metres.
    tally : Tally
        Counts what is read; changed in place.

    Returns
    -------
    Features
        By rising identifier, with the fields that the source needs.

    Raises
    ------
    ReferenceDataError
        If the layer is empty, a field is missing, the filter or the expression is wrong, the
        file cannot be read, its coordinate system is not one of the Earth, or nothing lies in
        the zones and the source is not optional.
    """
    # What a file says of itself may be stale.
    if layer.features == 0 and not len(read_features(layer, columns=[])):
        raise ReferenceDataError(
            f"source {source.name!r}: {layer} is empty: 0 features; give a layer with polygons or "
            "lines, or remove the source"
        )
    columns = columns_of(source, layer)
    tally.hollow = count_hollow(layer)
    read: list[Features] = []
    curved: list[NDArray[np.int64]] = [np.zeros(0, dtype=np.int64)]
    for area in _areas(zones, crs, layer, margin_m(source)):
        left, bottom, right, top = shapely.bounds(area).tolist()
        bounds = (left, bottom, right, top)
        found = read_features(layer, columns=columns, where=source.where, bounds=bounds)
        read.append(found.only(_touching(found, area)))
        curved.append(curved_features(layer, bounds))
    if not any(len(features) for features in read):
        require_optional(source, layer, zones, crs)
    features = _joined([*read, _none(columns)])
    tally.read = len(features)
    tally.linearised = int(np.isin(features.identifier, np.concatenate(curved)).sum())
    return features


def columns_of(source: Source, layer: Layer) -> list[str]:
    """Fields that a source needs.

    Raises
    ------
    ReferenceDataError
        If one is missing, or the expression is wrong.
    """
    names = [source.field, source.id_field, source.buffer_field]
    columns = [name for name in names if name is not None]
    if source.expression is not None:
        columns += fields_of(source.expression, layer.fields, path=layer.path)
    columns = list(dict.fromkeys(columns))
    layer.require_fields(columns)
    return columns


def margin_m(source: Source) -> float:
    """How far beyond a zone features are read, in m."""
    reach = GREATEST_WIDTH_M / 2 if source.buffer_field else source.buffer_m or 0.0
    return _LEAST_MARGIN_M + reach


def require_optional(
    source: Source, layer: Layer, zones: Sequence[shapely.Geometry], crs: str
) -> None:
    """Stop where a source that has nothing in the zones should have something.

    Raises
    ------
    ReferenceDataError
        If the source is not optional.
    """
    if source.optional:
        return
    passing = f" that passes the filter {source.where!r}" if source.where else ""
    raise ReferenceDataError(
        f"source {source.name!r}: {layer} has no feature in the tiles{passing}: it spans "
        f"{_span(layer_bounds(layer))} in {pyproj.CRS(layer.crs).name}, the tiles "
        f"{_span(shapely.total_bounds(np.array(zones)))} in {pyproj.CRS(crs).name}; correct its "
        "path, coordinate system or filter, or set 'optional: true' where it need not be there"
    )


def _span(bounds: Sequence[float] | NDArray[np.float64]) -> str:
    left, bottom, right, top = (f"{value:.9g}" for value in bounds)
    return f"{left} to {right} east and {bottom} to {top} north"


def _areas(
    zones: Sequence[shapely.Geometry], crs: str, layer: Layer, margin: float
) -> Iterator[shapely.Geometry]:
    """Distinct zones with their margin, in the coordinate system of a layer."""
    distinct = {shapely.to_wkb(shapely.normalize(zone)): zone for zone in zones}
    # Straight edges bend: short steps follow them.
    wide = [
        shapely.segmentize(shapely.buffer(zone, margin, join_style="mitre"), _STEP_M)
        for zone in distinct.values()
    ]
    try:
        areas = gpd.GeoSeries(wide, crs=crs).to_crs(layer.crs)
    except pyproj.exceptions.ProjError as error:
        raise ReferenceDataError(
            f"{layer}: its coordinate system cannot be reached from {crs}, that of the run: "
            f"{error}; set the right one with ogr2ogr -a_srs"
        ) from error
    for area in areas:
        # Out of the other system's reach, where the layer cannot have a feature.
        if np.isfinite(shapely.bounds(area)).all():
            shapely.prepare(area)
            yield area


def _touching(features: Features, area: shapely.Geometry) -> NDArray[np.bool_]:
    """Features whose bounds touch an area; bounds can be told of broken outlines too."""
    bounds = shapely.bounds(features.geometry)
    known = np.isfinite(bounds).all(axis=1)
    touching = ~known
    touching[known] = shapely.intersects(area, shapely.box(*bounds[known].T))
    return np.asarray(touching, dtype=bool)


def _none(columns: Sequence[str]) -> Features:
    """No feature; so that there is something to join where no zone is within reach."""
    nothing = np.zeros(0, dtype=object)
    no = np.zeros(0, dtype=bool)
    return Features(no.astype(np.int64), nothing, dict.fromkeys(columns, nothing), no, no)


def _joined(read: Sequence[Features]) -> Features:
    """All features by rising identifier, each once though zones overlap."""
    identifier, order = np.unique(
        np.concatenate([features.identifier for features in read]), return_index=True
    )
    return Features(
        identifier,
        np.concatenate([features.geometry for features in read])[order],
        {
            # A field with gaps in one zone alone has another type there.
            name: _alike([one.columns[name] for one in read if len(one)])[order]
            for name in read[0].columns
        },
        np.concatenate([features.closed for features in read])[order],
        np.concatenate([features.unreadable for features in read])[order],
    )


def _alike(parts: list[NDArray[Any]]) -> NDArray[Any]:
    if len({part.dtype for part in parts}) != 1:
        parts = [np.zeros(0, dtype=object), *(part.astype(object) for part in parts)]
    return np.concatenate(parts)
