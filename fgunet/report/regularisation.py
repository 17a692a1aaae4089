"""What the same majority filter makes of both methods."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from fgunet.accuracy.regularisation import MAJORITY, NONE
from fgunet.report.findings import better_method, cell
from fgunet.report.style import method_label
from fgunet.report.wording import p_value, score_name, signed, span

_SCORES = ("kappa", "group_f")


def regularisation_table(
    table: pd.DataFrame, found: Mapping[str, Any], focus_group: str | None
) -> dict[str, Any]:
    """The two methods on their maps as they are, and after the majority filter.

    Parameters
    ----------
    table : pandas.DataFrame
        Scores with their intervals, as `fgunet.accuracy.regularisation` makes it; may be empty.
    found : mapping
        majority_radius, and comparisons: that of `fgunet.accuracy.comparison.compare` for each
        regularisation.
    focus_group : str or None
        Group with a score of its own.

    Returns
    -------
    dict
        Empty without table. Else note, verdict and headline (sentences; the last one is empty
        where the filter changes nothing in which method is better), scores (their names), and
        rows: name, square and, for each score, cells of both methods, difference, interval and
        p_value.
    """
    if table.empty:
        return {}
    comparisons, radius = found["comparisons"], found["majority_radius"]
    scores = [name for name in _SCORES if name in table]
    square = f"{2 * radius + 1} × {2 * radius + 1} pixels"
    kinds = ((NONE, "none", ""), (MAJORITY, f"majority of radius {radius}", square))
    return {
        "note": (
            f"A majority filter gives each pixel the most frequent class of the {square} around "
            "it; where several are the most frequent, the pixel keeps its own. Here it is the same "
            "for both maps. Below each value stands its 95 % interval."
        ),
        "verdict": _verdict(comparisons),
        "headline": _headline(comparisons),
        "scores": [score_name(name, focus_group) for name in scores],
        "rows": [
            {
                "name": name,
                "square": pixels,
                "scores": [_compared(table, kind, comparisons[kind], score) for score in scores],
            }
            for kind, name, pixels in kinds
        ],
    }


def _compared(
    table: pd.DataFrame, kind: str, comparison: Mapping[str, Any], score: str
) -> dict[str, Any]:
    of_kind = table[table["regularisation"] == kind].set_index("method")
    difference = comparison["scores"][score]
    return {
        "cells": [cell(of_kind.loc[method].to_dict(), score) for method in comparison["methods"]],
        "difference": signed(difference["difference"]),
        "interval": span(difference["lower"], difference["upper"]),
        "p_value": p_value(difference["p_value"]),
    }


def _verdict(comparisons: Mapping[str, Mapping[str, Any]]) -> str:
    """What the filter does to kappa, and whether it changes which method is better."""
    raw, filtered = (comparisons[kind]["scores"]["kappa"] for kind in (NONE, MAJORITY))
    methods: Sequence[str] = comparisons[NONE]["methods"]
    first, second = (
        f"{method_label(method)} by {signed(_change(raw[method], filtered[method]))}"
        for method in methods
    )
    before, after = (_state(one, methods) for one in (raw, filtered))
    outcome = (
        f"By kappa, {before}, with the filter or without."
        if before == after
        else f"By kappa, {before} without the filter; with it, {after}."
    )
    return (
        f"The filter changes the kappa of {first} and that of {second}; their difference goes from "
        f"{signed(raw['difference'])} to {signed(filtered['difference'])}. {outcome}"
    )


def _headline(comparisons: Mapping[str, Mapping[str, Any]]) -> str:
    """What must be said beside the outcome of the raw maps, where the filter changes it."""
    raw, filtered = (comparisons[kind]["scores"]["kappa"] for kind in (NONE, MAJORITY))
    before, after = (_state(one, comparisons[NONE]["methods"]) for one in (raw, filtered))
    if before == after:
        return ""
    return (
        f"With the same majority filter over both maps, {after}: their kappas differ by "
        f"{signed(filtered['difference'])} (95 % interval "
        f"{span(filtered['lower'], filtered['upper'])})."
    )


def _change(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else after - before


def _state(difference: Mapping[str, Any], methods: Sequence[str]) -> str:
    better = better_method(difference, methods)
    return f"{method_label(better)} is better" if better else "the two cannot be told apart"
