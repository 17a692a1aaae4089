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
