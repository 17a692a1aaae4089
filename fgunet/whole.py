"""Whether a raster was written whole, and one clear error where it was not."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil
from pathlib import Path

import rasterio
from rasterio._err import CPLE_BaseError
from rasterio.errors import RasterioError

from fgunet.errors import MapError
from fgunet.files import unwritable


@contextmanager
def failures_told(path: str | os.PathLike[str], room: int) -> Iterator[None]:
    """Make one error of what GDAL and the system say of a file that they cannot write.

    Parameters
    ----------
    path : path
        The file, as the message names it.
    room : int
        Bytes that it may take.

    Raises
    ------
    MapError
        In place of any error of GDAL or the system, with the room that there is and the remedy.
    """
    try:
        yield
    except MapError:
        raise
    except (OSError, RasterioError, CPLE_BaseError) as error:
        raise MapError(unwritable(path, _first_cause(error), room)) from error


def _first_cause(error: BaseException) -> BaseException:
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def require_whole(path: Path, *, sparse: bool = False) -> None:
    """Check that all blocks of a tiled GeoTIFF, and of its overviews, lie in the file.

    Of a disk that is full when a file is closed, GDAL tells nobody.

    Parameters
    ----------
    path : pathlib.Path
        The file, closed.
    sparse : bool
        Blocks may be left out of it.

    Raises
    ------
    OSError
        If one does not.
    """
    size = path.stat().st_size
    try:
        missing = any(
            end > size or (end == 0 and not sparse)
            for dataset in _levels(path)
            for end in _ends(dataset)
        )
    except RasterioError:
        missing = True  # the directory of the file is gone
    if missing:
        raise OSError("the end of the file is missing")


def _levels(path: Path) -> Iterator[rasterio.DatasetReader]:
    """The raster, and each of its overviews as a raster of its own."""
    with rasterio.open(path) as dataset:
        yield dataset
        overviews = len(dataset.overviews(1))
    for level in range(overviews):
        with rasterio.open(path, overview_level=level) as dataset:
            yield dataset


def _ends(dataset: rasterio.DatasetReader) -> Iterator[int]:
    """Where each block ends in the file, in bytes; 0 where it is left out."""
    for band, (height, width) in zip(dataset.indexes, dataset.block_shapes, strict=True):
        for row in range(ceil(dataset.height / height)):
            for col in range(ceil(dataset.width / width)):
                offset, length = (
                    dataset.get_tag_item(f"BLOCK_{what}_{col}_{row}", "TIFF", bidx=band)
                    for what in ("OFFSET", "SIZE")
                )
                yield int(offset) + int(length) if offset and length else 0
