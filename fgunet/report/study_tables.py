"""The tables of the study, reproduced by a run: costs, kappa by tile, F-score by class."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from fgunet.report.model_tables import model_table
from fgunet.report.study import PUBLISHED

_METHOD = {
    "origin": "object",
    "method": "object",
    "parameters": "Int64",
    "trees": "Int64",
    "samples": "Int64",
    "sample_unit": "object",
    "wall_h": "float64",
    "one_cpu_h": "float64",
}
_INTERVAL = ("", "_lower", "_upper")


def study_tables(
    summary: pd.DataFrame,
    classes: pd.DataFrame,
    learning_time: pd.DataFrame,
    metadata: Mapping[str, Mapping[str, Any]],
) -> dict[str, pd.DataFrame]:
    """The three tables by name: study_methods, study_kappa, study_f_scores."""
    methods = list(metadata)
    return {
        "study_methods": method_costs(learning_time, metadata),
        "study_kappa": kappa_by_tile(summary, methods),
        "study_f_scores": f_by_class(classes, methods),
    }


def method_costs(
    learning_time: pd.DataFrame, metadata: Mapping[str, Mapping[str, Any]]
) -> pd.DataFrame:
    """Parameters and learning times of this run, and what the study reported of its own.

    Parameters
    ----------
    learning_time : pandas.DataFrame
        As `fgunet.accuracy.learning_time.learning_time` makes it.
    metadata : mapping
        Metadata of each method's model.

    Returns
    -------
    pandas.DataFrame
        One row a method of the run, then one for each of them that the study has.

        - origin : str, "this run" or "the study"
        - method : str
        - parameters, trees : Int64
        - samples : Int64, in sample_unit : str
        - wall_h : float64, hours on the clock
        - one_cpu_h : float64, hours that one CPU would be busy

        What is unknown is NA.
    """
    methods = learning_time["method"].tolist()
    models = model_table(metadata, methods)[["method", "parameters", "trees"]]
    own = learning_time.merge(models, on="method", how="left")
    own = own.assign(origin="this run", wall_h=own["wall_s"] / 3600)[list(_METHOD)]
    study = pd.DataFrame(
        [
            {"origin": "the study", "method": method, **vars(PUBLISHED[method])}
            for method in methods
            if method in PUBLISHED
        ],
        columns=list(_METHOD),
    )
    return pd.concat([own.astype(_METHOD), study.astype(_METHOD)], ignore_index=True)


def kappa_by_tile(summary: pd.DataFrame, methods: Sequence[str]) -> pd.DataFrame:
    """Cohen's kappa of each tile, a column a method.

    Parameters
    ----------
    summary : pandas.DataFrame
        As `fgunet.accuracy.tables.tabulate` makes it.
    methods : sequence of str
        Order of the columns.

    Returns
    -------
    pandas.DataFrame
        One row a tile by name, "pooled" last: tile, and for each method <method>, <method>_lower
        and <method>_upper (95 % interval by polygon), NaN where undefined.
    """
    table = _side_by_side(summary, "kappa", ["tile"], methods)
    last = table["tile"] == "pooled"
    return pd.concat([table[~last].sort_values("tile"), table[last]], ignore_index=True)


def f_by_class(classes: pd.DataFrame, methods: Sequence[str]) -> pd.DataFrame:
    """F-score of each class over all tiles, a column a method.

    Parameters
    ----------
    classes : pandas.DataFrame
        As `fgunet.accuracy.tables.tabulate` makes it.
    methods : sequence of str
        Order of the columns.

    Returns
    -------
    pandas.DataFrame
        One row a class, in the order of the nomenclature: code, name, and the columns of
        `kappa_by_tile`.
    """
    pooled = classes[classes["tile"] == "pooled"]
    return _side_by_side(pooled, "f_score", ["code", "name"], methods)


def _side_by_side(
    scores: pd.DataFrame, score: str, rows: list[str], methods: Sequence[str]
) -> pd.DataFrame:
    """A score and its bounds of each method, in the order in which its rows come."""
    table = scores[rows].drop_duplicates(ignore_index=True)
    for method in methods:
        columns = {f"{score}{end}": f"{method}{end}" for end in _INTERVAL}
        own = scores.loc[scores["method"] == method, [*rows, *columns]]
        table = table.merge(own.rename(columns=columns), on=rows, how="left")
    return table
