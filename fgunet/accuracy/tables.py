"""Tables of scores with their intervals: a row a map, and a row a class of a map."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fgunet.accuracy.confusion import Confusion
from fgunet.accuracy.intervals import interval, resample_confusions
from fgunet.accuracy.scores import Scores, class_scores, kappa, map_scores, overall_accuracy
from fgunet.nomenclature import Nomenclature

_FEWEST_POLYGONS = 2
"""A class with fewer polygons is drawn alike every time: it has no interval, nor has a map of such
classes alone."""

_MAIN_SCORES = ("kappa", "overall_accuracy", "macro_f", "group_f")


def main_scores(summary: pd.DataFrame) -> list[str]:
    """Columns of the main scores in a summary, each followed by its bounds.

    Parameters
    ----------
    summary : pandas.DataFrame
        As `tabulate` gives it. Without a focus group it has no `group_f`.
    """
    return [
        f"{score}{bound}"
        for score in _MAIN_SCORES
        if score in summary
        for bound in ("", "_lower", "_upper")
    ]


def tabulate(
    confusions: Sequence[Confusion],
    nomenclature: Nomenclature,
    *,
    focus_group: str | None,
    samples: int,
    seed: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Scores of several maps, with 95 % bootstrap intervals by polygon.

    Parameters
    ----------
    confusions : sequence of Confusion
        One a tile and method, pooled ones included.
    nomenclature : Nomenclature
        The classes.
    focus_group : str or None
        Group of classes that gets scores of its own; ignored where the nomenclature lacks it.
    samples, seed : int
        Of the bootstrap.

    Returns
    -------
    summary : pandas.DataFrame
        One row a confusion: tile, method, polygons, pixels, unmapped, and each score with
        <score>_lower and <score>_upper. Undefined is NaN. polygon_overall_accuracy and
        polygon_kappa count each polygon once, by its majority (`Confusion.by_majority`).
    classes : pandas.DataFrame
        One row a confusion and class: tile, method, code, name, group, polygons, pixels,
        mapped_pixels, producers_accuracy, users_accuracy, f_score, with their intervals.
    """
    group = nomenclature.group(focus_group) if focus_group else ()
    maps, classes = [], []
    for confusion in confusions:
        places = [confusion.codes.index(code) for code in group if code in confusion.codes]
        n = len(confusion.codes)
        votes = confusion.by_majority()
        both = np.hstack([confusion.counts, votes.counts])
        drawn = resample_confusions(confusion.references, both, n, samples=samples, seed=seed)
        observed = _with_polygons(map_scores(confusion.matrix, places), votes.matrix)
        resampled = _with_polygons(map_scores(drawn[..., :n], places), drawn[..., n:])
        maps.append(_map_row(confusion, observed, resampled))
        classes.extend(_class_rows(confusion, drawn[..., :n], nomenclature))
    return pd.DataFrame(maps), pd.DataFrame(classes)


def _with_polygons(scores: dict[str, Scores], polygons: NDArray[Any]) -> dict[str, Scores]:
    """The scores in pixels, and those of the confusion in polygons (..., n, n)."""
    return {
        **scores,
        "polygon_overall_accuracy": overall_accuracy(polygons),
        "polygon_kappa": kappa(polygons),
    }


def _map_row(
    confusion: Confusion, observed: dict[str, Scores], resampled: dict[str, Scores]
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "tile": confusion.tile,
        "method": confusion.method,
        "polygons": confusion.polygon_ids.size,
        "pixels": int(confusion.counts.sum()),
        "unmapped": confusion.unmapped,
    }
    enough = np.bincount(confusion.references, minlength=1).max() >= _FEWEST_POLYGONS
    for name, value in observed.items():
        lower, upper = interval(resampled[name]) if enough else (np.nan, np.nan)
        row |= {name: float(value), f"{name}_lower": float(lower), f"{name}_upper": float(upper)}
    return row


def _class_rows(
    confusion: Confusion, drawn: NDArray[np.float64], nomenclature: Nomenclature
) -> list[dict[str, Any]]:
    matrix = confusion.matrix
    polygons = np.bincount(confusion.references, minlength=len(confusion.codes))
    known = {c.code: c for c in nomenclature.classes}
    observed = class_scores(matrix)
    resampled = class_scores(drawn)
    bounds = {name: interval(values) for name, values in resampled.items()}
    rows = []
    for place, code in enumerate(confusion.codes):
        row: dict[str, Any] = {
            "tile": confusion.tile,
            "method": confusion.method,
            "code": code,
            "name": known[code].name,
            "group": known[code].group,
            "polygons": int(polygons[place]),
            "pixels": int(matrix[place].sum()),
            "mapped_pixels": int(matrix[:, place].sum()),
        }
        enough = polygons[place] >= _FEWEST_POLYGONS
        for name, values in observed.items():
            lower, upper = (bound[place] if enough else np.nan for bound in bounds[name])
            row |= {
                name: float(values[place]),
                f"{name}_lower": float(lower),
                f"{name}_upper": float(upper),
            }
        rows.append(row)
    return rows


def confusion_table(matrix: NDArray[Any], nomenclature: Nomenclature) -> pd.DataFrame:
    """A confusion as a table.

    Parameters
    ----------
    matrix : ndarray of int64, (n, n)
        Pixels; rows reference, columns map, in the order of the nomenclature.
    nomenclature : Nomenclature
        The classes.

    Returns
    -------
    pandas.DataFrame
        One row a reference class: code : int64, name : str, and for each mapped class a column
        "<code> <name>" : int64, pixels.
    """
    names = [f"{each.code} {each.name}" for each in nomenclature.classes]
    table = pd.DataFrame(np.asarray(matrix), columns=names)
    table.insert(0, "code", list(nomenclature.codes))
    table.insert(1, "name", [each.name for each in nomenclature.classes])
    return table
