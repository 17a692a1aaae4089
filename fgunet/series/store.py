"""The store of a series, read by windows."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from fgunet.errors import GridError, SeriesError
from fgunet.files import file_sha256
from fgunet.grid import Grid, Window
from fgunet.series.chunks import ChunkReader
from fgunet.series.layout import COUNTS

SCALE = 1e-4
"""Reflectance of one unit of a series."""

_ATTRIBUTES = ("tile", "dates", "bands", "nodata", "grid", "provenance")


class SeriesStore:
    """A series on disk, read by windows.

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
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        if not self.path.is_dir():
            raise SeriesError(f"there is no series {path}; make it with the rule stack_series")
        try:
            group = zarr.open_group(self.path, mode="r", zarr_format=3)
            attributes: dict[str, Any] = dict(group.attrs)
            tile, dates, bands, nodata, grid, provenance = (attributes[k] for k in _ATTRIBUTES)
            self._series = _array(group, "series")
            self._counts = {name: _array(group, name) for name in COUNTS}
        except (KeyError, FileNotFoundError, ValueError) as error:
            raise SeriesError(
                f"{path} is not a series ({type(error).__name__}: {error}); remove it and make it "
                "anew with the rule stack_series"
            ) from error
        self._require_scale()
        self._chunks = ChunkReader.of(self.path / "series", self._series)
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
        about = self.path / "zarr.json"
        return f"{file_sha256(about)} {about.stat().st_mtime_ns}"

    def read(self, window: Window) -> NDArray[np.uint16]:
        """Reflectance x 10000 of a window, uint16 (date, band, y, x), 65535 where never valid.

        Raises
        ------
        GridError
            If the window leaves the grid.
        SeriesError
            If a file is damaged.
        """
        self._require_inside(window)
        if self._chunks is not None:
            return self._chunks.read(window)
        # Rewritten by other software in a layout of its own: any is right, this way is slower.
        rows, cols = window.slices
        return np.asarray(self._series[:, :, rows, cols], dtype=np.uint16)

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
        """
        self._require_inside(window)
        return {
            name: np.asarray(array[window.slices], dtype=np.uint16)
            for name, array in self._counts.items()
        }

    def read_clear_count(self, window: Window) -> NDArray[np.uint16]:
        """How many days were valid in a window, uint16 (y, x).

        Raises
        ------
        GridError
            If the window leaves the grid.
        """
        self._require_inside(window)
        return np.asarray(self._counts["clear_count"][window.slices], dtype=np.uint16)

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


def _array(group: zarr.Group, name: str) -> zarr.Array[Any]:
    array = group[name]
    if not isinstance(array, zarr.Array):
        raise KeyError(name)
    return array
