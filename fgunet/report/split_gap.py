"""The gap between a split by polygon and a split by block: what the page says of it."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from fgunet.report.style import method_label
from fgunet.report.wording import decimals, is_defined, score_name, signed, span, whole

NOTE = (
    "Split by polygon, test polygons lie among training polygons; split by block, whole squares "
    "are kept for testing. What a score loses between the two tells what nearness to training "
    "polygons was worth. Each run trained models of its own and was judged on polygons of its own: "
    "the interval takes the two scores for independent, and leaves out the chance in a training."
)


def split_gap_section(table: pd.DataFrame) -> dict[str, Any]:
    """The scores of both splits, and the gap.

    Parameters
    ----------
    table : pandas.DataFrame
        What `fgunet.accuracy.split_gap.split_gap` gives; may be empty.

    Returns
    -------
    dict
        Empty where the table is. Else statements (one a method), note, and rows of method, score,
        cells (by polygon, by block: value, interval, polygons), gap and interval.
    """
    if table.empty:
        return {}
    rows = table.to_dict("records")
    return {
        "statements": [_statement(row) for row in rows if row["score"] == "kappa"],
        "note": NOTE,
        "rows": [
            {
                "method": method_label(row["method"]),
                "score": score_name(row["score"], None),
                "cells": [_cell(row, "polygon_split"), _cell(row, "block_split")],
                "gap": signed(row["gap"]),
                "interval": span(row["gap_lower"], row["gap_upper"]),
            }
            for row in rows
        ],
    }


def _cell(row: Mapping[Any, Any], name: str) -> dict[str, str]:
    return {
        "value": decimals(row[name]),
        "interval": span(row[f"{name}_lower"], row[f"{name}_upper"]),
        "polygons": whole(row[f"{name}_polygons"]),
    }


def _statement(row: Mapping[Any, Any]) -> str:
    label = method_label(row["method"])
    if not is_defined(row["gap"]):
        return f"The gap in kappa of {label} is undefined: one of its two kappas is."
    bounds = span(row["gap_lower"], row["gap_upper"])
    interval = f"; 95 % interval of the gap {bounds}" if bounds else ""
    return (
        f"Kappa of {label} is {decimals(row['polygon_split'])} split by polygon and "
        f"{decimals(row['block_split'])} split by block: a gap of {signed(row['gap'])}{interval}."
    )
