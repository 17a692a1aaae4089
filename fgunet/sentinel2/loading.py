"""What reading many acquisitions at once takes: memory, open files, GDAL's settings."""

import resource
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from fgunet.rasters import gdal_cache
from fgunet.sentinel2.acquisition import Acquisition
from fgunet.sentinel2.bands import BANDS
from fgunet.sentinel2.images import open_image

_FILES_OF_THE_PROCESS = 200


def block_width(acquisition: Acquisition) -> int:
    """Width of the blocks that the finest file of an acquisition is cut into, in 10 m pixels."""
    name = min(acquisition.bands, key=lambda band: BANDS[band].resolution_m)
    with open_image(acquisition.bands[name]) as dataset:
        return int(dataset.block_shapes[0][1] * acquisition.grid.width // dataset.width)


def loaded_bytes_per_pixel(acquisitions: Sequence[Acquisition], bands: Sequence[str]) -> float:
    """Memory that loaded acquisitions hold for a 10 m pixel, in bytes.

    A band has two bytes for each of its own pixels, a usable pixel of 10 m or 20 m one.
    """
    stored = sum(2 * (10 / BANDS[band].resolution_m) ** 2 for band in bands)
    return len(acquisitions) * (stored + 1.25)


@contextmanager
def gdal_for_blocks() -> Iterator[None]:
    """Settings of GDAL for reading blocks that are each needed once."""
    # Nothing beside a file is looked for.
    with gdal_cache(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR"):
        yield


def may_stay_open(acquisitions: Sequence[Acquisition]) -> bool:
    """Whether the files of all acquisitions may be open at once; asks the system to allow it."""
    count = sum(len(a.bands) + len(a.masks) for a in acquisitions) + _FILES_OF_THE_PROCESS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < count <= (
        count if hard == resource.RLIM_INFINITY else hard
    ):
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))
        soft = count
    return soft == resource.RLIM_INFINITY or soft >= count
