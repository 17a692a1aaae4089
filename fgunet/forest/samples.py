"""Labelled pixels with their series, of a tile or of all."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fgunet.errors import ModelError
from fgunet.forest.sampling import PROPORTIONAL, Sampling, draw

PIXEL_TYPES = {
    "tile": object,
    "row": np.uint32,
    "column": np.uint32,
    "polygon_id": np.uint32,
    "code": np.uint8,
    "key": np.uint64,
}
"""Columns that tell which a pixel is, and their types."""

_ROWS = 8192  # copied at a time
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Samples:
    """Labelled pixels and their series.

    Attributes
    ----------
    pixels : pandas.DataFrame
        A row a pixel: tile (str), row, column, polygon_id (uint32), code (uint8), key (uint64).
    reflectance : ndarray (pixel, date * band) uint16
        Reflectance x 10000, date-major (`channel_names`), in C order; no pixel without data.
    dates, bands : tuple of str
        What the channels are.

    Raises
    ------
    ModelError
        If pixels and reflectance do not fit each other or the channels.
    """

    pixels: pd.DataFrame
    reflectance: NDArray[np.uint16]
    dates: tuple[str, ...]
    bands: tuple[str, ...]

    def __post_init__(self) -> None:
        expected = len(self.pixels), len(self.dates) * len(self.bands)
        found = self.reflectance.shape, self.reflectance.dtype.name
        if found != (expected, "uint16"):
            raise ModelError(
                f"the reflectance of {len(self.pixels)} pixels is {found[1]} {found[0]}; expected "
                f"uint16 {expected}, the second the dates times the bands"
            )

    def __len__(self) -> int:
        return len(self.pixels)

    def counts(self) -> dict[int, int]:
        """Pixels of each code that occurs."""
        counts = np.bincount(self.pixels["code"].to_numpy(np.uint8), minlength=256)
        return {int(code): int(counts[code]) for code in np.flatnonzero(counts)}


def channel_names(dates: Sequence[str], bands: Sequence[str]) -> list[str]:
    """Names of the channels, date-major ("20160105_B02")."""
    return [f"{date}_{band}" for date in dates for band in bands]


def merge_samples(parts: Iterable[Samples], sampling: Sampling) -> Samples:
    """The sample over all tiles, from those of each.

    Parameters
    ----------
    parts : iterable of Samples
        Samples of different tiles, in any order; of each at least what `sampling` can draw. They
        are taken one after the other, so memory holds the sample and two parts of those that are
        made when they are asked for.
    sampling : Sampling
        What is drawn of all of them.

    Returns
    -------
    Samples
        Sorted by key, then tile, row and column.

    Raises
    ------
    ModelError
        If there is no part, two parts hold pixels of one tile, or differ in dates or bands.
    """
    merged: Samples | None = None
    for part in parts:
        if merged is not None:
            _require_same_channels(part, merged)
            _require_other_tiles(part, merged)
        merged = _drawn([part] if merged is None else [merged, part], sampling)
    if merged is None:
        raise ModelError("there are no pixel samples to merge; sample at least one tile")
    counts = merged.counts()
    settled = sampling.settled(counts)
    if settled.limit < sampling.limit:
        _log.warning(
            "class %d is the scarcest: it has %d pixels, so each class has as many (sampling "
            "equal), not %d",
            min(counts, key=lambda code: counts[code]),
            settled.limit,
            sampling.limit,
        )
    merged = _drawn([merged], settled)
    _tell_beyond(merged, settled)
    return merged


def _drawn(parts: Sequence[Samples], sampling: Sampling) -> Samples:
    """What is drawn of one or two parts."""
    pixels = pd.concat([part.pixels for part in parts], ignore_index=True)
    drawn = draw(pixels, sampling)
    if len(parts) == 1 and np.array_equal(drawn, np.arange(len(pixels))):
        return parts[0]
    first, *others = parts
    reflectance = np.empty((len(drawn), first.reflectance.shape[1]), np.uint16)
    # By blocks of rows, because a selection of rows is a copy.
    for start in range(0, len(drawn), _ROWS):
        block, target = drawn[start : start + _ROWS], reflectance[start : start + _ROWS]
        mine = block < len(first)
        target[mine] = first.reflectance[block[mine]]
        for other in others:
            target[~mine] = other.reflectance[block[~mine] - len(first)]
    kept = pixels.iloc[drawn].reset_index(drop=True)
    return Samples(kept, reflectance, first.dates, first.bands)


def _require_same_channels(part: Samples, other: Samples) -> None:
    for what in ("dates", "bands"):
        found, expected = getattr(part, what), getattr(other, what)
        if found != expected:
            raise ModelError(
                f"pixel samples differ in their {what}: those of {_tiles(part)} have "
                f"{list(found)}, those of {_tiles(other)} {list(expected)}; stack the series of "
                "all tiles with one configuration and sample them again"
            )


def _require_other_tiles(part: Samples, other: Samples) -> None:
    both = sorted(set(_tiles(part)) & set(_tiles(other)))
    if both:
        raise ModelError(f"two pixel samples hold pixels of {both}; give each tile once")


def _tiles(samples: Samples) -> list[str]:
    return sorted(samples.pixels["tile"].unique())


def _tell_beyond(merged: Samples, sampling: Sampling) -> None:
    """Log by how much the first pixels of polygons exceed the limit."""
    counts = {f"class {code}": count for code, count in merged.counts().items()}
    if sampling.strategy == PROPORTIONAL:
        counts = {"all classes": len(merged)}
    limit = sampling.limit
    beyond = [f"{count - limit} of {name}" for name, count in counts.items() if count > limit]
    if beyond:
        _log.info(
            "to have a pixel of each polygon, more than %d were drawn: by %s",
            limit,
            ", ".join(beyond),
        )
