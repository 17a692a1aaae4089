"""The files of a product, in a folder or in the archive it was delivered in."""

import os
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import IO

from fgunet.errors import ProductError
from fgunet.texts import control_characters

_IN_ARCHIVE = "/vsizip/"

LARGEST_METADATA = 1 << 23
"""Bytes of metadata that are read at most; those of real products have less than a tenth."""

_ENDINGS = (".xml", ".tif", ".jp2")

DAMAGED = (OSError, EOFError, KeyError, RuntimeError, UnicodeError, zlib.error,
           zipfile.BadZipFile)  # fmt: skip
"""What reading a damaged archive may raise."""


def is_special(path: str | os.PathLike[str]) -> bool:
    """Whether a path is there and no plain file: a folder, or a pipe that nobody fills."""
    try:
        return not stat.S_ISREG(Path(path).stat().st_mode)
    except (OSError, ValueError):
        return False


def stands_for_product(path: Path, *, packed: bool) -> bool:
    """Whether what is named like a product is to be one, broken or not.

    A folder that is named like an archive is not: the product may lie in it.
    """
    return not (packed and os.path.isdir(path))  # noqa: PTH112  raises nothing


def require_kind(path: Path, *, packed: bool) -> None:
    """Refuse what is named like a product's folder, or archive, and is none."""
    expected, fits = ("an archive", stat.S_ISREG) if packed else ("a folder", stat.S_ISDIR)
    try:
        if fits(path.stat().st_mode):
            return
        found = "it is none"
    except OSError as error:
        found = error.strerror or str(error)
    raise ProductError(
        f"{path} is named like a product; expected {expected} ({found}). Download the product "
        "again, mend the link, or take it away"
    )


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

        A folder that is named like a file of a product is among them: it is refused where it is
        read, instead of passing for a file that is not there.

        Raises
        ------
        ProductError
            If the archive or a folder cannot be read, or the archive has names that lead out of it
            or stand twice.
        """
        if self.is_archive:
            with self._open() as archive:
                names = archive.namelist()
            self._require_inside(names)
            files = [n.removesuffix("/") for n in names if n[-1:] != "/" or _is_named(n[:-1])]
            self._require_once(files)
            return tuple(sorted(files))
        return tuple(sorted(_files_below(self.path)))

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
        """A file's bytes. Raises ProductError if it cannot be read, or has too many."""
        try:
            if not self.is_archive:
                if is_special(self.path / name):
                    raise OSError("it is no plain file")
                with (self.path / name).open("rb") as file:
                    return self._whole(name, file)
            # Of a member, no more is read than the archive says.
            with self._open() as archive, archive.open(name) as file:
                return self._whole(name, file)
        except DAMAGED as error:
            raise ProductError(
                f"{name} in {self.path} cannot be read ({error}); download the product again, or "
                "take it away"
            ) from error

    def _require_inside(self, names: list[str]) -> None:
        for name in names:
            path = PurePosixPath(name)
            if path.is_absolute() or ".." in path.parts or "\\" in name or control_characters(name):
                raise ProductError(
                    f"the archive {self.path} has a file {name!r}, which leads out of it or is no "
                    "plain name; download the product again, or take it away"
                )

    def _require_once(self, names: list[str]) -> None:
        """Refuse names that stand twice: readers differ in which of the two they give."""
        seen: set[PurePosixPath] = set()
        for name in names:
            # "a//b" and "./a/b" are "a/b" to some.
            path = PurePosixPath(name)
            if path in seen:
                raise ProductError(
                    f"the archive {self.path} has the file {name!r} twice; expected it once: "
                    "download the product again, or take it away"
                )
            seen.add(path)

    def _whole(self, name: str, file: IO[bytes]) -> bytes:
        content = file.read(LARGEST_METADATA + 1)
        if len(content) > LARGEST_METADATA:
            raise ProductError(
                f"{name} in {self.path} has more than {LARGEST_METADATA} bytes, which no metadata "
                "have; download the product again, or take it away"
            )
        return content

    def _open(self) -> zipfile.ZipFile:
        try:
            return zipfile.ZipFile(self.path)
        except DAMAGED as error:
            raise ProductError(
                f"the archive {self.path} cannot be read ({error}); it may have been cut short: "
                "download the product again, or take it away"
            ) from error


def _files_below(top: Path) -> Iterator[str]:
    """Names of files; each real folder is entered once, so links may loop."""
    seen: set[str] = set()
    for folder, inner, names in os.walk(top, followlinks=True, onerror=_refuse):
        real = os.path.realpath(folder)
        if real in seen:
            inner.clear()
            continue
        seen.add(real)
        inner.sort()
        for name in (*names, *filter(_is_named, inner)):
            yield Path(folder, name).relative_to(top).as_posix()


def _is_named(name: str) -> bool:
    """Whether a name is that of a file that may be looked for."""
    return name.endswith(_ENDINGS)


def _refuse(error: OSError) -> None:
    raise ProductError(
        f"the folder {error.filename} cannot be read ({error.strerror}); let the account of the "
        "run read it and what is in it, or take the product away"
    ) from error
