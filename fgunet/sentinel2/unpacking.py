"""Unpacking the files of archives that are to be read by blocks.

A packed file can only be read from its beginning; read by blocks in place, it would be unpacked
again for each of them. One that was stored as it is can be read in place. Either is read once to
its end here, and held against the archive's checksum: GDAL does not look at it.
"""

import os
import shutil
import zipfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from fgunet.errors import ProductError
from fgunet.files import atomic_path
from fgunet.grid import Grid
from fgunet.sentinel2.acquisition import Acquisition
from fgunet.sentinel2.contents import DAMAGED, place_in_archive

# Reflectance has two, overviews take a third more.
_BYTES_OF_A_PIXEL = 8
_BYTES_OF_A_HEADER = 1 << 20
_ENCRYPTED = 1
_PIECE = 1 << 20
"""How many bytes are read at once."""


@contextmanager
def unpacked(
    acquisitions: Sequence[Acquisition], folder: str | os.PathLike[str], *, threads: int = 1
) -> Iterator[list[Acquisition]]:
    """Give acquisitions whose files can be read by blocks, unpacked where needed.

    Every file in an archive is held against its CRC-32 before, one that is not packed too.

    Parameters
    ----------
    acquisitions : sequence of Acquisition
        Acquisitions, some of which may lie in archives.
    folder : path
        Where packed files are unpacked to. It is removed at the end, unless the body raises; what
        an earlier process left there is used. It needs the space of the unpacked bands and masks.
    threads : int
        How many acquisitions are unpacked at once.

    Yields
    ------
    list of Acquisition
        The same, with other paths.

    Raises
    ------
    ProductError
        If an archive cannot be read, or a file in it has another checksum or would be far larger
        than its image.
    """
    with ThreadPoolExecutor(threads) as pool:
        ready = list(pool.map(lambda a: _unpacked(a, Path(folder)), acquisitions))
    yield ready
    shutil.rmtree(folder, ignore_errors=True)


def require_unpackable(path: str, grid: Grid) -> None:
    """Refuse a file that could not be unpacked; one that is not packed passes.

    Parameters
    ----------
    path : str
        File of an acquisition, as GDAL opens it.
    grid : Grid
        The acquisition's 10 m grid.

    Raises
    ------
    ProductError
        If its archive cannot be read, or it is encrypted or far larger than its image.
    """
    place = place_in_archive(path)
    if place:
        with _member(*place, grid):
            pass


def _unpacked(acquisition: Acquisition, folder: Path) -> Acquisition:
    place, grid = folder / acquisition.product, acquisition.grid
    if place.parent != folder or place.name in ("", ".", ".."):
        raise ProductError(
            f"the product {acquisition.product!r} is named like a path; expected a plain name. "
            "Give it one, or take it away"
        )
    return replace(
        acquisition,
        bands={name: _unpack(path, place, grid) for name, path in acquisition.bands.items()},
        masks={name: _unpack(path, place, grid) for name, path in acquisition.masks.items()},
    )


def _unpack(path: str, folder: Path, grid: Grid) -> str:
    """The path of a file that can be read by blocks: unpacked, or as it is."""
    place = place_in_archive(path)
    if place is None:
        return path
    with _member(*place, grid) as (archive, about):
        if about.compress_type == zipfile.ZIP_STORED:
            with archive.open(about) as stored:
                # At its end, the checksum is compared.
                while stored.read(_PIECE):
                    pass
            return path
        # The checksum in its name tells a file from that of another archive.
        target = folder / f"{about.CRC:08x}_{Path(about.filename).name}"
        if not target.exists() or target.stat().st_size != about.file_size:
            with (
                archive.open(about) as packed,
                atomic_path(target) as part,
                part.open("wb") as whole,
            ):
                shutil.copyfileobj(packed, whole, _PIECE)
    return str(target)


@contextmanager
def _member(
    archive_path: str, name: str, grid: Grid
) -> Iterator[tuple[zipfile.ZipFile, zipfile.ZipInfo]]:
    """An archive and what it says of a member that may be unpacked."""
    try:
        with zipfile.ZipFile(archive_path) as archive:
            about = archive.getinfo(name)
            _require_plausible(about, archive_path, grid)
            yield archive, about
    except DAMAGED as error:
        # What the disk does not allow is no fault of the product.
        if isinstance(error, OSError) and error.filename != archive_path:
            raise
        raise ProductError(
            f"{name} in {archive_path} cannot be unpacked ({error}); download the product again, "
            "or take it away"
        ) from error


def _require_plausible(about: zipfile.ZipInfo, archive: str, grid: Grid) -> None:
    """Refuse a file that is locked, or would fill the disk.

    No more is unpacked than the archive says.
    """
    if about.flag_bits & _ENCRYPTED:
        raise ProductError(
            f"{about.filename} in {archive} is encrypted; unpack the archive, or take it away"
        )
    most = _BYTES_OF_A_PIXEL * grid.height * grid.width + _BYTES_OF_A_HEADER
    if about.file_size > most:
        raise ProductError(
            f"{about.filename} in {archive} would have {about.file_size} bytes; an image of "
            f"{grid.height} x {grid.width} pixels has {most} at most. Download the product again, "
            "or take it away"
        )
