"""Pixel samples: uniform, without replacement, the same number a class over all tiles."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fgunet.errors import ModelError
from fgunet.forest.keys import pixel_keys
from fgunet.grid import Grid, Window, split_windows
from fgunet.logs import Progress
from fgunet.nomenclature import NODATA_CODE
from fgunet.rasters import Series, require_same_grid
from fgunet.reference.sides import TRAINING

ReadReference = Callable[[Window], tuple[NDArray[Any], NDArray[Any], NDArray[Any]]]
"""Codes, polygon identifiers and splits of a window, each (y, x)."""

_ORDER = ["key", "tile", "row", "column"]
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Samples:
    """Labelled pixels and their series.

    Attributes
    ----------
    frame : pandas.DataFrame
        A row a pixel: tile, row, column, polygon_id (uint32), code (uint8), key (uint64), then
        a uint16 column a channel, date-major (`channel_names`), reflectance x 10000.
    dates, bands : tuple of str
        What the channels are.
    """

    frame: pd.DataFrame
    dates: tuple[str, ...]
    bands: tuple[str, ...]

    @property
    def reflectance(self) -> NDArray[np.uint16]:
        """Reflectance x 10000 (pixel, date * band) uint16, date-major."""
        return self.frame[channel_names(self.dates, self.bands)].to_numpy(np.uint16)

    def counts(self) -> dict[int, int]:
        """Pixels of each code that occurs."""
        counts = self.frame["code"].value_counts().sort_index()
        return {int(code): int(count) for code, count in counts.items()}  # type: ignore[call-overload]


def channel_names(dates: Sequence[str], bands: Sequence[str]) -> list[str]:
    """Names of the channels, date-major ("20160105_B02")."""
    return [f"{date}_{band}" for date in dates for band in bands]


def sample_tile(
    tile: str,
    series: Series,
    reference_grid: Grid,
    read_reference: ReadReference,
    *,
    samples_per_class: int,
    seed: int,
    window: int = 512,
) -> Samples:
    """At most `samples_per_class` pixels of each class of a tile's training split.

    Parameters
    ----------
    tile : str
        Its name.
    series : Series
        Its series.
    reference_grid : Grid
        Grid of the reference rasters; must be the series' own.
    read_reference : callable
        Gives the codes (uint8, 0 none), polygon identifiers (uint32) and splits (uint8) of
        a window.
    samples_per_class : int
        Most pixels of a class.
    seed : int
        Seed of the run, the same for all tiles.
    window : int
        Side of the windows that are read, each once, in pixels; a multiple of the store's
        chunks is fastest. The sample does not depend on it.

    Returns
    -------
    Samples
        Sorted by key. Pixels without data in the series are left out; those of them whose key
        would have drawn them when they were met are counted in the log.

    Raises
    ------
    ModelError
        If `samples_per_class` is below 1.
    GridError
        If series and reference lie on different grids.
    """
    if samples_per_class < 1:
        raise ModelError(f"samples_per_class is {samples_per_class}; it must be at least 1")
    require_same_grid([(f"the series of {tile}", series.grid), ("its reference", reference_grid)])
    kept = _empty(series)
    empty = 0
    windows = list(split_windows(series.grid.shape, window))
    progress = Progress("windows", len(windows))
    for place in windows:
        found = _candidates(tile, place, read_reference(place), seed)
        found = _within_reach(found, kept, samples_per_class)
        if len(found):
            found = _with_series(found, place, series)
            valid = ~(found[channel_names(series.dates, series.bands)] == series.nodata).any(axis=1)
            empty += int((~valid).sum())
            kept = keep_smallest(pd.concat([kept, found[valid]]), samples_per_class)
        progress.advance()
    _log.info(
        "%s: %d pixels drawn; %d that were drawn have no data and were left out",
        tile,
        len(kept),
        empty,
    )
    return Samples(kept, tuple(series.dates), tuple(series.bands))


def merge_samples(parts: Sequence[Samples], samples_per_class: int) -> Samples:
    """The sample over all tiles, from those of each.

    Raises
    ------
    ModelError
        If there is no part, or parts differ in dates or bands.
    """
    if not parts:
        raise ModelError("there are no pixel samples to merge; sample at least one tile")
    first = parts[0]
    for part in parts[1:]:
        if (part.dates, part.bands) != (first.dates, first.bands):
            raise ModelError(
                f"pixel samples differ in their channels: {part.dates} {part.bands} instead of "
                f"{first.dates} {first.bands}; sample all tiles from series of the same dates"
            )
    frame = pd.concat([part.frame for part in parts])
    return Samples(keep_smallest(frame, samples_per_class), first.dates, first.bands)


def keep_smallest(frame: pd.DataFrame, count: int) -> pd.DataFrame:
    """The `count` rows of each code with the smallest keys, sorted by key."""
    ordered = frame.sort_values(_ORDER, kind="stable")
    return ordered.groupby("code", sort=False).head(count).reset_index(drop=True)


def _candidates(
    tile: str, place: Window, reference: tuple[NDArray[Any], ...], seed: int
) -> pd.DataFrame:
    """Labelled training pixels of a window, without their series."""
    codes, polygons, splits = reference
    rows, cols = np.nonzero((splits == TRAINING) & (codes != NODATA_CODE))
    return pd.DataFrame(
        {
            "tile": np.full(len(rows), tile, dtype=object),
            "row": (rows + place.row).astype(np.uint32),
            "column": (cols + place.col).astype(np.uint32),
            "polygon_id": polygons[rows, cols].astype(np.uint32),
            "code": codes[rows, cols].astype(np.uint8),
            "key": pixel_keys(seed, tile, rows + place.row, cols + place.col),
        }
    )


def _within_reach(found: pd.DataFrame, kept: pd.DataFrame, count: int) -> pd.DataFrame:
    """Without the pixels that cannot enter the sample, so that their series is not read."""
    by_code = kept.groupby("code")["key"]
    full = by_code.size() >= count
    if not full.any():
        return found
    bound = np.full(256, np.iinfo(np.uint64).max, dtype=np.uint64)
    codes = full.index[full].to_numpy(np.uint8)
    bound[codes] = by_code.max()[full].to_numpy(np.uint64)
    reached: pd.DataFrame = found[found["key"].to_numpy() <= bound[found["code"].to_numpy()]]
    return reached


def _with_series(found: pd.DataFrame, place: Window, series: Series) -> pd.DataFrame:
    values = series.read(place)
    rows, cols = found["row"].to_numpy() - place.row, found["column"].to_numpy() - place.col
    values = values[:, :, rows, cols].reshape(-1, len(found)).T
    names = channel_names(series.dates, series.bands)
    channels = pd.DataFrame(values, columns=names, index=found.index)
    return pd.concat([found, channels], axis=1)


def _empty(series: Series) -> pd.DataFrame:
    nothing = np.zeros((0, 0))
    found = _candidates("", Window(0, 0, 0, 0), (nothing, nothing, nothing), 0)
    names = channel_names(series.dates, series.bands)
    return found.join(pd.DataFrame(np.zeros((0, len(names)), np.uint16), columns=names))
