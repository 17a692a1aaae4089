"""The audit of the reference: what became of the sources, and proofs that nothing leaks."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import geopandas as gpd
import numpy as np

from fgunet.reference.counts import count_left_out, count_pixels, count_polygons, count_steps
from fgunet.reference.distances import distances_to_training, summarise_distances
from fgunet.reference.leakage import INFORMATION, check_leakage, require_no_leak
from fgunet.reference.sides import SPLIT_CODES, TEST


def audit_reference(
    frame: gpd.GeoDataFrame,
    *,
    fusion: Mapping[str, Any],
    split: Mapping[str, Any],
    tiles: Sequence[Mapping[str, Any]],
    shared: Mapping[str, int],
    names: Mapping[int, str],
) -> dict[str, Any]:
    """Put the audit together, and stop where it finds a leak.

    Parameters
    ----------
    frame : geopandas.GeoDataFrame
        Split polygons in a metric coordinate system: polygon_id, feature, code, source, split
        (name), tiles (names, comma-separated).
    fusion, split : mapping
        Reports of the fusion and of the split.
    tiles : sequence of mapping
        Audits of the tiles (`fgunet.reference.pixels.PixelAudit.result`), with patch_size and
        jitter.
    shared : mapping
        What `fgunet.reference.shared_ground.compare_shared_ground` found.
    names : mapping
        Name of each class of the nomenclature.

    Returns
    -------
    dict
        `counts` (`count_polygons`), `pixels` (`count_pixels`), `steps` (`count_steps`),
        `left_out` (`count_left_out`), `leakage` (counts that must be 0, but for those of
        `INFORMATION`), `distances` (`summarise_distances`), `reach` (`count_reach`),
        `without_pixels` (by tile), and the two reports. JSON can hold it.

    Raises
    ------
    SplitError
        If a check fails.
    """
    code = frame["code"].to_numpy(dtype=np.int64)
    side = frame["split"].map(SPLIT_CODES).fillna(0).to_numpy(dtype=np.uint8)
    geometry = frame.geometry.to_numpy()
    leakage = check_leakage(
        geometry,
        frame["polygon_id"].to_numpy(),
        frame["feature"].to_numpy(),
        side,
        min_distance=float(split.get("options", {}).get("min_distance", 0)),
    )
    leakage = _informed_last({**leakage, **_tile_checks(tiles), **_shared_checks(shared)})
    require_no_leak(leakage)
    counts = count_polygons(
        code=code,
        source=frame["source"].to_numpy(dtype=object),
        split=side,
        tiles=frame["tiles"].tolist(),
        area_m2=frame.geometry.area.to_numpy(),
        names=names,
    )
    pixels = count_pixels(tiles)
    merged = [int(row["code"]) for row in split.get("merged", ())]
    distance = distances_to_training(geometry, side)
    return {
        "counts": counts,
        "pixels": pixels,
        "steps": count_steps(fusion, counts, pixels),
        "left_out": count_left_out(np.unique(code).tolist(), merged, _in_tiles(fusion), names),
        "leakage": leakage,
        "shared_pixels_compared": shared["pixels_compared"],
        "distances": summarise_distances(distance, code[side == TEST], names),
        "reach": count_reach(tiles, names),
        "without_pixels": {tile["tile"]: tile["polygons_without_pixels"] for tile in tiles},
        "split": dict(split),
        "fusion": dict(fusion),
    }


def _tile_checks(tiles: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Counts of the tiles' checks, added up."""
    total: Counter[str] = Counter()
    for tile in tiles:
        total.update(tile["checks"])
        total.update({"pixels_on_common_borders": tile["pixels_on_common_borders"]})
    return dict(total)


def _shared_checks(shared: Mapping[str, int]) -> dict[str, int]:
    return {name: count for name, count in shared.items() if name != "pixels_compared"}


def _informed_last(leakage: Mapping[str, Any]) -> dict[str, Any]:
    return dict(sorted(leakage.items(), key=lambda item: item[0] in INFORMATION))


def _in_tiles(fusion: Mapping[str, Any]) -> dict[int, int]:
    """Polygons of each class in the tiles, before the split."""
    total: Counter[int] = Counter()
    for source in fusion["sources"]:
        for step in source.get("steps", ()):
            if step["step"] == "in_tiles":
                total.update({int(c): row["polygons"] for c, row in step["classes"].items()})
    return dict(total)


def count_reach(tiles: Sequence[Mapping[str, Any]], names: Mapping[int, str]) -> dict[str, Any]:
    """The share of test pixels that training patches can show, overall, by class and by tile.

    Parameters
    ----------
    tiles : sequence of mapping
        Audits of tiles.
    names : mapping
        Name of each class.

    Returns
    -------
    dict
        `patch_size`, `jitter`, `pixels`, `in_reach`, `share` (None without test pixels),
        `classes` and `tiles` with the last three. JSON can hold it.
    """
    total: Counter[str] = Counter()
    reached: Counter[str] = Counter()
    for tile in tiles:
        total.update({c: row["pixels"] for c, row in tile["test_classes"].items()})
        reached.update({c: row["in_reach"] for c, row in tile["test_classes"].items()})
    return {
        "patch_size": tiles[0]["patch_size"] if tiles else None,
        "jitter": tiles[0]["jitter"] if tiles else None,
        **_reach(total.total(), reached.total()),
        "classes": {
            code: {"name": names[int(code)], **_reach(total[code], reached[code])}
            for code in sorted(total, key=int)
        },
        "tiles": {
            tile["tile"]: _reach(tile["test_pixels"], tile["test_pixels_in_reach"])
            for tile in tiles
        },
    }


def _reach(pixels: int, in_reach: int) -> dict[str, Any]:
    share = round(in_reach / pixels, 6) if pixels else None
    return {"pixels": pixels, "in_reach": in_reach, "share": share}
