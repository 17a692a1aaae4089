"""Whether accuracy goes with how urban a tile is: what the page says of it."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from fgunet.accuracy.urban import DIFFERENCE
from fgunet.report.style import method_label
from fgunet.report.wording import decimals, is_defined, p_statement, percent, signed, span, whole


def urban_section(
    table: pd.DataFrame, slopes: Mapping[str, Mapping[str, Any]], focus_group: str | None
) -> dict[str, Any]:
    """Kappa against the share of the focus group.

    Parameters
    ----------
    table : pandas.DataFrame
        What `fgunet.accuracy.urban.kappa_by_share` gives; may be empty.
    slopes : mapping
        What `fgunet.accuracy.urban.slopes` gives.
    focus_group : str or None
        Name of the group.

    Returns
    -------
    dict
        Empty where the table is. Else group, statements (sentences, that on the difference
        first), note, columns (names of the quantities) and rows: tile, share (percent), pixels
        and cells of value and interval.
    """
    if table.empty:
        return {}
    methods = [quantity for quantity in slopes if quantity != DIFFERENCE]
    order = [*([DIFFERENCE] if DIFFERENCE in slopes else []), *methods]
    by_tile = {
        quantity: rows.set_index("tile").to_dict("index")
        for quantity, rows in table.groupby("quantity", sort=False)
    }
    first = by_tile[methods[0]]
    return {
        "group": focus_group,
        "statements": [_statement(q, slopes[q], methods, str(focus_group)) for q in order],
        "note": _note(len(first), str(focus_group)),
        "columns": [_name(quantity) for quantity in by_tile],
        "rows": [
            {
                "tile": tile,
                "share": percent(row["share"]),
                "pixels": whole(row["pixels"]),
                "cells": [_cell(q, rows[tile]) for q, rows in by_tile.items()],
            }
            for tile, row in first.items()
        ],
    }


def _name(quantity: Any) -> str:
    return DIFFERENCE if quantity == DIFFERENCE else method_label(str(quantity))


def _cell(quantity: Any, row: Mapping[Any, Any]) -> dict[str, str]:
    value = row["value"]
    told = signed(value) if quantity == DIFFERENCE else decimals(value)
    return {"value": told, "interval": span(row["lower"], row["upper"])}


def _statement(quantity: str, line: Mapping[str, Any], methods: list[str], focus_group: str) -> str:
    """How much a quantity changes, and how sure that is."""
    labels = [method_label(method) for method in methods]
    if quantity == DIFFERENCE:
        subject = f"the difference in kappa, {labels[0]} less {labels[1]},"
    else:
        subject = f"kappa of {method_label(quantity)}"
    if not is_defined(line["slope_per_10_points"]):
        have = "has" if line["tiles"] == 1 else "have"
        return (
            f"No line is drawn for {subject.removesuffix(',')}: {line['reason']}; "
            f"{line['tiles']} {have} both a share and a score."
        )
    certain = span(line["lower"], line["upper"])
    text = (
        f"Where the {focus_group} share is 10 percentage points higher, {subject} changes by "
        f"{signed(line['slope_per_10_points'])} (95 % interval {certain}; "
        f"{p_statement(line['p_value'])})."
    )
    return f"{text} {_reading(line, labels[0], focus_group)}" if quantity == DIFFERENCE else text


def _reading(line: Mapping[str, Any], first: str, focus_group: str) -> str:
    """What the slope of the difference says of the claim."""
    if line["lower"] <= 0 <= line["upper"]:
        return (
            f"So this run does not tell whether {first} gains where a tile is more {focus_group}."
        )
    gains = "gains" if line["lower"] > 0 else "loses"
    return f"So {first} {gains} on the other method where a tile is more {focus_group}."


def _note(tiles: int, focus_group: str) -> str:
    number = "one tile" if tiles == 1 else f"{whole(tiles)} tiles"
    return (
        f"This rests on {number}, each counting alike however many polygons it has. Tiles differ "
        f"in more than their {focus_group} share, in their other classes, relief and clear dates "
        "among them, and tiles that overlap share polygons: a line shows what goes together, not "
        "why."
    )
