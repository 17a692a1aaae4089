"""Class maps and confidences as Cloud Optimized GeoTIFF."""

import os
import tempfile
from collections.abc import Callable, Iterator
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
    with tempfile.TemporaryDirectory() as folder:
        tiled = Path(folder, "class.tif"), Path(folder, "confidence.tif")
        with (
            create_raster(
                tiled[0], grid, "uint8", NODATA_CODE, colours=nomenclature.colours
            ) as write_class,
            create_raster(tiled[1], grid, "uint8", NODATA_CONFIDENCE) as write_confidence,
        ):

            def write(
                window: Window, codes: NDArray[np.uint8], confidence: NDArray[np.uint8]
            ) -> None:
                write_class(window, codes)
                write_confidence(window, confidence)

            yield write
        set_tags(tiled[0], class_tags(nomenclature))
        set_tags(tiled[1], {"nomenclature": nomenclature.name, "unit": "percent"})
        write_cog(tiled[0], path_to_class, overviews="MODE", block=BLOCK)
        write_cog(tiled[1], path_to_confidence, overviews="NEAREST", block=BLOCK)


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
