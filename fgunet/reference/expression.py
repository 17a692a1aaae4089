"""SQL expressions over the fields of a source, evaluated alike for all formats.

OGR passes SQL on to the format's own engine, so that the same text may mean two things. Here
SQLite evaluates it, in memory, once for each distinct row of fields; it reads nothing but these.
"""

import math
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fgunet.errors import ReferenceDataError
from fgunet.vectors.reading import quoted_names

_UNSTABLE = {"random", "randomblob", "current_date", "current_time", "current_timestamp"}


def fields_of(expression: str, fields: Sequence[str], *, path: str) -> list[str]:
    """Names of the fields that an expression reads.

    Parameters
    ----------
    expression : str
        SQL of SQLite (https://www.sqlite.org/lang_expr.html); names with blanks or capital
        letters that matter stand in double quotes, texts in single quotes.
    fields : sequence of str
        Fields of the layer.
    path : str
        File, for the message.

    Raises
    ------
    ReferenceDataError
        If it is not an expression of one row, or names none of the fields or another one.
    """
    foreign = [name for name in quoted_names(expression) if name not in fields]
    if foreign:
        raise _fault(expression, path, f"there is no field {', '.join(foreign)}", fields)
    read: set[str] = set()

    def note(action: int, first: str | None, second: str | None, *_: Any) -> int:
        if action == sqlite3.SQLITE_READ and second:
            read.add(second)
        return _permitted(action, first, second)

    with closing(sqlite3.connect(":memory:")) as database:
        try:
            database.execute(f"CREATE TABLE features ({', '.join(map(_quoted, fields))})")
            database.set_authorizer(note)
            # Here neither a second expression nor an aggregate may stand.
            database.execute(f"SELECT 1 FROM features WHERE ({expression}) IS NULL")  # noqa: S608
        except (sqlite3.Error, sqlite3.Warning) as error:
            raise _fault(expression, path, str(error), fields) from error
    named = [name for name in fields if name in read]
    if not named:
        raise _fault(expression, path, "it names no field", fields)
    return named


def evaluate(
    expression: str, columns: Mapping[str, NDArray[Any]], *, path: str
) -> NDArray[np.object_]:
    """Values of an expression.

    Parameters
    ----------
    expression : str
        SQL of SQLite.
    columns : mapping
        (n,) each: the fields that it reads, by name.
    path : str
        File, for the message.

    Returns
    -------
    numpy.ndarray
        (n,), object: str, int, float or None.

    Raises
    ------
    ReferenceDataError
        If it cannot be evaluated.
    """
    names = list(columns)
    frame = pd.DataFrame({i: columns[name] for i, name in enumerate(names)}, dtype=object)
    place = frame.groupby(list(frame), sort=False, dropna=False).ngroup().to_numpy()
    first = np.unique(place, return_index=True)[1]
    distinct = zip(*(frame[i].to_numpy()[first] for i in frame), strict=True)
    # One row at a time: no aggregate or window can then see the others, which depend on the tiles.
    row_of = ", ".join(f"? AS {_quoted(name)}" for name in names)
    query = f"SELECT ({expression}) FROM (SELECT {row_of})"  # noqa: S608
    values: list[Any] = []
    with closing(sqlite3.connect(":memory:")) as database:
        database.set_authorizer(_permitted)
        try:
            for row in distinct:
                values += database.execute(query, tuple(map(_plain, row))).fetchone()
        except (sqlite3.Error, sqlite3.Warning) as error:
            raise _fault(expression, path, str(error), names) from error
    return np.asarray(np.array([*values, None], dtype=object)[place], dtype=object)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _permitted(action: int, first: str | None, second: str | None, *_: Any) -> int:
    if action == sqlite3.SQLITE_READ:
        allowed = not (first or "").startswith("sqlite_")
    elif action == sqlite3.SQLITE_FUNCTION:
        # Same fields, same value: no function that gives another one each time.
        allowed = (second or "").lower() not in _UNSTABLE
    else:
        allowed = action == sqlite3.SQLITE_SELECT
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY


def _plain(value: Any) -> Any:
    """A value as SQLite knows it."""
    if value is None or value is pd.NaT or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, np.generic):
        value = value.item()
    return value if isinstance(value, int | float | str | bytes) else str(value)


def _fault(expression: str, path: str, reason: str, fields: Sequence[str]) -> ReferenceDataError:
    return ReferenceDataError(
        f"{path}: the expression {expression!r} cannot be evaluated: {reason}; its fields are "
        f"{', '.join(fields)}; correct 'expression' in the configuration"
    )
