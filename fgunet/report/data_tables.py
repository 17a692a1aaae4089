"""Tables of the data: products, acquisitions and gaps, with plain numbers.

A listing is the content of results/acquisitions/{tile}.json.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from fgunet.report.gaps import LEVELS
from fgunet.report.wording import day

LEFT_OUT = "left out: "
"""How the columns of `acquisition_counts` begin that count products left out for a reason."""

_PRODUCT = {
    "tile": "object",
    "date": "object",
    "product": "object",
    "platform": "object",
    "family": "object",
    "cloud_share": "float64",
    "used": "bool",
    "reason": "object",
    "detail": "object",
}


def data_tables(
    listings: Iterable[Mapping[str, Any]],
    facts: Iterable[Mapping[str, Any]],
    tiles: Sequence[str],
) -> dict[str, pd.DataFrame]:
    """All tables of the data, by name: products, acquisitions, gaps."""
    products = product_table(listings)
    return {
        "products": products,
        "acquisitions": acquisition_counts(products, tiles),
        "gaps": gap_table(facts),
    }


def product_table(listings: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Every product that was found, and what became of it.

    Parameters
    ----------
    listings : iterable of mapping
        One a tile: tile, kept, cloud_shares, excluded. Read one after another, in any order.

    Returns
    -------
    pandas.DataFrame
        One row a product and tile, by tile, date and product.

        - tile, date (YYYY-MM-DD), product, family : str
        - platform : str, empty where the product was not opened
        - cloud_share : float64, 0..1 of the pixels with data that lie under clouds or their
          shadows; NaN where it was not measured
        - used : bool
        - reason, detail : str, why it was left out; empty for a product that was used
    """
    rows = [row for listing in listings for row in _products(listing)]
    table = pd.DataFrame(rows, columns=list(_PRODUCT)).astype(_PRODUCT)
    return table.sort_values(["tile", "date", "product"], ignore_index=True)


def _products(listing: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for entry, share in zip(listing["kept"], listing["cloud_shares"], strict=True):
        yield {
            **{key: entry[key] for key in ("product", "platform", "family")},
            "tile": listing["tile"],
            "date": day(entry["time"]),
            "cloud_share": share,
            "used": True,
            "reason": "",
            "detail": "",
        }
    for entry in listing["excluded"]:
        yield {
            **{key: entry[key] for key in ("product", "family", "reason", "detail")},
            "tile": listing["tile"],
            "date": day(entry["date"]),
            "platform": "",
            "used": False,
        }


def acquisition_counts(products: pd.DataFrame, tiles: Sequence[str]) -> pd.DataFrame:
    """How many products each tile has, uses and leaves out.

    Parameters
    ----------
    products : pandas.DataFrame
        As `product_table` makes it.
    tiles : sequence of str
        All tiles, those without a product too.

    Returns
    -------
    pandas.DataFrame
        One row a tile, by name: tile; found, used, and a column "left out: <reason>" for each
        reason that occurs, all int64.
    """
    rows = pd.Index(sorted(tiles), name="tile")
    by_tile = products.groupby("tile")["used"]
    table = pd.DataFrame({"found": by_tile.size(), "used": by_tile.sum()}, index=rows)
    left_out = products[~products["used"]]
    reasons = pd.crosstab(left_out["tile"], left_out["reason"]).add_prefix(LEFT_OUT)
    return table.join(reasons).fillna(0).astype("int64").reset_index()


def gap_table(facts: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """How often the pixels of each tile were seen, and how much was filled.

    Parameters
    ----------
    facts : iterable of mapping
        Content of results/figures/tiles/{tile}.json: tile, gaps (`fgunet.report.gaps`),
        max_gap_days.

    Returns
    -------
    pandas.DataFrame
        One row a tile, by name. never_clear_share is of all pixels; the rest is of those that were
        clear at least once, and NaN where there is none.

        - tile : str
        - never_clear_share : float64, 0..1
        - clear_days_p5 ... _p95, longest_gap_days_p5 ... _p95 : float64, percentiles in days
        - bridged_share : float64, 0..1 of the values on the regular dates that were filled across
          more than max_gap_days
        - max_gap_days : int64, the limit
    """
    rows = [
        {
            "tile": fact["tile"],
            "never_clear_share": fact["gaps"]["never_clear_share"],
            **_percentiles("clear_days", fact["gaps"]),
            **_percentiles("longest_gap_days", fact["gaps"]),
            "bridged_share": fact["gaps"]["bridged_share"],
            "max_gap_days": fact["max_gap_days"],
        }
        for fact in sorted(facts, key=lambda one: str(one["tile"]))
    ]
    table = pd.DataFrame(rows)
    measured = [name for name in table if name not in ("tile", "max_gap_days")]
    return table.astype(dict.fromkeys(measured, "float64"))


def _percentiles(name: str, gaps: Mapping[str, Any]) -> dict[str, float | None]:
    found = gaps[name] or {}
    return {f"{name}_p{level}": found.get(str(level)) for level in LEVELS}
