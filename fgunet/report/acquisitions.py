"""What the report says about acquisitions: used ones, left out ones, masks and gaps.

A listing is the content of results/acquisitions/{tile}.json.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from fgunet.report.style import evenly_chosen
from fgunet.report.wording import UNDEFINED, alternatives, day, decimals, percent, whole
from fgunet.sentinel2.selection import BROKEN

MOST_TILES = 60
"""Tiles whose acquisitions are listed one by one, at most."""

_MOST_BROKEN = 20
_MASKED = {
    "cloud": "cloud",
    "shadow": "shadow of a cloud",
    "edge": "outside of the orbit",
    "saturation": "saturated, defective",
    "nodata": "without measurement",
    "dark": "dark feature",
    "snow": "snow",
}


def acquisition_table(listings: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Products of each tile: found, kept, and excluded by reason."""
    reasons: Counter[str] = Counter()
    rows = []
    for listing in sorted(listings, key=lambda one: str(one["tile"])):
        excluded = Counter(str(entry["reason"]) for entry in listing["excluded"])
        reasons.update(excluded)
        rows.append({"tile": listing["tile"], "kept": len(listing["kept"]), "excluded": excluded})
    names = sorted(reasons)
    table = [
        {
            "name": row["tile"],
            "found": whole(row["kept"] + row["excluded"].total()),
            "kept": whole(row["kept"]),
            "excluded": [whole(row["excluded"][name]) for name in names],
        }
        for row in rows
    ]
    kept = sum(row["kept"] for row in rows)
    total = {
        "name": "all tiles",
        "found": whole(kept + reasons.total()),
        "kept": whole(kept),
        "excluded": [whole(reasons[name]) for name in names],
    }
    return {"reasons": names, "rows": table, "total": total}


def broken_products(listings: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """How many broken products were set aside, and which; None if there were none."""
    names = sorted(
        str(entry["product"])
        for listing in listings
        for entry in listing["excluded"]
        if entry["reason"] == BROKEN
    )
    if not names:
        return None
    what = (
        "1 broken product was" if len(names) == 1 else f"{whole(len(names))} broken products were"
    )
    return {
        "statement": f"{what} set aside",
        "names": names[:_MOST_BROKEN],
        "more": max(0, len(names) - _MOST_BROKEN),
    }


def product_lists(listings: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Every product of the tiles (of `MOST_TILES` at most, evenly chosen), by day."""
    by_tile = {str(listing["tile"]): listing for listing in listings}
    return [_product_list(by_tile[tile]) for tile in evenly_chosen(sorted(by_tile), MOST_TILES)]


def _product_list(listing: Mapping[str, Any]) -> dict[str, Any]:
    kept = [
        {
            "date": day(entry["time"]),
            "product": entry["product"],
            "platform": entry["platform"],
            "family": entry["family"],
            "clouds": percent(share),
            "reason": "",
            "detail": "",
            "broken": False,
        }
        for entry, share in zip(listing["kept"], listing["cloud_shares"], strict=True)
    ]
    excluded = [
        {
            "date": day(entry["date"]),
            "product": entry["product"],
            "platform": UNDEFINED,
            "family": entry["family"],
            "clouds": UNDEFINED,
            "reason": entry["reason"],
            "detail": entry["detail"],
            "broken": entry["reason"] == BROKEN,
        }
        for entry in listing["excluded"]
    ]
    broken = sum(entry["broken"] for entry in excluded)
    return {
        "tile": listing["tile"],
        "kept": whole(len(kept)),
        "excluded": whole(len(excluded)),
        "broken": whole(broken) if broken else "",
        "rows": sorted(kept + excluded, key=lambda row: (row["date"], row["product"])),
    }


def mask_notes(listings: Sequence[Mapping[str, Any]]) -> list[str]:
    """Say in sentences which pixels were not used, and what products did not tell."""
    # The masks are those of the configuration, the same for all tiles.
    notes = [*_mask_statements(listings[0]["masks"])] if listings else []
    missing: Counter[str] = Counter()
    for listing in listings:
        missing.update(listing["missing_masks"])
    notes += [
        f"{_products(count, 'has', 'have')} no mask {kind}: what it would tell is not known."
        for kind, count in sorted(missing.items())
    ]
    undeclared = sum(listing["undeclared_nodata"] for listing in listings)
    if undeclared:
        notes.append(
            f"{_products(undeclared, 'does', 'do')} not declare nodata: the value that the product "
            "family uses was taken."
        )
    return notes


def _mask_statements(masks: Mapping[str, Any]) -> list[str]:
    on = [text for reason, text in _MASKED.items() if masks[reason]]
    off = [text for reason, text in _MASKED.items() if not masks[reason]]
    if not on:
        return ["No mask was used: all pixels count as clear."]
    notes = [
        f"Pixels were left out that the products mark as {alternatives(on)}; not every product "
        "family tells all of it."
    ]
    if masks["dilation_m"]:
        notes.append(
            f"So were all pixels up to {masks['dilation_m']:g} m from a cloud or its shadow."
        )
    else:
        notes.append("Clouds and their shadows were taken as marked, without a margin.")
    if off:
        notes.append(f"As configured, pixels marked as {alternatives(off)} were used.")
    return notes


def _products(count: int, one: str, many: str) -> str:
    return f"1 used product {one}" if count == 1 else f"{whole(count)} used products {many}"


def gap_rows(facts: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """One row a tile: how often its pixels were seen, and how much was filled.

    Parameters
    ----------
    facts : sequence of mapping
        Content of results/figures/tiles/{tile}.json: tile, gaps.
    """
    rows = []
    for fact in sorted(facts, key=lambda one: str(one["tile"])):
        gaps = fact["gaps"]
        days, longest = gaps["clear_days"] or {}, gaps["longest_gap_days"] or {}
        rows.append(
            {
                "name": fact["tile"],
                "never": percent(gaps["never_clear_share"]),
                "low": decimals(days.get("5"), 0),
                "median": decimals(days.get("50"), 0),
                "longest": decimals(longest.get("50"), 0),
                "bridged": percent(gaps["bridged_share"]),
            }
        )
    return rows
