"""The pixels of a tile that patches can be drawn around."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from fgunet.grid import Window
from fgunet.nomenclature import UNLABELLED
from fgunet.patches.avoidance import Avoidance
from fgunet.patches.counting import RankedPixels, Runs, rank_within
from fgunet.patches.labels import Labels


class DrawablePixels:
    """The drawable pixels of a tile, counted, and found by class and rank.

    Parameters
    ----------
    labels : Labels
        Labels of one split of the tile.
    avoidance : Avoidance or None
        Which pixels are drawable; None if all are.
    runs : Runs
        What the pixels are counted by.
    n_classes : int
        Number of classes.

    Attributes
    ----------
    avoidance : Avoidance or None
        As given.
    labelled : ndarray (class,) int64
        Labelled pixels, drawable or not.
    counts : ndarray (class,) int64
        Drawable pixels.
    """

    def __init__(
        self, labels: Labels, avoidance: Avoidance | None, runs: Runs, n_classes: int
    ) -> None:
        self._labels, self._runs, self.avoidance = labels, runs, avoidance
        labelled, counts = (runs.empty_counts(n_classes) for _ in range(2))
        for strip in runs.strips():
            values = labels.read(strip)
            runs.add_to(labelled, strip, values)
            if avoidance is not None:
                runs.add_to(counts, strip, _hide(avoidance, strip, values))
        if avoidance is None:
            counts = labelled
        self.labelled, self.counts = (
            each.sum(axis=1, dtype=np.int64) for each in (labelled, counts)
        )
        # A country has a thousand tiles: bytes count.
        self._by_run = counts.astype(np.min_scalar_type(runs.block**2 * runs.length))

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the tile."""
        return self._runs.shape

    def pixel(self, label: int, rank: int) -> tuple[int, int]:
        """Row and column of the drawable pixel of a class that has a rank among them."""
        run, rank = rank_within(np.cumsum(self._by_run[label], dtype=np.int64), rank)
        window = self._runs.window(run)
        values = _hide(self.avoidance, window, self._labels.read(window))
        return self._runs.pixel(run, values == label, rank)

    def pixels(
        self, labels: NDArray[np.int64], ranks: NDArray[np.int64]
    ) -> Iterator[tuple[int, tuple[int, int], Avoidance | None]]:
        """Find many pixels as `pixel` does, in one reading of the tile.

        Parameters
        ----------
        labels, ranks : ndarray (asked,) int64
            Class of each, and its rank among the drawable pixels of the class.

        Yields
        ------
        asked : int
            Its place in the arrays.
        pixel : (int, int)
            Row and column.
        avoidance : Avoidance or None
            Of the pixel's surroundings, in memory.
        """
        search = RankedPixels(labels, ranks, len(self.counts))
        for strip in self._runs.strips():
            avoidance = self.avoidance.held(strip) if self.avoidance is not None else None
            values = _hide(avoidance, strip, self._labels.read(strip))
            for asked, row, col in search.within(values, self._runs.block):
                yield asked, (strip.row + row, strip.col + col), avoidance


def _hide(
    avoidance: Avoidance | None, window: Window, values: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """Labels (y, x) of a window without those of pixels that cannot be drawn."""
    if avoidance is None or (values == UNLABELLED).all():
        return values
    return np.where(avoidance.drawable(window), values, np.uint8(UNLABELLED))
