"""Sources of reference polygons, each in its own schema."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from fgunet.errors import ConfigError, FgunetError, ReferenceDataError
from fgunet.reference import identity, shapes
from fgunet.reference.tally import Tally
from fgunet.reference.translation import Translation, plain_translation, source_codes, translate
from fgunet.vectors import read_layer

_log = logging.getLogger(__name__)

_READ_MARGIN_M = 100.0
"""Features this near the tiles are read: buffers reach in, and edges bend when reprojected."""


@dataclass(frozen=True)
class Source:
    """One source of polygons or lines, and how it becomes class polygons.

    Attributes
    ----------
    name : str
        Name in the configuration; part of the polygons' numbers.
    path : str
        Any file that OGR reads.
    layer : str or None
        Its layer; the first where None.
    field : str or None
        Field of the source codes; None where `code` holds for all features.
    translation : mapping or None
        Class code (or None: ignored) of each source code; None where the field holds class
        codes.
    code : int or None
        The class code of all features, for a source without a field.
    where : str or None
        OGR SQL filter on the fields.
    buffer_m : float or None
        Growth on each side, in m.
    buffer_field : str or None
        Field of the full width in m; lines grow by half of it on each side.
    erosion_m : float
        Shrinking on each side after that, in m.
    ignore_codes : tuple of int
        Codes left out on purpose, where there is no translation.
    table : str
        What the translation is called in messages.

    Raises
    ------
    ConfigError
        If both or neither of `field` and `code` are given, or others contradict one another.
    """

    name: str
    path: str
    layer: str | None = None
    field: str | None = None
    translation: Translation | None = None
    code: int | None = None
    where: str | None = None
    buffer_m: float | None = None
    buffer_field: str | None = None
    erosion_m: float = 0.0
    ignore_codes: tuple[int, ...] = ()
    table: str = ""

    def __post_init__(self) -> None:
        faults = []
        if (self.field is None) == (self.code is None):
            faults.append("give either field or code")
        if self.code is not None and self.translation is not None:
            faults.append("a source with a code has no translation")
        if self.translation is not None and self.ignore_codes:
            faults.append("with a translation, ignore a code by a row with an empty code")
        if self.buffer_m is not None and self.buffer_field is not None:
            faults.append("give either buffer_m or buffer_field")
        if self.erosion_m < 0 or (self.buffer_m or 0.0) < 0:
            faults.append("buffer_m and erosion_m are not negative")
        if faults:
            raise ConfigError(f"reference.sources: source {self.name!r}: {'; '.join(faults)}")


@dataclass(frozen=True)
class SourcePolygons:
    """The polygons of one source.

    Attributes
    ----------
    geometry : numpy.ndarray
        (n,), object: valid polygons in the coordinate system of the run.
    code : numpy.ndarray
        (n,), int64: class codes.
    feature : numpy.ndarray
        (n,), object: key (bytes) of the feature the polygon is a part of.
    key : numpy.ndarray
        (n,), object: key (bytes) of the polygon.
    tally : Tally
        What was read, mended and left out.
    """

    geometry: NDArray[np.object_]
    code: NDArray[np.int64]
    feature: NDArray[np.object_]
    key: NDArray[np.object_]
    tally: Tally

    def __len__(self) -> int:
        return len(self.code)


def read_source(
    source: Source,
    *,
    area: shapely.Geometry,
    crs: str,
    codes: Sequence[int],
    minimum_area: float,
) -> SourcePolygons:
    """Read the polygons of a source that touch an area, whole.

    Steps: translate the codes, leave out doubles, mend geometries, take multi-part features
    apart, reproject, buffer, erode, leave out what lies outside the area or is too small.

    Parameters
    ----------
    source : Source
        What to read.
    area : shapely.Geometry
        Union of the tiles' footprints, in `crs`.
    crs : str
        Coordinate system of the run, in metres.
    codes : sequence of int
        Codes of the nomenclature.
    minimum_area : float
        Least area of a polygon and of each of its pieces, in m2.

    Raises
    ------
    ReferenceDataError
        If the file, layer or a field is missing, the filter is not valid, a code is unknown,
        or lines come without a width.
    """
    tally = Tally(source.name)
    frame = _read_frame(source, area, crs)
    tally.read = len(frame)
    frame = _with_class(frame, source, codes, tally)
    frame = _with_keys(frame, source, tally)
    frame = _parts(frame, tally)
    frame = _in_metres(frame, source, crs, tally)
    frame = _shaped(frame, source, tally)
    frame = _within(frame, area, minimum_area, tally)
    tally.keep(frame["code"].to_numpy(), frame.geometry.area.to_numpy())
    _log.info("%s", tally)
    return SourcePolygons(
        geometry=frame.geometry.to_numpy(),
        code=frame["code"].to_numpy(),
        feature=frame["feature"].to_numpy(),
        key=frame["key"].to_numpy(),
        tally=tally,
    )


def _read_frame(source: Source, area: shapely.Geometry, crs: str) -> gpd.GeoDataFrame:
    margin = max(_READ_MARGIN_M, source.buffer_m or 0.0)
    columns = dict.fromkeys(name for name in (source.field, source.buffer_field) if name)
    try:
        return read_layer(
            source.path,
            layer=source.layer,
            columns=list(columns),
            where=source.where,
            area=shapely.buffer(area, margin),
            area_crs=crs,
        )
    except FgunetError:
        raise
    except (RuntimeError, ValueError) as error:
        raise ReferenceDataError(
            f"source {source.name!r}: {source.path} cannot be read with the filter "
            f"{source.where!r}: {error}; correct the path or 'where' in the configuration"
        ) from error


def _with_class(
    frame: gpd.GeoDataFrame, source: Source, codes: Sequence[int], tally: Tally
) -> gpd.GeoDataFrame:
    if source.field is None:
        frame["value"] = None
        frame["code"] = source.code
        return frame
    values = source_codes(frame[source.field])
    named = {"path": source.path, "field": source.field}
    if source.translation is None:
        table, translation = "", plain_translation(values, codes, source.ignore_codes, **named)
    else:
        table, translation = source.table or "of the source", dict(source.translation)
    frame["value"] = values
    frame["code"] = translate(values, translation, table=table, **named)
    missing = frame["value"].isna()
    tally.drop_features("no value in the field", int(missing.sum()))
    ignored = ~missing & (frame["code"] == 0)
    tally.ignore_values(frame.loc[ignored, "value"])
    return frame[~missing & ~ignored]


def _with_keys(frame: gpd.GeoDataFrame, source: Source, tally: Tally) -> gpd.GeoDataFrame:
    geometry = shapely.force_2d(frame.geometry.to_numpy())
    present = ~(shapely.is_missing(geometry) | shapely.is_empty(geometry))
    tally.drop_features("no geometry", int((~present).sum()))
    frame = _with_geometry(frame[present], shapely.normalize(geometry[present]))
    frame["feature"] = identity.feature_keys(
        source.name, frame["value"].to_numpy(dtype=object), frame.geometry.to_numpy()
    )
    # Which of two doubles goes must not depend on the order of rows; a width may differ.
    by = ["feature", source.buffer_field] if source.buffer_field else ["feature"]
    frame = frame.sort_values(by, kind="stable")
    double = frame.duplicated("feature")
    tally.drop_features("the same feature twice", int(double.sum()))
    return frame[~double]


def _parts(frame: gpd.GeoDataFrame, tally: Tally) -> gpd.GeoDataFrame:
    geometry, mended = shapes.repaired(frame.geometry.to_numpy())
    tally.mended = mended
    hollow = shapely.is_empty(geometry)
    tally.drop_features("no geometry", int(hollow.sum()))
    frame, geometry = frame[~hollow], shapely.normalize(geometry[~hollow])
    parts, owner, number = shapes.parts_of(geometry)
    frame = _with_geometry(frame.iloc[owner], parts)
    frame["key"] = identity.part_keys(frame["feature"].to_numpy(), number)
    return frame.reset_index(drop=True)


def _in_metres(frame: gpd.GeoDataFrame, source: Source, crs: str, tally: Tally) -> gpd.GeoDataFrame:
    frame = frame.to_crs(crs)
    finite = np.isfinite(shapely.bounds(frame.geometry.to_numpy())).all(axis=1)
    tally.drop_polygons("outside the coordinate system of the run", np.zeros(int((~finite).sum())))
    frame = frame[finite]
    flat = shapely.get_dimensions(frame.geometry.to_numpy()) < 2
    if source.buffer_m is None and source.buffer_field is None and flat.any():
        raise ReferenceDataError(
            f"source {source.name!r}: {source.path} holds {int(flat.sum())} lines or points; "
            "give buffer_m or buffer_field, or read a layer of polygons"
        )
    return frame


def _shaped(frame: gpd.GeoDataFrame, source: Source, tally: Tally) -> gpd.GeoDataFrame:
    geometry = frame.geometry.to_numpy()
    if source.buffer_field:
        width = pd.to_numeric(frame[source.buffer_field], errors="coerce").to_numpy(dtype=float)
        wide = width > 0
        tally.drop_polygons("no width", np.zeros(int((~wide).sum())))
        frame = frame[wide]
        geometry = shapes.widened(geometry[wide], width[wide] / 2)
    elif source.buffer_m:
        geometry = shapes.widened(geometry, source.buffer_m)
    if source.erosion_m:
        geometry = shapes.eroded(geometry, source.erosion_m)
    geometry, _ = shapes.repaired(geometry)
    return _with_geometry(frame, geometry)


def _within(
    frame: gpd.GeoDataFrame, area: shapely.Geometry, minimum_area: float, tally: Tally
) -> gpd.GeoDataFrame:
    geometry = frame.geometry.to_numpy()
    shapely.prepare(area)
    inside = shapely.intersects(area, geometry)
    eaten = shapely.is_empty(geometry)
    tally.drop_polygons("nothing left after erosion", np.zeros(int(eaten.sum())))
    outside = ~inside & ~eaten
    tally.drop_polygons("outside the tiles", shapely.area(geometry[outside]))
    frame, before = frame[inside], geometry[inside]
    geometry = shapes.without_small_pieces(before, minimum_area)
    small = shapely.is_empty(geometry)
    tally.drop_polygons("smaller than the minimum area", shapely.area(before[small]))
    return _with_geometry(frame, geometry)[~small]


def _with_geometry(frame: gpd.GeoDataFrame, geometry: NDArray[np.object_]) -> gpd.GeoDataFrame:
    return frame.set_geometry(gpd.array.from_shapely(geometry, crs=frame.crs))
