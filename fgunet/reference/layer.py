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
from fgunet.reference.difference import ROUNDING_M2
from fgunet.reference.fusion import Fusion, fuse
from fgunet.reference.identity import key_numbers, stable_ids
from fgunet.reference.sources import Source, SourcePolygons, read_source
from fgunet.reference.squares import square_of, zone_of
from fgunet.reference.tally import M2_PER_HECTARE, as_counts, counts_by_class
from fgunet.reference.tiles import tiles_of

_log = logging.getLogger(__name__)


def fused_layer(
    sources: Sequence[Source],
    footprints: Mapping[str, shapely.Geometry],
    *,
    crs: str,
    codes: Sequence[int],
    minimum_area: float,
    minimum_share: float,
    square_m: float,
    threads: int = 1,
) -> tuple[gpd.GeoDataFrame, dict[str, Any]]:
    """Read, number and fuse the polygons of all sources, over whole squares of ground.

    What lies inside a square is the same whichever tiles touch it. The outline of a polygon that
    reaches beyond the squares may depend on the tiles there: only what is read cuts it.

    Parameters
    ----------
    sources : sequence of Source
        In any order; their precedence counts.
    footprints : mapping
        Footprint of each tile, in `crs`.
    crs : str
        Coordinate system of the run; projected, in metres.
    codes : sequence of int
        Codes of the nomenclature.
    minimum_area : float
        Least area of a polygon or piece, in m2.
    minimum_share : float
        Least share of its ground in a square that a cut polygon must keep there.
    square_m : float
        Side of the squares, in m.
    threads : int
        Threads of the fusion; the result does not depend on them.

    Returns
    -------
    frame : geopandas.GeoDataFrame
        polygon_id, feature (63 bits of the key of the source's feature), code, source, area_ha,
        tiles (empty where a polygon touches none), square (name of the one that holds the whole
        feature, or empty) and geometry, by rising polygon_id. Polygons are whole, not clipped.
    report : dict
        What was read, dropped, cut and contradicted; JSON can hold it.

    Raises
    ------
    ConfigError
        If `crs` is not in metres, or two sources share a name.
    ReferenceDataError
        If a source cannot be read, no polygon lies in the tiles, or sources of equal precedence
        overlap.
    """
    _require_metres(crs)
    names = [source.name for source in sources]
    if len(set(names)) < len(names):
        raise ConfigError(f"reference.sources: two sources share a name: {names}; rename one")
    # Equal ones by name, so that the order of the list has no say.
    sources = sorted(sources, key=lambda source: (source.precedence, source.name))
    zones = [zone_of(footprints[tile], square_m) for tile in sorted(footprints)]
    read = [
        read_source(source, zones=zones, crs=crs, codes=codes, minimum_area=minimum_area)
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
    keys = np.concatenate([polygons.key for polygons in read])
    polygon_id, collided = stable_ids(keys)
    fusion = fuse(
        geometry,
        rank,
        code,
        # Not the polygon's number: where two collide it depends on the other.
        key_numbers(keys),
        minimum_share=minimum_share,
        minimum_area=minimum_area,
        square_m=square_m,
        threads=threads,
    )
    _require_distinct(fusion, sources)
    fusion = _within(fusion, shapely.union_all(zones))
    frame = gpd.GeoDataFrame(
        {
            "polygon_id": polygon_id,
            "feature": key_numbers(np.concatenate([p.feature for p in read])),
            "code": code,
            "source": np.array([source.name for source in sources], dtype=object)[rank],
            "area_ha": shapely.area(fusion.geometry) / M2_PER_HECTARE,
            "tiles": tiles_of(fusion.geometry, footprints),
            "square": square_of(np.concatenate([p.extent for p in read]), square_m),
        },
        geometry=fusion.geometry,
        crs=crs,
    )
    before = shapely.area(geometry)
    report = {
        "crs": crs,
        "tiles": sorted(footprints),
        "square_m": square_m,
        "minimum_area_m2": minimum_area,
        "minimum_share": minimum_share,
        "polygon_ids_collided": collided,
        "sources": [
            _source_report(source, polygons, fusion, rank == place, frame=frame, before=before)
            for place, (source, polygons) in enumerate(zip(sources, read, strict=True))
        ],
        "overlaps": _overlap_rows(fusion, [source.name for source in sources]),
    }
    _log.info("%d polygons after fusion, of %d", int(fusion.kept.sum()), len(code))
    frame = frame[fusion.kept].sort_values("polygon_id", ignore_index=True)
    return frame, report


def _require_distinct(fusion: Fusion, sources: Sequence[Source]) -> None:
    """Refuse sources of equal precedence that claim the same ground."""
    faults = [
        f"{sources[row.rank].name} and {sources[row.other_rank].name} "
        f"(precedence {sources[row.rank].precedence}): {row.pairs} pairs of polygons of the "
        f"classes {row.code} and {row.other_code}, {row.area_m2 / M2_PER_HECTARE:.2f} ha"
        for row in fusion.overlaps
        if row.rank != row.other_rank
        and sources[row.rank].precedence == sources[row.other_rank].precedence
    ]
    if faults:
        raise ReferenceDataError(
            f"sources of equal precedence overlap: {'; '.join(faults)}; give them different "
            "precedences under reference.sources, or mend the files"
        )


def fusion_counts(
    fusion: Fusion, chosen: NDArray[np.bool_], before: NDArray[np.float64]
) -> dict[str, Any]:
    """What the fusion did to the `chosen` polygons (n,), given their areas before, in m2.

    Ground that is lost with small pieces, and in squares where too little is left, is part of
    what was cut.
    """
    after = shapely.area(fusion.geometry)
    kept = chosen & fusion.kept
    cut = kept & (after < before)
    reasons = np.unique(fusion.reason[chosen & ~fusion.kept].astype(str))
    dropped = {str(r): chosen & (fusion.reason == r) for r in reasons}
    return {
        "fusion_cut": as_counts(int(cut.sum()), float((before - after)[cut].sum())),
        "fusion_small_pieces": _given_up(fusion.small, kept),
        "fusion_thin_squares": _given_up(fusion.thin, kept),
        "fusion_dropped": {
            r: as_counts(int(m.sum()), float(before[m].sum())) for r, m in dropped.items()
        },
        "fusion_kept": as_counts(int(kept.sum()), float(after[kept].sum())),
    }


def _given_up(ground: NDArray[np.float64], chosen: NDArray[np.bool_]) -> dict[str, Any]:
    real = chosen & (ground > ROUNDING_M2)
    return as_counts(int(real.sum()), float(ground[real].sum()))


def _source_report(
    source: Source,
    polygons: SourcePolygons,
    fusion: Fusion,
    chosen: NDArray[np.bool_],
    *,
    frame: gpd.GeoDataFrame,
    before: NDArray[np.float64],
) -> dict[str, Any]:
    """What became of the `chosen` polygons (n,) of one source."""
    read = polygons.tally.to_dict()
    kept = chosen & fusion.kept
    code, area = frame["code"].to_numpy(), frame["area_ha"].to_numpy() * M2_PER_HECTARE
    in_tiles = kept & (frame["tiles"] != "").to_numpy()
    later = [
        {"step": step, "classes": counts_by_class(code[rows], area[rows])}
        for step, rows in (("fused", kept), ("in_tiles", in_tiles))
    ]
    return (
        {"name": source.name, "path": source.path, "layer": source.layer}
        | read
        | fusion_counts(fusion, chosen, before)
        | {"steps": [*read["steps"], *later]}
    )


def _within(fusion: Fusion, area: shapely.Geometry) -> Fusion:
    """Drop polygons whose pieces in the zones were all cut away."""
    shapely.prepare(area)
    gone = fusion.kept & ~shapely.intersects(area, fusion.geometry)
    reason = fusion.reason.copy()
    reason[gone] = "outside the tiles after cutting"
    return replace(fusion, reason=reason)


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
