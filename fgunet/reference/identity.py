"""Identifiers of polygons that depend on the polygon alone.

A polygon's number is a hash of its source's name, its source code, the geometry of its feature
as the source holds it, and the place of the part within the feature. It depends neither on the
order of rows nor on tiles, and on other polygons only where two 32-bit numbers collide.
"""

from collections.abc import Iterable, Sequence
from hashlib import blake2b

import numpy as np
import shapely
from numpy.typing import NDArray

_KEY_BYTES = 16


def _digest(parts: Iterable[bytes]) -> bytes:
    hashed = blake2b(digest_size=_KEY_BYTES)
    for part in parts:
        # The length goes in too: ("ab", "c") is not ("a", "bc").
        hashed.update(len(part).to_bytes(8, "little"))
        hashed.update(part)
    return hashed.digest()


def feature_keys(
    source: str, values: NDArray[np.object_], geometries: NDArray[np.object_]
) -> NDArray[np.object_]:
    """Keys of the features of a source.

    Parameters
    ----------
    source : str
        Name of the source.
    values : numpy.ndarray
        (feature,), object: source codes (str or None).
    geometries : numpy.ndarray
        (feature,), object: normalised geometries in the coordinates of the source.

    Returns
    -------
    numpy.ndarray
        (feature,), object: bytes. Equal where name, value and geometry are.
    """
    coordinates = shapely.to_wkb(geometries, byte_order=1)
    keys = np.empty(len(geometries), dtype=object)
    for i, (value, wkb) in enumerate(zip(values, coordinates, strict=True)):
        keys[i] = _digest([source.encode(), str(value or "").encode(), wkb])
    return keys


def part_keys(features: NDArray[np.object_], numbers: NDArray[np.int64]) -> NDArray[np.object_]:
    """Keys of parts: `features` (part,) bytes, `numbers` (part,) place within the feature."""
    keys = np.empty(len(features), dtype=object)
    for i, (feature, number) in enumerate(zip(features, numbers, strict=True)):
        keys[i] = _digest([feature, int(number).to_bytes(8, "little")])
    return keys


def key_numbers(keys: NDArray[np.object_]) -> NDArray[np.int64]:
    """The first 63 bits of keys (n,) bytes, as numbers (n,); two of ten million hardly meet."""
    first = _words(keys)[:, 0] & np.uint64(2**63 - 1)
    return first.astype(np.int64)


def _words(keys: Sequence[bytes] | NDArray[np.object_]) -> NDArray[np.uint64]:
    """Keys of 16 bytes as (key, 2) numbers."""
    return np.frombuffer(b"".join(keys), dtype="<u8").reshape(-1, 2)


def stable_ids(
    keys: Sequence[bytes] | NDArray[np.object_], *, bits: int = 32
) -> tuple[NDArray[np.int64], int]:
    """Distinct numbers from 1 to 2^bits - 1, one a key.

    Parameters
    ----------
    keys : sequence of bytes
        Distinct keys of 16 bytes, in any order.
    bits : int
        Width of the numbers.

    Returns
    -------
    ids : numpy.ndarray
        (key,), int64. A number is the start of its key. Where several are equal the smallest key
        keeps it, and the others are hashed again until their number is free.
    collided : int
        How many keys were hashed again: their numbers depend on other keys. Of a million in 32
        bits these are about 116.

    Raises
    ------
    ValueError
        If keys repeat, or do not fit in so many bits.
    """
    words = _words(keys).astype("<u8")
    # Big-endian words compare as the bytes do.
    order = np.lexsort((words[:, 1].byteswap(), words[:, 0].byteswap()))
    repeated = (words[order[1:]] == words[order[:-1]]).all(axis=1).any()
    if repeated or len(keys) >= 2**bits:
        raise ValueError(f"{len(keys)} keys cannot have distinct numbers of {bits} bits")
    ids = (words[:, 0] & np.uint64(2**bits - 1)).astype(np.int64)
    _, first = np.unique(ids[order], return_index=True)
    again = np.ones(len(keys), dtype=bool)
    again[order[first]] = False
    again |= ids == 0
    taken = {0, *ids[~again].tolist()} if again.any() else set()
    waiting = [(bytes(keys[i]), bytes(keys[i]), int(i)) for i in np.flatnonzero(again)]
    while waiting:
        rehashed = []
        for key, current, i in sorted(waiting):
            digest = _digest([current])
            number = int.from_bytes(digest[:8], "little") & (2**bits - 1)
            if number in taken:
                rehashed.append((key, digest, i))
            else:
                taken.add(number)
                ids[i] = number
        waiting = rehashed
    return ids, int(again.sum())
