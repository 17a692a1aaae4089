"""A trained classifier of single pixels, and what it may be used for."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fgunet.errors import ModelError
from fgunet.forest.classifiers import is_forest_class
from fgunet.forest.traversal import Trees, count_votes, pack_trees
from fgunet.nomenclature import Nomenclature
from fgunet.patches.wording import differences

_CHUNK = 8192
"""Pixels that another classifier than a forest is given at once."""


@dataclass(frozen=True)
class Forest:
    """A trained forest, or another classifier of pixels, and what it was trained on.

    Attributes
    ----------
    classifier : object
        With the interface of scikit-learn's: channels of a pixel (reflectance x 10000,
        date-major) to codes.
    dates, bands : tuple of str
        The channels.
    codes : tuple of int
        The codes it can give, rising: those with samples.
    metadata : dict
        What was found in training (`fgunet.forest.training.train_forest`).
    """

    classifier: Any
    dates: tuple[str, ...]
    bands: tuple[str, ...]
    codes: tuple[int, ...]
    metadata: dict[str, Any] = field(default_factory=dict)

    def require_channels(self, dates: Sequence[str], bands: Sequence[str]) -> None:
        """Refuse a series with other dates or bands than the forest was trained on.

        Raises
        ------
        ModelError
            Naming what differs.
        """
        learned = {"dates": self.dates, "bands": self.bands}
        different = differences({"dates": dates, "bands": bands}, learned)
        if different:
            raise ModelError(
                f"the series is not like those that the forest was trained on ({different}); "
                "train it again, or stack the series as they were"
            )

    def require_nomenclature(self, nomenclature: Nomenclature) -> None:
        """Refuse another nomenclature than the forest was trained with.

        Raises
        ------
        ModelError
            Naming both.
        """
        trained = self.metadata.get("nomenclature")
        if trained != nomenclature.name or set(self.codes) - set(nomenclature.codes):
            raise ModelError(
                f"the forest gives the codes {list(self.codes)} of {trained!r}, the nomenclature "
                f"is {nomenclature.name!r} {list(nomenclature.codes)}; use that of the training"
            )

    def probabilities(
        self, channels: NDArray[np.uint16], *, nodata: int = -1, threads: int = 1
    ) -> NDArray[np.float64]:
        """Probability of each class for each pixel.

        Parameters
        ----------
        channels : ndarray (channel, pixel) uint16
            Reflectance x 10000, date-major.
        nodata : int
            Value of pixels without data; -1 if there is none.
        threads : int
            Batches of pixels at a time; the result does not depend on it.

        Returns
        -------
        ndarray (class, pixel) float64
            In the order of `codes`; each pixel's sum to 1. For a forest the mean over its trees
            of the class shares in the pixel's leaf. 0 of every class without data. The same as
            ``predict_proba`` of the classifier, bit for bit for a forest.

        Raises
        ------
        ModelError
            If the number of channels is not the forest's.
        """
        expected = len(self.dates) * len(self.bands)
        if channels.ndim != 2 or channels.shape[0] != expected:
            raise ModelError(
                f"pixels of shape {channels.shape}; the forest takes {expected} channels (dates "
                "x bands) of each"
            )
        if self.trees is not None:
            return count_votes(self.trees, channels, len(self.codes), nodata, threads)
        return self._ask_classifier(channels, nodata, threads)

    def pack(self) -> None:
        """Pack the trees now rather than at the first prediction, so that their memory is known."""
        _ = self.trees

    @cached_property
    def trees(self) -> Trees | None:
        """Its trees, packed; None where it is no forest."""
        if not is_forest_class(type(self.classifier)):
            return None
        return pack_trees([tree.tree_ for tree in self.classifier.estimators_])

    def _ask_classifier(
        self, channels: NDArray[np.uint16], nodata: int, threads: int
    ) -> NDArray[np.float64]:
        out = np.zeros((len(self.codes), channels.shape[1]))
        known = np.flatnonzero(~(channels == nodata).any(axis=0))

        def predict(start: int) -> None:
            pixels = known[start : start + _CHUNK]
            values = np.ascontiguousarray(channels[:, pixels].T, dtype=np.float32)
            out[:, pixels] = self.classifier.predict_proba(values).T

        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(predict, range(0, len(known), _CHUNK)))
        return out
