"""From acquisitions to a series, shard by shard."""

import logging
import math
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fgunet.errors import SeriesError
from fgunet.grid import Window
from fgunet.logs import Progress
from fgunet.series.dates import day_numbers
from fgunet.series.interpolation import NODATA, Interpolated, interpolate_rows
from fgunet.series.layout import COUNTS, Layout
from fgunet.series.shards import ShardFile, pack
from fgunet.series.tasks import Tasks
from fgunet.series.unfinished import Unfinished, under_way

_log = logging.getLogger(__name__)


class Loaded(Protocol):
    """A part of an acquisition in memory."""

    def resolve(self, window: Window, reflectance: NDArray[np.uint16]) -> NDArray[np.bool_]:
        """Fill reflectance x 10000 (band, y, x), and say which pixels (y, x) are usable.

        Several threads may call it at once.
        """
        ...


Load = Callable[[Window], Loaded]
"""Reads what a window needs into memory. One thread at a time."""

_BASE_MB = 450
"""Memory of a process before it loads a pixel, and of what does not grow with the tile."""

_THREAD_MB = 200
"""Memory that a thread needs for a piece."""

_PIECE = 1024
"""Most columns of a row of chunks that are interpolated at once: enough for the time that calls
take not to matter."""


@dataclass(frozen=True)
class Resources:
    """What a series may be made with.

    Attributes
    ----------
    threads : int
        How many processors.
    memory_mb : float
        Memory of the process, in megabytes.
    bytes_per_pixel : float
        What all acquisitions together hold in memory for a pixel once it is loaded.
    """

    threads: int
    memory_mb: float
    bytes_per_pixel: float

    def rows_at_once(self, layout: Layout) -> int:
        """How many rows of a shard are loaded at once: whole chunks, at least one row of them."""
        left = self.memory_mb - _BASE_MB - self.threads * _THREAD_MB
        chunk_row = self.bytes_per_pixel * layout.chunk * layout.shard[1] / 1e6
        count = int(left / chunk_row)
        if count < 1:
            _log.warning(
                "%.0f MB may be too little: %.0f MB would do; give the rule stack_series more "
                "mem_mb",
                self.memory_mb,
                self.memory_mb - left + chunk_row,
            )
        return min(max(count, 1) * layout.chunk, layout.shard[0])


def stack_series(
    path: str | os.PathLike[str],
    loaders: Sequence[tuple[str, Load]],
    layout: Layout,
    *,
    max_gap_days: int,
    resources: Resources,
    made_of: dict[str, Any],
) -> None:
    """Interpolate acquisitions onto regular dates and write the series, atomically.

    Shards are made one after the other: the acquisitions are loaded, several at once, then the
    chunks are made, several at once. A process that is killed leaves the finished shards beside
    `path`; the next one with the same `layout` and `made_of` makes only the others. The bytes
    written depend neither on that nor on `resources`.

    Parameters
    ----------
    path : path
        Series to write.
    loaders : sequence of (str, callable)
        Date (YYYYMMDD) and loader of each acquisition, in any order of dates. Of several on one
        day, a pixel takes the first in this sequence that is valid there.
    layout : Layout
        What the series holds; the loaders give its bands on its grid.
    max_gap_days : int
        Dates filled across a longer gap are counted.
    resources : Resources
        Processors and memory.
    made_of : dict
        Everything else the pixels depend on, as JSON can hold it.

    Raises
    ------
    SeriesError
        If there is no loader.
    WriteError
        If the disk is full, or may not be written to; the shards that are done are kept.
    """
    if not loaders:
        raise SeriesError(f"{path}: there is no acquisition to make a series of")
    stacker = _Stacker(loaders, layout, max_gap_days, resources)
    shards = list(_shards(layout))
    with under_way(path, layout, made_of | {"max_gap_days": max_gap_days}) as unfinished:
        done = unfinished.done()
        progress = Progress("shards", len(shards) - len(done))
        for row, col, window in shards:
            if (row, col) not in done:
                stacker.make_shard(unfinished, row, col, window)
                progress.advance()


def _shards(layout: Layout) -> Iterator[tuple[int, int, Window]]:
    """Row, column and window of each shard."""
    height, width = layout.grid.shape
    rows, cols = layout.shard
    for row in range(0, height, rows):
        for col in range(0, width, cols):
            window = Window(row, col, min(rows, height - row), min(cols, width - col))
            yield row // rows, col // cols, window


class _Stacker:
    """Makes the shards of a series."""

    def __init__(
        self,
        loaders: Sequence[tuple[str, Load]],
        layout: Layout,
        max_gap_days: int,
        resources: Resources,
    ) -> None:
        days = day_numbers([date for date, _ in loaders])
        order = np.argsort(days, kind="stable")
        self._loaders = [loaders[place][1] for place in order]
        self._days, self._day_of = np.unique(days[order], return_inverse=True)
        self._targets = day_numbers(layout.dates)
        self._layout, self._max_gap = layout, max_gap_days
        self._workspace = _Workspace()
        self._threads, self._rows = resources.threads, resources.rows_at_once(layout)

    def make_shard(self, unfinished: Unfinished, row: int, col: int, window: Window) -> None:
        """Write all files of a shard."""
        side = self._layout.chunk
        rows, cols = (length // side for length in self._layout.shard)
        starts = range(0, window.width, side)
        absent = [None] * (cols - len(starts))
        counts = {name: np.empty(window.shape, np.uint16) for name in COUNTS}
        path = unfinished.store / f"series/c/0/0/{row}/{col}"
        with ShardFile(path, (rows, cols)) as file:
            for strip in _rows_of(window, self._rows):
                self._write_strip(file, strip, window, counts, absent)
        for name, values in counts.items():
            with ShardFile(unfinished.store / f"{name}/c/{row}/{col}", (rows, cols)) as file:
                for line in range(0, window.height, side):
                    parts = (values[line : line + side, x : x + side] for x in starts)
                    file.append([*(pack(self._whole_chunk(part)) for part in parts), *absent])
        unfinished.finish(row, col)

    def _write_strip(
        self,
        file: ShardFile,
        strip: Window,
        shard: Window,
        counts: dict[str, NDArray[np.uint16]],
        absent: Sequence[None],
    ) -> None:
        """Write the chunks of some rows of a shard, and fill their part of `counts`."""
        side = self._layout.chunk
        tasks = Tasks(self._threads)
        loading = [tasks.add(load, strip) for load in self._loaders]
        loaded = tasks.results(loading)
        written = None
        for line in _rows_of(strip, side):
            for piece in _columns_of(line, _PIECE):
                last = piece.col + piece.width == shard.col + shard.width
                made = tasks.add(partial(self._make_chunks, loaded, shard, counts), piece)
                beyond = absent if last else []
                # One after the other, while the next pieces are made.
                written = tasks.add(partial(_append, file, beyond), made, written)
        tasks.results([written])

    def _make_chunks(
        self,
        loaded: Sequence[Loaded],
        shard: Window,
        counts: dict[str, NDArray[np.uint16]],
        piece: Window,
    ) -> list[bytes]:
        """The chunks of a piece of a row of chunks, packed; fills its part of `counts`."""
        made = self._interpolate(loaded, piece)
        for name, values in counts.items():
            values[piece.relative_to(shard).slices] = getattr(made, name)
        side = self._layout.chunk
        return [
            pack(self._whole_chunk(made.series[..., col : col + side]))
            for col in range(0, piece.width, side)
        ]

    def _interpolate(self, loaded: Sequence[Loaded], piece: Window) -> Interpolated:
        """The pixels of a piece, in memory that the next piece of this thread is made in."""
        n_bands, memory = len(self._layout.bands), self._workspace
        values = memory.array("values", (len(self._days), n_bands, *piece.shape), np.uint16)
        more = memory.array("more", (n_bands, *piece.shape), np.uint16)
        valid = memory.array("valid", (len(self._days), *piece.shape), np.bool_)
        valid[:] = False
        for day, block in zip(self._day_of, loaded, strict=True):
            if not valid[day].any():
                valid[day] = block.resolve(piece, values[day])
            else:
                gained = block.resolve(piece, more) & ~valid[day]
                values[day][:, gained] = more[:, gained]
                valid[day] |= gained
        series = memory.array("series", (len(self._targets), n_bands, *piece.shape), np.uint16)
        counts = {name: np.empty(piece.shape, np.uint16) for name in COUNTS}
        made = Interpolated(series, **counts)
        interpolate_rows(
            values, valid, self._days, self._targets,
            max_gap_days=self._max_gap, into=made, row=0,
        )  # fmt: skip
        return made

    def _whole_chunk(self, values: NDArray[np.uint16]) -> NDArray[np.uint16]:
        """The pixels (..., y, x) of a chunk side by side, filled up beyond the tile."""
        side = self._layout.chunk
        chunk = self._workspace.array("chunk", (*values.shape[:-2], side, side), np.uint16)
        height, width = values.shape[-2:]
        if (height, width) != (side, side):
            chunk[:] = NODATA
        chunk[..., :height, :width] = values
        return chunk


def _append(file: ShardFile, absent: Sequence[None], chunks: Sequence[bytes], before: None) -> None:
    file.append([*chunks, *absent])


class _Workspace(threading.local):
    """Arrays that each thread uses again: memory from the system costs as much as filling it."""

    def __init__(self) -> None:
        self._held: dict[str, NDArray[Any]] = {}

    def array(self, name: str, shape: tuple[int, ...], dtype: type[np.generic]) -> NDArray[Any]:
        """An array of any content; the one of this name that was given before is void."""
        size = math.prod(shape)
        if name not in self._held or self._held[name].size < size:
            self._held[name] = np.empty(size, dtype)
        return self._held[name][:size].reshape(shape)


def _rows_of(window: Window, rows: int) -> Iterator[Window]:
    """Cut a window into windows as wide, of so many rows; the last is cut."""
    for row in range(0, window.height, rows):
        height = min(rows, window.height - row)
        yield Window(window.row + row, window.col, height, window.width)


def _columns_of(window: Window, cols: int) -> Iterator[Window]:
    """Cut a window into windows as high, of so many columns; the last is cut."""
    for col in range(0, window.width, cols):
        width = min(cols, window.width - col)
        yield Window(window.row, window.col + col, window.height, width)
