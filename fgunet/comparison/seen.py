"""What a method saw: its training pixels by polygon, once and with repetition."""

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fgunet.comparison.tally import tally
from fgunet.errors import ComparisonError
from fgunet.grid import Window

Strip = tuple[Window, NDArray[np.uint32], NDArray[np.uint8]]
"""Rows of a tile, as wide as it: the window, polygons and training codes (y, x), 0 for none."""

COUNTS = ["pixels", "shown"]
"""Pixels seen at least once, and how often they were shown altogether."""


def times_shown(starts: NDArray[np.int64], size: int, strip: Window) -> NDArray[np.int32]:
    """How many patches hold each pixel of a strip.

    Parameters
    ----------
    starts : ndarray (patch, 2) int64
        First row and column of each patch in the tile.
    size : int
        Side of a patch in pixels.
    strip : Window
        As wide as the tile.

    Returns
    -------
    ndarray (y, x) int32
    """
    height, width = strip.shape
    reach = (starts[:, 0] < strip.row + height) & (starts[:, 0] + size > strip.row)
    top = starts[reach, 0] - strip.row
    left = starts[reach, 1]
    rows = np.clip([top, top + size], 0, height)
    # The sums over rows, then columns, of +1 and -1 at its corners are 1 inside a patch, 0 outside.
    change = np.zeros((height + 1, width + 1), np.int32)
    for row, sign in zip(rows, (1, -1), strict=True):
        np.add.at(change, (row, left), sign)
        np.add.at(change, (row, left + size), -sign)
    np.cumsum(change, axis=0, out=change)
    np.cumsum(change, axis=1, out=change)
    return change[:height, :width]


def seen_in_patches(
    tiles: Iterable[tuple[NDArray[np.int64], Iterable[Strip]]], *, size: int
) -> pd.DataFrame:
    """What patches showed.

    Parameters
    ----------
    tiles : iterable of (starts, strips)
        For each tile, the first row and column of its patches (patch, 2) int64, and its strips.
    size : int
        Side of a patch in pixels.

    Returns
    -------
    pandas.DataFrame
        A row a polygon: polygon_id, code, pixels (seen at least once), shown (with repetition).
        A pixel in two tiles counts in each.
    """

    def blocks() -> Iterator[
        tuple[NDArray[np.uint32], NDArray[np.uint8], dict[str, NDArray[np.int32]]]
    ]:
        for starts, strips in tiles:
            for strip, polygon, code in strips:
                shown = times_shown(starts, size, strip)
                chosen = (shown > 0) & (code > 0)
                counts = {"pixels": np.ones(chosen.sum(), np.int32), "shown": shown[chosen]}
                yield polygon[chosen], code[chosen], counts

    return tally(blocks(), COUNTS)


def seen_in_samples(polygon: NDArray[np.uint32], code: NDArray[np.uint8]) -> pd.DataFrame:
    """What a sample of pixels showed, each pixel once.

    Parameters
    ----------
    polygon, code : ndarray (pixel,)
        Polygon and code of each pixel.

    Returns
    -------
    pandas.DataFrame
        As `seen_in_patches` gives it.
    """
    once = np.ones(polygon.size, np.int32)
    return tally([(polygon, code, dict.fromkeys(COUNTS, once))], COUNTS)


def require_from_pool(method: str, seen: pd.DataFrame, polygons: pd.DataFrame) -> None:
    """Check that a method learned from polygons of the pool alone.

    Parameters
    ----------
    method : str
        Its name.
    seen : pandas.DataFrame
        What it saw: polygon_id.
    polygons : pandas.DataFrame
        The training polygons: polygon_id, enters (NaN outside of the pool).

    Raises
    ------
    ComparisonError
        If it saw others; how many, and the first of them, are named.
    """
    pool = polygons.loc[polygons["enters"].notna(), "polygon_id"]
    for known, what in (
        (polygons["polygon_id"], "are no training polygons"),
        (pool, "are outside of those that the methods may learn from"),
    ):
        strange = seen.loc[~seen["polygon_id"].isin(known), "polygon_id"]
        if len(strange):
            raise ComparisonError(
                f"{method} saw {len(strange)} polygons that {what}, first {strange.iloc[0]}; its "
                f"samples are not of this reference. Remove results/models/{method} and "
                "results/comparison, and run again"
            )
