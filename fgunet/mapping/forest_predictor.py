"""The Random Forest as a predictor."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fgunet.forest.model import Forest, predict_probabilities


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

    def predict(self, series: NDArray[np.uint16]) -> NDArray[np.float32]:
        """Probabilities (class, y, x) of a series (time, band, y, x) uint16."""
        shape = series.shape[2:]
        pixels = series.reshape(-1, shape[0] * shape[1])
        valid = ~(pixels == self._nodata).any(axis=0)
        out = np.zeros((len(self.codes), valid.size), dtype=np.float32)
        known = np.ascontiguousarray(pixels[:, valid].T)
        out[:, valid] = predict_probabilities(self._forest, known, self._threads).T
        return out.reshape(-1, *shape)
