"""Tables of scores with their intervals: a row a map, and a row a class of a map."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fgunet.accuracy.confusion import Confusion
from fgunet.accuracy.intervals import interval, resample_confusions
from fgunet.accuracy.scores import class_scores, map_scores
from fgunet.nomenclature import Nomenclature

_FEWEST_POLYGONS = 2
"""A class with fewer polygons is drawn alike every time: it has no interval."""


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
        <score>_lower and <score>_upper. Undefined is NaN.
    classes : pandas.DataFrame
        One row a confusion and class: tile, method, code, name, group, polygons, pixels,
        mapped_pixels, producers_accuracy, users_accuracy, f_score, with their intervals.
    """
    group = nomenclature.group(focus_group) if focus_group else ()
    maps, classes = [], []
    for confusion in confusions:
        places = [confusion.codes.index(code) for code in group if code in confusion.codes]
        n = len(confusion.codes)
        drawn = resample_confusions(
            confusion.references, confusion.counts, n, samples=samples, seed=seed
        )
        maps.append(_map_row(confusion, drawn, places))
        classes.extend(_class_rows(confusion, drawn, nomenclature))
    return pd.DataFrame(maps), pd.DataFrame(classes)


def _map_row(
    confusion: Confusion, drawn: NDArray[np.float64], places: Sequence[int]
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "tile": confusion.tile,
        "method": confusion.method,
        "polygons": confusion.polygon_ids.size,
        "pixels": int(confusion.counts.sum()),
        "unmapped": confusion.unmapped,
    }
    resampled = map_scores(drawn, places)
    for name, value in map_scores(confusion.matrix, places).items():
        lower, upper = interval(resampled[name])
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
