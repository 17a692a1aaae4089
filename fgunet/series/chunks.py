"""Reading windows of a series chunk by chunk.

The zarr library reads any array in any layout, and takes twice the processor's time for it. Here
the one layout that is written is read: chunks of all dates and bands, packed by Blosc, with a
checksum each, in shards.

Format: https://zarr-specs.readthedocs.io/en/latest/v3/codecs/sharding-indexed/index.html
"""

import math
import os
import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

import numcodecs.blosc
import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.core.metadata.v3 import ArrayV3Metadata

from fgunet.errors import DamagedSeriesError
from fgunet.grid import Window
from fgunet.series.shards import CHECKSUM_BYTES, checksum

_ABSENT = np.iinfo(np.uint64).max
_LITTLE = {"name": "bytes", "configuration": {"endian": "little"}}

# Where a Blosc chunk says how many bytes it holds, of a block, and packed: see its README_HEADER.
_BLOSC_SIZES = struct.Struct("<4x3I")


@dataclass(frozen=True)
class ChunkReader:
    """Reads windows of an array (..., y, x) of uint16; it can be used by several threads.

    Attributes
    ----------
    folder : Path
        Folder of the array.
    metadata : ArrayV3Metadata
        What Zarr says of it.
    leading : tuple of int
        Its dimensions before y and x.
    chunk, shard : tuple of int
        Rows and columns of a chunk and of a shard, in pixels; both hold all of `leading`.
    fill : int
        Value of pixels that no file holds.
    whole : bool
        Whether there is a file for each shard: then one that is missing is damage.
    """

    folder: Path
    metadata: ArrayV3Metadata
    leading: tuple[int, ...]
    chunk: tuple[int, int]
    shard: tuple[int, int]
    fill: int
    whole: bool

    @classmethod
    def of(cls, folder: Path, array: zarr.Array[Any], *, whole: bool = False) -> Self | None:
        """A reader of `array`, which lies in `folder`; None if its layout is another one."""
        metadata = array.metadata
        if not isinstance(metadata, ArrayV3Metadata) or not _is_known(metadata.to_dict()):
            return None
        chunk, shard, leading = array.chunks, array.shards or (), array.shape[:-2]
        if chunk[:-2] != leading or shard[:-2] != leading:
            return None
        sides = (chunk[-2], chunk[-1]), (shard[-2], shard[-1])
        return cls(folder, metadata, leading, *sides, int(metadata.fill_value), whole)

    def read(self, window: Window) -> NDArray[np.uint16]:
        """The pixels (..., y, x) uint16 of a window inside the array.

        Raises
        ------
        DamagedSeriesError
            If a file is damaged.
        OSError
            If it cannot be read.
        """
        out = np.empty((*self.leading, *window.shape), np.uint16)
        shape = (*self.leading, *self.chunk)
        chunk = _MEMORY.bytes("chunk", 2 * math.prod(shape)).view("<u2").reshape(shape)
        for row, col, part in _cells(window, self.shard):
            with _opened(self._path(row, col)) as shard:
                if shard is None and self.whole:
                    raise damaged(self._path(row, col), "it is missing")
                for down, across, piece in _cells(part, self.chunk):
                    target = out[(..., *piece.relative_to(window).slices)]
                    place = self._place(down, across)
                    if shard is None or not shard.unpack(place, self._chunks_per_shard, chunk):
                        target[...] = self.fill
                    else:
                        whole = Window(down * self.chunk[0], across * self.chunk[1], *self.chunk)
                        target[...] = chunk[(..., *piece.relative_to(whole).slices)]
        return out

    @property
    def _chunks_per_shard(self) -> int:
        return self.shard[0] // self.chunk[0] * (self.shard[1] // self.chunk[1])

    def _path(self, row: int, col: int) -> Path:
        """The file of a shard."""
        return self.folder / self.metadata.encode_chunk_key((*(0 for _ in self.leading), row, col))

    def _place(self, row: int, col: int) -> int:
        """The number of a chunk within its shard."""
        rows, cols = (whole // side for whole, side in zip(self.shard, self.chunk, strict=True))
        return row % rows * cols + col % cols


@dataclass(frozen=True)
class _Shard:
    """An open file of chunks; two are equal if they are one file, not changed in between."""

    identity: tuple[int, ...]
    path: Path = field(compare=False)
    file: int = field(compare=False)

    def unpack(self, place: int, count: int, into: NDArray[np.uint16]) -> bool:
        """Fill `into` with the chunk at a place, of `count`; False if the shard has none there."""
        start, length = _index(self, count)[place].tolist()
        if start == _ABSENT:
            return False
        held = _MEMORY.bytes("packed", length)
        found = os.preadv(self.file, [held.data], start)
        packed, told = held[:-CHECKSUM_BYTES], held[-CHECKSUM_BYTES:].tobytes()
        try:
            if found != length or checksum(packed) != told:
                raise ValueError("it is not what was written")
            unpacked, _, size = _BLOSC_SIZES.unpack_from(packed.data)
            if (unpacked, size) != (into.nbytes, packed.size):
                raise ValueError(f"{unpacked} bytes in {size}, not {into.nbytes} in {packed.size}")
            numcodecs.blosc.decompress(packed, into)
        except (RuntimeError, ValueError, struct.error) as error:
            raise self.damaged(f"chunk {place} ({error})") from error
        return True

    def damaged(self, what: str) -> DamagedSeriesError:
        """The error that tells of it; what is read next comes from the disk, not from memory."""
        os.posix_fadvise(self.file, 0, 0, os.POSIX_FADV_DONTNEED)
        return damaged(self.path, what)


def damaged(path: Path, what: str) -> DamagedSeriesError:
    """The error that tells of a damaged file."""
    return DamagedSeriesError(
        f"{path} is damaged: {what}; remove the series and make it anew with the rule stack_series"
    )


class _Memory(threading.local):
    """Bytes that each thread uses again: memory from the system costs as much as filling it."""

    def __init__(self) -> None:
        self._held: dict[str, NDArray[np.uint8]] = {}

    def bytes(self, name: str, size: int) -> NDArray[np.uint8]:
        """Bytes of any content; those of this name that were given before are void."""
        if name not in self._held or self._held[name].size < size:
            self._held[name] = np.empty(size, np.uint8)
        return self._held[name][:size]


_MEMORY = _Memory()


# Some 4 kB a shard; a network file system takes as long for an index as for a chunk.
@lru_cache(maxsize=2048)
def _index(shard: _Shard, count: int) -> NDArray[np.uint64]:
    """Start and length in the file, in bytes, of each chunk (chunk, 2) uint64."""
    length = count * 16 + CHECKSUM_BYTES
    *_, size, _ = shard.identity
    found = os.pread(shard.file, length, max(0, size - length))
    table, told = found[:-CHECKSUM_BYTES], found[-CHECKSUM_BYTES:]
    if len(found) < length or checksum(table) != told:
        raise shard.damaged(f"the index of its chunks, in its last {length} bytes")
    return np.frombuffer(table, "<u8").reshape(count, 2)


@contextmanager
def _opened(path: Path) -> Iterator[_Shard | None]:
    """The file of a shard, opened; None if there is none."""
    try:
        file = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        yield None
        return
    try:
        told = os.fstat(file)
        identity = (told.st_dev, told.st_ino, told.st_size, told.st_mtime_ns)
        yield _Shard(identity, path, file)
    finally:
        os.close(file)


def _cells(window: Window, sides: tuple[int, int]) -> Iterator[tuple[int, int, Window]]:
    """Row, column and part of the window of each cell, of rows x columns pixels, it touches."""
    for row, top, height in _spans(window.row, window.height, sides[0]):
        for col, left, width in _spans(window.col, window.width, sides[1]):
            yield row, col, Window(top, left, height, width)


def _spans(start: int, length: int, side: int) -> Iterator[tuple[int, int, int]]:
    """Number, start and length of each part of a stretch that is cut at multiples of `side`."""
    for number in range(start // side, -(-(start + length) // side)):
        first, last = max(start, number * side), min(start + length, (number + 1) * side)
        yield number, first, last - first


def _is_known(metadata: Mapping[str, Any]) -> bool:
    """Whether an array is of uint16, in shards of chunks that Blosc packed, with checksums."""
    names = [codec["name"] for codec in metadata["codecs"]]
    if metadata["data_type"] != "uint16" or names != ["sharding_indexed"]:
        return False
    sharding = metadata["codecs"][0]["configuration"]
    packing, index = list(sharding["codecs"]), list(sharding["index_codecs"])
    return (
        sharding["index_location"] == "end"
        and index == [_LITTLE, {"name": "crc32c"}]
        and packing[0] == _LITTLE
        and [codec["name"] for codec in packing[1:]] == ["blosc", "crc32c"]
    )
