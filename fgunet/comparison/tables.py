"""Tables of polygons as Parquet files."""

import os
from collections.abc import Sequence

import pandas as pd

from fgunet.errors import ComparisonError
from fgunet.files import atomic_path

DTYPES = {
    "polygon_id": "uint32",
    "code": "uint8",
    "pixels": "int64",
    "usable": "int64",
    "shown": "int64",
    "enters": "float64",
}
"""Type of each column that such a table may have."""


def write_table(path: str | os.PathLike[str], table: pd.DataFrame) -> None:
    """Write a table of polygons, atomically."""
    with atomic_path(path) as part:
        table.to_parquet(part, index=False)


def read_table(path: str | os.PathLike[str], columns: Sequence[str]) -> pd.DataFrame:
    """Read a table of polygons.

    Raises
    ------
    ComparisonError
        If the file is no such table, or lacks a column.
    """
    try:
        return pd.read_parquet(path, columns=[*columns]).astype({c: DTYPES[c] for c in columns})
    except (OSError, ValueError) as error:
        raise ComparisonError(
            f"{path} is no table of polygons with the columns {', '.join(columns)} "
            f"({type(error).__name__}: {error}); remove it and run again"
        ) from error
