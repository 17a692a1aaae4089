"""Patches that show none of the ground to be avoided."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fgunet.compiled import compiled
from fgunet.errors import PatchError
from fgunet.grid import Window
from fgunet.patches.framing import Frame

ReadGround = Callable[[Window], NDArray[np.bool_]]
"""Whether each pixel (y, x) of a window of a tile is ground to be avoided."""


class Avoidance:
    """Which patches of a tile are clear: without a pixel of the ground to be avoided.

    The ground is read by windows, some pixels wider than what is asked for; nothing is kept.

    Parameters
    ----------
    ground : callable
        Reads the ground to be avoided.
    shape : tuple of int
        (height, width) of the tile, not smaller than a patch.
    frame : Frame
        How patches are laid around pixels.

    Raises
    ------
    PatchError
        If the tile is smaller than a patch.
    """

    def __init__(self, ground: ReadGround, shape: tuple[int, int], frame: Frame) -> None:
        if min(shape) < frame.size:
            raise PatchError(
                f"a tile of {shape[0]} x {shape[1]} pixels cannot hold a patch of {frame.size} x "
                f"{frame.size}; take a smaller fgunet.patch_size or leave the tile out"
            )
        self._ground, self._shape, self._frame = ground, shape, frame

    def held(self, window: Window) -> "Avoidance":
        """The same for the pixels of a window, with the ground around them in memory."""
        outer = window.expanded(self._frame.size, self._shape)
        ground = self._ground(outer)
        return Avoidance(
            lambda asked: ground[asked.relative_to(outer).slices], self._shape, self._frame
        )

    def drawable(self, window: Window) -> NDArray[np.bool_]:
        """Whether each pixel (y, x) of a window has a clear patch, with one of its shifts."""
        rows, cols = (
            self._reach(np.arange(start, start + count), length)
            for start, count, length in zip(
                (window.row, window.col), window.shape, self._shape, strict=True
            )
        )
        clear = self._clear(rows[[0, -1], [0, 1]], cols[[0, -1], [0, 1]])
        found = np.empty(window.shape, np.bool_)
        _any_clear(clear, rows - rows[0, 0], cols - cols[0, 0], found)
        return found

    def clear_shifts(self, row: int, col: int) -> NDArray[np.int64]:
        """Shifts (shift, 2) int64 of rows and columns that make a clear patch around a pixel.

        By rows, each rising; none if the pixel is not drawable.
        """
        shifts = self._frame.shifts
        rows, cols = (
            self._frame.starts(pixel, shifts, length)
            for pixel, length in zip((row, col), self._shape, strict=True)
        )
        clear = self._clear(rows[[0, -1]], cols[[0, -1]])
        return shifts[np.argwhere(clear[np.ix_(rows - rows[0], cols - cols[0])])]

    def _reach(self, pixels: NDArray[np.int64], length: int) -> NDArray[np.int64]:
        """Where the patches of each of some rows (or columns) start, first and last (pixel, 2)."""
        jitter = self._frame.jitter
        ends = [self._frame.starts(pixels, shift, length) for shift in (-jitter, jitter)]
        return np.stack(ends, axis=1)

    def _clear(self, rows: NDArray[np.int64], cols: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether patches are clear that start at the rows and columns from the first to the last.

        Returns
        -------
        ndarray (first row, first column) bool
        """
        size = self._frame.size
        (top, bottom), (left, right) = rows.tolist(), cols.tolist()
        height, width = bottom - top + 1, right - left + 1
        window = Window(top, left, height + size - 1, width + size - 1)
        clear = np.empty((height, width), np.bool_)
        _find_clear(np.require(self._ground(window), np.bool_, ["C", "A", "W"]), size, clear)
        return clear


@compiled
def _find_clear(ground: NDArray[np.bool_], size: int, clear: NDArray[np.bool_]) -> None:
    """Whether squares of `size` are without ground, at each place they can start at."""
    height, width = ground.shape
    starts = clear.shape[1]
    # For each column: how many rows in sequence, up to this one, are free for a square's width.
    sequence = np.zeros(starts, np.int32)
    for row in range(height):
        free = 0
        for col in range(width - 1, -1, -1):
            free = 0 if ground[row, col] else free + 1
            if col < starts:
                sequence[col] = sequence[col] + 1 if free >= size else 0
        if row >= size - 1:
            for col in range(starts):
                clear[row - size + 1, col] = sequence[col] >= size


@compiled
def _any_clear(
    clear: NDArray[np.bool_],
    rows: NDArray[np.int64],
    cols: NDArray[np.int64],
    found: NDArray[np.bool_],
) -> None:
    """Whether any place is clear in the rows and columns, first to last, of each pixel."""
    starts = clear.shape[1]
    height, width = found.shape
    nearest = np.empty(starts, np.int32)
    # For each column of pixels: the last row of places that has a clear one within its columns.
    latest = np.full(width, -1, np.int32)
    done = 0
    for row in range(height):
        while done <= rows[row, 1]:
            last = -1
            for start in range(starts):
                last = start if clear[done, start] else last
                nearest[start] = last
            for col in range(width):
                within = nearest[cols[col, 1]] >= cols[col, 0]
                latest[col] = done if within else latest[col]
            done += 1
        for col in range(width):
            found[row, col] = latest[col] >= rows[row, 0]
