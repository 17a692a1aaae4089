"""The fused layer: all sources together, numbered, with the tiles they lie in."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from fgunet.errors import ConfigError, ReferenceDataError
from fgunet.reference.fusion import Fusion, fuse
from fgunet.reference.identity import stable_ids
from fgunet.reference.sources import Source, SourcePolygons, read_source
from fgunet.reference.tally import M2_PER_HECTARE, as_counts

_log = logging.getLogger(__name__)


def fused_layer(
    sources: Sequence[Source],
    footprints: Mapping[str, shapely.Geometry],
    *,
    crs: str,
    codes: Sequence[int],
    minimum_area: float,
    minimum_share: float,
) -> tuple[gpd.GeoDataFrame, dict[str, Any]]:
    """Read, number and fuse the polygons of all sources.

    A polygon's number does not depend on the tiles. Its outline beyond them may: only polygons
    that touch a tile are read, so only those cut it.

    Parameters
    ----------
    sources : sequence of Source
        By precedence: the first wins.
    footprints : mapping
        Footprint of each tile, in `crs`.
    crs : str
        Coordinate system of the run; projected, in metres.
    codes : sequence of int
        Codes of the nomenclature.
    minimum_area : float
        Least area of a polygon or piece, in m2.
    minimum_share : float
        Least share of its area that a cut polygon must keep.

    Returns
    -------
    frame : geopandas.GeoDataFrame
        polygon_id, feature (number of the source's feature), code, source, area_ha, tiles and
        geometry, by rising polygon_id. Polygons are whole, not clipped to tiles.
    report : dict
        What was read, dropped, cut and contradicted; JSON can hold it.

    Raises
    ------
    ConfigError
        If `crs` is not in metres, or two sources share a name.
    ReferenceDataError
        If a source cannot be read, or no polygon lies in the tiles.
    """
    _require_metres(crs)
    names = [source.name for source in sources]
    if len(set(names)) < len(names):
        raise ConfigError(f"reference.sources: two sources share a name: {names}; rename one")
    area = shapely.union_all(list(footprints.values()))
    read = [
        read_source(source, area=area, crs=crs, codes=codes, minimum_area=minimum_area)
        for source in sources
    ]
    if not any(len(polygons) for polygons in read):
        raise ReferenceDataError(
            f"no source has a polygon in the tiles {', '.join(sorted(footprints))}: "
            f"{'; '.join(str(polygons.tally) for polygons in read)}"
        )
    rank = np.repeat(np.arange(len(read)), [len(polygons) for polygons in read])
    geometry = np.concatenate([polygons.geometry for polygons in read])
    code = np.concatenate([polygons.code for polygons in read])
    polygon_id, feature = _numbers(read)
    fusion = fuse(
        geometry, rank, code, polygon_id, minimum_share=minimum_share, minimum_area=minimum_area
    )
    kept, fusion = _within(fusion, area)
    frame = gpd.GeoDataFrame(
        {
            "polygon_id": polygon_id[kept],
            "feature": feature[kept],
            "code": code[kept],
            "source": np.array(names, dtype=object)[rank[kept]],
            "area_ha": shapely.area(fusion.geometry[kept]) / M2_PER_HECTARE,
            "tiles": tiles_of(fusion.geometry[kept], footprints),
        },
        geometry=fusion.geometry[kept],
        crs=crs,
    ).sort_values("polygon_id", ignore_index=True)
    report = {
        "crs": crs,
        "tiles": sorted(footprints),
        "minimum_area_m2": minimum_area,
        "minimum_share": minimum_share,
        "sources": [
            {"name": source.name, "path": source.path, "layer": source.layer}
            | polygons.tally.to_dict()
            | fusion_counts(fusion, rank == i, shapely.area(geometry))
            for i, (source, polygons) in enumerate(zip(sources, read, strict=True))
        ],
        "overlaps": _overlap_rows(fusion, names),
    }
    _log.info("%d polygons after fusion, of %d", len(frame), len(code))
    return frame, report


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
    shapes = np.array([footprints[name] for name in names], dtype=object)
    shapely.prepare(shapes)
    touches = shapely.intersects(shapes[:, None], geometry[None, :])
    return np.array(
        [",".join(np.compress(column, names).tolist()) for column in touches.T] + [None],
        dtype=object,
    )[:-1]


def fusion_counts(
    fusion: Fusion, chosen: NDArray[np.bool_], before: NDArray[np.float64]
) -> dict[str, Any]:
    """What the fusion did to the `chosen` polygons (n,), given their areas before, in m2."""
    after = shapely.area(fusion.geometry)
    cut = chosen & fusion.kept & (after < before)
    reasons = np.unique(fusion.reason[chosen & ~fusion.kept].astype(str))
    dropped = {str(r): chosen & (fusion.reason == r) for r in reasons}
    kept = chosen & fusion.kept
    return {
        "fusion_cut": as_counts(int(cut.sum()), float((before - after)[cut].sum())),
        "fusion_dropped": {
            r: as_counts(int(m.sum()), float(before[m].sum())) for r, m in dropped.items()
        },
        "fusion_kept": as_counts(int(kept.sum()), float(after[kept].sum())),
    }


def _numbers(read: Sequence[SourcePolygons]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Numbers of polygons and of their features."""
    polygon_id = stable_ids(np.concatenate([polygons.key for polygons in read]))
    keys = np.concatenate([polygons.feature for polygons in read]).tolist()
    distinct = sorted(set(keys))
    number = dict(zip(distinct, stable_ids(distinct).tolist(), strict=True))
    return polygon_id, np.array([number[key] for key in keys], dtype=np.int64)


def _within(fusion: Fusion, area: shapely.Geometry) -> tuple[NDArray[np.bool_], Fusion]:
    """Drop polygons whose pieces in the tiles were all cut away."""
    gone = fusion.kept & ~shapely.intersects(area, fusion.geometry)
    reason = fusion.reason.copy()
    reason[gone] = "outside the tiles after cutting"
    fusion = replace(fusion, reason=reason)
    return fusion.kept, fusion


def _overlap_rows(fusion: Fusion, names: Sequence[str]) -> list[dict[str, Any]]:
    return [
        {
            "kept_source": names[row.rank],
            "kept_code": row.code,
            "cut_source": names[row.other_rank],
            "cut_code": row.other_code,
            "pairs": row.pairs,
            "hectares": round(row.area_m2 / M2_PER_HECTARE, 4),
            "contradiction": row.code != row.other_code,
        }
        for row in fusion.overlaps
    ]


def _require_metres(crs: str) -> None:
    axes = pyproj.CRS.from_user_input(crs).axis_info
    units = sorted({axis.unit_name for axis in axes})
    if units != ["metre"]:
        raise ConfigError(
            f"reference.crs is {crs}, whose units are {', '.join(units)}; "
            "choose a projected coordinate system in metres (EPSG:2154 in France)"
        )
