"""How good the regularised maps are."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from fgunet.nomenclature import Nomenclature
from fgunet.report.findings import cell
from fgunet.report.style import method_label
from fgunet.report.wording import score_name, whole

_SCORES = ("kappa", "overall_accuracy", "macro_f", "group_f")


def regularised_section(
    table: pd.DataFrame,
    configuration: Mapping[str, Any],
    nomenclature: Nomenclature,
    focus_group: str | None,
) -> dict[str, Any]:
    """The scores of the regularised maps, and the filters that they went through.

    Parameters
    ----------
    table : pandas.DataFrame
        One row a method: method, and scores with their intervals; may be empty.
    configuration : mapping
        Of the run; mapping.regularisation holds the filters of each method.
    nomenclature : Nomenclature
        Names of the protected classes.
    focus_group : str or None
        Group with a score of its own.

    Returns
    -------
    dict
        Empty without table. Else scores (their names) and rows: method, filters (a sentence) and
        cells.
    """
    if table.empty:
        return {}
    filters = configuration["mapping"]["regularisation"]
    scores = [name for name in _SCORES if name in table]
    return {
        "scores": [score_name(name, focus_group) for name in scores],
        "rows": [
            {
                "method": method_label(row["method"]),
                "filters": _told(filters[row["method"]], nomenclature),
                "cells": [cell(row, score) for score in scores],
            }
            for row in (table.loc[place].to_dict() for place in table.index)
        ],
    }


def _told(filters: Mapping[str, Any], nomenclature: Nomenclature) -> str:
    radius, area, protect = (
        filters[key] for key in ("majority_radius", "minimum_area_m2", "protect")
    )
    parts = []
    if radius:
        parts.append(f"majority of radius {radius}")
    if area:
        parts.append(f"patches below {whole(area)} m² joined to their largest neighbour")
    if protect:
        parts.append(f"protected: {', '.join(nomenclature.names[code] for code in protect)}")
    return "; ".join(parts)
