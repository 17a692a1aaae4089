"""How many pixels of a map another windowing changes."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fgunet.grid import Window, split_windows

_WINDOW = 2048

ReadCodes = Callable[[Window], NDArray[np.uint8]]
"""Gives the codes (y, x) uint8 of a window."""


def count_changed(read: ReadCodes, read_other: ReadCodes, shape: tuple[int, int]) -> int:
    """Count the pixels that have another code in another map of the same shape (height, width)."""
    windows = split_windows(shape, _WINDOW)
    return sum(int(np.count_nonzero(read(window) != read_other(window))) for window in windows)
