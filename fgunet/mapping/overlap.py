"""Where tiles overlap: which one decides, and how often they agree."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fgunet.mapping.prediction import NODATA_CONFIDENCE
from fgunet.nomenclature import NODATA_CODE


@dataclass
class OverlapCount:
    """Pixels of a mosaic that several tiles map.

    Attributes
    ----------
    seen, agreeing : ndarray (256,) int64
        Pixels by the code that the mosaic has there: mapped by two tiles or more, and
        those of them that all these tiles give the same code.
    """

    seen: NDArray[np.int64] = field(default_factory=lambda: np.zeros(256, np.int64))
    agreeing: NDArray[np.int64] = field(default_factory=lambda: np.zeros(256, np.int64))

    def add(self, codes: Sequence[NDArray[np.uint8]], winner: NDArray[np.uint8]) -> None:
        """Count a window: the codes of each tile there and those of the mosaic (y, x)."""
        mapped = np.zeros(winner.shape, dtype=np.int64)
        same = np.ones(winner.shape, dtype=bool)
        for tile in codes:
            has = tile != NODATA_CODE
            mapped += has
            same &= ~has | (tile == winner)
        several = mapped > 1
        self.seen += np.bincount(winner[several], minlength=256)
        self.agreeing += np.bincount(winner[several & same], minlength=256)

    def to_dict(self) -> dict[str, Any]:
        """Totals and counts of each code that occurs; `share` is None without overlap."""
        pixels, agreeing = int(self.seen.sum()), int(self.agreeing.sum())
        return {
            "pixels": pixels,
            "agreeing": agreeing,
            "share": agreeing / pixels if pixels else None,
            "classes": {
                str(code): {"pixels": int(self.seen[code]), "agreeing": int(self.agreeing[code])}
                for code in np.flatnonzero(self.seen)
            },
        }


def most_confident(
    codes: Sequence[NDArray[np.uint8]], confidences: Sequence[NDArray[np.uint8]]
) -> NDArray[np.uint8]:
    """Of several tiles' codes the one with the highest confidence.

    Parameters
    ----------
    codes : sequence of ndarray (y, x) uint8
        Codes of each tile, 0 = nodata.
    confidences : sequence of ndarray (y, x) uint8
        Percent, 255 = nodata, which loses to any.

    Returns
    -------
    ndarray (y, x) uint8
        Codes; the first tile's where confidences are equal, 0 where no tile has a code.
    """
    best = np.zeros_like(codes[0])
    highest = np.full(best.shape, -1, dtype=np.int16)
    for tile, percent in zip(codes, confidences, strict=True):
        known = np.where(percent == NODATA_CONFIDENCE, 0, percent.astype(np.int16))
        better = (tile != NODATA_CODE) & (known > highest)
        best[better] = tile[better]
        highest[better] = known[better]
    return best
