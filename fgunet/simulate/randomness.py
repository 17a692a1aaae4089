"""Random numbers that depend on names and places, never on the order of the work."""

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri


def generator(seed: int, *labels: str) -> np.random.Generator:
    """A random generator of its own for each seed and each list of labels."""
    digest = hashlib.blake2b("\x1f".join(labels).encode(), digest_size=16).digest()
    words = np.frombuffer(digest, dtype="<u4").tolist()
    return np.random.default_rng([seed, *words])


def hashed_uniforms(ids: NDArray[np.integer[Any]], salt: int) -> NDArray[np.float64]:
    """A number in (0, 1) for each identifier: the same identifier and salt, the same number.

    Parameters
    ----------
    ids : array of int, any shape
        Identifiers, 0 or more.
    salt : int
        Tells apart several numbers drawn for one identifier.

    Notes
    -----
    The mixer is splitmix64 (Steele, Lea and Flood 2014, doi 10.1145/2660193.2660195).
    """
    with np.errstate(over="ignore"):
        state = ids.astype(np.uint64) + np.uint64(salt) * np.uint64(0xD1342543DE82EF95)
        state = state * np.uint64(0x9E3779B97F4A7C15) + np.uint64(0x9E3779B97F4A7C15)
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        state ^= state >> np.uint64(31)
    return ((state >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53


def hashed_normals(ids: NDArray[np.integer[Any]], salt: int) -> NDArray[np.float32]:
    """Standard normal deviates, by identifier as `hashed_uniforms`; cut at 2.5."""
    normals: NDArray[np.float64] = ndtri(hashed_uniforms(ids, salt))
    return np.clip(normals, -2.5, 2.5).astype(np.float32)
