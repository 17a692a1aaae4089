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


def stable_ids(keys: Sequence[bytes] | NDArray[np.object_], *, bits: int = 32) -> NDArray[np.int64]:
    """Distinct numbers from 1 to 2^bits - 1, one a key.

    Parameters
    ----------
    keys : sequence of bytes
        Distinct keys, in any order.
    bits : int
        Width of the numbers.

    Returns
    -------
    numpy.ndarray
        (key,), int64. A number is the start of its key. Where two are equal the smaller key
        keeps it, and the other is hashed again until its number is free.

    Raises
    ------
    ValueError
        If keys repeat, or do not fit in so many bits.
    """
    if len(set(keys)) != len(keys) or len(keys) >= 2**bits:
        raise ValueError(f"{len(keys)} keys cannot have distinct numbers of {bits} bits")
    ids = np.zeros(len(keys), dtype=np.int64)
    taken = {0}
    waiting = [(bytes(keys[i]), bytes(keys[i]), i) for i in range(len(keys))]
    while waiting:
        again = []
        for key, current, i in sorted(waiting):
            number = int.from_bytes(current[:4], "little") & (2**bits - 1)
            if number in taken:
                again.append((key, _digest([current]), i))
            else:
                taken.add(number)
                ids[i] = number
        waiting = again
    return ids
