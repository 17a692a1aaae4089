"""Majority filter of class maps."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from fgunet.compiled import compiled
from fgunet.errors import GridError
from fgunet.grid import Window
from fgunet.logs import Progress
from fgunet.mapping.windows import plan_windows
from fgunet.nomenclature import NODATA_CODE


def majority(codes: NDArray[np.uint8], radius: int) -> NDArray[np.uint8]:
    """Give each pixel the most frequent code of the square around it.

    The square has 2 x `radius` + 1 pixels a side and is cut at the edge of the map. Where several
    codes are the most frequent, the pixel keeps its own, even if it is none of them. At a radius
    of 1 this is what Orfeo ToolBox's ClassificationMapRegularization does with ``ip.suvbool
    false`` (at larger ones it takes a disc).

    Parameters
    ----------
    codes : ndarray (y, x) uint8
        Class codes, 0 = nodata: such pixels have no vote, and stay as they are.
    radius : int
        In pixels; 0 changes nothing.

    Returns
    -------
    ndarray (y, x) uint8
        A new array, 0 where `codes` is.

    Raises
    ------
    GridError
        If the codes are not uint8 or the radius is negative.
    """
    if codes.dtype != np.uint8 or radius < 0:
        raise GridError(
            f"a majority filter of radius {radius} over codes of {codes.dtype}; "
            "the radius must be 0 or more, and codes be uint8"
        )
    present = np.flatnonzero(np.bincount(codes.ravel(), minlength=256)).astype(np.uint8)
    candidates = present[present != NODATA_CODE]
    return _vote(np.require(codes, np.uint8, ["C", "A", "W"]), candidates, radius)


def majority_windows(
    read: Callable[[Window], NDArray[np.uint8]],
    shape: tuple[int, int],
    *,
    radius: int,
    core: int,
) -> Iterator[tuple[Window, NDArray[np.uint8]]]:
    """Filter a map window by window, as `majority` would filter the whole of it.

    Parameters
    ----------
    read : callable
        Gives the codes (y, x) uint8 of a window.
    shape : tuple of int
        (height, width) of the map in pixels.
    radius : int
        Of the filter, in pixels.
    core : int
        Side of the windows in pixels. The result does not depend on it.

    Yields
    ------
    window : Window
        Part of the map; together they are the map, without overlap.
    codes : ndarray (y, x) uint8
        Its filtered codes.

    Raises
    ------
    GridError
        If the codes are not uint8.
    ModelError
        If the radius is negative or `core` below 1.
    """
    windows = plan_windows(shape, core=core, halo=radius, stride=1)
    progress = Progress("windows", len(windows))
    for window in windows:
        inside = window.core.relative_to(window.read).slices
        yield window.core, majority(read(window.read), radius)[inside]
        progress.advance()


@compiled
def _vote(
    codes: NDArray[np.uint8], candidates: NDArray[np.uint8], radius: int
) -> NDArray[np.uint8]:
    height, width = codes.shape
    voted = np.empty((height, width), np.uint8)
    votes = np.zeros(256, np.int32)
    for y in range(height):
        top, bottom = max(0, y - radius), min(height, y + radius + 1)
        votes[:] = 0
        # The square moves along the row: a column of pixels enters it, and one leaves.
        for x in range(-radius, width):
            entering, leaving = x + radius, x - radius - 1
            for row in range(top, bottom):
                if entering < width:
                    votes[codes[row, entering]] += 1
                if leaving >= 0:
                    votes[codes[row, leaving]] -= 1
            if x >= 0:
                voted[y, x] = _winner(votes, candidates, codes[y, x])
    return voted


@compiled
def _winner(votes: NDArray[np.int32], candidates: NDArray[np.uint8], own: int) -> int:
    """The one code with the most votes; a pixel's own where there are several, or it has none."""
    if own == NODATA_CODE:
        return own
    most, winner = 0, own
    for code in candidates:
        if votes[code] > most:
            most, winner = votes[code], code
        elif votes[code] == most:
            winner = own
    return winner
