"""Reading and writing rasters by windows."""

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Protocol

import numpy as np
import rasterio
import rasterio.windows
from numpy.typing import NDArray
from rasterio.errors import RasterioError

from fgunet.errors import GridError, ResultError
from fgunet.files import MAKE_ANEW, atomic_path
from fgunet.grid import Grid, Window
from fgunet.whole import failures_told, require_whole


class Series(Protocol):
    """A tile's series, read by windows; `fgunet.series.store.SeriesStore` is one."""

    @property
    def grid(self) -> Grid:
        """Grid of the tile."""

    @property
    def dates(self) -> tuple[str, ...]:
        """Dates, YYYYMMDD, rising."""

    @property
    def bands(self) -> tuple[str, ...]:
        """Names of the bands."""

    @property
    def nodata(self) -> int:
        """Value of pixels never valid."""

    def read(self, window: Window) -> NDArray[np.uint16]:
        """Reflectance x 10000 (time, band, y, x) uint16 of a window."""


def gdal_cache(megabytes: int = 64, **options: Any) -> rasterio.Env:
    """Settings within which GDAL keeps so many megabytes of blocks, and further `options`.

    Left alone it takes a twentieth of the machine's memory. rasterio takes bytes where GDAL's own
    option takes megabytes.
    """
    return rasterio.Env(GDAL_CACHEMAX=megabytes * 2**20, **options)


BLOCK = 128
"""Side of the blocks of a written GeoTIFF, in pixels (a multiple of 16)."""


def grid_of(dataset: rasterio.DatasetReader) -> Grid:
    """The grid of an open raster.

    Raises
    ------
    GridError
        If the raster has no coordinate system, is rotated or is not north-up.
    """
    if dataset.crs is None:
        raise GridError(
            f"{dataset.name} has no coordinate system. Set one with gdal_edit -a_srs; a result of "
            "a run has lost it with its end: remove it, and start the run again"
        )
    return Grid(
        dataset.crs.to_string(), tuple(dataset.transform)[:6], dataset.height, dataset.width
    )


def read_grid(path: str | os.PathLike[str]) -> Grid:
    """The grid of a raster file. Raises GridError as `grid_of` does, ResultError as `read_band`."""
    with _damage_told(path), rasterio.open(path) as dataset:
        return grid_of(dataset)


def read_tags(path: str | os.PathLike[str]) -> dict[str, str]:
    """What a raster tells of itself in its tags. Raises ResultError as `read_band` does."""
    with _damage_told(path), rasterio.open(path) as dataset:
        return dict(dataset.tags())


@contextmanager
def _damage_told(path: str | os.PathLike[str]) -> Iterator[None]:
    try:
        yield
    except RasterioError as error:
        told = error.__cause__ or error
        raise ResultError(f"{path} cannot be read ({told}): {MAKE_ANEW}") from error


def rasterio_window(window: Window) -> rasterio.windows.Window:
    """`window` as rasterio takes it."""
    return rasterio.windows.Window(window.col, window.row, window.width, window.height)


def read_band(path: str | os.PathLike[str], window: Window | None = None) -> NDArray[Any]:
    """Read the first band of a raster (y, x), or a window of it, in its own dtype.

    Raises
    ------
    GridError
        If the window leaves the raster.
    ResultError
        If the file cannot be read.
    """
    with _damage_told(path), rasterio.open(path) as dataset:
        return _read(dataset, window or Window(0, 0, dataset.height, dataset.width))


class OpenBand:
    """The first band of a raster, kept open for many small reads, once in each thread.

    Parameters
    ----------
    path : path
        Raster file; it is opened by the first read.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = path
        self._of_thread = threading.local()

    def read(self, window: Window) -> NDArray[Any]:
        """Read a window (y, x) in the raster's own dtype. Raises what `read_band` does."""
        with _damage_told(self._path):
            if not hasattr(self._of_thread, "dataset"):
                self._of_thread.dataset = rasterio.open(self._path)
            return _read(self._of_thread.dataset, window)


def _read(dataset: rasterio.DatasetReader, window: Window) -> NDArray[Any]:
    if window.row + window.height > dataset.height or window.col + window.width > dataset.width:
        raise GridError(
            f"{window} leaves {dataset.name}, which has {dataset.height} x {dataset.width} pixels"
        )
    values: NDArray[Any] = dataset.read(1, window=rasterio_window(window))
    return values


@contextmanager
def create_raster(
    path: str | os.PathLike[str],
    grid: Grid,
    dtype: str,
    nodata: float | None,
    *,
    bands: Sequence[str] = (),
    colours: dict[int, tuple[int, int, int]] | None = None,
    tags: Mapping[str, str] | None = None,
    name: str | os.PathLike[str] | None = None,
) -> Iterator[Callable[[Window, NDArray[Any]], None]]:
    """Write a tiled GeoTIFF window by window, atomically.

    Parameters
    ----------
    path : path
        File to write.
    grid : Grid
        Its grid.
    dtype : str
        "uint8", "uint32", ...
    nodata : float or None
        Declared nodata value.
    bands : sequence of str, optional
        Names of the bands; without names there is one.
    colours : dict, optional
        Colour table: (red, green, blue) of each value, for uint8.
    tags : dict, optional
        Tags of the file.
    name : path, optional
        What errors call the file, where `path` is a temporary name.

    Yields
    ------
    callable
        ``write(window, values)``, values (y, x), or (band, y, x) where bands are named.

    Raises
    ------
    MapError
        If the file cannot be written, as on a full disk; nothing of it is left then.
    """
    profile = {
        "driver": "GTiff",
        "crs": grid.crs,
        "transform": grid.affine,
        "height": grid.height,
        "width": grid.width,
        "count": len(bands) or 1,
        "dtype": dtype,
        "nodata": nodata,
        "tiled": True,
        "blockxsize": BLOCK,
        "blockysize": BLOCK,
        "compress": "deflate",
        "interleave": "band",
        "BIGTIFF": "IF_SAFER",
    }
    room = grid.height * grid.width * profile["count"] * np.dtype(dtype).itemsize
    told = partial(failures_told, name or path, room)
    with atomic_path(path) as part:
        with told():
            dataset = rasterio.open(part, "w", **profile)
        with dataset:
            if colours:
                dataset.write_colormap(1, {k: (*rgb, 255) for k, rgb in colours.items()})
            if bands:
                dataset.descriptions = tuple(bands)
            dataset.update_tags(**(tags or {}))
            written = list(dataset.indexes) if bands else 1

            def write(window: Window, values: NDArray[Any]) -> None:
                with told():
                    values = values.astype(dtype, copy=False)
                    dataset.write(values, written, window=rasterio_window(window))

            yield write
        with told():
            require_whole(part)


def write_raster(
    path: str | os.PathLike[str],
    values: NDArray[Any],
    grid: Grid,
    nodata: float | None,
    *,
    colours: dict[int, tuple[int, int, int]] | None = None,
) -> None:
    """Write an array (y, x) as a one-band GeoTIFF in its own dtype, atomically.

    Raises
    ------
    GridError
        If the array's shape is not the grid's.
    MapError
        As `create_raster` does.
    """
    if values.shape != grid.shape:
        raise GridError(f"{path}: values have shape {values.shape}, the grid {grid.shape}")
    with create_raster(path, grid, values.dtype.name, nodata, colours=colours) as write:
        write(Window(0, 0, *grid.shape), values)


def require_same_grid(grids: Iterable[tuple[str, Grid]]) -> Grid:
    """The one grid of several named rasters.

    Raises
    ------
    GridError
        If two differ, naming both, or if there is none.
    """
    first: tuple[str, Grid] | None = None
    for name, grid in grids:
        if first is None:
            first = name, grid
        elif grid != first[1]:
            raise GridError(
                f"{name} lies on another grid than {first[0]}: {grid} instead of {first[1]}; "
                "all rasters of a tile must share one grid"
            )
    if first is None:
        raise GridError("no raster was given, so there is no grid")
    return first[1]
