"""Class maps and confidences as Cloud Optimized GeoTIFF."""

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import rasterio.shutil
from numpy.typing import NDArray

from fgunet.files import atomic_path
from fgunet.grid import Grid, Window
from fgunet.mapping.prediction import NODATA_CONFIDENCE
from fgunet.nomenclature import NODATA_CODE, Nomenclature
from fgunet.rasters import create_raster

BLOCK = 256
"""Side of the blocks of a tile's map, in pixels."""


@contextmanager
def create_map(
    path_to_class: str | os.PathLike[str],
    path_to_confidence: str | os.PathLike[str],
    grid: Grid,
    nomenclature: Nomenclature,
) -> Iterator[Callable[[Window, NDArray[np.uint8], NDArray[np.uint8]], None]]:
    """Write a class map and its confidence window by window, atomically.

    Both are COGs of uint8: codes with 0 = nodata, colour table, class names and overviews of
    the most frequent class; percent with 255 = nodata. Their bytes depend on the values alone.

    Parameters
    ----------
    path_to_class, path_to_confidence : path
        Files to write.
    grid : Grid
        Their grid.
    nomenclature : Nomenclature
        Names and colours of the classes.

    Yields
    ------
    callable
        ``write(window, codes, confidence)``, both (y, x) uint8.
    """
    with (
        create_class_map(path_to_class, grid, nomenclature) as write_class,
        _create_cog(
            path_to_confidence,
            grid,
            NODATA_CONFIDENCE,
            tags={"nomenclature": nomenclature.name, "unit": "percent"},
            overviews="NEAREST",
        ) as write_confidence,
    ):

        def write(window: Window, codes: NDArray[np.uint8], confidence: NDArray[np.uint8]) -> None:
            write_class(window, codes)
            write_confidence(window, confidence)

        yield write


@contextmanager
def create_class_map(
    path: str | os.PathLike[str],
    grid: Grid,
    nomenclature: Nomenclature,
    tags: Mapping[str, str] | None = None,
) -> Iterator[Callable[[Window, NDArray[np.uint8]], None]]:
    """Write a class map alone, as `create_map` does; `tags` are added to its own.

    Yields
    ------
    callable
        ``write(window, codes)``, codes (y, x) uint8.
    """
    with _create_cog(
        path,
        grid,
        NODATA_CODE,
        tags={**class_tags(nomenclature), **(tags or {})},
        overviews="MODE",
        colours=nomenclature.colours,
    ) as write:
        yield write


@contextmanager
def _create_cog(
    path: str | os.PathLike[str],
    grid: Grid,
    nodata: int,
    *,
    tags: dict[str, str],
    overviews: str,
    colours: dict[int, tuple[int, int, int]] | None = None,
) -> Iterator[Callable[[Window, NDArray[np.uint8]], None]]:
    with tempfile.TemporaryDirectory() as folder:
        tiled = Path(folder, "tiled.tif")
        with create_raster(tiled, grid, "uint8", nodata, colours=colours) as write:
            yield write
        set_tags(tiled, tags)
        write_cog(tiled, path, overviews=overviews, block=BLOCK)


def class_tags(nomenclature: Nomenclature) -> dict[str, str]:
    """Name of the nomenclature and of each class, as tags of a raster.

    GDAL keeps category names of a GeoTIFF in a file beside it, which gets lost; tags lie inside.
    """
    names = {f"CLASS_{code}": name for code, name in nomenclature.names.items()}
    return {"nomenclature": nomenclature.name, **names}


def set_tags(path: str | os.PathLike[str], tags: dict[str, str]) -> None:
    """Add tags to a raster in place."""
    with rasterio.open(path, "r+") as dataset:
        dataset.update_tags(**tags)


def write_cog(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    overviews: str,
    block: int,
    sparse: bool = False,
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
    """
    options: dict[str, Any] = {
        "BLOCKSIZE": block,
        "COMPRESS": "DEFLATE",
        "OVERVIEW_RESAMPLING": overviews,
        "BIGTIFF": "IF_SAFER",
        "SPARSE_OK": "YES" if sparse else "NO",
    }
    with atomic_path(target) as part:
        rasterio.shutil.copy(source, part, driver="COG", **options)
