"""What the report says about acquisitions: used ones, left out ones, masks and gaps.

A listing is the content of results/acquisitions/{tile}.json.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from fgunet.report.data_tables import LEFT_OUT, acquisition_counts, gap_table, product_table
from fgunet.report.style import evenly_chosen
from fgunet.report.wording import UNDEFINED, alternatives, decimals, percent, whole
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
    tiles = [str(listing["tile"]) for listing in listings]
    counts = acquisition_counts(product_table(listings), tiles).set_index("tile")
    rows = [_counted(str(tile), row) for tile, row in counts.iterrows()]
    return {
        "reasons": [name.removeprefix(LEFT_OUT) for name in counts.columns[2:]],
        "rows": rows,
        "total": _counted("all tiles", counts.sum()),
    }


def _counted(name: str, counts: pd.Series) -> dict[str, Any]:
    found, used, *excluded = (whole(count) for count in counts)
    return {"name": name, "found": found, "kept": used, "excluded": excluded}


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
    return [
        _product_list(tile, product_table([by_tile[tile]]))
        for tile in evenly_chosen(sorted(by_tile), MOST_TILES)
    ]


def _product_list(tile: str, products: pd.DataFrame) -> dict[str, Any]:
    broken = (products["reason"] == BROKEN).sum()
    return {
        "tile": tile,
        "kept": whole(products["used"].sum()),
        "excluded": whole((~products["used"]).sum()),
        "broken": whole(broken) if broken else "",
        "rows": [
            {
                **{key: row[key] for key in ("date", "product", "family", "reason", "detail")},
                "platform": row["platform"] or UNDEFINED,
                "clouds": percent(row["cloud_share"]),
                "broken": row["reason"] == BROKEN,
            }
            for row in products.to_dict("records")
        ],
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
    return [
        {
            "name": row["tile"],
            "never": percent(row["never_clear_share"]),
            "low": decimals(row["clear_days_p5"], 0),
            "median": decimals(row["clear_days_p50"], 0),
            "longest": decimals(row["longest_gap_days_p50"], 0),
            "bridged": percent(row["bridged_share"]),
        }
        for row in gap_table(facts).to_dict("records")
    ]
