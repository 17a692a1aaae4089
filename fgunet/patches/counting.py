"""Labelled pixels of each class, counted in runs of blocks, so that one is found by its rank.

Pixels are ranked block by block, blocks by rows, and by rows within a block. A run is some blocks
side by side, which follow one another in that order.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fgunet.compiled import compiled
from fgunet.grid import Window

_STRIP = 512
"""About the rows of a tile that are read at once."""


@dataclass(frozen=True)
class Runs:
    """How a tile is cut into runs of blocks.

    Attributes
    ----------
    shape : tuple of int
        (height, width) of the tile in pixels.
    block : int
        Side of a block in pixels.
    length : int
        Blocks of a run; the last one of a row of blocks may have fewer.
    """

    shape: tuple[int, int]
    block: int
    length: int

    @property
    def grid(self) -> tuple[int, int]:
        """Rows of blocks, and runs of each."""
        height, width = self.shape
        return -(-height // self.block), -(-width // self._width)

    def window(self, number: int) -> Window:
        """The pixels of a run; runs are numbered by rows."""
        row, col = divmod(number, self.grid[1])
        top, left = row * self.block, col * self._width
        height, width = self.shape
        return Window(top, left, min(self.block, height - top), min(self._width, width - left))

    def strips(self) -> Iterator[Window]:
        """Windows as wide as the tile, of whole rows of blocks, that make up the tile."""
        rows = max(1, _STRIP // self.block) * self.block
        height, width = self.shape
        for row in range(0, height, rows):
            yield Window(row, 0, min(rows, height - row), width)

    def empty_counts(self, n_classes: int) -> NDArray[np.uint32]:
        """Counts (class, run) uint32 of no pixels, to be added to."""
        return np.zeros((n_classes, *self.grid), np.uint32).reshape(n_classes, -1)

    def add_to(self, counts: NDArray[np.uint32], strip: Window, labels: NDArray[np.uint8]) -> None:
        """Add the labels (y, x) of a strip to counts; 255, unlabelled, is passed over."""
        by_row = counts.reshape(len(counts), *self.grid)
        labels = np.require(labels, np.uint8, ["C", "A", "W"])
        _add(labels, strip.row // self.block, self.block, self._width, by_row)

    def pixel(self, number: int, mask: NDArray[np.bool_], rank: int) -> tuple[int, int]:
        """Row and column in the tile of the true pixel of a rank in a run.

        Parameters
        ----------
        number : int
            The run.
        mask : ndarray (y, x) bool
            The pixels of its window.
        rank : int
            From 0, below the true pixels of the mask.
        """
        window = self.window(number)
        rows, cols = np.nonzero(mask)
        place = int(np.argsort(cols // self.block, kind="stable")[rank])
        return window.row + int(rows[place]), window.col + int(cols[place])

    @property
    def _width(self) -> int:
        return self.block * self.length


class RankedPixels:
    """Pixels of a tile, asked for by class and rank, and found strip by strip.

    Parameters
    ----------
    labels, ranks : ndarray (asked,) int64
        Class of each pixel, and its rank, from 0, among the pixels of the class.
    n_classes : int
        Number of classes.
    """

    def __init__(self, labels: NDArray[np.int64], ranks: NDArray[np.int64], n_classes: int) -> None:
        self._order = np.lexsort((ranks, labels))
        self._ranks = ranks[self._order].astype(np.int64)
        ends = np.searchsorted(labels[self._order], np.arange(n_classes), side="right")
        # Of each class: the next place in the order, the end of its places, its pixels so far.
        self._state = np.zeros((3, n_classes), np.int64)
        self._state[0, 1:], self._state[1] = ends[:-1], ends

    def within(self, labels: NDArray[np.uint8], block: int) -> Iterator[tuple[int, int, int]]:
        """Find what lies in the next strip.

        Parameters
        ----------
        labels : ndarray (y, x) uint8
            Of the strip, which is as wide as the tile and has whole rows of blocks.
        block : int
            Side of a block in pixels.

        Yields
        ------
        int, int, int
            Which of those asked for it is, its row and its column in the strip.
        """
        found = np.full((self._ranks.size, 2), -1, np.int64)
        labels = np.require(labels, np.uint8, ["C", "A", "W"])
        _find(labels, block, self._ranks, self._state, found)
        for place in np.flatnonzero(found[:, 0] >= 0).tolist():
            yield int(self._order[place]), *found[place].tolist()


def rank_within(cumulative: NDArray[np.int64], rank: int) -> tuple[int, int]:
    """The place that holds the pixel of a rank, and its rank there.

    Parameters
    ----------
    cumulative : ndarray (place,) int64
        Pixels up to and with each place.
    rank : int
        From 0, below their sum.
    """
    place = int(np.searchsorted(cumulative, rank, side="right"))
    return place, rank - (int(cumulative[place - 1]) if place else 0)


@compiled
def _add(
    labels: NDArray[np.uint8],
    first_row: int,
    block: int,
    run_width: int,
    counts: NDArray[np.uint32],
) -> None:
    height, width = labels.shape
    n_classes = counts.shape[0]
    for y in range(height):
        row = first_row + y // block
        for run in range(counts.shape[2]):
            for x in range(run * run_width, min((run + 1) * run_width, width)):
                label = labels[y, x]
                if label < n_classes:
                    counts[label, row, run] += 1


@compiled
def _find(
    labels: NDArray[np.uint8],
    block: int,
    ranks: NDArray[np.int64],
    state: NDArray[np.int64],
    found: NDArray[np.int64],
) -> None:
    """Where in a strip the next ranks of each class are; the state moves on."""
    height, width = labels.shape
    following, ends, passed = state[0], state[1], state[2]
    for top in range(0, height, block):
        for left in range(0, width, block):
            for y in range(top, min(top + block, height)):
                for x in range(left, min(left + block, width)):
                    label = labels[y, x]
                    if label < passed.size:
                        place = following[label]
                        while place < ends[label] and ranks[place] == passed[label]:
                            found[place, 0], found[place, 1] = y, x
                            place += 1
                        following[label] = place
                        passed[label] += 1
