"""Pixels counted by polygon, window by window and tile by tile."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fgunet.comparison.tables import DTYPES

Block = tuple[NDArray[Any], NDArray[Any], Mapping[str, NDArray[Any]]]
"""Polygon identifier and code of some pixels (pixel,), and what is counted of each pixel."""


def tally(blocks: Iterable[Block], columns: Sequence[str]) -> pd.DataFrame:
    """Count blocks of pixels by polygon.

    Parameters
    ----------
    blocks : iterable of (polygon ids, codes, counts)
        One at a time in memory. Counts are arrays (pixel,) of whole numbers or bool by the names
        in `columns`.
    columns : sequence of str
        What is counted.

    Returns
    -------
    pandas.DataFrame
        One row a polygon, rising: polygon_id (uint32), code (uint8), and the columns (int64).
        It does not depend on the order and the size of the blocks.
    """
    return merge([_of_block(block, columns) for block in blocks], columns)


def merge(tables: Sequence[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    """Add up what `tally` counted, tile by tile for instance."""
    names = ["polygon_id", "code", *columns]
    dtypes = {name: DTYPES[name] for name in names}
    together = pd.concat([pd.DataFrame(columns=names).astype(dtypes), *tables])
    summed = together.groupby("polygon_id", as_index=False).agg(
        {"code": "first", **dict.fromkeys(columns, "sum")}
    )
    return summed.astype(dtypes)


def _of_block(block: Block, columns: Sequence[str]) -> pd.DataFrame:
    ids, codes, counts = block
    numbers, first, places = np.unique(ids, return_index=True, return_inverse=True)
    sums = {name: np.bincount(places, counts[name], len(numbers)) for name in columns}
    table = pd.DataFrame({"polygon_id": numbers, "code": codes[first], **sums})
    return table.astype({name: DTYPES[name] for name in ("polygon_id", "code", *columns)})
