"""Atomic writes: a file that exists is whole."""

import fcntl
import hashlib
import json
import logging
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

_log = logging.getLogger(__name__)


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
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                _log.warning(
                    "another process is at work in %s, left by a run that was killed? Waiting for "
                    "it; stop it to go on from where it is",
                    folder,
                )
                fcntl.flock(lock, fcntl.LOCK_EX)
            # Whoever had the lock may have removed the folder: then this is no lock any more.
            if path.exists() and path.stat().st_ino == os.fstat(lock.fileno()).st_ino:
                yield
                return


@contextmanager
def atomic_path(target: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary name beside `target`; rename it to `target` on success.

    Works for files and for directories (a Zarr store). The suffix is kept, because
    GDAL and Keras choose their format by it. If the body raises, what was written under the
    temporary name is removed and `target` stays as it was.

    Parameters
    ----------
    target : path
        The final name. Missing parent folders are made.

    Yields
    ------
    pathlib.Path
        The name to write to.
    """
    target = Path(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.stem}.{uuid.uuid4().hex[:12]}.part{target.suffix}")
    try:
        yield part
        if target.is_dir():
            shutil.rmtree(target)
        os.replace(part, target)
    finally:
        _remove(part)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


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


def read_json(path: str | os.PathLike[str]) -> Any:
    """Read a JSON file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def file_sha256(path: str | os.PathLike[str]) -> str:
    """SHA-256 of a file's bytes, hexadecimal."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
