"""Finding files that cannot be used before any work is done with them."""

import hashlib
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import rasterio

from fgunet.errors import ProductError
from fgunet.grid import Window
from fgunet.rasters import rasterio_window
from fgunet.sentinel2.acquisition import Acquisition
from fgunet.sentinel2.contents import is_special, place_in_archive
from fgunet.sentinel2.images import open_image, require_reflectance
from fgunet.sentinel2.manifest import Listed, listed_images
from fgunet.sentinel2.product_grid import unreadable
from fgunet.sentinel2.unpacking import require_unpackable

_log = logging.getLogger(__name__)


def require_whole(acquisition: Acquisition) -> None:
    """Hold the files of an acquisition against what reading all of their blocks takes.

    Each has one band; a packed one can be unpacked; one of reflectance has numbers of the right
    type; each has the size that a manifest states of it. The last block of each is read: writers
    lay the blocks out in order, so a download that stopped lacks it.

    Raises
    ------
    ProductError
        If a file is otherwise, or a manifest cannot be read.
    """
    listed = listed_images(acquisition)
    for path in (*acquisition.bands.values(), *acquisition.masks.values()):
        try:
            if path in listed:
                _require_size(path, listed[path])
            with open_image(path) as dataset:
                _require_one_band(path, dataset)
                if path in acquisition.bands.values():
                    require_reflectance(path, dataset.dtypes[0])
                height, width = dataset.block_shapes[0]
                row = (dataset.height - 1) // height * height
                col = (dataset.width - 1) // width * width
                last = Window(row, col, dataset.height - row, dataset.width - col)
                dataset.read(1, window=rasterio_window(last))
        except (OSError, rasterio.errors.RasterioError) as error:
            raise ProductError(unreadable(path, error)) from error
        require_unpackable(path, acquisition.grid)


def _require_one_band(path: str, dataset: rasterio.DatasetReader) -> None:
    if dataset.count != 1:
        raise ProductError(
            f"{path} has {dataset.count} bands; a file of a product has one. Download the product "
            "again, or take it away"
        )


def require_checksums(acquisitions: Sequence[Acquisition], *, threads: int = 1) -> None:
    """Hold the images of acquisitions against the sizes and checksums that manifests state.

    A decoder of JPEG 2000 goes on behind what is damaged, and gives other pixels. Each image is
    read once, by pieces. What no manifest lists passes, and is counted in the log; what lies in
    archives has a checksum there, see `fgunet.sentinel2.unpacking.unpacked`.

    Parameters
    ----------
    acquisitions : sequence of Acquisition
        What is to be read.
    threads : int
        How many acquisitions are read at once.

    Raises
    ------
    ProductError
        If an image is otherwise, or it or a manifest cannot be read.
    """
    with ThreadPoolExecutor(threads) as pool:
        agreed = sum(pool.map(_count_agreeing, acquisitions))
    paths = [path for a in acquisitions for path in (*a.bands.values(), *a.masks.values())]
    if outside := sum(place_in_archive(path) is None for path in paths):
        _log.info(
            "%d of %d images outside of archives have the checksum that their manifests state; of "
            "the others none is known",
            agreed,
            outside,
        )


def _count_agreeing(acquisition: Acquisition) -> int:
    """How many images have a checksum; all that do have theirs."""
    listed = listed_images(acquisition)
    for path, about in listed.items():
        try:
            _require_size(path, about)
            if about.algorithm:
                _require_checksum(path, about)
        except OSError as error:
            raise ProductError(unreadable(path, error)) from error
    return sum(about.algorithm != "" for about in listed.values())


def _require_size(path: str, listed: Listed) -> None:
    size = Path(path).stat().st_size
    if listed.size not in (None, size):
        raise ProductError(
            f"{path} has {size} bytes, but {listed.manifest} states {listed.size}: it was cut "
            "short or changed. Download the product again, or take it away"
        )


def _require_checksum(path: str, listed: Listed) -> None:
    if is_special(path):
        raise OSError("it is no plain file")
    with Path(path).open("rb") as file:
        found = hashlib.file_digest(
            file, lambda: hashlib.new(listed.algorithm, usedforsecurity=False)
        ).hexdigest()
    if found != listed.checksum:
        kind = listed.algorithm.upper().replace("_", "-")
        raise ProductError(
            f"{path} has the {kind} checksum {found[:12]}..., but {listed.manifest} states "
            f"{listed.checksum[:12]!r}...: it was damaged or changed. Download the product again, "
            "or take it away"
        )
