"""Tables as small pages of their own: Snakemake's report shows those, and only downloads a CSV."""

import re
from typing import Any

import numpy as np
import pandas as pd

from fgunet.report.rendering import render
from fgunet.report.wording import UNDEFINED

MOST_ROWS = 2000
"""Most rows of a page; the CSV file has all."""

_DECIMALS = 3
_LITERAL = re.compile(r"``(.+?)``")


def table_page(table: pd.DataFrame, *, title: str, caption: str, file: str) -> str:
    """A table as one HTML page that needs nothing else.

    Parameters
    ----------
    table : pandas.DataFrame
        Numbers are written with the digits that their column needs, what is undefined as a dash.
        The first column names the rows.
    title : str
        Heading.
    caption : str
        What the table shows, in plain reStructuredText: ``literals`` are the only markup.
    file : str
        Where all rows and all digits are: the name of the CSV file.

    Returns
    -------
    str
        HTML without scripts; it makes no request.
    """
    shown = table.head(MOST_ROWS)
    columns = [_column(shown[name]) for name in shown]
    return render(
        "table.html.j2",
        title=title,
        # Every second piece is a literal.
        caption=_LITERAL.split(caption.strip()),
        file=file,
        columns=columns,
        rows=list(zip(*(column["cells"] for column in columns), strict=True)),
        shown=number(len(shown)),
        in_all=number(len(table)) if len(table) > len(shown) else None,
    )


def _column(values: pd.Series) -> dict[str, Any]:
    """Heading and cells of a column, and whether it holds numbers."""
    numeric = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    cells = [
        None if missing else value for value, missing in zip(values, values.isna(), strict=True)
    ]
    if numeric:
        places = decimals_of(values)
        written = [UNDEFINED if value is None else number(value, places) for value in cells]
    else:
        written = [_text(value) for value in cells]
    return {"heading": str(values.name).split("_"), "number": numeric, "cells": written}


def _text(value: Any) -> str:
    if value is None:
        return UNDEFINED
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    return str(value)


def decimals_of(values: pd.Series) -> int:
    """Decimals that a column of numbers needs: 3 for shares, none for thousands and for counts."""
    defined = values.dropna().astype(float)
    defined = defined[np.isfinite(defined)]
    if defined.empty or (defined == defined.round()).all():
        return 0
    digits = int(np.floor(np.log10(defined.abs().max()))) if defined.abs().max() >= 1 else 0
    return max(0, _DECIMALS - digits)


def number(value: Any, places: int = 0) -> str:
    """A number with so many decimals, or with two digits that count where those would read 0.

    Five digits and more have thin spaces between thousands, so that a year has none.
    """
    value = float(value)
    if not np.isfinite(value):
        return UNDEFINED
    text = f"{value:,.{places}f}"
    if value and not float(text.replace(",", "")):
        text = f"{value:.2g}"
    text = text.replace("-", "−")
    return text.replace(",", "\u202f" if abs(value) >= 9999.5 else "")
