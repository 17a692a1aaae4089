"""How often the pixels of a tile were seen, and what had to be filled in between."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fgunet.grid import Window, split_windows

LEVELS = (5, 25, 50, 75, 95)
"""Percentiles that are told of the pixels of a tile."""

# A multiple of the chunks of a series, so that none is read twice.
_WINDOW = 512
_NUMBERS = 65536


@dataclass(frozen=True)
class Gaps:
    """What the pixels of a tile rest on.

    Attributes
    ----------
    figures : dict
        never_clear_share (0..1 of all pixels); and of the pixels that were clear at least once,
        None if there is none: clear_days and longest_gap_days, each a percentile by its name
        ("5", "25", ...), and bridged_share (0..1 of their dates that were filled across a gap
        above the limit).
    clear_count, longest_gap : ndarray of uint16, shape (y, x)
        Pictures: days that were clear, and days of the longest gap, of every step-th pixel.
    """

    figures: dict[str, Any]
    clear_count: NDArray[np.uint16]
    longest_gap: NDArray[np.uint16]


def measure_gaps(
    read_counts: Callable[[Window], Mapping[str, NDArray[np.uint16]]],
    shape: tuple[int, int],
    n_dates: int,
    step: int,
) -> Gaps:
    """Measure the gaps of a tile, window by window: memory does not grow with the tile.

    Parameters
    ----------
    read_counts : callable
        Gives clear_count, longest_gap and bridged_count of a window, each uint16 (y, x).
    shape : tuple of int
        (height, width) of the tile.
    n_dates : int
        Regular dates of the series.
    step : int
        The pictures take every `step`-th pixel of a side.
    """
    clear, longest = np.zeros(_NUMBERS, np.int64), np.zeros(_NUMBERS, np.int64)
    bridged = 0
    small = math.ceil(shape[0] / step), math.ceil(shape[1] / step)
    pictures = {name: np.empty(small, np.uint16) for name in ("clear_count", "longest_gap")}
    for window in split_windows(shape, _WINDOW):
        counts = read_counts(window)
        clear += np.bincount(counts["clear_count"].ravel(), minlength=_NUMBERS)
        seen = counts["clear_count"] > 0
        longest += np.bincount(counts["longest_gap"][seen], minlength=_NUMBERS)
        bridged += int(counts["bridged_count"][seen].sum(dtype=np.int64))
        for name, picture in pictures.items():
            _take(counts[name], window, step, picture)
    never, pixels = int(clear[0]), shape[0] * shape[1]
    clear[0] = 0
    dates = (pixels - never) * n_dates
    figures = {
        "never_clear_share": never / pixels,
        "clear_days": percentiles(clear),
        "longest_gap_days": percentiles(longest),
        "bridged_share": bridged / dates if dates else None,
    }
    return Gaps(figures, pictures["clear_count"], pictures["longest_gap"])


def _take(
    values: NDArray[np.uint16], window: Window, step: int, picture: NDArray[np.uint16]
) -> None:
    """Put every `step`-th pixel of the tile that lies in a window into the picture."""
    few = values[-window.row % step :: step, -window.col % step :: step]
    row, col = -(-window.row // step), -(-window.col // step)
    picture[row : row + few.shape[0], col : col + few.shape[1]] = few


def percentiles(histogram: NDArray[np.int64]) -> dict[str, float] | None:
    """Exact percentiles of whole numbers that were counted, linear between neighbours.

    Parameters
    ----------
    histogram : ndarray of int64, shape (n,)
        How often each number 0...n-1 occurs.

    Returns
    -------
    dict or None
        By the names of `LEVELS`; None where nothing was counted.
    """
    up_to = np.cumsum(histogram)
    total = int(up_to[-1])
    if not total:
        return None
    found = {}
    for level in LEVELS:
        # In whole numbers: a product of floats may fall short of the place that is meant.
        place, hundredths = divmod(level * (total - 1), 100)
        low, high = np.searchsorted(
            up_to, [place, min(place + 1, total - 1)], side="right"
        ).tolist()
        found[str(level)] = low + (high - low) * hundredths / 100
    return found
