"""From the features of a source to class polygons in metres."""

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from fgunet.errors import ReferenceDataError
from fgunet.reference import identity, shapes
from fgunet.reference.expression import evaluate, fields_of
from fgunet.reference.reading import GREATEST_WIDTH_M
from fgunet.reference.source import Source
from fgunet.reference.tally import Tally
from fgunet.reference.translation import plain_translation, source_codes, translate
from fgunet.vectors.layers import Layer
from fgunet.vectors.reading import Features

_LISTED = 5


def classified(
    features: Features, source: Source, layer: Layer, codes: Sequence[int], tally: Tally
) -> gpd.GeoDataFrame:
    """Features with a class: value (source code), code, and id and width where asked for.

    Parameters
    ----------
    features : Features
        What was read.
    source, layer : Source, Layer
        How to take it.
    codes : sequence of int
        Codes of the nomenclature.
    tally : Tally
        Counts what is left out; changed in place.

    Raises
    ------
    ReferenceDataError
        If a source code is not known, or an identifier is missing or repeated.
    """
    frame = gpd.GeoDataFrame(geometry=features.geometry, crs=layer.crs)
    if source.id_field is not None:
        frame["id"] = _identifiers(features, source.id_field, layer)
    if source.buffer_field is not None:
        frame["width"] = _widths(features.columns[source.buffer_field], source, layer)
    values = _values(features, source, layer)
    frame["value"] = values
    if source.code is not None:
        frame["code"] = source.code
    else:
        frame["code"] = _codes(values, source, layer, codes)
    missing = frame["value"].isna().to_numpy() & (source.code is None)
    tally.drop_features("no value in the field", int(missing.sum()))
    ignored = ~missing & (frame["code"].to_numpy() == 0)
    tally.ignore_values(values[ignored])
    kept = ~missing & ~ignored
    tally.drop_features("geometry that cannot be read", int((kept & features.unreadable).sum()))
    kept &= ~features.unreadable
    tally.mended += int((kept & features.closed).sum())
    return frame[kept]


def with_keys(frame: gpd.GeoDataFrame, source: Source, tally: Tally) -> gpd.GeoDataFrame:
    """Flat features with a geometry, each once, by rising key in the column feature.

    The key is a hash of the source's name and the feature's identifier, or, without one, of its
    source code and its outline in the coordinates of the source.
    """
    geometry = frame.geometry.to_numpy()
    tally.flattened = int(shapely.has_z(geometry).sum())
    missing = shapely.is_missing(geometry)
    tally.drop_features("no geometry", int(missing.sum()))
    empty = shapely.is_empty(geometry)
    tally.drop_features("empty geometry", int(empty.sum()))
    frame, geometry = frame[~missing & ~empty], geometry[~missing & ~empty]
    frame = _with_geometry(frame, shapely.normalize(shapely.force_2d(geometry)))
    if source.id_field is not None:
        # No outline: a polygon that is drawn anew keeps its number.
        nowhere = np.full(len(frame), shapely.Point(), dtype=object)
        frame["feature"] = identity.feature_keys(source.name, frame["id"].to_numpy(), nowhere)
        return frame.sort_values("feature")
    frame["feature"] = identity.feature_keys(
        source.name, frame["value"].to_numpy(dtype=object), frame.geometry.to_numpy()
    )
    # Which of two doubles goes must not depend on the order of rows; a width may differ.
    by = ["feature", "width"] if "width" in frame else ["feature"]
    frame = frame.sort_values(by, kind="stable")
    double = frame.duplicated("feature")
    tally.drop_features("the same feature twice", int(double.sum()))
    return frame[~double]


def taken_apart(frame: gpd.GeoDataFrame, explode: bool, tally: Tally) -> gpd.GeoDataFrame:
    """Valid polygons or lines, each part of a feature for itself or together, with their key."""
    geometry, mended = shapes.repaired(frame.geometry.to_numpy())
    tally.mended += mended
    hollow = shapely.is_empty(geometry)
    tally.drop_features("nothing left after mending", int(hollow.sum()))
    frame, geometry = frame[~hollow], shapely.normalize(geometry[~hollow])
    tally.drop_polygons(
        "line or point beside polygons in a collection", np.zeros(shapes.count_lesser(geometry))
    )
    if explode:
        geometry, owner, number = shapes.parts_of(geometry)
        frame = frame.iloc[owner]
    else:
        geometry, number = shapes.uniform(geometry), np.zeros(len(geometry), dtype=np.int64)
    frame = _with_geometry(frame, geometry)
    frame["key"] = identity.part_keys(frame["feature"].to_numpy(), number)
    return frame.reset_index(drop=True)


def in_metres(
    frame: gpd.GeoDataFrame, source: Source, layer: Layer, crs: str, tally: Tally
) -> gpd.GeoDataFrame:
    """Reprojected polygons and lines; the column whole tells features that lost no part by it.

    Raises
    ------
    ReferenceDataError
        If lines or points have no width.
    """
    frame = frame.to_crs(crs)
    finite = np.isfinite(shapely.bounds(frame.geometry.to_numpy())).all(axis=1)
    tally.drop_polygons("outside the coordinate system of the run", np.zeros(int((~finite).sum())))
    frame["whole"] = ~frame["feature"].isin(frame["feature"][~finite])
    frame = frame[finite]
    flat = shapely.get_dimensions(frame.geometry.to_numpy()) < 2
    if source.buffer_m is None and source.buffer_field is None and flat.any():
        raise ReferenceDataError(
            f"source {source.name!r}: {layer} holds {int(flat.sum())} lines or points; "
            "give buffer_m or buffer_field, or read a layer of polygons"
        )
    tally.translate(frame["code"].to_numpy(), frame.geometry.area.to_numpy())
    return frame


def shaped(frame: gpd.GeoDataFrame, source: Source, tally: Tally) -> gpd.GeoDataFrame:
    """Polygons after buffer and erosion; empty ones where nothing is left."""
    if source.buffer_field is not None:
        wide = frame["width"].to_numpy() > 0
        tally.drop_polygons("no width", frame.geometry.area.to_numpy()[~wide])
        frame = frame[wide]
        geometry = shapes.widened(frame.geometry.to_numpy(), frame["width"].to_numpy() / 2)
    elif source.buffer_m:
        geometry = shapes.widened(frame.geometry.to_numpy(), source.buffer_m)
    else:
        geometry = frame.geometry.to_numpy()
    geometry, _ = shapes.repaired(geometry)
    if source.erosion_m:
        before = shapely.area(geometry)
        geometry, _ = shapes.repaired(shapes.eroded(geometry, source.erosion_m))
        tally.drop_polygons("nothing left after erosion", before[shapely.is_empty(geometry)])
    return _with_geometry(frame, geometry)


def extents(frame: gpd.GeoDataFrame) -> NDArray[np.float64]:
    """Bounds of the whole feature that each polygon is a part of.

    Returns
    -------
    numpy.ndarray
        (n, 4), float64: left, bottom, right and top, in the frame's coordinates; without end
        where a part of the feature could not be reprojected, NaN where nothing is left of it.
    """
    place, features = pd.factorize(frame["feature"])
    bounds = shapely.bounds(frame.geometry.to_numpy())
    low = np.full((len(features), 2), np.nan)
    high = low.copy()
    np.fmin.at(low, place, bounds[:, :2])
    np.fmax.at(high, place, bounds[:, 2:])
    result: NDArray[np.float64] = np.concatenate([low, high], axis=1)[place]
    result[~frame["whole"].to_numpy(dtype=bool)] = -np.inf, -np.inf, np.inf, np.inf
    return result


def within(
    frame: gpd.GeoDataFrame,
    zones: Sequence[shapely.Geometry],
    minimum_area: float,
    tally: Tally,
) -> gpd.GeoDataFrame:
    """Polygons that touch a zone, without pieces smaller than `minimum_area` m2."""
    geometry = frame.geometry.to_numpy()
    left = ~shapely.is_empty(geometry)
    inside = np.zeros(len(geometry), dtype=bool)
    inside[shapely.STRtree(geometry).query(np.array(zones), predicate="intersects")[1]] = True
    tally.drop_polygons("outside the tiles", shapely.area(geometry[left & ~inside]))
    frame, before = frame[inside], geometry[inside]
    geometry = shapes.without_small_pieces(before, minimum_area)
    small = shapely.is_empty(geometry)
    tally.drop_polygons("smaller than the minimum area", shapely.area(before[small]))
    frame = _with_geometry(frame, geometry)[~small]
    tally.keep(frame["code"].to_numpy(), frame.geometry.area.to_numpy())
    return frame


def _values(features: Features, source: Source, layer: Layer) -> NDArray[np.object_]:
    if source.expression is not None:
        named = fields_of(source.expression, layer.fields, path=layer.path)
        columns = {name: features.columns[name] for name in named}
        return source_codes(evaluate(source.expression, columns, path=layer.path))
    if source.field is not None:
        return source_codes(features.columns[source.field])
    return np.full(len(features), None, dtype=object)


def _codes(
    values: NDArray[np.object_], source: Source, layer: Layer, codes: Sequence[int]
) -> NDArray[np.int64]:
    named = {"path": layer.path, "what": source.what}
    if source.translation is None:
        table, translation = "", plain_translation(values, codes, source.ignore_codes, **named)
    else:
        table, translation = source.table or "of the source", dict(source.translation)
    return translate(values, translation, table=table, **named)


def _identifiers(features: Features, field: str, layer: Layer) -> NDArray[np.object_]:
    found = pd.Series(source_codes(features.columns[field]), dtype=object)
    missing, repeated = found.isna(), found.duplicated(keep=False) & found.notna()
    if missing.any():
        rows = ", ".join(map(str, features.identifier[missing][:_LISTED]))
        raise ReferenceDataError(
            f"{layer}: {int(missing.sum())} features have no {field}, first of all those with the "
            f"numbers {rows} in the file; fill the field, or leave id_field out"
        )
    if repeated.any():
        listed = ", ".join(sorted(found[repeated].unique())[:_LISTED])
        raise ReferenceDataError(
            f"{layer}: {field} is not unique: {int(repeated.sum())} features share "
            f"{found[repeated].nunique()} of its values, such as {listed}; join the parts of a "
            "feature, choose another id_field, or leave it out"
        )
    return found.to_numpy(dtype=object)


def _widths(values: NDArray[np.generic], source: Source, layer: Layer) -> NDArray[np.float64]:
    width = np.asarray(pd.to_numeric(pd.Series(values), errors="coerce"), dtype=float)
    if (width > GREATEST_WIDTH_M).any():
        raise ReferenceDataError(
            f"{layer}: {source.buffer_field} is up to {np.nanmax(width):g}, full widths in metres "
            f"are at most {GREATEST_WIDTH_M:g}; is it the width, and in metres? Correct "
            "buffer_field, or filter these features out with 'where'"
        )
    return width


def _with_geometry(frame: gpd.GeoDataFrame, geometry: NDArray[np.object_]) -> gpd.GeoDataFrame:
    return frame.set_geometry(gpd.array.from_shapely(geometry, crs=frame.crs))
