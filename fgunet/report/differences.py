"""Where two methods differ: what the page says by tile and by class."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from fgunet.accuracy.differences import CLASS, TILE
from fgunet.nomenclature import Nomenclature
from fgunet.report.style import method_label
from fgunet.report.wording import decimals, p_value, signed, span, whole

LEVEL = 0.05
"""p-values below it, adjusted where there are many, are taken for more than chance."""


def differences_section(table: pd.DataFrame, nomenclature: Nomenclature) -> dict[str, Any]:
    """The differences of two methods by tile and by class.

    Parameters
    ----------
    table : pandas.DataFrame
        What `fgunet.accuracy.differences.difference_table` gives.
    nomenclature : Nomenclature
        Colours of the classes.

    Returns
    -------
    dict
        Empty where the table is. Else methods (the names of both), statements (sentences), and
        tables: each a caption, what (name of its rows), score, and rows of name, colour (None
        for a tile), values, difference, interval, p_value, p_adjusted, polygons, pixels, reason.
    """
    if table.empty:
        return {}
    tiles = table[(table["scope"] == TILE) & (table["score"] == "kappa")]
    classes = table[table["scope"] == CLASS]
    colours = {one.code: one.hexadecimal for one in nomenclature.classes}
    return {
        "methods": [method_label(table[f"method_{place}"].iloc[0]) for place in "ab"],
        "statements": [
            *([_verdict(tiles, "tiles", "kappa")] if len(tiles) > 1 else []),
            _verdict(classes, "classes", "F-score"),
        ],
        "tables": [
            {
                "caption": "By tile: Cohen’s kappa",
                "what": "tile",
                "rows": [_row(row, row["tile"], None) for row in tiles.to_dict("records")],
            },
            {
                "caption": "By class: F-score over all tiles",
                "what": "class",
                "rows": [
                    _row(row, row["name"], colours[row["code"]])
                    for row in classes.to_dict("records")
                ],
            },
        ],
    }


def _verdict(rows: pd.DataFrame, what: str, score: str) -> str:
    """On how many each method is ahead, and on how many of them beyond chance."""
    parts = []
    for place, ahead in (("a", rows["difference"] > 0), ("b", rows["difference"] < 0)):
        has = f"has the higher {score} on" if place == "a" else "on"
        clear = ahead & (rows["p_adjusted"] < LEVEL)
        beyond = f", beyond chance on {_count(clear)}" if ahead.any() else ""
        parts.append(
            f"{method_label(rows[f'method_{place}'].iloc[0])} {has} {_count(ahead)}{beyond}"
        )
    undecided = ~(rows["difference"].abs() > 0)
    if undecided.any():
        parts.append(f"{_count(undecided)} equal or undefined")
    return f"Of {whole(len(rows))} {what}, {'; '.join(parts)}."


def _count(chosen: "pd.Series[bool]") -> str:
    return whole(chosen.sum()) if chosen.any() else "none"


def _row(row: Mapping[Any, Any], name: str, colour: str | None) -> dict[str, Any]:
    reason = row["reason"]
    return {
        "name": name,
        "colour": colour,
        "values": [decimals(row["first"]), decimals(row["second"])],
        "difference": signed(row["difference"]),
        "interval": span(row["lower"], row["upper"]),
        "p_value": p_value(row["p_value"]),
        "p_adjusted": p_value(row["p_adjusted"]),
        "polygons": whole(row["polygons"]),
        "pixels": whole(row["pixels"]),
        "reason": reason if isinstance(reason, str) else "",
    }
