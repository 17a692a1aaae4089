"""The store of a series: a Zarr 3 group that is written once, by windows, and read by windows."""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.codecs import BloscCodec

from fgunet.errors import GridError, SeriesError
from fgunet.files import atomic_path
from fgunet.grid import Grid, Window
from fgunet.series.interpolation import NODATA

CHUNK = 64
"""Side of a chunk in pixels; a chunk holds all dates and bands of its pixels."""

_ATTRIBUTES = ("tile", "dates", "bands", "nodata", "grid", "provenance")

WriteWindow = Callable[[Window, NDArray[np.uint16], NDArray[np.uint16]], None]


@contextmanager
def create_series(
    path: str | os.PathLike[str],
    *,
    tile: str,
    grid: Grid,
    dates: Sequence[str],
    bands: Sequence[str],
    provenance: dict[str, Any],
    chunk: int = CHUNK,
) -> Iterator[WriteWindow]:
    """Write a series by windows, atomically.

    The bytes depend on what is written alone, not on the order of the windows or on threads.

    Parameters
    ----------
    path : path
        Folder to write, replaced if it exists.
    tile : str
        Name of the tile.
    grid : Grid
        Its 10 m grid.
    dates : sequence of str
        Regular dates, YYYYMMDD.
    bands : sequence of str
        Names of the bands.
    provenance : dict
        What the series was made of, as JSON can hold it.
    chunk : int
        Side of a chunk in pixels.

    Yields
    ------
    callable
        ``write(window, series, clear_count)``: series uint16 (date, band, y, x), reflectance x
        10000, 65535 where never valid; clear_count uint16 (y, x), how many days were valid.
        Several threads may call it at once: a window must consist of whole chunks.

    Raises
    ------
    SeriesError
        If a window does not consist of whole chunks, an array has another shape than its window,
        or pixels were left unwritten, or written twice, at the end.
    """
    shape = (len(dates), len(bands), *grid.shape)
    with atomic_path(path) as part:
        group = zarr.open_group(part, mode="w", zarr_format=3)
        values = (tile, list(dates), list(bands), NODATA, grid.to_dict(), provenance)
        group.attrs.update(dict(zip(_ATTRIBUTES, values, strict=True)))
        series = group.create_array(
            "series",
            shape=shape,
            chunks=(*shape[:2], chunk, chunk),
            dtype="uint16",
            fill_value=NODATA,
            compressors=_compressor(),
            dimension_names=("time", "band", "y", "x"),
        )
        clear = group.create_array(
            "clear_count",
            shape=grid.shape,
            chunks=(chunk, chunk),
            dtype="uint16",
            fill_value=0,
            compressors=_compressor(),
            dimension_names=("y", "x"),
        )
        written = 0
        lock = threading.Lock()

        def write(
            window: Window, block: NDArray[np.uint16], clear_count: NDArray[np.uint16]
        ) -> None:
            nonlocal written
            _require_whole_chunks(window, grid, chunk)
            size = (window.height, window.width)
            if block.shape != (*shape[:2], *size) or clear_count.shape != size:
                raise SeriesError(
                    f"{path}: series {block.shape} and clear count {clear_count.shape} do not fit "
                    f"{window}; expected {(*shape[:2], *size)} and {size}"
                )
            rows, cols = window.slices
            series[:, :, rows, cols] = block
            clear[rows, cols] = clear_count
            with lock:
                written += window.height * window.width

        yield write
        if written != grid.height * grid.width:
            raise SeriesError(
                f"{path}: {written} pixels were written of {grid.height * grid.width}; "
                "each window must be written once"
            )


def _compressor() -> BloscCodec:
    # Bits of reflectances that lie side by side agree in their upper places: shuffled, they pack.
    return BloscCodec(typesize=2, cname="lz4", clevel=5, shuffle="bitshuffle")


def _require_whole_chunks(window: Window, grid: Grid, chunk: int) -> None:
    ends = (window.row + window.height, grid.height), (window.col + window.width, grid.width)
    starts_well = window.row % chunk == 0 and window.col % chunk == 0
    if not starts_well or any(end % chunk and end != size for end, size in ends):
        raise SeriesError(
            f"{window} does not consist of whole chunks of {chunk} pixels of a series of "
            f"{grid.height} x {grid.width}; take windows of a multiple of {chunk}"
        )


class SeriesStore:
    """A series on disk, read by windows.

    Parameters
    ----------
    path : path
        Folder that `create_series` wrote.

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
    provenance : dict
        What the series was made of.

    Raises
    ------
    SeriesError
        If there is no series at `path`, or it is not one that `create_series` wrote.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        if not self.path.is_dir():
            raise SeriesError(f"there is no series {path}; make it with the rule stack_series")
        try:
            group = zarr.open_group(self.path, mode="r", zarr_format=3)
            attributes: dict[str, Any] = dict(group.attrs)
            tile, dates, bands, nodata, grid, provenance = (attributes[k] for k in _ATTRIBUTES)
            self._series, self._clear = _array(group, "series"), _array(group, "clear_count")
        except (KeyError, FileNotFoundError, ValueError) as error:
            raise SeriesError(
                f"{path} is not a series ({type(error).__name__}: {error}); remove it and make it "
                "anew with the rule stack_series"
            ) from error
        self.tile = str(tile)
        self.dates: tuple[str, ...] = tuple(dates)
        self.bands: tuple[str, ...] = tuple(bands)
        self.nodata = int(nodata)
        self.grid = Grid.from_dict(grid)
        self.provenance: dict[str, Any] = dict(provenance)

    def read(self, window: Window) -> NDArray[np.uint16]:
        """Reflectance x 10000 of a window, uint16 (date, band, y, x), 65535 where never valid.

        Raises
        ------
        GridError
            If the window leaves the grid.
        """
        self._require_inside(window)
        rows, cols = window.slices
        return np.asarray(self._series[:, :, rows, cols], dtype=np.uint16)

    def read_clear_count(self, window: Window) -> NDArray[np.uint16]:
        """How many days were valid in a window, uint16 (y, x).

        Raises
        ------
        GridError
            If the window leaves the grid.
        """
        self._require_inside(window)
        return np.asarray(self._clear[window.slices], dtype=np.uint16)

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
