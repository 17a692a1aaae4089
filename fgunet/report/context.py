"""What is said of accuracy in its context, and of how far the maps' confidence can be believed."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from fgunet.accuracy.context import BORDER, CLEAR_DAYS, TRAINING_DISTANCE
from fgunet.accuracy.context_tables import DIFFERENCE, END_POLYGONS
from fgunet.report.style import method_label
from fgunet.report.wording import UNDEFINED, decimals, percent, signed, span, whole

_NAMES = {
    BORDER: "Distance to the border of the polygon",
    CLEAR_DAYS: "Clear days",
    TRAINING_DISTANCE: "Distance to the nearest training polygon",
}
_PLACES = {
    BORDER: "{} from the border of their polygon",
    CLEAR_DAYS: "with {} clear days",
    TRAINING_DISTANCE: "{} from the nearest training polygon",
}
_NOTE = (
    "These are associations, not causes. Bins differ in their classes too: a narrow road lies "
    "wholly near its border, a large field does not. The change between pixels of the same class "
    "leaves that out (each class counts by its pixels in both bins); what else may differ stays. "
    "Changes are told between the first and the last bin with at least "
    f"{END_POLYGONS} test polygons; in brackets stands their 95 % interval."
)


def context(
    table: pd.DataFrame,
    changes: pd.DataFrame,
    reliability: pd.DataFrame,
    calibration: pd.DataFrame,
    methods: Sequence[str],
) -> dict[str, Any]:
    """What the section on accuracy in context reads.

    Parameters
    ----------
    table, changes : pandas.DataFrame
        As `fgunet.accuracy.context_tables.context_table` gives them, of all covariates.
    reliability, calibration : pandas.DataFrame
        As `fgunet.accuracy.context_tables.reliability_table` gives them, of all methods.
    methods : sequence of str
        Methods, in their order.

    Returns
    -------
    dict
        Empty without test pixels. Else methods (their names), compared (whether there is a
        difference), note, covariates (name, sentence, and rows: bin, polygons, pixels, share,
        cells, difference) and reliability (sentences, and for each method name and rows: bin,
        polygons, pixels, share, confidence, cell). Values are in percent.
    """
    if table.empty:
        return {}
    covariates = []
    for covariate, name in _NAMES.items():
        bins, change = (frame[frame["covariate"] == covariate] for frame in (table, changes))
        if not bins.empty:
            sentence = _sentence(bins, change, covariate, methods)
            rows = _rows(bins, covariate, methods)
            covariates.append({"name": name, "sentence": sentence, "rows": rows})
    return {
        "methods": [method_label(method) for method in methods],
        "compared": bool((table["method"] == DIFFERENCE).any()),
        "note": _NOTE,
        "covariates": covariates,
        "reliability": {
            "sentences": [_calibrated(row) for row in _records(calibration)],
            "methods": [_believed(reliability, method) for method in methods],
        },
    }


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(k): value for k, value in row.items()} for row in frame.to_dict("records")]


def _range(covariate: str, lower: float, upper: float) -> str:
    """A bin in words: "10 to 20 m", "50 m or more", "15 to 19"."""
    if covariate == CLEAR_DAYS:
        return f"{lower:.0f} to {upper - 1:.0f}" if np.isfinite(upper) else f"{lower:.0f} or more"
    if not lower:
        return f"less than {upper:.0f} m"
    return f"{lower:.0f} to {upper:.0f} m" if np.isfinite(upper) else f"{lower:.0f} m or more"


def _sentence(
    table: pd.DataFrame, changes: pd.DataFrame, covariate: str, methods: Sequence[str]
) -> str:
    """What changes from the first bin to the last, and by how much."""
    if changes.empty:
        return f"No two bins have {END_POLYGONS} test polygons each: no change can be told."
    of_methods = {row["method"]: row for row in _records(changes)}
    any_row = of_methods[methods[0]]
    told = []
    for end, place in (("from", _PLACES[covariate]), ("to", "{}")):
        lower, upper = any_row[f"{end}_lower"], any_row[f"{end}_upper"]
        right = table[table["lower"] == lower].set_index("method")["accuracy"]
        shares = " and ".join(f"{percent(right[m])} % ({method_label(m)})" for m in methods)
        told.append(f"{place.format(_range(covariate, lower, upper))}, {shares}")
    within = " and ".join(f"{_points(of_methods[m])} for {method_label(m)}" for m in methods)
    return (
        f"Of the test pixels {told[0]} are right; {told[1]}. Between pixels of the same class, the "
        f"change is {within}."
    )


def _points(row: Mapping[str, Any]) -> str:
    """A change within classes in percentage points, with its interval."""
    bounds = span(100 * row["within_lower"], 100 * row["within_upper"], 1)
    points = f"{signed(100 * row['within'], 1)} points"
    return f"{points} ({bounds})" if bounds else points


def _cell(row: Mapping[str, Any], text: str) -> dict[str, Any]:
    bounds = (100 * row["accuracy_lower"], 100 * row["accuracy_upper"])
    return {"value": text, "interval": span(*bounds, 1), "best": False}


def _rows(table: pd.DataFrame, covariate: str, methods: Sequence[str]) -> list[dict[str, Any]]:
    total = table.loc[table["method"] == methods[0], "pixels"].sum()
    rows = []
    for _, of_bin in table.groupby("lower"):
        by_method = {row["method"]: row for row in _records(of_bin)}
        first, difference = by_method[methods[0]], by_method.get(DIFFERENCE)
        rows.append(
            {
                "bin": _range(covariate, first["lower"], first["upper"]),
                "polygons": whole(first["polygons"]),
                "pixels": whole(first["pixels"]),
                "share": percent(first["pixels"] / total),
                "cells": [_cell(by_method[m], percent(by_method[m]["accuracy"])) for m in methods],
                "difference": difference
                and _cell(difference, signed(100 * difference["accuracy"], 1)),
            }
        )
    return rows


def _calibrated(row: Mapping[str, Any]) -> str:
    """Whether a method is right as often as it says."""
    low, high = row["over_confidence_lower"], row["over_confidence_upper"]
    how = "as often as" if low <= 0 <= high else "less often than" if low > 0 else "more often than"
    known = UNDEFINED if np.isnan(low) else span(100 * low, 100 * high, 1)
    error = span(100 * row["ece_lower"], 100 * row["ece_upper"], 1) or UNDEFINED
    return (
        f"On the whole, {method_label(str(row['method']))} is right {how} its confidence says: "
        f"{percent(row['accuracy'])} % of the test pixels at a mean confidence of "
        f"{percent(row['confidence'])} % (confidence less accuracy "
        f"{signed(100 * row['over_confidence'], 1)} points, {known}). Its expected calibration "
        f"error is {decimals(100 * row['ece'], 1)} % ({error})."
    )


def _believed(reliability: pd.DataFrame, method: str) -> dict[str, Any]:
    of_method = reliability[reliability["method"] == method]
    total = of_method["pixels"].sum()
    return {
        "name": method_label(method),
        "rows": [
            {
                "bin": f"{row['lower']:.0f} to {row['upper']:.0f}",
                "polygons": whole(row["polygons"]),
                "pixels": whole(row["pixels"]),
                "share": percent(row["pixels"] / total),
                "confidence": percent(row["confidence"]),
                "cell": _cell(row, percent(row["accuracy"])),
            }
            for row in _records(of_method)
        ],
    }
