"""The files of a product, in a folder or in the archive it was delivered in."""

import os
import re
import zipfile
import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from fgunet.errors import ProductError

_IN_ARCHIVE = "/vsizip/"

DAMAGED = (OSError, EOFError, KeyError, RuntimeError, UnicodeError, zlib.error,
           zipfile.BadZipFile)  # fmt: skip
"""What reading a damaged archive may raise."""


def place_in_archive(path: str) -> tuple[str, str] | None:
    """Archive and name within it of a file as GDAL opens it, or None if it is not packed."""
    if not path.startswith(_IN_ARCHIVE):
        return None
    place = path.removeprefix(_IN_ARCHIVE)
    # A folder above the archive may be named like one.
    ends = [match.end() - 1 for match in re.finditer(r"\.zip/", place, re.IGNORECASE)]
    end = next((end for end in ends if Path(place[:end]).is_file()), ends[-1])
    return place[:end], place[end + 1 :]


@dataclass(frozen=True)
class Contents:
    """A product's folder, or its .zip, which GDAL and `read_bytes` read as it is.

    Attributes
    ----------
    path : Path
        The folder or archive.
    """

    path: Path

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of all files, sorted, with "/" between folders, from `path` on.

        Raises
        ------
        ProductError
            If the archive cannot be read.
        """
        if self.is_archive:
            with self._open() as archive:
                return tuple(sorted(n for n in archive.namelist() if not n.endswith("/")))
        found = (
            Path(folder, name).relative_to(self.path).as_posix()
            for folder, _, names in os.walk(self.path, followlinks=True)
            for name in names
        )
        return tuple(sorted(found))

    @property
    def is_archive(self) -> bool:
        """Whether the product is still packed."""
        return self.path.is_file()

    def matching(self, pattern: str) -> list[str]:
        """Names that end so: a pattern like "MASKS/*_CLM_R1.tif", "*" within one name."""
        return [name for name in self.names if PurePosixPath(name).match(pattern)]

    def gdal_path(self, name: str) -> str:
        """How GDAL opens the file of this name."""
        return (
            f"{_IN_ARCHIVE}{self.path.absolute()}/{name}"
            if self.is_archive
            else str(self.path / name)
        )

    def read_bytes(self, name: str) -> bytes:
        """A file's bytes. Raises ProductError if it cannot be read."""
        try:
            if not self.is_archive:
                return (self.path / name).read_bytes()
            with self._open() as archive:
                return archive.read(name)
        except DAMAGED as error:
            raise ProductError(
                f"{name} in {self.path} cannot be read ({error}); download the product again, or "
                "take it away"
            ) from error

    def _open(self) -> zipfile.ZipFile:
        try:
            return zipfile.ZipFile(self.path)
        except DAMAGED as error:
            raise ProductError(
                f"the archive {self.path} cannot be read ({error}); it may have been cut short: "
                "download the product again, or take it away"
            ) from error
