"""Drawing patches: the image and the labels of a place, by the sample's number."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fgunet.errors import PatchError
from fgunet.patches.augmentation import Symmetry
from fgunet.patches.labels import Labels, require_one_grid
from fgunet.patches.normalisation import normalise
from fgunet.patches.placement import Place, Placement
from fgunet.patches.random import sample_generator
from fgunet.rasters import Series

TRAINING_STREAM, VALIDATION_STREAM, CALIBRATION_STREAM = 0, 1, 2
"""Streams of random numbers, so that samples of different purposes share none."""


@dataclass(frozen=True)
class Bounds:
    """Values that normalisation takes to 0 and 1: low, high (date, band) float."""

    low: NDArray[np.float32]
    high: NDArray[np.float32]


class PatchSource:
    """Patches of one split, each determined by the seed and its number.

    Several threads can draw from one source.

    Parameters
    ----------
    series : sequence of Series
        Series of each tile.
    labels : sequence of Labels
        Labels of the split of each tile, on the same grids.
    placement : Placement
        Made from the same labels; it knows the names of the tiles.
    bounds : Bounds
        Percentiles of the training pixels.
    seed, stream : int
        Seed of the run, and the purpose of the patches.
    augmented : bool
        Whether patches are turned at random.

    Raises
    ------
    PatchError
        If series and labels do not pair.
    """

    def __init__(
        self,
        series: Sequence[Series],
        labels: Sequence[Labels],
        placement: Placement,
        bounds: Bounds,
        *,
        seed: int,
        stream: int,
        augmented: bool,
    ) -> None:
        if not len(series) == len(labels) == len(placement.names):
            raise PatchError(
                f"{len(series)} series, {len(labels)} label rasters and {len(placement.names)} "
                "tiles of the placement do not pair; give one of each for every tile"
            )
        for name, one, other in zip(placement.names, series, labels, strict=True):
            require_one_grid(name, ("the series", one.grid), ("the labels", other.grid))
        self._series, self._labels = tuple(series), tuple(labels)
        self._placement, self._bounds = placement, bounds
        self._seed, self._stream, self._augmented = seed, stream, augmented

    @property
    def labelled(self) -> NDArray[np.int64]:
        """Labelled pixels of each class on the ground, over all tiles (class,) int64."""
        return self._placement.labelled

    def batch(self, indices: Sequence[int]) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """Patches of several numbers.

        Parameters
        ----------
        indices : sequence of int
            Numbers of the samples, at least 0.

        Returns
        -------
        images : ndarray (patch, y, x, channel) float32
            Normalised, date-major channels.
        labels : ndarray (patch, y, x) uint8
            255 = unlabelled, or of another split.

        Raises
        ------
        SeriesError
            If a file of a series is damaged.
        """
        side = self._placement.size
        images = np.empty((len(indices), side, side, self._bounds.low.size), dtype=np.float32)
        labels = np.empty(images.shape[:3], dtype=np.uint8)
        for index, image, drawn in zip(indices, images, labels, strict=True):
            self._draw(index, image, drawn)
        return images, labels

    def patch(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """Image (y, x, channel) and labels (y, x) of one number, as `batch` gives them."""
        images, labels = self.batch([index])
        return images[0], labels[0]

    def describe(self, index: int) -> str:
        """Where a sample lies, and the label of the class that it was drawn for."""
        place = self._placement.place(sample_generator(self._seed, self._stream, index))
        (top, left), (height, width) = (place.window.row, place.window.col), place.window.shape
        return (
            f"sample {index}: tile {self._placement.names[place.tile]}, rows {top} to "
            f"{top + height - 1}, columns {left} to {left + width - 1}, drawn for label "
            f"{place.label}"
        )

    def _draw(self, index: int, image: NDArray[np.float32], drawn: NDArray[np.uint8]) -> None:
        """Fill the image and the labels of a sample."""
        generator = sample_generator(self._seed, self._stream, index)
        place = self._placement.place(generator)
        series = self._series[place.tile]
        symmetry = Symmetry.draw(generator) if self._augmented else Symmetry()
        drawn[:] = symmetry.apply(self._labels[place.tile].read(place.window))
        values, bounds = series.read(place.window), self._bounds
        normalise(values, bounds.low, bounds.high, series.nodata, symmetry=symmetry, out=image)


def count_drawn_labels(
    labels: Sequence[Labels], placement: Placement, *, n_patches: int, n_classes: int, seed: int
) -> NDArray[np.int64]:
    """Labelled pixels of each class in the first training patches; no image is read.

    Parameters
    ----------
    labels : sequence of Labels
        Training labels of each tile.
    placement : Placement
        Made from the same labels.
    n_patches : int
        How many patches to look at.
    n_classes : int
        Number of classes.
    seed : int
        Seed of the run: the patches are those that training will draw first.

    Returns
    -------
    ndarray (class,) int64
    """
    counts = np.zeros(n_classes, dtype=np.int64)
    for index in range(n_patches):
        place: Place = placement.place(sample_generator(seed, TRAINING_STREAM, index))
        drawn = labels[place.tile].read(place.window)
        counts += np.bincount(drawn.ravel(), minlength=256)[:n_classes]
    return counts
