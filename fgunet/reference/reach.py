"""The ground that training patches can show.

A patch is drawn around a training pixel, shifted by up to the jitter in rows and in columns, and
pushed inside the tile where it would leave it. The patches of one pixel so cover a rectangle.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fgunet.grid import Window

ReadMask = Callable[[Window], NDArray[np.bool_]]
"""Training pixels (y, x), bool, in a window of a tile."""


def reaching(count: int, size: int, jitter: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which pixels of a row (or column) have a patch that shows a pixel of it.

    Parameters
    ----------
    count : int
        Pixels of the row.
    size : int
        Side of a patch in pixels; the whole row where it is shorter.
    jitter : int
        Greatest shift of the drawn pixel from the patch's middle, in pixels.

    Returns
    -------
    first, last : numpy.ndarray
        (count,), int64: a patch that is drawn around a pixel from `first` to `last` can show the
        pixel, and no other can.
    """
    size = min(size, count)
    pixel = np.arange(count)
    # A patch that starts at s shows s .. s + size - 1, and s lies within 0 .. count - size.
    first = np.where(pixel < size, 0, pixel - size + 1 + size // 2 - jitter)
    last = np.where(pixel >= count - size, count - 1, pixel + size // 2 + jitter)
    return np.clip(first, 0, count - 1), np.clip(last, 0, count - 1)


def within_reach(
    training: ReadMask, window: Window, shape: tuple[int, int], *, size: int, jitter: int
) -> NDArray[np.bool_]:
    """Whether a patch that training can draw shows each pixel of a strip.

    Parameters
    ----------
    training : callable
        Reads the training pixels of a strip.
    window : Window
        A strip: of the tile's full width. Somewhat more of the tile is read around it.
    shape : tuple of int
        (height, width) of the tile.
    size, jitter : int
        Side of a patch and greatest shift, in pixels.

    Returns
    -------
    numpy.ndarray
        (y, x), bool.
    """
    top, bottom = reaching(shape[0], size, jitter)
    own = slice(window.row, window.row + window.height)
    start, stop = int(top[own].min()), int(bottom[own].max()) + 1
    mask = training(Window(start, 0, stop - start, shape[1]))
    across = _any_between(mask, *reaching(shape[1], size, jitter))
    return _any_between(across.T, top[own] - start, bottom[own] - start).T


def _any_between(
    mask: NDArray[np.bool_], first: NDArray[np.int64], last: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Whether `mask` (row, column) is true anywhere in columns first[i] .. last[i]; (row, i)."""
    # It is, if the true column nearest to the last one, from the left, is not before the first.
    place = np.where(mask, np.arange(mask.shape[1], dtype=np.int32), np.int32(-1))
    nearest = np.maximum.accumulate(place, axis=1)
    found: NDArray[np.bool_] = nearest[:, last] >= first
    return found
