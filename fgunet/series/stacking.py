"""From acquisitions to a series, window by window."""

import os
import threading
from collections.abc import Callable, Sequence
from typing import Any

import dask
import numpy as np
from numpy.typing import NDArray

from fgunet.errors import SeriesError
from fgunet.grid import Grid, Window, split_windows
from fgunet.logs import Progress
from fgunet.series.dates import day_numbers
from fgunet.series.interpolation import interpolate
from fgunet.series.store import CHUNK, create_series

ReadWindow = Callable[[Window], tuple[NDArray[np.uint16], NDArray[np.bool_]]]
"""Gives reflectance x 10000, uint16 (band, y, x), and which pixels are usable, bool (y, x)."""

WINDOW = 256
"""Side of the windows that are held in memory, in pixels."""


def stack_series(
    path: str | os.PathLike[str],
    readers: Sequence[tuple[str, ReadWindow]],
    *,
    tile: str,
    grid: Grid,
    dates: Sequence[str],
    bands: Sequence[str],
    provenance: dict[str, Any],
    window: int = WINDOW,
    chunk: int = CHUNK,
    threads: int = 1,
) -> None:
    """Interpolate acquisitions onto regular dates and write the series, atomically.

    Memory holds `threads` windows at a time, each of about 2 x (days + dates) x bands x window^2
    bytes. The bytes written depend neither on `threads` nor on `window`.

    Parameters
    ----------
    path : path
        Series to write.
    readers : sequence of (str, callable)
        Date (YYYYMMDD) and reader of each acquisition, in any order of dates. Of several on one
        day, a pixel takes the first in this sequence that is valid there.
    tile, grid, dates, bands, provenance, chunk
        As `create_series` takes them; the readers give the same bands on the same grid.
    window : int
        Side of the windows in pixels, a multiple of `chunk`.
    threads : int
        How many windows are worked on at once.

    Raises
    ------
    SeriesError
        If there is no reader, `window` is not a multiple of `chunk`, or a date is not one.
    """
    if not readers:
        raise SeriesError(f"{path}: there is no acquisition to make a series of")
    if window < chunk or window % chunk:
        raise SeriesError(f"windows of {window} pixels are no multiple of chunks of {chunk}")
    days, regular_days = day_numbers([date for date, _ in readers]), day_numbers(dates)
    by_day = {
        int(day): [read for other, (_, read) in zip(days, readers, strict=True) if other == day]
        for day in np.unique(days)
    }
    windows = list(split_windows(grid.shape, window))
    progress = Progress("windows", len(windows))
    with create_series(
        path,
        tile=tile,
        grid=grid,
        dates=dates,
        bands=bands,
        provenance=provenance,
        chunk=chunk,
    ) as write:

        def stack(part: Window) -> None:
            values, valid = _read_days(list(by_day.values()), len(bands), part)
            series = interpolate(values, valid, list(by_day), regular_days)
            write(part, series, valid.sum(axis=0, dtype=np.uint16))

        _for_each(stack, windows, threads, progress)


def _read_days(
    readers: Sequence[Sequence[ReadWindow]], n_bands: int, window: Window
) -> tuple[NDArray[np.uint16], NDArray[np.bool_]]:
    """Values (day, band, y, x) and valid (day, y, x) of a window; `readers` by day."""
    shape = (window.height, window.width)
    values = np.empty((len(readers), n_bands, *shape), np.uint16)
    valid = np.empty((len(readers), *shape), bool)
    for day, (first, *others) in enumerate(readers):
        values[day], valid[day] = first(window)
        for read in others:
            more, usable = read(window)
            gained = usable & ~valid[day]
            values[day][:, gained] = more[:, gained]
            valid[day] |= gained
    return values, valid


def _for_each(
    work: Callable[[Window], None], windows: Sequence[Window], threads: int, progress: Progress
) -> None:
    """Do `work` for each window on several threads; raise the first error once all have ended."""
    errors: list[Exception] = []
    lock = threading.Lock()

    def guarded(window: Window) -> None:
        # After an error the rest is left out; nothing may write any more when it is raised.
        if errors:
            return
        try:
            work(window)
        except Exception as error:
            errors.append(error)
            return
        with lock:
            progress.advance()

    tasks = [dask.delayed(guarded)(window) for window in windows]
    dask.compute(*tasks, scheduler="threads", num_workers=threads)
    if errors:
        raise errors[0]
