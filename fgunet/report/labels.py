"""What the report says about the polygons and pixels that each method learned from."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import pandas as pd

from fgunet.nomenclature import Nomenclature
from fgunet.report.style import method_label
from fgunet.report.wording import whole


def labels_section(
    labels: pd.DataFrame,
    methods: Sequence[str],
    nomenclature: Nomenclature,
    *,
    equal_labels: bool,
) -> dict[str, Any]:
    """What each method learned from, in a sentence, for all classes and by class.

    Parameters
    ----------
    labels : pandas.DataFrame
        As `fgunet.comparison.labels.label_table` makes it; may be empty.
    methods : sequence of str
        Methods of the run.
    nomenclature : Nomenclature
        The classes.
    equal_labels : bool
        Whether both methods were held to the polygons that both can use.

    Returns
    -------
    dict
        statement : str, rows : list of dict (a method: name, and counts as text), classes : list
        of dict (name, colour, available, pool, cells: the counts of each method). Empty without
        labels.
    """
    if labels.empty:
        return {}
    told = {(r["method"], r["name"]): r for r in labels.to_dict("records") if pd.isna(r["code"])}
    totals = [next(row for key, row in told.items() if key[0] == m) for m in methods]
    by_class = {(r["method"], r["code"]): r for r in labels.to_dict("records")}
    classes = []
    for land_cover in nomenclature.classes:
        found = [by_class[method, land_cover.code] for method in methods]
        if found[0]["polygons_available"]:
            colour = land_cover.hexadecimal
            classes.append({"name": land_cover.name, "colour": colour, **_row(found)})
    return {
        "statement": _statement(totals, equal_labels=equal_labels),
        "rows": [{"name": method_label(str(t["method"])), **_counts(t)} for t in totals],
        "classes": classes,
    }


def _statement(totals: Sequence[Mapping[Hashable, Any]], *, equal_labels: bool) -> str:
    pool, available = (totals[0][f"polygons_{what}"] for what in ("in_pool", "available"))
    of_them = f"{whole(pool)} of the {whole(available)} training polygons"
    if equal_labels:
        text = (
            f"Both methods may learn from the same {of_them}: those that hold a pixel with data "
            "around which the network can draw a patch."
        )
    else:
        text = f"The methods may learn from {of_them}: those that hold a pixel."
    if pool < available:
        text += f" The other {whole(available - pool)} are left out."
    seen = [total["polygons_seen"] for total in totals]
    if all(count == pool for count in seen):
        return f"{text} Each method saw all {whole(pool)}."
    saw = ", ".join(
        f"{method_label(str(total['method']))} saw {whole(count)}"
        for total, count in zip(totals, seen, strict=True)
    )
    return f"{text} {saw}; {whole(totals[0]['polygons_seen_by_all'])} were seen by both."


def _row(found: Sequence[Mapping[Hashable, Any]]) -> dict[str, Any]:
    return {
        "available": whole(found[0]["polygons_available"]),
        "pool": whole(found[0]["polygons_in_pool"]),
        "cells": [_counts(row) for row in found],
    }


def _counts(row: Mapping[Hashable, Any]) -> dict[str, str]:
    names = ("polygons_seen", "polygons_seen_by_all", "pixels_seen", "pixels_shown")
    return {name: whole(row[name]) for name in names}
