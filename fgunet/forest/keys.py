"""Random keys of pixels: the same pixel has the same key, whoever computes it, in any order."""

import hashlib

import numpy as np
from numpy.typing import ArrayLike, NDArray

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


def pixel_keys(seed: int, tile: str, rows: ArrayLike, cols: ArrayLike) -> NDArray[np.uint64]:
    """Uniform 64-bit numbers that depend on the seed, the tile and the pixel alone.

    The pixels with the k smallest keys are therefore a uniform sample of k, and samples of
    parts (windows, tiles) merge: the k smallest of both are the k smallest of the whole.

    Parameters
    ----------
    seed : int
        Seed of the run.
    tile : str
        Name of the tile.
    rows, cols : array_like of int
        Pixels, any shape, 0 to 2**32 - 1.

    Returns
    -------
    ndarray of uint64, shape of `rows`
        Keys; distinct within a tile.

    Notes
    -----
    SplitMix64 (Steele, Lea and Flood 2014, doi 10.1145/2660193.2660195) as a counter-based
    generator: the finaliser is a bijection of the 64 bits of (row, column).
    """
    name = hashlib.blake2b(f"{seed} {tile}".encode(), digest_size=8).digest()
    start = np.uint64(int.from_bytes(name, "little"))
    pixel = (np.asarray(rows, dtype=np.uint64) << np.uint64(32)) | np.asarray(cols, np.uint64)
    # Mixed before and after the name comes in: tiles must not share an order of pixels.
    return _mixed(_mixed(pixel) ^ start)


def _mixed(value: NDArray[np.uint64]) -> NDArray[np.uint64]:
    with np.errstate(over="ignore"):
        value = value + _GOLDEN
        value = (value ^ (value >> np.uint64(30))) * _MIX_1
        value = (value ^ (value >> np.uint64(27))) * _MIX_2
    return value ^ (value >> np.uint64(31))
