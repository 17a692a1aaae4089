"""The Random Forest as a predictor."""

import resource
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fgunet.forest.model import Forest
from fgunet.mapping.prediction import Memory

_MORE_MB = 150
"""Memory that predicting and writing take whatever the window's size."""


class ForestPredictor:
    """Predict each pixel from its own channels.

    Parameters
    ----------
    forest : Forest
        Trained or loaded.
    dates, bands : sequence of str
        Those of the series that it will be given.
    nodata : int
        Value of pixels without data in that series; they get probability 0 of every class.
    threads : int
        Processors to use; the result does not depend on it.

    Raises
    ------
    ModelError
        If the forest was trained on other dates or bands.
    """

    halo = 0
    stride = 1
    exact = True

    def __init__(
        self,
        forest: Forest,
        *,
        dates: Sequence[str],
        bands: Sequence[str],
        nodata: int,
        threads: int = 1,
    ) -> None:
        forest.require_channels(dates, bands)
        self._forest, self._nodata, self._threads = forest, nodata, threads
        self.codes = forest.codes
        self.memory = self._memory(len(dates) * len(bands))

    def _memory(self, channels: int) -> Memory:
        """Two series, the channels of the pixels, and votes in float64, four times.

        One of the four is of scaled votes. What a forest itself takes ranges from megabytes to
        gigabytes: it is what the process has taken once the forest is loaded and packed.
        """
        self._forest.pack()
        taken_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
        return Memory(taken_mb + _MORE_MB, 3 * 2 * channels + 4 * 8 * len(self.codes))

    def predict(self, series: NDArray[np.uint16]) -> NDArray[np.float64]:
        """Probabilities (class, y, x) of a series (time, band, y, x) uint16."""
        channels = series.reshape(series.shape[0] * series.shape[1], -1)
        votes = self._forest.probabilities(channels, nodata=self._nodata, threads=self._threads)
        return votes.reshape(-1, *series.shape[2:])
