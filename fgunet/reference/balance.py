"""Sides drawn by chance, and mended where a class would be out of balance."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray


def draws(keys: Iterable[bytes], seed: int, purpose: str) -> NDArray[np.float64]:
    """A number from 0 to 1 for each key, of (seed, purpose, key) alone.

    Parameters
    ----------
    keys : iterable of bytes
        What draws.
    seed : int
        Seed of the run.
    purpose : str
        Draws of different purposes have nothing to do with one another.

    Returns
    -------
    numpy.ndarray
        (key,), float64, in [0, 1).
    """
    prefix = blake2b(f"{purpose} {seed} ".encode(), digest_size=8)
    raw = bytearray()
    for key in keys:
        hashed = prefix.copy()
        hashed.update(key)
        raw += hashed.digest()
    # 53 bits fit a float exactly.
    return (np.frombuffer(bytes(raw), dtype="<u8") >> np.uint64(11)) * 2.0**-53


def keys_of(numbers: NDArray[np.int64]) -> list[bytes]:
    """Numbers (n,) as keys of `draws`."""
    return [number.tobytes() for number in numbers.astype("<i8")]


@dataclass(frozen=True)
class Strata:
    """Classes in squares of ground, within which areas are balanced.

    Attributes
    ----------
    of : numpy.ndarray
        (unit,), int64: stratum of each unit, 0..n-1; -1 for a unit that keeps its side.
    dither : numpy.ndarray
        (stratum,), float64: a draw of each stratum.
    given, given_chosen : numpy.ndarray
        (stratum,), float64, m2: ground that lies in a stratum anyhow, and what of it is chosen.
    """

    of: NDArray[np.int64]
    dither: NDArray[np.float64]
    given: NDArray[np.float64]
    given_chosen: NDArray[np.float64]


def balanced(
    chosen: NDArray[np.bool_],
    area: NDArray[np.float64],
    strata: Strata,
    *,
    share: float,
    tolerance: float,
) -> NDArray[np.bool_]:
    """Change the sides of few units to bring the chosen area of each stratum near a share.

    Where a stratum is off by more than the tolerance, the largest unit that does not overshoot
    the share changes sides, then the next. Where all would overshoot, the smallest changes with a
    probability (its stratum's draw) that makes the chosen area right on average: else a class of
    one polygon a square would never be chosen. A stratum has no say in another.

    Parameters
    ----------
    chosen : numpy.ndarray
        (unit,), bool: sides by chance.
    area : numpy.ndarray
        (unit,), float64, m2.
    strata : Strata
        Where the units lie.
    share : float
        Share of a stratum's area that shall be chosen.
    tolerance : float
        Share of a stratum's area that it may be off.

    Returns
    -------
    numpy.ndarray
        (unit,), bool. Of two equal units the first one changes.
    """
    result = chosen.copy()
    free = np.flatnonzero(strata.of >= 0)
    index, size = strata.of[free], len(strata.dither)
    total = strata.given + np.bincount(index, weights=area[free], minlength=size)
    taken = np.bincount(index, weights=np.where(chosen[free], area[free], 0), minlength=size)
    excess = strata.given_chosen + taken - share * total
    order = free[np.argsort(index, kind="stable")]
    start = np.searchsorted(strata.of[order], np.arange(size + 1))
    for one in np.flatnonzero(np.abs(excess) > tolerance * total):
        members = order[start[one] : start[one + 1]]
        result[members] = _mended(
            result[members],
            area[members],
            excess=float(excess[one]),
            tolerance=tolerance * float(total[one]),
            dither=float(strata.dither[one]),
        )
    return result


def _mended(
    chosen: NDArray[np.bool_],
    area: NDArray[np.float64],
    *,
    excess: float,
    tolerance: float,
    dither: float,
) -> NDArray[np.bool_]:
    while abs(excess) > tolerance:
        overfull = np.flatnonzero(chosen == (excess > 0))
        if not overfull.size:
            break
        fitting = overfull[area[overfull] <= abs(excess)]
        if not fitting.size:
            smallest = overfull[np.argmin(area[overfull])]
            chosen[smallest] ^= dither < abs(excess) / area[smallest]
            break
        largest = fitting[np.argmax(area[fitting])]
        chosen[largest] = not chosen[largest]
        excess -= np.sign(excess) * float(area[largest])
    return chosen
