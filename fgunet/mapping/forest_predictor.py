"""The Random Forest as a predictor."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fgunet.forest.model import Forest
from fgunet.mapping.prediction import Memory

_FIXED_MB = 500
"""Memory of a process with the forest, before it sees a pixel."""


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
        # Two series, the channels of the pixels, and votes in float64, three times.
        channels = len(dates) * len(bands)
        self.memory = Memory(_FIXED_MB, 3 * 2 * channels + 3 * 8 * len(self.codes))

    def predict(self, series: NDArray[np.uint16]) -> NDArray[np.float64]:
        """Probabilities (class, y, x) of a series (time, band, y, x) uint16."""
        channels = series.reshape(series.shape[0] * series.shape[1], -1)
        votes = self._forest.probabilities(channels, nodata=self._nodata, threads=self._threads)
        return votes.reshape(-1, *series.shape[2:])
