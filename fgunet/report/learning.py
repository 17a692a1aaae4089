"""What the report says about the time that learning took, beside what the study reported."""

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd

from fgunet.report.background import PUBLISHED_WIDTH
from fgunet.report.study import PUBLISHED, PUBLISHED_PATCHES, Published
from fgunet.report.style import method_label
from fgunet.report.wording import UNDEFINED, duration, is_defined, whole

_TIMED = {
    "fgunet": "the epochs of FG-UNET, with the drawing of their patches and their validation, "
    "without start-up",
    "forest": "the training of the {name}, without the drawing of its pixels",
}


def time_table(learning_time: pd.DataFrame) -> dict[str, Any]:
    """What learning took: a row a method of this run, and what the study reported of it.

    Parameters
    ----------
    learning_time : pandas.DataFrame
        As `fgunet.accuracy.learning_time.learning_time` makes it; may be empty.

    Returns
    -------
    dict
        groups : list of dict
            title : str, rows : list of dict of str (method, wall, workers, cpu, samples, rate,
            one_cpu, projected), reported : bool, whether they are the study's.
        projection : str
            What the last column is projected to; empty where nothing is.
    """
    measured = learning_time.to_dict("records")
    own = [_time_row(row) for row in measured]
    reported = [
        {**dict.fromkeys(own[0], UNDEFINED), **_reported_row(PUBLISHED[row["method"]])}
        for row in measured
        if row["method"] in PUBLISHED
    ]
    groups = [
        {"title": "this run", "rows": own, "reported": False},
        {"title": "for reference: what the study reported", "rows": reported, "reported": True},
    ]
    projects = any(row["projected"] != UNDEFINED for row in own)
    return {
        "groups": [group for group in groups if group["rows"]],
        "projection": f"{whole(PUBLISHED_PATCHES)} patches" if projects else "",
    }


def _time_row(row: Mapping[Hashable, Any]) -> dict[str, str]:
    return {
        "method": method_label(row["method"]),
        "wall": duration(row["wall_s"]),
        "workers": _workers(row["workers"], row["threads"]),
        "cpu": duration(row["cpu_s"]),
        "samples": f"{whole(row['samples'])} {row['sample_unit']}",
        "rate": _significant(row["samples_per_s"]),
        "one_cpu": _hours(row["one_cpu_h"]),
        "projected": _hours(_projected(row)),
    }


def _reported_row(study: Published) -> dict[str, str]:
    """What the study reported of a method; the rest it did not."""
    trees = f", {whole(study.trees)} trees" if study.trees else ""
    row = {"method": f"{study.name}{trees}", "one_cpu": _hours(study.one_cpu_h)}
    if study.wall_h is not None:
        row |= {"wall": _hours(study.wall_h), "workers": "a cluster"}
    if study.samples == PUBLISHED_PATCHES:
        row |= {"samples": f"{whole(study.samples)} patches", "projected": row["one_cpu"]}
    return row


def _workers(workers: Any, threads: Any) -> str:
    """Processes, and threads of each where they are known."""
    if not (is_defined(workers) and is_defined(threads)):
        return whole(workers)
    return f"{whole(workers)} × {whole(threads)} thread{'s' if threads > 1 else ''}"


def _projected(row: Mapping[Hashable, Any]) -> float | None:
    """Hours on one CPU for as many patches as the published network learned from."""
    if row["sample_unit"] != "patches" or not row["samples"]:
        return None
    return float(PUBLISHED_PATCHES / row["samples"] * row["one_cpu_h"])


def _hours(value: Any) -> str:
    return f"{_significant(value)} h" if is_defined(value) else UNDEFINED


def _significant(value: Any) -> str:
    """A number with two digits that count, or whole where it has more."""
    if not is_defined(value) or value >= 9.95:
        return whole(value)
    return f"{value:.2g}" if value >= 0.001 else "< 0.001"


def time_notes(learning_time: pd.DataFrame, width: int | None) -> list[str]:
    """What the times hold, and what may and may not be compared; nothing without times.

    Parameters
    ----------
    learning_time : pandas.DataFrame
        As for `time_table`.
    width : int or None
        Filters of the first level of the network, if it is known.
    """
    if learning_time.empty:
        return []
    timed = [
        _TIMED[method].format(name=method_label(method))
        for method in learning_time["method"]
        if method in _TIMED
    ]
    held = (
        f"Timed is learning alone{': ' if timed else ''}{'; '.join(timed)}. On one CPU: the "
        "processor time of all workers together, in hours."
    )
    compared = (
        "The study's hours come from other processors and may hold work that is not timed here: "
        "they give an order of magnitude, and no measure of speed."
    )
    if len(learning_time) > 1:
        compared = (
            "The methods of this run can be compared if they learned on the same kind of "
            f"processor. {compared}"
        )
    if "patches" in list(learning_time["sample_unit"]):
        compared += (
            f" The hours for {whole(PUBLISHED_PATCHES)} patches, as many as the study drew, are a "
            f"projection at this network's width{_against_published(width)}: the hours on one CPU "
            "in proportion to the patches. They were not measured."
        )
    return [held, compared]


def _against_published(width: int | None) -> str:
    if width is None:
        return ""
    if width == PUBLISHED_WIDTH:
        return f" ({width} filters in its first level, as the study's)"
    word = "wider" if width < PUBLISHED_WIDTH else "narrower"
    return (
        f" ({width} filters in its first level; the study's has {PUBLISHED_WIDTH}, so its hours "
        f"are those of a {word} network)"
    )
