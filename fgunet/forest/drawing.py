"""Drawing the pixel samples of a tile: first which pixels, then their series."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fgunet.errors import SeriesError
from fgunet.forest.keys import pixel_keys
from fgunet.forest.samples import PIXEL_TYPES, Samples
from fgunet.forest.sampling import Sampling, draw, within_reach
from fgunet.grid import Grid, Window, split_windows
from fgunet.logs import Progress
from fgunet.nomenclature import NODATA_CODE
from fgunet.rasters import Series, require_same_grid
from fgunet.reference.sides import SPLIT_NAMES

ReadReference = Callable[[Window], tuple[NDArray[Any], NDArray[Any], NDArray[Any]]]
"""Codes (uint8, 0 none), polygon identifiers (uint32) and splits (uint8) of a window, (y, x)."""

_WINDOW = 1024
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TileSource:
    """What pixels of a tile are drawn from.

    Attributes
    ----------
    tile : str
        Name of the tile.
    name : str
        What errors call the series: its path.
    series : Series
        The series; several threads may read it at once.
    chunk : tuple of int
        Rows and columns of its chunks, in pixels. What is drawn does not depend on them.
    read_clear_count : callable
        Gives how many days of a window were valid, uint16 (y, x); the series has data where it
        is not 0.
    reference_grid : Grid
        Grid of the reference.
    read_reference : callable
        Gives the reference of a window (`ReadReference`).

    Raises
    ------
    GridError
        If series and reference lie on different grids.
    """

    tile: str
    name: str
    series: Series
    chunk: tuple[int, int]
    read_clear_count: Callable[[Window], NDArray[np.uint16]]
    reference_grid: Grid
    read_reference: ReadReference

    def __post_init__(self) -> None:
        reference = f"the reference of {self.tile}", self.reference_grid
        require_same_grid([(self.name, self.series.grid), reference])


def sample_tile(
    source: TileSource,
    samplings: Mapping[int, Sampling],
    *,
    seed: int,
    threads: int = 1,
    window: int = _WINDOW,
) -> dict[int, Samples]:
    """Draw labelled pixels with data, of some splits, by the keys of the pixels.

    The codes, polygons and splits and the clear counts are read window by window, to choose the
    pixels; then each chunk of the series that holds one is read once.

    Parameters
    ----------
    source : TileSource
        The rasters of the tile.
    samplings : mapping of int to Sampling
        How to draw from each split, by the split's code.
    seed : int
        Seed of the run, the same for all tiles.
    threads : int
        Chunks read at a time.
    window : int
        Side of the windows, in pixels. What is drawn depends on neither.

    Returns
    -------
    dict of int to Samples
        The samples of each split, sorted by key: what `merge_samples` needs of this tile. Pixels
        without data are left out and counted in the log.

    Raises
    ------
    SeriesError
        If a pixel that should have data has none.
    """
    pixels = _choose(source, samplings, seed, window)
    together = pd.concat(pixels.values(), ignore_index=True)
    reflectance = _read_pixels(source, together, threads)
    samples: dict[int, Samples] = {}
    start = 0
    for split, chosen in pixels.items():
        values = reflectance[start : start + len(chosen)]
        samples[split] = Samples(chosen, values, source.series.dates, source.series.bands)
        start += len(chosen)
    return samples


def _choose(
    source: TileSource, samplings: Mapping[int, Sampling], seed: int, window: int
) -> dict[int, pd.DataFrame]:
    """The pixels of each split that are drawn, sorted by key."""
    nothing = pd.DataFrame({name: np.empty(0, kind) for name, kind in PIXEL_TYPES.items()})
    drawn = dict.fromkeys(samplings, nothing)
    without_data = dict.fromkeys(samplings, 0)
    windows = list(split_windows(source.series.grid.shape, window))
    progress = Progress("windows", len(windows))
    for place in windows:
        for split, found, missing in _candidates(source, place, list(samplings), seed):
            drawn[split] = _draw_more(drawn[split], found, samplings[split])
            without_data[split] += missing
        progress.advance()
    for split, chosen in drawn.items():
        _log.info(
            "%s, %s: %d pixels drawn; %d labelled pixels have no data and were left out",
            source.tile,
            SPLIT_NAMES[split],
            len(chosen),
            without_data[split],
        )
    return drawn


def _draw_more(drawn: pd.DataFrame, found: pd.DataFrame, sampling: Sampling) -> pd.DataFrame:
    """What is drawn of pixels that were drawn before and of further ones, sorted by key."""
    found = found[within_reach(found, drawn, sampling)]
    if found.empty:
        return drawn
    both = pd.concat([drawn, found], ignore_index=True)
    return both.iloc[draw(both, sampling)].reset_index(drop=True)


def _candidates(
    source: TileSource, place: Window, wanted: Sequence[int], seed: int
) -> Iterator[tuple[int, pd.DataFrame, int]]:
    """Labelled pixels of a window that have data, and the number of those without, by split."""
    codes, polygons, splits = source.read_reference(place)
    rows, cols = np.nonzero((codes != NODATA_CODE) & np.isin(splits, wanted))
    if not rows.size:
        return
    has_data = source.read_clear_count(place)[rows, cols] > 0
    for split in wanted:
        of_split = splits[rows, cols] == split
        down, across = (each[of_split & has_data] for each in (rows, cols))
        columns = {
            "tile": np.full(len(down), source.tile, dtype=object),
            "row": down + place.row,
            "column": across + place.col,
            "polygon_id": polygons[down, across],
            "code": codes[down, across],
            "key": pixel_keys(seed, source.tile, down + place.row, across + place.col),
        }
        found = pd.DataFrame({n: columns[n].astype(kind) for n, kind in PIXEL_TYPES.items()})
        yield split, found, int((of_split & ~has_data).sum())


def _read_pixels(source: TileSource, pixels: pd.DataFrame, threads: int) -> NDArray[np.uint16]:
    """The series (pixel, date * band) of pixels, each chunk read once."""
    series = source.series
    rows, cols = (pixels[name].to_numpy(np.int64) for name in ("row", "column"))
    reflectance = np.empty((len(pixels), len(series.dates) * len(series.bands)), np.uint16)

    def fill(members: NDArray[np.intp]) -> None:
        window = _around(rows[members], cols[members])
        inside = rows[members] - window.row, cols[members] - window.col
        values = series.read(window)[:, :, *inside].reshape(-1, len(members)).T
        empty = (values == series.nodata).any(axis=1)
        if empty.any():
            at = members[empty.argmax()]
            raise SeriesError(
                f"{source.name} has no data at row {rows[at]}, column {cols[at]}, where it counts "
                "clear days; remove it and make it anew with the rule stack_series"
            )
        reflectance[members] = values

    groups = _by_chunk(rows // source.chunk[0], cols // source.chunk[1])
    progress = Progress("chunks", len(groups))
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(fill, groups):
            progress.advance()
    return reflectance


def _by_chunk(down: NDArray[np.int64], across: NDArray[np.int64]) -> list[NDArray[np.intp]]:
    """Positions of the pixels of each chunk that holds one, given the chunk of each pixel."""
    order = np.lexsort((across, down))
    changes = (np.diff(down[order]) != 0) | (np.diff(across[order]) != 0)
    groups = np.split(order, np.flatnonzero(changes) + 1)
    return groups if len(order) else []


def _around(rows: NDArray[np.int64], cols: NDArray[np.int64]) -> Window:
    """The smallest window that holds some pixels."""
    row, col = int(rows.min()), int(cols.min())
    return Window(row, col, int(rows.max()) - row + 1, int(cols.max()) - col + 1)
