"""File systems that are small, full or closed; they take root."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

PAGE = 4096


def _mount(*arguments: str) -> None:
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"nothing can be mounted here (it takes root): {done.stderr.strip()}")


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[None]:
    """A file system of its own at `folder`."""
    _mount("-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder))
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def closed_to_writing(folder: Path) -> Iterator[None]:
    """While the body runs, nothing below `folder` can be written."""
    _mount("--bind", str(folder), str(folder))
    try:
        _mount("-o", "remount,ro,bind", str(folder))
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


class Filler:
    """A file beside a run that takes the room on its disk."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "filler"

    def fill(self, *, pages_left: int) -> None:
        """Take all room but so many pages of 4 kB."""
        with self._path.open("ab", buffering=0) as file, suppress(OSError):
            while file.write(bytes(256 * PAGE)):
                pass
        size = self._path.stat().st_size // PAGE * PAGE
        os.truncate(self._path, max(0, size - pages_left * PAGE))

    def remove(self) -> None:
        """Make room again."""
        self._path.unlink(missing_ok=True)
