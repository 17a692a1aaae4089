"""Drawing patches: the image and the labels of a place, by the sample's number."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fgunet.errors import PatchError
from fgunet.patches.augmentation import Symmetry
from fgunet.patches.labels import Labels
from fgunet.patches.normalisation import normalise
from fgunet.patches.placement import Place, Placement
from fgunet.patches.random import sample_generator
from fgunet.rasters import Series

TRAINING_STREAM, VALIDATION_STREAM = 0, 1
"""Streams of random numbers, so that training and validation samples share none."""


@dataclass(frozen=True)
class Bounds:
    """Values that normalisation takes to 0 and 1: low, high (date, band) float."""

    low: NDArray[np.float32]
    high: NDArray[np.float32]


class PatchSource:
    """Patches of one split, each determined by the seed and its number.

    Parameters
    ----------
    series : sequence of Series
        Series of each tile.
    labels : sequence of Labels
        Labels of the split of each tile, on the same grids.
    placement : Placement
        Made from the same labels.
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
        if len(series) != len(labels):
            raise PatchError(f"{len(series)} series and {len(labels)} label rasters do not pair")
        for number, (one, other) in enumerate(zip(series, labels, strict=True)):
            if one.grid != other.grid:
                raise PatchError(
                    f"tile {number}: the series lies on {one.grid}, the labels on {other.grid}; "
                    "rasterise the reference on the grid of the series"
                )
        self._series, self._labels = tuple(series), tuple(labels)
        self._placement, self._bounds = placement, bounds
        self._seed, self._stream, self._augmented = seed, stream, augmented

    def patch(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """Patch number `index`.

        Returns
        -------
        image : ndarray (y, x, channel) float32
            Normalised, date-major channels.
        labels : ndarray (y, x) uint8
            255 = unlabelled, or of another split.
        """
        generator = sample_generator(self._seed, self._stream, index)
        place = self._placement.place(generator)
        values = self._series[place.tile].read(place.window)
        labels = self._labels[place.tile].read(place.window)
        nodata = self._series[place.tile].nodata
        image = normalise(values, self._bounds.low, self._bounds.high, nodata)
        if self._augmented:
            symmetry = Symmetry.draw(generator)
            labels = symmetry.apply(labels)
            # After normalisation: pixels move whole, which is quicker than channel by channel.
            image = np.moveaxis(symmetry.apply(np.moveaxis(image, -1, 0)), 0, -1)
        return image, labels

    def batch(self, indices: Sequence[int]) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """Patches of several numbers: images (patch, y, x, channel), labels (patch, y, x)."""
        patches = [self.patch(index) for index in indices]
        return np.stack([image for image, _ in patches]), np.stack([each for _, each in patches])


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
