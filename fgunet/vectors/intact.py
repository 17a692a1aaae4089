"""Whether a vector file is whole, seen before GDAL reads it.

GDAL passes over some damage: a record of a shapefile that is cut off becomes a feature without
geometry, and one without its table a feature without fields.
"""

import glob
import sqlite3
import struct
from contextlib import closing
from pathlib import Path

from fgunet.errors import ReferenceDataError

LOCK_WAIT_S = 5.0
"""How long to wait for another program that writes into a GeoPackage, in seconds."""

_SQLITE = b"SQLite format 3\x00"
_MARKS = ";?!"
_AGAIN = "copy or download the file again"


def check_intact(path: Path) -> None:
    """Check that a file is as long as it says itself, and that no program holds it.

    Parameters
    ----------
    path : pathlib.Path
        A file. GeoPackages (https://www.sqlite.org/fileformat.html) and shapefiles (ESRI
        Shapefile Technical Description, 1998) are looked into, of others the length is seen.

    Raises
    ------
    ReferenceDataError
        If it is missing, empty, cut off, lacks a part or is locked, if its path would be read as
        something else, or if it or a file beside it is a pipe or a device.
    """
    _require_plain(path)
    if not path.exists():
        raise ReferenceDataError(f"there is no file {path}; correct its path in the configuration")
    _require_files(path)
    if path.is_dir():
        return
    if path.stat().st_size == 0:
        raise ReferenceDataError(f"{path} is empty (0 bytes); {_AGAIN}")
    if path.suffix.lower() == ".shp":
        _check_shapefile(path)
        return
    with path.open("rb") as file:
        header = file.read(100)
    if header.startswith(_SQLITE):
        _check_sqlite_length(path, header)
        _check_not_locked(path)


def _require_plain(path: Path) -> None:
    """Refuse a path that pyogrio would take for an address, and cut."""
    found = [mark for mark in _MARKS if mark in str(path)]
    if found:
        raise ReferenceDataError(
            f"{path} has {' and '.join(found)} in its path, which would be read as a part of an "
            "address; rename the file or folder"
        )


def _require_files(path: Path) -> None:
    """Refuse pipes and devices, which GDAL would wait for, among all that it may open.

    That is the file and what has its name and another suffix, or what is in the folder.
    """
    beside = path.parent.glob(f"{glob.escape(path.stem)}[.-]*")
    for one in (path, *sorted(path.glob("*") if path.is_dir() else beside)):
        if one.exists() and not one.is_file() and not one.is_dir():
            raise ReferenceDataError(
                f"{one} is neither a file nor a folder, and would be read with {path}; move it "
                "away, and give a file"
            )


def _check_sqlite_length(path: Path, header: bytes) -> None:
    if len(header) < 100:
        raise ReferenceDataError(f"{path} has {len(header)} bytes, a header has 100; {_AGAIN}")
    (page,) = struct.unpack(">H", header[16:18])
    changed, pages = struct.unpack(">II", header[24:32])
    (valid_for,) = struct.unpack(">I", header[92:96])
    # The count is only kept up by SQLite 3.7 and later, and lags behind a write-ahead log.
    if valid_for != changed or path.with_name(f"{path.name}-wal").exists():
        return
    expected, found = pages * (65536 if page == 1 else page), path.stat().st_size
    if found < expected:
        raise ReferenceDataError(
            f"{path} is cut off: it has {found} bytes, its header says {expected}; {_AGAIN}"
        )


def _check_not_locked(path: Path) -> None:
    try:
        with closing(sqlite3.connect(address(path), uri=True, timeout=LOCK_WAIT_S)) as database:
            database.execute("SELECT count(*) FROM sqlite_master")
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise ReferenceDataError(
                f"{path} is locked: another program has been writing into it for more than "
                f"{LOCK_WAIT_S:g} s; close that program and start again"
            ) from error
    except sqlite3.DatabaseError as error:
        raise ReferenceDataError(f"{path} is damaged: {error}; {_AGAIN}") from error


def address(path: Path) -> str:
    """What SQLite opens to read a GeoPackage and to write nothing, neither into it nor beside it.

    Of a file in the mode of a write-ahead log it would make the log, and leave it.
    """
    with path.open("rb") as file:
        mode = file.read(20)[18:]
    alone = mode == b"\x02\x02" and not path.with_name(f"{path.name}-wal").exists()
    return f"{path.absolute().as_uri()}?mode=ro{'&immutable=1' if alone else ''}"


def _check_shapefile(path: Path) -> None:
    index, table = sibling(path, ".shx"), sibling(path, ".dbf")
    for part in (path, index):
        _check_shapefile_length(part)
    records = (index.stat().st_size - 100) // 8
    with table.open("rb") as file:
        header = file.read(12)
    if len(header) < 12:
        raise ReferenceDataError(f"{table} is cut off: it has {len(header)} bytes; {_AGAIN}")
    rows, start, width = struct.unpack("<IHH", header[4:12])
    if rows != records:
        raise ReferenceDataError(
            f"{path} has {records} geometries, but {table.name} has {rows} rows; {_AGAIN}"
        )
    _check_length(table, start + rows * width)


def _check_shapefile_length(part: Path) -> None:
    with part.open("rb") as file:
        header = file.read(100)
    if len(header) < 100:
        raise ReferenceDataError(
            f"{part} is cut off: it has {len(header)} bytes, a header has 100; {_AGAIN}"
        )
    # Lengths are counted in words of two bytes.
    _check_length(part, 2 * struct.unpack(">i", header[24:28])[0])


def _check_length(part: Path, expected: int) -> None:
    found = part.stat().st_size
    if found < expected:
        raise ReferenceDataError(
            f"{part} is cut off: it has {found} bytes, its header says {expected}; {_AGAIN}"
        )


def sibling(path: Path, suffix: str) -> Path:
    """The part of a shapefile with another suffix, in small or capital letters.

    Raises
    ------
    ReferenceDataError
        If it is missing.
    """
    for candidate in (path.with_suffix(suffix), path.with_suffix(suffix.upper())):
        if candidate.is_file():
            return candidate
    raise ReferenceDataError(
        f"{path} has no {suffix} file beside it; a shapefile is .shp, .shx and .dbf together, "
        "copy all of them"
    )
