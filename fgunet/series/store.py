"""The store of a series, read by windows."""

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import zarr
from numpy.typing import NDArray

from fgunet.errors import DamagedSeriesError, GridError, SeriesError
from fgunet.files import file_sha256, remove_folder
from fgunet.grid import Grid, Window
from fgunet.series.chunks import ChunkReader
from fgunet.series.layout import COUNTS
from fgunet.series.seal import is_sealed, require_unbroken

_log = logging.getLogger(__name__)

SCALE = 1e-4
"""Reflectance of one unit of a series."""

T = TypeVar("T")

_ATTRIBUTES = ("tile", "dates", "bands", "nodata", "grid", "provenance")


class SeriesStore:
    """A series on disk, read by windows.

    All that is read is checked against what was written. A series of `stack_series` that turns
    out to be damaged, also when it is read again, is removed, so that the next run of the workflow
    makes it anew; one that other software has written stays.

    Parameters
    ----------
    path : path
        Folder that `fgunet.series.stacking.stack_series` wrote.

    Attributes
    ----------
    path : pathlib.Path
        The folder.
    tile : str
        Name of the tile.
    grid : Grid
        Its 10 m grid.
    dates, bands : tuple of str
        Regular dates (YYYYMMDD) and names of the bands.
    nodata : int
        Value of a pixel that was never valid (65535).
    chunk : tuple of int
        Rows and columns of a chunk of the series, in pixels.
    provenance : dict
        What the series was made of.

    Raises
    ------
    SeriesError
        If there is no series at `path`, or it is not one of this layout, or its numbers are not
        reflectance x 10000.
    DamagedSeriesError
        If its description is not what was written.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        if not self.path.is_dir():
            raise SeriesError(f"there is no series {path}; make it with the rule stack_series")
        self._about = self.path / "zarr.json"
        self._opened = self._making()
        self._checked(lambda: require_unbroken(self.path))
        try:
            group = zarr.open_group(self.path, mode="r", zarr_format=3)
            attributes: dict[str, Any] = dict(group.attrs)
            tile, dates, bands, nodata, grid, provenance = (attributes[k] for k in _ATTRIBUTES)
            self._series = _array(group, "series")
            self._readers = {
                name: self._reader(name, _array(group, name)) for name in ("series", *COUNTS)
            }
        except (KeyError, FileNotFoundError, ValueError) as error:
            raise SeriesError(
                f"{path} is not a series ({type(error).__name__}: {error}); remove it and make it "
                "anew with the rule stack_series"
            ) from error
        self._require_scale()
        self.tile = str(tile)
        self.dates: tuple[str, ...] = tuple(dates)
        self.bands: tuple[str, ...] = tuple(bands)
        self.nodata = int(nodata)
        self.chunk = (self._series.chunks[-2], self._series.chunks[-1])
        self.grid = Grid.from_dict(grid)
        self.provenance: dict[str, Any] = dict(provenance)

    @property
    def identity(self) -> str:
        """A text that is another one once the series has been made anew."""
        return f"{file_sha256(self._about)} {self._about.stat().st_mtime_ns}"

    def read(self, window: Window) -> NDArray[np.uint16]:
        """Reflectance x 10000 of a window, uint16 (date, band, y, x), 65535 where never valid.

        Raises
        ------
        GridError
            If the window leaves the grid.
        SeriesError
            If a file is damaged, or cannot be read.
        """
        return self._read("series", window)

    def read_counts(self, window: Window) -> dict[str, NDArray[np.uint16]]:
        """What is told of each pixel of a window, each uint16 (y, x).

        Returns
        -------
        dict
            clear_count, how many days were valid; longest_gap, the most days between valid ones
            that a date was filled across, 65535 where never valid; bridged_count, how many dates
            were filled across more than max_gap_days.

        Raises
        ------
        GridError
            If the window leaves the grid.
        SeriesError
            If a file is damaged, or cannot be read.
        """
        return {name: self._read(name, window) for name in COUNTS}

    def read_clear_count(self, window: Window) -> NDArray[np.uint16]:
        """How many days were valid in a window, uint16 (y, x).

        Raises
        ------
        GridError
            If the window leaves the grid.
        SeriesError
            If a file is damaged, or cannot be read.
        """
        return self._read("clear_count", window)

    def _reader(self, name: str, array: zarr.Array[Any]) -> "ChunkReader | _AnyLayout":
        known = ChunkReader.of(self.path / name, array, whole=is_sealed(self.path))
        return known or _AnyLayout(array)

    def _read(self, name: str, window: Window) -> NDArray[np.uint16]:
        self._require_inside(window)
        return self._checked(lambda: self._readers[name].read(window))

    def _checked(self, read: Callable[[], T]) -> T:
        """What `read` gives; where it finds damage, twice, the series is removed."""
        try:
            return self._readable(read)
        except DamagedSeriesError as error:
            _log.warning("%s; reading again", error)
        try:
            return self._readable(read)
        except DamagedSeriesError as error:
            raise self._removed(error) from error

    def _readable(self, read: Callable[[], T]) -> T:
        try:
            return read()
        except OSError as error:
            raise SeriesError(
                f"{self.path} cannot be read ({error}): see that its disk is there and sound, and "
                "start again. The series was left as it is"
            ) from error

    def _making(self) -> tuple[int, int]:
        """What tells the series from one that takes its place later."""
        if not self._about.exists():
            return 0, 0
        told = self._about.stat()
        return told.st_ino, told.st_ctime_ns

    def _removed(self, damage: DamagedSeriesError) -> DamagedSeriesError:
        """Remove the series, if it is the workflow's own; the error that says so."""
        if not self.path.exists():
            return DamagedSeriesError(
                f"{self.path} was removed while it was read: another job has found it damaged. "
                "Start again: it is made anew"
            )
        if not is_sealed(self.path) or self._making() != self._opened:
            return damage
        try:
            remove_folder(self.path)
        except OSError as error:
            return DamagedSeriesError(f"{damage} (it cannot be removed from here: {error})")
        told = str(damage).partition(";")[0]
        return DamagedSeriesError(
            f"{told}. The series {self.path} was removed; start again: it is made anew"
        )

    def _require_scale(self) -> None:
        """Refuse a series of other numbers: models learn from, and are given, one scale."""
        about = self._series.attrs
        found = (about.get("scale_factor", SCALE), about.get("add_offset", 0))
        if found != (SCALE, 0):
            raise SeriesError(
                f"{self.path} holds reflectance of scale {found[0]} and offset {found[1]}; this "
                f"library learns from and maps scale {SCALE} and offset 0 (reflectance x 10000). "
                "Remove it and make it anew with the rule stack_series"
            )

    def _require_inside(self, window: Window) -> None:
        if window != window.expanded(0, self.grid.shape):
            raise GridError(
                f"{window} leaves the series {self.path}, which has {self.grid.height} x "
                f"{self.grid.width} pixels"
            )


@dataclass(frozen=True)
class _AnyLayout:
    """Reads an array that other software has written in a layout of its own; slower."""

    array: zarr.Array[Any]

    def read(self, window: Window) -> NDArray[np.uint16]:
        return np.asarray(self.array[(..., *window.slices)], dtype=np.uint16)


def _array(group: zarr.Group, name: str) -> zarr.Array[Any]:
    array = group[name]
    if not isinstance(array, zarr.Array):
        raise KeyError(name)
    return array
