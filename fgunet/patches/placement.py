"""Where patches lie: around pixels drawn uniformly by class, over all tiles."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fgunet.errors import PatchError
from fgunet.grid import Window, split_windows
from fgunet.patches.labels import Labels

BLOCK = 64
"""Side of the blocks in which labelled pixels are counted, in pixels."""


@dataclass(frozen=True)
class Place:
    """A patch: the number of its tile, its window there, and the class it was drawn for."""

    tile: int
    window: Window
    label: int


def count_labels(labels: Labels, n_classes: int, block: int = BLOCK) -> NDArray[np.int32]:
    """Labelled pixels of each class in each block of a tile.

    Parameters
    ----------
    labels : Labels
        Labels of one split of the tile.
    n_classes : int
        Number of classes.
    block : int
        Side of a block in pixels.

    Returns
    -------
    ndarray (class, block) int32
        Blocks in the order of `fgunet.grid.split_windows`.
    """
    counts = []
    columns = -(-labels.grid.width // block)
    for strip in split_windows((labels.grid.height, 1), block):
        values = labels.read(Window(strip.row, 0, strip.height, labels.grid.width))
        which = np.arange(labels.grid.width) // block
        # One bin for each pair of block and label; 256 labels, unlabelled included.
        pairs = np.bincount((which * 256 + values).ravel(), minlength=columns * 256)
        counts.append(pairs.reshape(columns, 256)[:, :n_classes])
    by_class: NDArray[np.int32] = np.concatenate(counts).T.astype(np.int32)
    return by_class


class Placement:
    """Draws patches: a class uniformly, then a pixel of it uniformly over all tiles.

    Only counts are held, not the labels: a drawn pixel is found by reading its block.

    Parameters
    ----------
    tiles : sequence of Labels
        Labels of one split of each tile.
    n_classes : int
        Number of classes.
    size : int
        Side of a patch in pixels.
    jitter : int
        Greatest shift of the drawn pixel from the patch's middle, in pixels.
    block : int
        Side of the blocks in which pixels are counted.

    Raises
    ------
    PatchError
        If a tile is smaller than a patch, the jitter could lose the pixel, or no tile has a
        labelled pixel.
    """

    def __init__(
        self,
        tiles: Sequence[Labels],
        *,
        n_classes: int,
        size: int,
        jitter: int,
        block: int = BLOCK,
    ) -> None:
        _check_sizes(tiles, size, jitter)
        self._tiles, self._size, self._jitter = tuple(tiles), size, jitter
        counts = [count_labels(tile, n_classes, block) for tile in tiles]
        windows = [list(split_windows(tile.grid.shape, block)) for tile in tiles]
        self._windows = windows
        self._first_block = np.cumsum([0] + [len(each) for each in windows])
        # Pixels of a class up to and with each block, over all tiles one after another.
        self._cumulative = np.cumsum(np.concatenate(counts, axis=1), axis=1, dtype=np.int64)
        self._present = np.flatnonzero(self._cumulative[:, -1])
        if not self._present.size:
            raise PatchError(
                f"none of the {len(tiles)} tiles has a labelled pixel of this split; "
                "check the reference polygons and their split"
            )

    @property
    def counts(self) -> NDArray[np.int64]:
        """Labelled pixels of each class over all tiles (class,) int64."""
        totals: NDArray[np.int64] = self._cumulative[:, -1].copy()
        return totals

    def place(self, generator: np.random.Generator) -> Place:
        """Draw a patch.

        The window is pushed inside the tile where it would leave it; the drawn pixel always
        lies in it.

        Parameters
        ----------
        generator : numpy.random.Generator
            Source of the random numbers; always the same count of draws is taken.

        Returns
        -------
        Place
        """
        label = int(self._present[generator.integers(len(self._present))])
        rank = int(generator.integers(self._cumulative[label, -1]))
        shift = generator.integers(-self._jitter, self._jitter + 1, size=2)
        tile, row, col = self._pixel(label, rank)
        height, width = self._tiles[tile].grid.shape
        top = int(np.clip(row - self._size // 2 + shift[0], 0, height - self._size))
        left = int(np.clip(col - self._size // 2 + shift[1], 0, width - self._size))
        return Place(tile, Window(top, left, self._size, self._size), label)

    def _pixel(self, label: int, rank: int) -> tuple[int, int, int]:
        """Tile, row and column of the pixel `rank` of a class."""
        cumulative = self._cumulative[label]
        block = int(np.searchsorted(cumulative, rank, side="right"))
        tile = int(np.searchsorted(self._first_block, block, side="right")) - 1
        window = self._windows[tile][block - self._first_block[tile]]
        within = rank - (int(cumulative[block - 1]) if block else 0)
        rows, cols = np.nonzero(self._tiles[tile].read(window) == label)
        return tile, window.row + int(rows[within]), window.col + int(cols[within])


def _check_sizes(tiles: Sequence[Labels], size: int, jitter: int) -> None:
    if not tiles:
        raise PatchError("there is no tile to draw patches from")
    if size < 1 or not 0 <= jitter < (size + 1) // 2:
        raise PatchError(
            f"a patch of {size} pixels with a jitter of {jitter} could lose its pixel; "
            "the jitter must be at least 0 and less than half the patch"
        )
    for number, tile in enumerate(tiles):
        if min(tile.grid.shape) < size:
            raise PatchError(
                f"tile {number} has {tile.grid.height} x {tile.grid.width} pixels, a patch needs "
                f"{size} x {size}; take a smaller patch_size or leave the tile out"
            )
