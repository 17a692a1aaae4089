"""Statistics of the training pixels: mergeable histograms, percentiles, class weights."""

import os
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fgunet.errors import PatchError
from fgunet.files import atomic_path
from fgunet.grid import split_windows
from fgunet.nomenclature import UNLABELLED
from fgunet.patches.labels import Labels
from fgunet.patches.wording import differences
from fgunet.rasters import Series

BINS = 65536
"""Bins of a histogram: one for each value of uint16, so percentiles are exact."""

WINDOW = 256
"""Side of the windows in which a tile is read, in pixels."""


@dataclass(frozen=True)
class Statistics:
    """Histograms of the training pixels of some tiles; they add up.

    Attributes
    ----------
    dates, bands : tuple of str
        Dates (YYYYMMDD) and bands of the series.
    nodata : int
        Value of pixels without data, left out of the histograms.
    labelled : int
        Labelled pixels seen.
    without_data : int
        Of these, pixels with a value of nodata.
    histograms : ndarray (date * band, 65536) int64
        Pixels of each value in each channel.
    """

    dates: tuple[str, ...]
    bands: tuple[str, ...]
    nodata: int
    labelled: int
    without_data: int
    histograms: NDArray[np.int64]

    def percentile(self, percent: float) -> NDArray[np.float64]:
        """Percentile of each channel (date, band), as `numpy.percentile` of the pixels.

        Raises
        ------
        PatchError
            If a channel has no pixel.
        """
        shape = len(self.dates), len(self.bands)
        values = [_percentile(histogram, percent) for histogram in self.histograms]
        return np.reshape(values, shape)


def write_statistics(path: str | os.PathLike[str], statistics: Statistics) -> None:
    """Write statistics as a compressed NumPy archive (".npz"), atomically."""
    occurring = np.flatnonzero(statistics.histograms.any(axis=0))
    end = int(occurring[-1]) + 1 if occurring.size else 0
    with atomic_path(path) as part:
        np.savez_compressed(
            part,
            dates=np.array(statistics.dates),
            bands=np.array(statistics.bands),
            counts=np.array([statistics.nodata, statistics.labelled, statistics.without_data]),
            histograms=statistics.histograms[:, :end],
        )


def read_statistics(path: str | os.PathLike[str]) -> Statistics:
    """Read what `write_statistics` wrote.

    Raises
    ------
    PatchError
        If the file is not such an archive.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            dates, bands = (tuple(archive[key].tolist()) for key in ("dates", "bands"))
            nodata, labelled, without_data = archive["counts"].tolist()
            counts = archive["histograms"]
    except (OSError, KeyError, ValueError, TypeError, zipfile.BadZipFile) as error:
        raise PatchError(
            f"{path} holds no statistics of training pixels ({type(error).__name__}: {error}); "
            "make it again"
        ) from error
    histograms = np.zeros((len(counts), BINS), dtype=np.int64)
    histograms[:, : counts.shape[1]] = counts
    return Statistics(dates, bands, nodata, labelled, without_data, histograms)


def tile_statistics(series: Series, labels: Labels, window: int = WINDOW) -> Statistics:
    """Histograms of the labelled pixels of a tile.

    Parameters
    ----------
    series : Series
        Series of the tile.
    labels : Labels
        Labels of its training split.
    window : int
        Side of the windows in which the tile is read, in pixels.

    Returns
    -------
    Statistics

    Raises
    ------
    PatchError
        If series and labels do not share a grid.
    """
    if series.grid != labels.grid:
        raise PatchError(
            f"the series lies on {series.grid}, the labels on {labels.grid}; make the reference "
            "rasters anew on the grid of the series (rule rasterise_reference)"
        )
    channels = len(series.dates) * len(series.bands)
    histograms = np.zeros((channels, BINS), dtype=np.int64)
    labelled = without_data = 0
    for each in split_windows(series.grid.shape, window):
        chosen = labels.read(each) != UNLABELLED
        if not chosen.any():
            continue
        pixels = series.read(each).reshape(channels, -1)[:, chosen.ravel()]
        missing = pixels == series.nodata
        labelled += pixels.shape[1]
        without_data += int(missing.any(axis=0).sum())
        for histogram, values, out in zip(histograms, pixels, missing, strict=True):
            counts = np.bincount(values[~out])
            histogram[: counts.size] += counts
    return Statistics(series.dates, series.bands, series.nodata, labelled, without_data, histograms)


def merge_statistics(parts: Iterable[tuple[str, Statistics]]) -> Statistics:
    """Sum of the statistics of several tiles, each with its name.

    Raises
    ------
    PatchError
        If there is none, or two differ in dates, bands or nodata.
    """
    merged: Statistics | None = None
    first = ""
    for name, part in parts:
        if merged is None:
            merged, first = part, name
            continue
        if (part.dates, part.bands, part.nodata) != (merged.dates, merged.bands, merged.nodata):
            raise PatchError(
                f"{name} differs from {first} ({differences(_named(part), _named(merged))}); "
                "stack all tiles with one configuration"
            )
        merged = Statistics(
            part.dates,
            part.bands,
            part.nodata,
            merged.labelled + part.labelled,
            merged.without_data + part.without_data,
            merged.histograms + part.histograms,
        )
    if merged is None:
        raise PatchError("there are no statistics to merge")
    return merged


def _named(statistics: Statistics) -> dict[str, tuple[str, ...]]:
    nodata = (str(statistics.nodata),)
    return {"dates": statistics.dates, "bands": statistics.bands, "nodata": nodata}


def class_weights(counts: ArrayLike) -> NDArray[np.float64]:
    """Weight of each class in the loss: the inverse of its share.

    Parameters
    ----------
    counts : array_like (class,) int
        Labelled pixels of each class in drawn patches.

    Returns
    -------
    ndarray (class,) float64
        They sum to the number of classes; 0 for a class without pixels.

    Raises
    ------
    PatchError
        If no class has a pixel.
    """
    counts = np.asarray(counts, dtype=np.float64)
    present = counts > 0
    if not present.any():
        raise PatchError("no drawn patch has a labelled pixel, so classes have no weights")
    weights = np.zeros(counts.size)
    weights[present] = counts.sum() / counts[present]
    weights *= counts.size / weights.sum()
    return weights


def _percentile(histogram: NDArray[np.int64], percent: float) -> float:
    """Percentile by linear interpolation between the two nearest pixels."""
    cumulative = np.cumsum(histogram)
    if not cumulative[-1]:
        raise PatchError(
            "a channel has no training pixel with data; check that training polygons lie on "
            "valid pixels"
        )
    position = (cumulative[-1] - 1) * percent / 100
    below = int(position)
    above = min(below + 1, int(cumulative[-1]) - 1)
    low, high = np.searchsorted(cumulative, [below, above], side="right")
    return float(low + (position - below) * (high - low))
