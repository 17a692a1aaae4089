"""What a run left out, in one list: products, classes, polygons, pixels, tiles."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from fgunet.report.style import method_label
from fgunet.report.wording import whole

_COLUMNS = {
    "what": "object",
    "reason": "object",
    "left_out": "int64",
    "of": "Int64",
    "names": "object",
}
_MOST_NAMES = 10


def left_out_table(
    *,
    products: pd.DataFrame,
    losses: pd.DataFrame,
    audit: Mapping[str, Any],
    summary: pd.DataFrame,
    classes: pd.DataFrame,
    comparison: Mapping[str, Any],
    labels: pd.DataFrame,
    facts: Iterable[Mapping[str, Any]],
) -> pd.DataFrame:
    """Everything that was left out, from the data to the scores.

    Parameters
    ----------
    products : pandas.DataFrame
        As `fgunet.report.data_tables.product_table` makes it.
    losses : pandas.DataFrame
        As `fgunet.report.reference_tables.source_losses` makes it.
    audit : mapping
        Audit of the reference.
    summary, classes : pandas.DataFrame
        Scores by map and by class (`fgunet.accuracy.tables.tabulate`).
    comparison : mapping
        Comparison of two methods; left_out is read.
    labels : pandas.DataFrame
        As `fgunet.comparison.labels.label_table` makes it; may be empty.
    facts : iterable of mapping
        One a tile: gaps, grid.

    Returns
    -------
    pandas.DataFrame
        One row for each reason that left something out, in the order of the work.

        - what, reason : str
        - left_out : int64, how many
        - of : Int64, of how many; NA where the total is not known
        - names : str, what they are called, where that is short ("; " between them), else empty
    """
    rows = [
        *_products(products),
        *_unseen_pixels(facts),
        *_source_losses(losses),
        *_classes(audit),
        *_polygons(audit),
        *_unlearned(labels),
        *_unjudged(summary, classes, comparison),
    ]
    table = pd.DataFrame(rows, columns=list(_COLUMNS)).astype(_COLUMNS)
    return table[table["left_out"] > 0].reset_index(drop=True)


def _row(
    what: str, reason: str, left_out: Any, of: Any = None, names: Iterable[Any] = ()
) -> dict[str, Any]:
    told = "; ".join(str(name) for name in names)
    return {"what": what, "reason": reason, "left_out": left_out, "of": of, "names": told}


def _products(products: pd.DataFrame) -> Iterator[dict[str, Any]]:
    for reason, own in products[~products["used"]].groupby("reason"):
        yield _row("products", str(reason), len(own), len(products))


def _unseen_pixels(facts: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    never, pixels = 0, 0
    for fact in facts:
        size = fact["grid"]["height"] * fact["grid"]["width"]
        never, pixels = never + round(fact["gaps"]["never_clear_share"] * size), pixels + size
    yield _row("pixels of the tiles", "never clear: without data, not mapped", never, pixels)


def _source_losses(losses: pd.DataFrame) -> Iterator[dict[str, Any]]:
    for reason, own in losses.groupby("reason", sort=False):
        for unit in ("features", "polygons"):
            names = own.loc[own[unit].notna(), "source"]
            yield _row(f"{unit} of the sources", str(reason), own[unit].sum(), None, names)


def _classes(audit: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    names = [row["name"] for row in audit.get("left_out", ())]
    yield _row("classes", "too few polygons to be split: not mapped", len(names), None, names)
    merged = [
        f"{row['name']} into {row['into_name']}"
        for row in audit.get("split", {}).get("merged", ())
        if row["polygons"]
    ]
    yield _row("classes", "too scarce: joined to another", len(merged), None, merged)


def _polygons(audit: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    given_up = audit.get("split", {}).get("given_up")
    if given_up is not None:
        lost = given_up["lost"]["polygons"]
        yield _row("polygons", "across squares of two sides of the split", lost)
    hidden = sum(one["polygons"] for one in audit.get("without_pixels", {}).values())
    yield _row("polygons, counted in each tile", "no pixel has its centre in it", hidden)


def _unlearned(labels: pd.DataFrame) -> Iterator[dict[str, Any]]:
    if labels.empty:
        return
    totals = labels[labels["code"].isna()]
    first = totals.iloc[0]
    kept, available = first["polygons_in_pool"], first["polygons_available"]
    why = "not among those that the methods may learn from"
    yield _row("training polygons", why, available - kept, available)


def _unjudged(
    summary: pd.DataFrame, classes: pd.DataFrame, comparison: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    by_tile = summary[summary["tile"] != "pooled"]
    empty = sorted(by_tile.loc[by_tile["pixels"] == 0, "tile"].unique())
    yield _row("tiles", "no test pixel: no score", len(empty), by_tile["tile"].nunique(), empty)
    pooled = classes[classes["tile"] == "pooled"]
    absent = pooled.loc[pooled["pixels"] == 0, "name"].unique()
    yield _row("classes", "no test pixel: no score", len(absent), pooled["code"].nunique(), absent)
    for row in summary[summary["tile"] == "pooled"].to_dict("records"):
        why = f"without class in the map of {method_label(row['method'])}"
        yield _row("test pixels", why, row["unmapped"], row["pixels"] + row["unmapped"])
    judged = comparison.get("polygons")
    lost = comparison.get("left_out", 0)
    of = None if judged is None else judged + lost
    yield _row("test polygons", "judged in one map only: not compared", lost, of)


def left_out_section(table: pd.DataFrame) -> dict[str, Any]:
    """What the page lists of it.

    Parameters
    ----------
    table : pandas.DataFrame
        As `left_out_table` makes it.

    Returns
    -------
    dict
        rows : list of dict of str (what, reason, left_out, of, names; long lists of names are cut
        and say so). Empty where nothing was left out.
    """
    if table.empty:
        return {}
    return {
        "rows": [
            {
                "what": row["what"],
                "reason": row["reason"],
                "left_out": whole(row["left_out"]),
                "of": whole(row["of"]),
                "names": _cut(row["names"].split("; ") if row["names"] else []),
            }
            for row in table.fillna({"names": ""}).to_dict("records")
        ]
    }


def _cut(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMES
    told = ", ".join(names[:_MOST_NAMES])
    return f"{told} and {whole(more)} more" if more > 0 else told
