"""Rasters that stay open for many small reads, as many as a process may well have open."""

import os
from functools import lru_cache
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from fgunet.grid import Window
from fgunet.rasters import OpenBand

OPEN_RASTERS = 128
"""Rasters that stay open in each thread; a process may often open 1024 files, no more."""


def read_open(path: str | os.PathLike[str], window: Window) -> NDArray[Any]:
    """Read a window (y, x) of a raster's first band, in its own dtype.

    The files used last stay open, each once for a thread. A file that was replaced is opened
    again.

    Raises
    ------
    GridError
        If the window leaves the raster.
    """
    told = Path(path).stat()
    return _opened(os.fspath(path), told.st_ino, told.st_size, told.st_mtime_ns).read(window)


@lru_cache(maxsize=OPEN_RASTERS)
def _opened(path: str, *_identity: int) -> OpenBand:
    return OpenBand(path)
