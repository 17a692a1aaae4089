"""The audit of a split reference: counts, and proofs that nothing leaks between splits."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from fgunet.errors import SplitError
from fgunet.reference.overlaps import OVERLAP_TOLERANCE_M2, shared_area, touching_pairs
from fgunet.reference.split import SPLIT_NAMES
from fgunet.reference.tally import as_counts

_log = logging.getLogger(__name__)


def audit_split(
    frame: gpd.GeoDataFrame, split: NDArray[np.uint8], names: Mapping[int, str]
) -> dict[str, Any]:
    """Count the polygons of a split and prove that nothing leaks.

    Parameters
    ----------
    frame : geopandas.GeoDataFrame
        Fused polygons in a metric coordinate system, with `polygon_id`, `feature`, `code`,
        `source` and `tiles` (names, comma-separated).
    split : numpy.ndarray
        (n,), uint8: 1..3, or 0 for a polygon of a class that is left out.
    names : mapping
        Name of each class of the nomenclature.

    Returns
    -------
    dict
        `counts` (see `count_polygons`), `left_out` (see `count_left_out`) and `leakage` (see
        `check_leakage`). JSON can hold it.

    Raises
    ------
    SplitError
        If the split leaks.
    """
    left_out = count_left_out(frame["code"].to_numpy(), split, names)
    kept, split = frame[split > 0], split[split > 0]
    leakage = check_leakage(
        kept.geometry.to_numpy(), kept["polygon_id"].to_numpy(), kept["feature"].to_numpy(), split
    )
    require_no_leak(leakage)
    counts = count_polygons(
        code=kept["code"].to_numpy(),
        source=kept["source"].to_numpy(dtype=object),
        split=split,
        tiles=kept["tiles"].tolist(),
        area_m2=kept.geometry.area.to_numpy(),
        names=names,
    )
    return {"counts": counts, "left_out": left_out, "leakage": leakage}


def count_polygons(
    *,
    code: NDArray[np.int64],
    source: NDArray[np.object_],
    split: NDArray[np.uint8],
    tiles: Sequence[str],
    area_m2: NDArray[np.float64],
    names: Mapping[int, str],
) -> dict[str, Any]:
    """Polygons and hectares by source, class, split and tile.

    Parameters
    ----------
    code, source, split, tiles, area_m2 : arrays
        (n,) each: class code, source name, split code 1..3, comma-separated tile names, m2.
    names : mapping
        Name of each class code.

    Returns
    -------
    dict
        `rows` (by source, code and split), `classes`, `splits` and `tiles` (by split; a polygon
        in two tiles counts in both) and `polygons_in_several_tiles`. JSON can hold it.
    """

    def counted(chosen: NDArray[np.bool_]) -> dict[str, Any]:
        return as_counts(int(chosen.sum()), float(area_m2[chosen].sum()))

    def by_split(chosen: NDArray[np.bool_]) -> dict[str, Any]:
        return {name: counted(chosen & (split == n)) for n, name in SPLIT_NAMES.items()}

    kinds = sorted(set(zip(source.tolist(), code.tolist(), split.tolist(), strict=True)))
    named = [row.split(",") for row in tiles]
    in_tile = {
        tile: np.array([tile in row for row in named])
        for tile in sorted({tile for row in named for tile in row})
    }
    return {
        "rows": [
            {"source": s, "code": c, "split": SPLIT_NAMES[n]}
            | counted((source == s) & (code == c) & (split == n))
            for s, c, n in kinds
        ],
        "classes": {
            str(c): {"name": names[c], **by_split(code == c)} for c in np.unique(code).tolist()
        },
        "splits": by_split(np.ones(len(code), dtype=bool)),
        "tiles": {tile: by_split(chosen) for tile, chosen in in_tile.items()},
        "polygons_in_several_tiles": sum(len(row) > 1 for row in named),
    }


def count_left_out(
    code: NDArray[np.int64], split: NDArray[np.uint8], names: Mapping[int, str]
) -> list[dict[str, Any]]:
    """List the classes that are in no split, with the polygons lost by it, and log them.

    Parameters
    ----------
    code : numpy.ndarray
        (n,), int64: class codes.
    split : numpy.ndarray
        (n,), uint8: 1..3, or 0 for a polygon that is in no split.
    names : mapping
        Name of each class of the nomenclature.
    """
    mapped = set(np.unique(code[split > 0]).tolist())
    left_out = [
        {"code": one, "name": names[one], "polygons": int((code == one).sum())}
        for one in sorted(set(names) - mapped)
    ]
    for row in left_out:
        _log.warning(
            "class %(code)d (%(name)s) is left out: %(polygons)d polygons are too few", row
        )
    return left_out


def check_leakage(
    geometry: NDArray[np.object_],
    polygon_id: NDArray[np.int64],
    feature: NDArray[np.int64],
    split: NDArray[np.uint8],
) -> dict[str, Any]:
    """What would let a test polygon be seen in training; all counts should be 0.

    Parameters
    ----------
    geometry : numpy.ndarray
        (n,), object: polygons in one metric coordinate system.
    polygon_id, feature : numpy.ndarray
        (n,), int64: numbers of polygons and of the features they are parts of.
    split : numpy.ndarray
        (n,), uint8: 1..3.

    Returns
    -------
    dict
        `polygons_without_split`; `polygon_ids_repeated` (a number must mean one polygon, and so
        one split, in every tile); `features_in_several_splits`; `overlaps_between_splits` (pairs
        that share more than a hundredth of a square metre) and their m2; and, for information,
        `neighbours_between_splits` (pairs that at least touch).
    """
    first, second = touching_pairs(geometry)
    across = split[first] != split[second]
    shared = shared_area(geometry, first[across], second[across])
    real = shared > OVERLAP_TOLERANCE_M2
    _, splits_of_feature = np.unique(
        np.unique(np.stack([feature, split.astype(np.int64)], axis=1), axis=0)[:, 0],
        return_counts=True,
    )
    return {
        "polygons_without_split": int((~np.isin(split, list(SPLIT_NAMES))).sum()),
        "polygon_ids_repeated": len(polygon_id) - len(np.unique(polygon_id)),
        "features_in_several_splits": int((splits_of_feature > 1).sum()),
        "overlaps_between_splits": int(real.sum()),
        "overlaps_between_splits_m2": round(float(shared[real].sum()), 2),
        "neighbours_between_splits": int(across.sum()),
    }


def require_no_leak(leakage: Mapping[str, Any]) -> None:
    """Stop where `check_leakage` found a leak.

    Raises
    ------
    SplitError
        If a count other than that of mere neighbours is not 0.
    """
    leaks = {k: v for k, v in leakage.items() if v and k != "neighbours_between_splits"}
    if leaks:
        raise SplitError(
            f"the split leaks: {', '.join(f'{k} = {v}' for k, v in leaks.items())}; "
            "the fused layer was changed by hand or by another version: fuse the sources again"
        )
