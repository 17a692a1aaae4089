"""What the report says first: the verdict, the scores of each method, and their comparison."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from fgunet.accuracy.scores import map_scores
from fgunet.nomenclature import Nomenclature
from fgunet.report.differences import LEVEL
from fgunet.report.style import method_colour, method_label
from fgunet.report.wording import (
    SCORE_NAMES,
    decimals,
    is_defined,
    p_statement,
    p_value,
    percent,
    score_name,
    signed,
    span,
)

_HEADLINE_SCORES = ("kappa", "overall_accuracy", "macro_f", "group_f")


def verdict(comparison: Mapping[str, Any], summary: pd.DataFrame, methods: Sequence[str]) -> str:
    """Say in a sentence or two which method is better, by how much, and how sure that is."""
    difference = comparison.get("scores", {}).get("kappa", {})
    if not is_defined(difference.get("difference")):
        row = pooled_row(summary, methods[0])
        label, interval = method_label(methods[0]), _interval_of(row, "kappa")
        alone = f"{label} reaches a kappa of {decimals(row.get('kappa'))}"
        return f"{alone} ({interval})." if interval else f"{alone}."
    first, second = (method_label(method) for method in comparison["methods"])
    gap = difference["difference"]
    bounds = span(difference["lower"], difference["upper"])
    chance = p_statement(difference["p_value"])
    if better_method(difference, comparison["methods"]) is None:
        return (
            f"{first} and {second} cannot be told apart by kappa: they differ by {signed(gap)} "
            f"(95 % interval {bounds}; {chance})."
        )
    better, worse = (first, second) if gap > 0 else (second, first)
    low, high = sorted(abs(difference[key]) for key in ("lower", "upper"))
    return (
        f"{better} is better than {worse}: its kappa is higher by {decimals(abs(gap))} "
        f"(95 % interval {span(low, high)}; {chance})."
    )


def better_method(difference: Mapping[str, Any], methods: Sequence[str]) -> str | None:
    """The one of two methods that is better by a score; None where chance may have made it so."""
    # Both have to say so: with few polygons an interval is easily too narrow.
    told_apart = (
        is_defined(difference["lower"])
        and not difference["lower"] <= 0 <= difference["upper"]
        and difference["p_value"] < LEVEL
    )
    return methods[0 if difference["difference"] > 0 else 1] if told_apart else None


def pooled_row(summary: pd.DataFrame, method: str, tile: str = "pooled") -> dict[str, Any]:
    """The row of a method and a tile, empty where there is none."""
    rows = summary[(summary["tile"] == tile) & (summary["method"] == method)]
    return {} if rows.empty else {str(key): value for key, value in rows.iloc[0].items()}


def _interval_of(row: Mapping[str, Any], score: str) -> str:
    return span(row.get(f"{score}_lower"), row.get(f"{score}_upper"))


def cell(row: Mapping[str, Any], score: str) -> dict[str, Any]:
    """A table cell: the value, its interval, and the bare number."""
    value = row.get(score)
    return {
        "value": decimals(value),
        "interval": _interval_of(row, score),
        "number": float(value) if value is not None and is_defined(value) else None,
    }


def cards(
    summary: pd.DataFrame, methods: Sequence[str], focus_group: str | None
) -> list[dict[str, Any]]:
    """The pooled scores of each method."""
    chosen = [name for name in _HEADLINE_SCORES if name in summary]
    return [
        {
            "label": method_label(method),
            "colour": method_colour(place),
            "scores": [
                {"name": score_name(name, focus_group), **cell(pooled_row(summary, method), name)}
                for name in chosen
            ],
        }
        for place, method in enumerate(methods)
    ]


def tile_rows(
    summary: pd.DataFrame, methods: Sequence[str], tiles: Sequence[str], score: str
) -> list[dict[str, Any]]:
    """One row a tile, "all tiles" last: the score of each method, and the best one marked."""
    rows = []
    for tile in [*tiles, "pooled"]:
        found = [pooled_row(summary, method, tile) for method in methods]
        cells = _mark_best([cell(row, score) for row in found])
        known = next((row for row in found if row), {})
        rows.append(
            {
                "name": "all tiles" if tile == "pooled" else tile,
                "total": tile == "pooled",
                "polygons": known.get("polygons"),
                "pixels": known.get("pixels"),
                "cells": cells,
            }
        )
    return rows


def _mark_best(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    numbers = [c["number"] for c in cells if c["number"] is not None]
    best = max(numbers) if len(numbers) > 1 and len(set(numbers)) > 1 else None
    return [{**c, "best": best is not None and c["number"] == best} for c in cells]


def class_rows(
    classes: pd.DataFrame,
    methods: Sequence[str],
    nomenclature: Nomenclature,
    focus_group: str | None,
) -> list[dict[str, Any]]:
    """One row a class: F-score, producer's and user's accuracy of each method, all tiles."""
    pooled = classes[classes["tile"] == "pooled"]
    rows = []
    for land_cover in nomenclature.classes:
        found = []
        for method in methods:
            one = pooled[(pooled["method"] == method) & (pooled["code"] == land_cover.code)]
            found.append({} if one.empty else {str(k): v for k, v in one.iloc[0].items()})
        scores = _mark_best([cell(row, "f_score") for row in found])
        for row, score in zip(found, scores, strict=True):
            score["producers"] = decimals(row.get("producers_accuracy"))
            score["users"] = decimals(row.get("users_accuracy"))
        rows.append(
            {
                "code": land_cover.code,
                "name": land_cover.name,
                "colour": land_cover.hexadecimal,
                "focus": bool(focus_group) and land_cover.group == focus_group,
                "polygons": found[0].get("polygons") if found else None,
                "pixels": found[0].get("pixels") if found else None,
                "cells": scores,
            }
        )
    return rows


def comparison_rows(comparison: Mapping[str, Any], focus_group: str | None) -> list[dict[str, Any]]:
    """One row a score: both methods, the difference, its interval, its p-value."""
    found = comparison.get("scores", {})
    return [
        {
            "name": score_name(name, focus_group),
            "values": [decimals(found[name].get(method)) for method in comparison["methods"]],
            "difference": signed(found[name].get("difference")),
            "interval": span(found[name].get("lower"), found[name].get("upper")),
            "p_value": p_value(found[name].get("p_value")),
        }
        for name in SCORE_NAMES
        if name in found
    ]


def tile_verdict(rows: Sequence[Mapping[str, Any]], methods: Sequence[str]) -> str:
    """On how many tiles each method has the higher kappa; empty where there is one of either."""
    tiles = [row for row in rows if not row["total"]]
    if len(methods) < 2 or len(tiles) < 2:
        return ""
    wins = [sum(bool(row["cells"][place]["best"]) for row in tiles) for place in range(2)]
    equal = len(tiles) - sum(wins)
    first, second = (method_label(method) for method in methods[:2])
    text = f"{first} has the higher kappa on {wins[0]} of {len(tiles)} tiles, {second} on {wins[1]}"
    return f"{text}; {equal} equal or undefined." if equal else f"{text}."


def polygon_verdict(comparison: Mapping[str, Any]) -> str:
    """Which method is right on more polygons; empty where there is no comparison."""
    counts = comparison.get("mcnemar")
    if not counts:
        return ""
    alone = [counts["only_first"], counts["only_second"]]
    polygons = counts["both_right"] + counts["both_wrong"] + sum(alone)
    places = (0, 1) if alone[0] >= alone[1] else (1, 0)
    ahead, behind = (
        (method_label(comparison["methods"][place]), (counts["both_right"] + alone[place]))
        for place in places
    )
    shares = [f"{percent(right / polygons)} %" for _, right in (ahead, behind)]
    if not is_defined(counts["p_value"]) or counts["p_value"] >= LEVEL:
        return (
            f"Counted by polygon, whatever its size, they cannot be told apart: {ahead[0]} is "
            f"right on {shares[0]} of the polygons, {behind[0]} on {shares[1]}."
        )
    return (
        f"Counted by polygon, whatever its size, {ahead[0]} is ahead: right on {shares[0]} of "
        f"them, {behind[0]} on {shares[1]} (McNemar’s exact test: "
        f"{p_statement(counts['p_value'])})."
    )


def truth_rows(
    truth: Sequence[Mapping[str, Any]], summary: pd.DataFrame, methods: Sequence[str]
) -> list[dict[str, Any]]:
    """Scores of each method against the whole simulated truth, beside the test polygons'."""
    rows: list[dict[str, Any]] = []
    for method in methods:
        matrices = [np.array(t["confusion"]) for t in truth if t["method"] == method]
        if not matrices:
            continue
        scores = map_scores(np.sum(matrices, axis=0))
        judged = pooled_row(summary, method)
        rows.extend(
            {
                "method": method_label(method),
                "name": score_name(name, None),
                "truth": decimals(float(scores[name])),
                "test": cell(judged, name),
                "difference": signed(_difference(judged.get(name), float(scores[name]))),
            }
            for name in ("kappa", "overall_accuracy", "macro_f")
        )
    return rows


def _difference(test: Any, truth: float) -> float:
    return float(test) - truth if is_defined(test) else float("nan")
