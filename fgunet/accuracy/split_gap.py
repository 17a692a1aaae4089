"""How far apart a split by polygon and a split by block judge the same methods."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from fgunet.errors import AccuracyError

POLYGONS, BLOCKS = "polygons", "blocks"
"""The two values of split.mode."""

_SCORES = ("kappa", "overall_accuracy", "macro_f")
_FILES = {
    "summary": "results/accuracy/summary.csv",
    "classes": "results/accuracy/classes.csv",
    "audit": "results/reference/audit.json",
}


def files_of_run(folder: str | os.PathLike[str]) -> dict[str, str]:
    """The files of a finished run that tell how good it was, and by which split.

    Parameters
    ----------
    folder : path
        Folder that the run was made in; `results` lies in it.

    Returns
    -------
    dict of str to str
        Paths of summary, classes and audit.

    Raises
    ------
    AccuracyError
        If one does not exist.
    """
    paths = {name: str(Path(folder) / path) for name, path in _FILES.items()}
    missing = [_FILES[name] for name, path in paths.items() if not Path(path).is_file()]
    if missing:
        raise AccuracyError(
            f"accuracy.block_run: no finished run lies in {os.fspath(folder)}: it has no "
            f"{', '.join(missing)}. Name the folder that holds its results, or finish that run"
        )
    return paths


@dataclass(frozen=True)
class JudgedRun:
    """What a run says of its maps.

    Attributes
    ----------
    folder : str
        Where it lies; for messages.
    mode : str
        Its split.mode, "polygons" or "blocks".
    summary : pandas.DataFrame
        tile ("pooled" included), method, polygons, kappa, overall_accuracy, macro_f, each of these
        with <score>_lower and <score>_upper.
    classes : pandas.DataFrame
        tile, code, name.
    """

    folder: str
    mode: str
    summary: pd.DataFrame
    classes: pd.DataFrame


def split_gap(this: JudgedRun, other: JudgedRun) -> pd.DataFrame:
    """The gap between two runs that differ in the mode of their split.

    The runs were judged on polygons of their own, so the gap is a difference of two estimates
    taken as independent. Its interval comes from their intervals, which need not be symmetric
    [1]_: with values a, b in (la, ua), (lb, ub) it is a - b - sqrt((a - la)^2 + (ub - b)^2) to
    a - b + sqrt((ua - a)^2 + (b - lb)^2). Polygons that judge both runs make the estimates vary
    together; the interval is then too wide rather than too narrow.

    Parameters
    ----------
    this, other : JudgedRun
        Two runs, one of each mode, in any order.

    Returns
    -------
    pandas.DataFrame
        One row a method and score, over all tiles: method, score, polygon_split and block_split
        (the scores), each with _lower, _upper and _polygons (test polygons), and gap, by polygon
        less by block, with gap_lower and gap_upper. Undefined is NaN.

    Raises
    ------
    AccuracyError
        If both runs have one mode, or differ in methods, classes or tiles.

    References
    ----------
    .. [1] Zou, G. Y. and Donner, A. (2008). Construction of confidence limits about effect
       measures: a general approach. Statistics in Medicine 27(10), 1693-1702.
    """
    _require_comparable(this, other)
    by_mode = {run.mode: _pooled(run.summary) for run in (this, other)}
    rows = []
    for method in _methods(this):
        of_polygons, of_blocks = (by_mode[mode][method] for mode in (POLYGONS, BLOCKS))
        for score in _SCORES:
            values = {
                **_estimate("polygon_split", of_polygons, score),
                **_estimate("block_split", of_blocks, score),
            }
            rows.append({"method": method, "score": score, **values, **_gap(values)})
    return pd.DataFrame(rows)


def _estimate(name: str, row: Mapping[str, Any], score: str) -> dict[str, Any]:
    bounds = {f"{name}_{end}": float(row[f"{score}_{end}"]) for end in ("lower", "upper")}
    return {name: float(row[score]), **bounds, f"{name}_polygons": int(row["polygons"])}


def _gap(values: Mapping[str, float]) -> dict[str, float]:
    """By polygon less by block, with its interval."""

    def reach(name: str, end: str) -> float:
        return values[f"{name}_{end}"] - values[name]

    gap = values["polygon_split"] - values["block_split"]
    down = reach("polygon_split", "lower") ** 2 + reach("block_split", "upper") ** 2
    up = reach("polygon_split", "upper") ** 2 + reach("block_split", "lower") ** 2
    return {"gap": gap, "gap_lower": gap - down**0.5, "gap_upper": gap + up**0.5}


def _pooled(summary: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """The scores over all tiles, by method."""
    rows = summary[summary["tile"] == "pooled"].to_dict("records")
    return {row["method"]: {str(key): value for key, value in row.items()} for row in rows}


def _methods(run: JudgedRun) -> list[str]:
    return [str(method) for method in run.summary["method"].unique()]


def _require_comparable(this: JudgedRun, other: JudgedRun) -> None:
    if {this.mode, other.mode} != {POLYGONS, BLOCKS}:
        raise AccuracyError(
            f"accuracy.block_run: split.mode is {this.mode} here and {other.mode} in the run in "
            f"{other.folder}; the gap takes one run by {POLYGONS} and one by {BLOCKS}"
        )
    for what, ours, theirs in (
        ("methods", set(_methods(this)), set(_methods(other))),
        ("classes", _classes(this), _classes(other)),
        ("tiles", _tiles(this), _tiles(other)),
    ):
        if ours != theirs:
            raise AccuracyError(
                f"accuracy.block_run: the run in {other.folder} has other {what} than this one: "
                f"only here {sorted(ours - theirs)}, only there {sorted(theirs - ours)}. Make both "
                "of one configuration, but for split.mode"
            )


def _classes(run: JudgedRun) -> set[tuple[Any, Any]]:
    return {
        (int(code), name) for code, name in run.classes[["code", "name"]].itertuples(index=False)
    }


def _tiles(run: JudgedRun) -> set[str]:
    return set(run.summary["tile"])
