"""Rasters as Cloud Optimized GeoTIFF (COG)."""

import os
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import rasterio
import rasterio.shutil
from numpy.typing import NDArray

from fgunet.files import atomic_path, write_text
from fgunet.grid import Grid, Window
from fgunet.rasters import create_raster, gdal_cache
from fgunet.whole import failures_told, require_whole

BLOCK = 256
"""Side of the blocks of a tile's map, in pixels."""

_CACHE_MB = 256
"""A row of blocks of a full tile's probabilities: with less, blocks are read and packed twice."""


@contextmanager
def create_cog(
    path: str | os.PathLike[str],
    grid: Grid,
    dtype: str,
    nodata: float | None,
    *,
    overviews: str,
    bands: Sequence[str] = (),
    colours: dict[int, tuple[int, int, int]] | None = None,
    tags: Mapping[str, str] | None = None,
    sidecar: str | None = None,
) -> Iterator[Callable[[Window, NDArray[Any]], None]]:
    """Write a COG window by window, atomically; its bytes depend on the values alone.

    Until all windows are there, they lie in a hidden file beside `path`, because a temporary
    folder of the system may be small, or memory: there must be room for the raster twice.

    Parameters
    ----------
    path, grid, dtype, nodata, bands, colours, tags
        As in `fgunet.rasters.create_raster`.
    overviews, sidecar : str
        As in `write_cog`.

    Yields
    ------
    callable
        ``write(window, values)``, values (y, x), or (band, y, x) where bands are named.

    Raises
    ------
    MapError
        If the file cannot be written, as on a full disk; nothing of it is left then.
    """
    path = Path(path)
    tiled = path.with_name(f".{path.stem}.{uuid.uuid4().hex[:12]}.tiled{path.suffix}")
    try:
        with (
            gdal_cache(_CACHE_MB),
            create_raster(
                tiled, grid, dtype, nodata, bands=bands, colours=colours, tags=tags, name=path
            ) as write,
        ):
            yield write
        write_cog(tiled, path, overviews=overviews, block=BLOCK, sidecar=sidecar)
    finally:
        tiled.unlink(missing_ok=True)


def write_cog(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    overviews: str,
    block: int,
    sparse: bool = False,
    sidecar: str | None = None,
    name: str | os.PathLike[str] | None = None,
) -> None:
    """Translate a tiled GeoTIFF to a COG, atomically.

    Parameters
    ----------
    source, target : path
        Files to read and to write.
    overviews : str
        GDAL's resampling for overviews ("MODE", "NEAREST"); overviews that the source
        has are taken as they are.
    block : int
        Side of the blocks, in pixels. Overviews stop where one block holds the map.
    sparse : bool
        Leave blocks without data out of the file.
    sidecar : str, optional
        Content of ``<target>.aux.xml``, where GDAL looks for what a TIFF cannot hold. It is
        whole before `target` has its name.
    name : path, optional
        What errors call the file, where `target` is a temporary name.

    Raises
    ------
    MapError
        If the file cannot be written, as on a full disk; `target` stays as it was.
    """
    # All readers of TIFF know DEFLATE; ZSTD, which some lack, saves 2 % in the same time.
    # A predictor makes codes, percentages and counts larger by 7 to 25 %, and most floats as much
    # smaller.
    with rasterio.open(source) as dataset:
        floats = dataset.dtypes[0].startswith("float")
    options: dict[str, Any] = {
        "BLOCKSIZE": block,
        "COMPRESS": "DEFLATE",
        "PREDICTOR": "FLOATING_POINT" if floats else "NO",
        "OVERVIEW_RESAMPLING": overviews,
        "BIGTIFF": "IF_SAFER",
        "SPARSE_OK": "YES" if sparse else "NO",
    }
    room = 2 * Path(source).stat().st_size
    with atomic_path(target) as part, failures_told(name or target, room):
        # GDAL makes overviews in a file there.
        with gdal_cache(_CACHE_MB, CPL_TMPDIR=str(part.parent)):
            rasterio.shutil.copy(source, part, driver="COG", **options)
        require_whole(part, sparse=sparse)
        if sidecar is not None:
            write_text(sidecar_path(target), sidecar)


def sidecar_path(path: str | os.PathLike[str]) -> Path:
    """Where GDAL looks for what the format of a raster cannot hold."""
    return Path(f"{os.fspath(path)}.aux.xml")
