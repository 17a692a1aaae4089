"""Atomic writes: a file that exists is whole."""

import errno
import fcntl
import hashlib
import json
import logging
import os
import re
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from math import ceil
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from fgunet.errors import FgunetError, ResultError, WriteError

if TYPE_CHECKING:
    import pandas as pd

_log = logging.getLogger(__name__)

_NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS)
_PART = re.compile(r"\..*\.[0-9a-f]{12}\.part(\W.*)?")
_PROBE = bytes(2**20)


def lock(file: IO[Any], *, wait: bool = False) -> bool:
    """Keep other processes from locking an open file; the kernel lets go when this one ends.

    Returns
    -------
    bool
        False where the file system has no locks, which is logged.

    Raises
    ------
    BlockingIOError
        If another process has the lock, and it is not to be waited for.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        _log.warning(
            "%s: this file system has no locks (%s); see to it that nothing else is at work here",
            file.name,
            error.strerror,
        )
        return False
    return True


@contextmanager
def alone_in(folder: str | os.PathLike[str]) -> Iterator[None]:
    """Wait until no other process is at work in `folder`, and keep others out.

    A workflow that was killed may leave a job running; what starts it again waits here. The
    kernel lets go of the lock when its process ends.
    """
    with _locked(Path(folder)):
        yield


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    path = folder / ".lock"
    while True:
        with write_failures_told(path):
            folder.mkdir(parents=True, exist_ok=True)
            file = path.open("w")
        with file:
            try:
                lock(file)
            except BlockingIOError:
                _log.warning(
                    "another process is at work in %s, left by a run that was killed? Waiting for "
                    "it; stop it to go on from where it is",
                    folder,
                )
                lock(file, wait=True)
            # Whoever had the lock may have removed the folder: then this is no lock any more.
            if path.exists() and path.stat().st_ino == os.fstat(file.fileno()).st_ino:
                yield
                return


@contextmanager
def atomic_path(target: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary name beside `target`; rename it to `target` on success.

    Works for files and for directories (a Zarr store). The suffix is kept, because
    GDAL and Keras choose their format by it. If the body raises, what was written under the
    temporary name is removed and `target` stays as it was. What a killed process leaves is known
    by its name (`is_part`).

    Parameters
    ----------
    target : path
        The final name. Missing parent folders are made.

    Yields
    ------
    pathlib.Path
        The name to write to.

    Raises
    ------
    WriteError
        If the disk is full, or may not be written to.
    """
    target = Path(target)
    part = _part_of(target)
    try:
        with write_failures_told(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            yield part
            if target.is_dir():
                remove_folder(target)
            os.replace(part, target)
    except BaseException:
        _remove_part(part)
        raise


@contextmanager
def scratch_beside(target: str | os.PathLike[str]) -> Iterator[Path]:
    """A folder beside `target`, for what is needed until the body ends.

    Raises
    ------
    WriteError
        If the disk is full, or may not be written to.
    """
    folder = _part_of(Path(target))
    try:
        with write_failures_told(target):
            folder.mkdir(parents=True)
            yield folder
    finally:
        _remove_part(folder)


def remove_folder(folder: str | os.PathLike[str]) -> None:
    """Remove a folder that nobody shall see half removed: it loses its name first."""
    aside = _part_of(Path(folder))
    os.replace(folder, aside)
    _remove_part(aside)


def is_part(name: str) -> bool:
    """Whether a file or folder of this name is one that is being written, or was when killed."""
    return _PART.fullmatch(name) is not None


def _part_of(target: Path) -> Path:
    return target.with_name(f".{target.stem}.{uuid.uuid4().hex[:12]}.part{target.suffix}")


def _remove_part(part: Path) -> None:
    """Remove it and what libraries put beside it (journals, overviews), as far as one may."""
    with suppress(OSError):
        for entry in os.scandir(part.parent):
            if entry.name.startswith(part.name):
                remove(entry.path)


def remove(path: str | os.PathLike[str]) -> None:
    """Remove a file, or a folder as far as one may.

    Raises
    ------
    OSError
        If a file cannot be removed.
    """
    path = Path(path)
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def write_failures_told(target: str | os.PathLike[str]) -> Iterator[None]:
    """Make one error of whatever the body raises where a full or closed disk is the reason.

    Libraries say so in their own ways, and some only that something failed: then the disk is
    asked.

    Raises
    ------
    WriteError
        In place of any error but one of this library, if `target` cannot be written.
    """
    try:
        yield
    except FgunetError:
        raise
    except Exception as error:
        cause = _refusal(Path(target), error)
        if cause is None:
            raise
        raise WriteError(unwritable(target, cause)) from error


def unwritable(
    path: str | os.PathLike[str], cause: BaseException | str, room: int | None = None
) -> str:
    """What to tell of a file that cannot be written: the cause, the room and the remedy.

    Parameters
    ----------
    path : path
        The file.
    cause : exception or str
        What was said of it.
    room : int, optional
        Bytes that it may take.
    """
    folder = next(folder for folder in Path(path).absolute().parents if folder.is_dir())
    free = shutil.disk_usage(folder).free
    need = "" if room is None else f"It may take {ceil(room / 1e6):,} MB, and "
    return (
        f"{path} cannot be written: {_said(cause)}. {need}{free // 10**6:,} MB are free in "
        f"{folder}: make room there, or make sure that you may write there, and start again"
    )


def _said(cause: BaseException | str) -> str:
    """A cause in the system's words where it has any, without temporary names."""
    if not isinstance(cause, OSError) or cause.errno is None:
        return str(cause)
    said = os.strerror(cause.errno)
    named = cause.filename and not is_part(Path(os.fsdecode(cause.filename)).name)
    return f"{said} ({os.fsdecode(cause.filename)})" if named else said


def _refusal(target: Path, error: Exception) -> Exception | None:
    """Why the disk does not take `target`; None if it would."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
        return error
    probe = _part_of(target)
    try:
        probe.parent.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(_PROBE)
    except OSError as refused:
        return refused
    finally:
        with suppress(OSError):
            probe.unlink(missing_ok=True)
    return None


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write `text` as UTF-8, atomically."""
    with atomic_path(path) as part:
        part.write_text(text, encoding="utf-8")


def write_json(path: str | os.PathLike[str], value: Any) -> None:
    """Write `value` as indented JSON with sorted keys, atomically.

    Raises
    ------
    ValueError
        If `value` holds NaN or infinity, which JSON cannot say; write None instead.
    """
    write_text(path, json.dumps(value, indent=1, sort_keys=True, allow_nan=False) + "\n")


def write_csv(path: str | os.PathLike[str], table: "pd.DataFrame") -> None:
    """Write a table as CSV without its index, atomically."""
    with atomic_path(path) as part:
        table.to_csv(part, index=False)


MAKE_ANEW = "remove it, and the same command makes it anew"
"""The remedy for a result that is damaged or lies in another's place."""


def read_json(path: str | os.PathLike[str], **expected: str) -> Any:
    """Read a JSON file, a result of the run.

    Parameters
    ----------
    path : path
        The file.
    **expected : str
        What it must tell of itself (``tile="T31TCJ"``); then it holds an object.

    Raises
    ------
    ResultError
        If it is no JSON, or tells something else.
    """
    try:
        value = json.loads(Path(path).read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ResultError(f"{path} is damaged ({error}): {MAKE_ANEW}") from error
    require_told(path, value if isinstance(value, dict) else {}, **expected)
    return value


def require_told(path: str | os.PathLike[str], told: Mapping[str, Any], **expected: str) -> None:
    """Check what a result tells of itself. Raises ResultError where it is something else."""
    for key, value in expected.items():
        if told.get(key) != value:
            raise ResultError(
                f"{path} is of {key} {told.get(key, 'unknown')}, expected {value}: {MAKE_ANEW}"
            )


def file_sha256(path: str | os.PathLike[str]) -> str:
    """SHA-256 of a file's bytes, hexadecimal."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
