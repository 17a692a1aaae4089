"""Tables of the reference, with plain numbers: classes, sources, steps, overlaps, checks.

Each is made from results/reference/audit.json.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from fgunet.nomenclature import Nomenclature
from fgunet.report.reference import CHECKS, TOLD

_SPLITS = ("training", "validation", "test")
_STEP = ("source", "step", "code", "features", "polygons", "hectares", "pixels")
_SOURCE = (
    "source", "year", "precedence", "features_read", "polygons_kept", "hectares_kept",
    "polygons_cut", "hectares_cut_away",
)  # fmt: skip
_LOSS = {
    "source": "object",
    "reason": "object",
    "features": "Int64",
    "polygons": "Int64",
    "hectares": "float64",
}
_OVERLAP = (
    "kept_source", "kept_code", "cut_source", "cut_code", "pairs", "hectares", "contradiction",
)  # fmt: skip


def reference_tables(
    audit: Mapping[str, Any], nomenclature: Nomenclature
) -> dict[str, pd.DataFrame]:
    """All tables of the reference, by name."""
    return {
        "reference_classes": reference_classes(audit, nomenclature),
        "sources": source_table(audit),
        "sources_left_out": source_losses(audit),
        "steps": step_table(audit),
        "contradictions": overlap_table(audit, nomenclature),
        "leakage": check_table(audit),
    }


def reference_classes(audit: Mapping[str, Any], nomenclature: Nomenclature) -> pd.DataFrame:
    """What the reference holds of each class, by split.

    Returns
    -------
    pandas.DataFrame
        One row a class of the nomenclature, in its order.

        - code : int64; name : str
        - polygons_<split> : int64; hectares_<split> : float64; pixels_<split> : int64 (labelled
          pixels; where tiles overlap, a pixel counts in each); the splits are training, validation
          and test
        - test_share : float64, 0..1 of the area; NaN without polygons
        - seen_in_patches_share : float64, 0..1 of the test pixels that lie inside patches that
          training can draw; NaN where it is not known
        - sources : str, "name: polygons" of each source, the largest first
    """
    polygons = audit.get("counts", {}).get("rows", [])
    pixels = audit.get("pixels", {}).get("rows", [])
    reach = audit.get("reach", {}).get("classes", {})
    rows = []
    for each in nomenclature.classes:
        own = [row for row in polygons if row["code"] == each.code]
        burned = [row for row in pixels if row["code"] == each.code]
        by_source: Counter[str] = Counter()
        for row in own:
            by_source[row["source"]] += row["polygons"]
        area = _by_split(own, "hectares")
        rows.append(
            {
                "code": each.code,
                "name": each.name,
                **{f"polygons_{split}": n for split, n in _by_split(own, "polygons").items()},
                **{f"hectares_{split}": n for split, n in area.items()},
                **{f"pixels_{split}": n for split, n in _by_split(burned, "pixels").items()},
                "test_share": area["test"] / (sum(area.values()) or float("nan")),
                "seen_in_patches_share": reach.get(str(each.code), {}).get("share"),
                "sources": "; ".join(f"{name}: {n}" for name, n in by_source.most_common() if n),
            }
        )
    return pd.DataFrame(rows).astype({"seen_in_patches_share": "float64"})


def _by_split(rows: Sequence[Mapping[str, Any]], key: str) -> dict[str, Any]:
    return {split: sum(r[key] for r in rows if r["split"] == split) for split in _SPLITS}


def source_table(audit: Mapping[str, Any]) -> pd.DataFrame:
    """What each source gave.

    Returns
    -------
    pandas.DataFrame
        One row a source, in the order of the configuration: source : str; year, precedence,
        features_read, polygons_kept, polygons_cut : Int64; hectares_kept, hectares_cut_away :
        float64. What the audit does not tell is NA.
    """
    rows = [
        (
            source["name"],
            source.get("year"),
            source.get("precedence"),
            source.get("features_read"),
            *_counts(source.get("fusion_kept", {})),
            *_counts(source.get("fusion_cut", {})),
        )
        for source in audit.get("fusion", {}).get("sources", [])
    ]
    whole = [name for name in _SOURCE if name != "source" and "hectares" not in name]
    table = pd.DataFrame(rows, columns=list(_SOURCE))
    return table.astype({**dict.fromkeys(whole, "Int64"), "hectares_kept": "float64"})


def _counts(found: Mapping[str, Any]) -> tuple[Any, Any]:
    return found.get("polygons"), found.get("hectares")


def source_losses(audit: Mapping[str, Any]) -> pd.DataFrame:
    """What was left out of each source, and why.

    Returns
    -------
    pandas.DataFrame
        One row a source and reason, in the order of the work: source, reason : str; features,
        polygons : Int64, one of them known; hectares : float64, NaN for features.
    """
    rows = [
        {"source": source["name"], **loss}
        for source in audit.get("fusion", {}).get("sources", [])
        for loss in _losses(source)
    ]
    return pd.DataFrame(rows, columns=list(_LOSS)).astype(_LOSS)


def _losses(source: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if ignored := sum(source.get("features_ignored_by_value", {}).values()):
        yield {"reason": "ignored on purpose", "features": ignored}
    for reason, count in source.get("features_dropped", {}).items():
        yield {"reason": reason, "features": count}
    for kind in ("polygons_dropped", "fusion_dropped"):
        for reason, counts in source.get(kind, {}).items():
            yield {"reason": reason, **counts}


def step_table(audit: Mapping[str, Any]) -> pd.DataFrame:
    """What was left of each source after each step, by class.

    Returns
    -------
    pandas.DataFrame
        One row a source, step and class: source, step : str; code : Int64, NA before classes are
        known; features, polygons, pixels : Int64; hectares : float64. NA where a step does not
        count that.
    """
    table = pd.DataFrame(audit.get("steps", []), columns=list(_STEP))
    whole = dict.fromkeys(("code", "features", "polygons", "pixels"), "Int64")
    return table.astype({**whole, "hectares": "float64"})


def overlap_table(audit: Mapping[str, Any], nomenclature: Nomenclature) -> pd.DataFrame:
    """Ground that two polygons of the sources claim, the largest first.

    Returns
    -------
    pandas.DataFrame
        One row a pair of sources and classes: kept_source, kept_code, kept_name (who keeps the
        ground), cut_source, cut_code, cut_name (who is cut), pairs : int64, hectares : float64,
        contradiction : bool, whether the two classes differ.
    """
    table = pd.DataFrame(audit.get("fusion", {}).get("overlaps", []), columns=list(_OVERLAP))
    for place, side in ((2, "kept"), (5, "cut")):
        table.insert(place, f"{side}_name", table[f"{side}_code"].map(nomenclature.names))
    order = ["hectares", "kept_source", "kept_code", "cut_source", "cut_code"]
    return table.sort_values(order, ascending=[False, *[True] * 4], ignore_index=True)


def check_table(audit: Mapping[str, Any]) -> pd.DataFrame:
    """The checks that no test polygon was seen in training.

    Returns
    -------
    pandas.DataFrame
        One row a check: check (its name in the audit), meaning : str; count : float64, pixels,
        polygons, pairs or square metres as `meaning` says; must_be_zero : bool.
    """
    found = audit.get("leakage", {})
    known = {**CHECKS, **TOLD}
    names = [*(name for name in known if name in found), *sorted(set(found) - set(known))]
    rows = [
        (name, known.get(name, name.replace("_", " ")), float(found[name]), name not in TOLD)
        for name in names
    ]
    return pd.DataFrame(rows, columns=["check", "meaning", "count", "must_be_zero"])
