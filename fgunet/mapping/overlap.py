"""Where tiles overlap: which one decides, and how often they agree."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from fgunet.nomenclature import NODATA_CODE, NODATA_CONFIDENCE, Nomenclature


@dataclass
class OverlapCount:
    """Pixels of a mosaic that two tiles map, by the class each of them gives.

    A pixel that three tiles map counts for each of their three pairs.

    Attributes
    ----------
    nomenclature : Nomenclature
        The n classes.
    pairs : dict of (str, str) to ndarray (n, n) int64
        For each pair of tiles that share a mapped pixel, pixels by the label in the first tile
        (rows) and in the second (columns).
    """

    nomenclature: Nomenclature
    pairs: dict[tuple[str, str], NDArray[np.int64]] = field(default_factory=dict)

    def add(self, tiles: Sequence[str], codes: Sequence[NDArray[np.uint8]]) -> None:
        """Count a window.

        Parameters
        ----------
        tiles : sequence of str
            Their names, always in the same order.
        codes : sequence of ndarray (y, x) uint8
            The codes of each, 0 = nodata.

        Raises
        ------
        NomenclatureError
            If a code is not in the nomenclature.
        """
        n = len(self.nomenclature.codes)
        mapped = [each != NODATA_CODE for each in codes]
        for first, second in combinations(range(len(tiles)), 2):
            both = mapped[first] & mapped[second]
            if not both.any():
                continue
            rows, columns = (self.nomenclature.labels(codes[k][both]) for k in (first, second))
            counts = np.bincount(rows.astype(np.int64) * n + columns, minlength=n * n)
            pair = tiles[first], tiles[second]
            self.pairs[pair] = self.pairs.get(pair, 0) + counts.reshape(n, n)


def most_confident(
    codes: Sequence[NDArray[np.uint8]], confidences: Sequence[NDArray[np.uint8]]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Of several tiles' codes the one with the highest confidence, and that confidence.

    Parameters
    ----------
    codes : sequence of ndarray (y, x) uint8
        Codes of each tile, 0 = nodata.
    confidences : sequence of ndarray (y, x) uint8
        Percent, 255 = nodata, which loses to any.

    Returns
    -------
    codes, confidence : ndarray (y, x) uint8
        The first tile's where confidences are equal; 0 and 255 where no tile has a code.
    """
    best = np.zeros_like(codes[0])
    percent = np.full_like(best, NODATA_CONFIDENCE)
    highest = np.full(best.shape, -1, dtype=np.int16)
    for tile, own in zip(codes, confidences, strict=True):
        known = np.where(own == NODATA_CONFIDENCE, 0, own.astype(np.int16))
        better = (tile != NODATA_CODE) & (known > highest)
        for result, values in (best, tile), (percent, own), (highest, known):
            result[better] = values[better]
    return best, percent
