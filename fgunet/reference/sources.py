"""Sources of reference polygons, each in its own schema."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from fgunet.reference import preparing
from fgunet.reference.reading import features_near, require_optional
from fgunet.reference.source import Source
from fgunet.reference.tally import Tally
from fgunet.vectors.layers import find_layer

__all__ = ["Source", "SourcePolygons", "read_source"]

_log = logging.getLogger(__name__)


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
    extent : numpy.ndarray
        (n, 4), float64: left, bottom, right and top of the whole feature the polygon is a part
        of, in the coordinate system of the run: of all its parts after buffer and erosion, those
        that are outside the zones or too small too. Without end where that is not known.
    tally : Tally
        What was read, mended and left out.
    """

    geometry: NDArray[np.object_]
    code: NDArray[np.int64]
    feature: NDArray[np.object_]
    key: NDArray[np.object_]
    extent: NDArray[np.float64]
    tally: Tally

    def __len__(self) -> int:
        return len(self.code)


def read_source(
    source: Source,
    *,
    zones: Sequence[shapely.Geometry],
    crs: str,
    codes: Sequence[int],
    minimum_area: float,
) -> SourcePolygons:
    """Read the polygons of a source that touch zones of the ground, whole.

    Steps: translate the codes, leave out doubles, mend geometries, take multi-part features
    apart, reproject, buffer, erode, leave out what lies outside the zones or is too small.

    Parameters
    ----------
    source : Source
        What to read.
    zones : sequence of shapely.Geometry
        Polygons in `crs`, one a tile; they may overlap or repeat.
    crs : str
        Coordinate system of the run, in metres.
    codes : sequence of int
        Codes of the nomenclature.
    minimum_area : float
        Least area of a polygon and of each of its pieces, in m2, where the source has none.

    Returns
    -------
    SourcePolygons
        By rising key of their features; they depend neither on the order of rows in the file
        nor, but for those left out, on the zones.

    Raises
    ------
    ReferenceDataError
        If the file, layer or a field is missing or damaged, the filter is not valid, a code is
        unknown, identifiers repeat, lines come without a width, or nothing lies in the zones and
        the source is not optional.
    """
    tally = Tally(source.name, source.precedence, source.year)
    layer = find_layer(source.path, source.layer)
    features = features_near(source, layer, zones, crs, tally)
    frame = preparing.classified(features, source, layer, codes, tally)
    del features
    frame = preparing.with_keys(frame, source, tally)
    frame = preparing.taken_apart(frame, source.explode, tally)
    frame = preparing.in_metres(frame, source, layer, crs, tally)
    frame = preparing.shaped(frame, source, tally)
    extent = preparing.extents(frame)
    frame["row"] = np.arange(len(frame))
    least = minimum_area if source.minimum_area_m2 is None else source.minimum_area_m2
    frame = preparing.within(frame, zones, least, tally)
    if set(tally.polygons_dropped) == {"outside the tiles"} and not len(frame):
        require_optional(source, layer, zones, crs)
    _log.info("%s", tally)
    return SourcePolygons(
        geometry=frame.geometry.to_numpy(),
        code=frame["code"].to_numpy(dtype=np.int64),
        feature=frame["feature"].to_numpy(),
        key=frame["key"].to_numpy(),
        extent=extent[frame["row"].to_numpy()],
        tally=tally,
    )
