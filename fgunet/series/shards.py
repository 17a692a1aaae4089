"""Writing a shard of a Zarr 3 array chunk by chunk.

The zarr library writes a shard from one array that holds all of its pixels, uncompressed; here
chunks are packed as they are made, so that memory holds them packed, and only a few at a time.

Format: https://zarr-specs.readthedocs.io/en/latest/v3/codecs/sharding-indexed/index.html
"""

import os
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

import google_crc32c
import numcodecs.blosc
import numpy as np
from numpy.typing import NDArray

from fgunet.series.layout import compressor

CHECKSUM_BYTES = 4

_ABSENT = np.iinfo(np.uint64).max


def pack(chunk: NDArray[np.uint16]) -> bytes:
    """The bytes of a chunk as the arrays of a series hold them: packed, then their checksum.

    Parameters
    ----------
    chunk : ndarray of uint16, C-contiguous, shape (..., y, x)
        A whole chunk, filled up where it reaches beyond the array.
    """
    codec = compressor()
    shuffle = numcodecs.blosc.BITSHUFFLE
    packed: bytes = numcodecs.blosc.compress(
        np.ascontiguousarray(chunk, "<u2"), codec.cname.value.encode(), codec.clevel, shuffle
    )
    return packed + checksum(packed)


def checksum(content: bytes | NDArray[np.uint8]) -> bytes:
    """CRC-32C of bytes, as Zarr's codec of this name writes it."""
    return int(google_crc32c.value(content)).to_bytes(CHECKSUM_BYTES, "little")


class ShardFile:
    """The file of a shard under way, which appears when it is whole.

    Parameters
    ----------
    path : path
        File to write; its folder is made.
    shape : tuple of int
        How many rows and columns of chunks a shard has.
    """

    def __init__(self, path: str | os.PathLike[str], shape: tuple[int, int]) -> None:
        self._path = Path(path)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._part = self._path.with_name(f"{self._path.name}.part")
        self._index = np.full((shape[0] * shape[1], 2), _ABSENT, "<u8")
        self._place = 0
        self._file = self._part.open("wb")

    def append(self, chunks: Iterable[bytes | None]) -> None:
        """Write the next chunks by rows, packed; None is one that lies beyond the array."""
        for chunk in chunks:
            if chunk is not None:
                self._index[self._place] = self._file.tell(), len(chunk)
                self._file.write(chunk)
            self._place += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._file:
            if error is None:
                table = self._index.tobytes()
                self._file.write(table)
                self._file.write(checksum(table))
        if error is None:
            self._part.replace(self._path)
