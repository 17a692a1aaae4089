"""What the report says about the reference: classes, sources, conflicts, steps, leaks.

The audit is read with care: what it lacks is left out of the page.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fgunet.nomenclature import Nomenclature
from fgunet.report.wording import UNDEFINED, decimals, is_defined, percent, whole

FEW_POLYGONS = 10
"""Scores of a class with fewer test polygons can change much with a few more."""

_MOST_OVERLAPS = 15
_SPLITS = ("training", "validation", "test")
_STEPS = {
    "read": "read",
    "translated": "translated",
    "prepared": "prepared",
    "fused": "fused",
    "in_tiles": "in the tiles",
    "split": "in a split",
}
CHECKS = {
    "polygons_without_split": "polygons without a split",
    "polygon_ids_repeated": "polygon numbers given twice",
    "features_in_several_splits": "features of a source in two splits",
    "overlaps_between_splits": "pairs of polygons of two splits that overlap",
    "overlaps_between_splits_m2": "their common ground, m²",
    "closer_than_min_distance": "pairs of two splits closer than the configuration allows",
    "pixels_on_two_sides": "pixels of one split in one tile, of another in the next",
    "pixels_of_another_side": "pixels of another split than their polygon",
    "pixels_of_another_code": "pixels of another class than their polygon",
    "pixels_of_unknown_polygons": "pixels of polygons that do not exist",
    "pixels_half_labelled": "pixels with a class but no polygon, or the reverse",
    "pixels_without_polygon": "labelled pixels whose centre no polygon holds",
    "pixels_left_out": "unlabelled pixels whose centre a polygon holds",
    "pixels_outside_their_polygon": "pixels, of a sample, outside of the polygon they name",
    "pixels_claimed_twice": "pixels that two polygons claim",
}
TOLD = {
    "neighbours_between_splits": "pairs of polygons of two splits that touch",
    "pixels_on_common_borders": "pixels whose centre lies on a common border",
    "pixels_in_one_tile_only": "pixels on an edge that only one of two tiles labels",
}


def class_table(audit: Mapping[str, Any], nomenclature: Nomenclature) -> list[dict[str, Any]]:
    """Each class of the reference: polygons, hectares, pixels, share of the test, sources."""
    found = audit.get("counts", {}).get("rows", [])
    pixels = audit.get("pixels", {}).get("rows", [])
    reach = audit.get("reach", {}).get("classes", {})
    rows = []
    for land_cover in nomenclature.classes:
        own = [row for row in found if row["code"] == land_cover.code and row["polygons"]]
        if not own:
            continue
        by_source: Counter[str] = Counter()
        for row in own:
            by_source[row["source"]] += row["polygons"]
        splits = _by_split(own, "polygons")
        area = _by_split(own, "hectares")
        burned = _by_split((r for r in pixels if r["code"] == land_cover.code), "pixels")
        rows.append(
            {
                "name": land_cover.name,
                "colour": land_cover.hexadecimal,
                "splits": [whole(splits[split]) for split in _SPLITS],
                "few": splits["test"] < FEW_POLYGONS,
                "hectares": _hectares(sum(area.values())),
                "test_share": percent(area["test"] / (sum(area.values()) or float("nan"))),
                "pixels": whole(sum(burned.values())) if pixels else UNDEFINED,
                "test_pixels": whole(burned["test"]) if pixels else UNDEFINED,
                "reach": percent(reach.get(str(land_cover.code), {}).get("share")),
                "sources": ", ".join(f"{s} ({whole(n)})" for s, n in by_source.most_common()),
            }
        )
    return rows


def _by_split(rows: Iterable[Mapping[str, Any]], key: str) -> dict[str, float]:
    total = dict.fromkeys(_SPLITS, 0.0)
    for row in rows:
        total[row["split"]] += row[key]
    return total


def class_notes(audit: Mapping[str, Any]) -> list[str]:
    """What became of classes that the table does not show, and of those that had to be helped."""
    notes, split = [], audit.get("split", {})
    for row in split.get("merged", ()):
        if row["polygons"]:
            notes.append(
                f"{_capital(row['name'])} is too scarce and joins {row['into_name']} "
                f"(polygons: {whole(row['polygons'])}, {_hectares(row['hectares'])} ha)."
            )
        else:
            notes.append(f"{_capital(row['name'])} has no polygon; it would join another class.")
    if left_out := audit.get("left_out"):
        listed = ", ".join(f"{row['name']} ({whole(row['polygons'])})" for row in left_out)
        notes.append(f"Left out of the map, for want of polygons: {listed}.")
    if rescued := sorted({row["name"] for row in split.get("rescued", ())}):
        notes.append(
            f"Chance left a split without {', '.join(rescued)}: a polygon was moved there for "
            "each, and may move again when the run changes."
        )
    names = audit.get("counts", {}).get("classes", {})
    if without := [names[str(code)]["name"] for code in split.get("without_validation", ())]:
        notes.append(f"Without a say in the choice of the model: {', '.join(without)}.")
    return notes


def _hectares(value: Any, places: int = 1) -> str:
    """Hectares; without decimals from a thousand on."""
    return whole(value) if is_defined(value) and value >= 1000 else decimals(value, places)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def share_note(audit: Mapping[str, Any]) -> str:
    """The shares that were asked for and those that were reached, in a sentence."""
    options, splits = audit.get("split", {}).get("options"), audit.get("counts", {}).get("splits")
    if not options or not splits:
        return ""
    how = {
        "polygons": "polygon by polygon, balanced in area by class and square of ground",
        "blocks": "by whole squares of ground, so that test and training lie apart",
    }[options["mode"]]
    if options["mode"] == "blocks":
        how += f" ({options['square_m'] / 1000:g} km wide)"
    return (
        f"The reference is split once for all tiles, {how}. The test has "
        f"{percent(splits.get('test_share'))} % of the area ({percent(options['test_share'])} % "
        f"were asked for), the validation {percent(splits.get('validation_share'))} % of the rest "
        f"({percent(options['validation_share'])} %)." + _given_up(audit)
    )


def _given_up(audit: Mapping[str, Any]) -> str:
    """What whole squares cost, in a sentence; empty text where polygons are split whole."""
    given_up = audit["split"].get("given_up")
    if given_up is None:
        return ""
    cut, lost = given_up["cut"], given_up["lost"]
    return (
        f" Polygons across squares of two sides were cut: {whole(cut['polygons'])} lost "
        f"{_hectares(cut['hectares'])} ha, and {whole(lost['polygons'])} "
        f"({_hectares(lost['hectares'])} ha) were given up as a whole."
    )


def source_table(audit: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What each source gave, and what was left out of it for which reason."""
    rows = []
    for source in audit.get("fusion", {}).get("sources", []):
        dropped = Counter(dict(source.get("features_dropped", {})))
        for kind in ("polygons_dropped", "fusion_dropped"):
            for reason, counts in source.get(kind, {}).items():
                dropped[reason] += counts["polygons"]
        if ignored := sum(source.get("features_ignored_by_value", {}).values()):
            dropped["ignored on purpose"] += ignored
        kept, cut = source.get("fusion_kept", {}), source.get("fusion_cut", {})
        rows.append(
            {
                "name": source.get("name", UNDEFINED),
                "year": source.get("year") or UNDEFINED,
                "precedence": whole(source.get("precedence")),
                "read": whole(source.get("features_read")),
                "kept": whole(kept.get("polygons")),
                "hectares": _hectares(kept.get("hectares")),
                "cut": whole(cut.get("polygons")),
                "cut_hectares": _hectares(cut.get("hectares")),
                "dropped": [
                    {"reason": reason, "count": whole(n)} for reason, n in dropped.most_common()
                ],
            }
        )
    return rows


def contradictions(audit: Mapping[str, Any], nomenclature: Nomenclature) -> dict[str, Any]:
    """Ground on which two sources name different classes, the largest first."""
    overlaps = audit.get("fusion", {}).get("overlaps", [])
    apart = [row for row in overlaps if row.get("contradiction")]
    apart.sort(key=lambda row: (-row["hectares"], row["kept_code"], row["cut_code"]))
    total = sum(row["hectares"] for row in apart)
    rows = [
        {side: _claim(row, side, nomenclature) for side in ("kept", "cut")}
        | {
            "pairs": whole(row["pairs"]),
            "hectares": _hectares(row["hectares"], 2),
            "share": percent(row["hectares"] / (total or float("nan"))),
        }
        for row in apart[:_MOST_OVERLAPS]
    ]
    return {
        "rows": rows,
        "more": max(0, len(apart) - _MOST_OVERLAPS),
        "more_hectares": _hectares(sum(row["hectares"] for row in apart[_MOST_OVERLAPS:])),
        "hectares": _hectares(total),
        "agreed": _hectares(
            sum(row["hectares"] for row in overlaps if not row.get("contradiction"))
        ),
    }


def _claim(row: Mapping[str, Any], side: str, nomenclature: Nomenclature) -> dict[str, str]:
    code = row[f"{side}_code"]
    land_cover = next((one for one in nomenclature.classes if one.code == code), None)
    return {
        "source": row[f"{side}_source"],
        "name": land_cover.name if land_cover else str(code),
        "colour": land_cover.hexadecimal if land_cover else "#ffffff",
    }


def step_table(audit: Mapping[str, Any]) -> dict[str, Any]:
    """Polygons and hectares of each source after each step, all classes together."""
    rows = audit.get("steps", [])
    steps = [step for step in _STEPS if any(row["step"] == step for row in rows)]
    sources = list(dict.fromkeys(row["source"] for row in rows))
    table = []
    for source in [*sources, None] if len(sources) > 1 else sources:
        cells = []
        for step in steps:
            own = [r for r in rows if r["step"] == step and source in (None, r["source"])]
            cells.append({key: _sum(own, key) for key in ("polygons", "hectares", "pixels")})
        table.append(
            {
                "name": source or "all sources",
                "total": source is None,
                "cells": [
                    {
                        "polygons": whole(cell["polygons"]),
                        "hectares": _hectares(cell["hectares"]),
                    }
                    for cell in cells
                ],
                "pixels": whole(cells[-1]["pixels"]) if cells else UNDEFINED,
            }
        )
    return {"steps": [_STEPS[step] for step in steps], "rows": table}


def _sum(rows: Sequence[Mapping[str, Any]], key: str) -> float | None:
    """The sum of what is known; features stand in for polygons before those are made."""
    keys = (key, "features") if key == "polygons" else (key,)
    values = [row[k] for row in rows for k in keys if row.get(k) is not None]
    return sum(values) if values else None


def leakage_rows(audit: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The checks that no test polygon was seen in training, and counts told beside them."""
    found = audit.get("leakage", {})
    rows = [
        {
            "name": {**CHECKS, **TOLD}.get(name, name.replace("_", " ")),
            "value": whole(found[name]),
            "good": not found[name],
        }
        for name in [*CHECKS, *sorted(set(found) - set(CHECKS))]
        if name in found
    ]
    told = set(TOLD.values())
    return {
        "checks": [row for row in rows if row["name"] not in told],
        "told": [row for row in rows if row["name"] in told],
    }


def reach_note(audit: Mapping[str, Any], *, avoided: bool = False) -> str:
    """How much of the test the network could see in training, and what that means.

    Parameters
    ----------
    audit : mapping
        Audit of the reference.
    avoided : bool
        Whether training kept its patches clear of test polygons.
    """
    reach = audit.get("reach", {})
    if not reach.get("pixels"):
        return ""
    size = reach["patch_size"]
    if avoided:
        return (
            "Training kept its patches clear of all test polygons (fgunet.avoid_test_context): the "
            f"network saw none of their pixels. Without that, {percent(reach['share'])} % of the "
            f"test pixels would lie inside the {size} × {size} pixel patches that can be drawn."
        )
    return (
        f"{percent(reach['share'])} % of the test pixels lie inside the {size} × {size} pixel "
        "patches that training can draw. The network may have seen the image there, but never the "
        "class: these scores say how well it fills the ground between the polygons it learned "
        "from. How well it does in a region it has never seen, a split by blocks tells "
        "(split.mode: blocks)."
    )


def distance_note(audit: Mapping[str, Any]) -> str:
    """How near the training lies to the test, in a sentence."""
    percentiles = audit.get("distances", {}).get("percentiles", {})
    if not percentiles:
        return ""
    middle, near, far = (_length(percentiles[key]) for key in ("50", "5", "95"))
    return (
        f"From a test polygon to the nearest polygon of the training it is {middle} in the median "
        f"({near} for the nearest twentieth, more than {far} for the farthest)."
    )


def _length(metres: float) -> str:
    return f"{metres / 1000:.1f} km" if metres >= 1000 else f"{metres:.0f} m"
