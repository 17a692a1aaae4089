"""Linear interpolation in time, over valid acquisitions only."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fgunet.errors import SeriesError

NODATA = 65535
"""Value of a pixel that is never valid."""


def interpolate(
    values: NDArray[np.uint16],
    valid: NDArray[np.bool_],
    days: Sequence[int] | NDArray[np.integer[Any]],
    regular_days: Sequence[int] | NDArray[np.integer[Any]],
) -> NDArray[np.uint16]:
    """Interpolate each pixel linearly between its nearest valid acquisitions.

    On the day of a valid acquisition the result is that acquisition. Before the first valid one
    and after the last the nearest value is kept. Results are rounded to nearest, half to even,
    as if computed without error: the quotient of two whole numbers is taken in float64.

    Parameters
    ----------
    values : ndarray of uint16, shape (time, band, y, x)
        Reflectance x 10000 (0..65534) of the acquisitions; ignored where not valid.
    valid : ndarray of bool, shape (time, y, x)
        True where an acquisition is usable.
    days : sequence of int, shape (time,)
        Day of each acquisition, from any origin, strictly rising.
    regular_days : sequence of int, shape (date,)
        Days to interpolate to, same origin, any order.

    Returns
    -------
    ndarray of uint16, shape (date, band, y, x)
        Reflectance x 10000; `NODATA` at all dates and bands of a pixel that is never valid.

    Raises
    ------
    SeriesError
        If shapes do not fit, or `days` is not strictly rising.
    """
    known, targets = np.asarray(days, np.int64), np.asarray(regular_days, np.int64)
    _check(values, valid, known)
    count, n_bands, height, width = values.shape
    result = np.full((targets.size, n_bands, height * width), NODATA, np.uint16)
    # A plane (band) of one acquisition follows the other, so one index reaches all of them.
    flat = np.ascontiguousarray(values).reshape(-1)
    pixel = np.arange(height * width)
    before, after = _nearest_valid(valid.reshape(count, -1))
    never = before[-1] < 0
    for target, into in zip(targets, result, strict=True):
        left, right = _ends(before, after, int(np.searchsorted(known, target, side="right")))
        gap = np.maximum(known[right] - known[left], 1).astype(np.float64)
        elapsed = (target - known[left]).astype(np.float64)
        stride = n_bands * pixel.size
        left, right = left * stride + pixel, right * stride + pixel
        for band in range(n_bands):
            plane = flat[band * pixel.size :]
            into[band] = _between(plane[left], plane[right], elapsed, gap)
        into[:, never] = NODATA
    return result.reshape(targets.size, n_bands, height, width)


def _between(
    start: NDArray[np.uint16],
    end: NDArray[np.uint16],
    elapsed: NDArray[np.float64],
    gap: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Whole numbers on the line from `start` to `end`, `elapsed` of `gap` days along."""
    value: NDArray[np.float64] = np.subtract(end, start, dtype=np.float64)
    value *= elapsed
    value /= gap
    value += start
    np.rint(value, out=value)
    return value


def _nearest_valid(valid: NDArray[np.bool_]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """For each time and pixel the last valid time up to it (or -1), the first from it (or time).

    `valid` is (time, pixel); both results are (time, pixel).
    """
    count = len(valid)
    # Small integers: these arrays are as large as a band of the block.
    times = np.arange(count, dtype=np.int32)[:, None]
    before = np.maximum.accumulate(np.where(valid, times, np.int32(-1)), axis=0)
    after = np.minimum.accumulate(np.where(valid, times, np.int32(count))[::-1], axis=0)[::-1]
    return before, after


def _ends(
    before: NDArray[np.int32], after: NDArray[np.int32], passed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Valid times on either side of a day before which, or on which, `passed` times lie.

    Where one side has none, the other side stands for both; where none is valid, time 0.
    """
    count = len(before)
    left = before[passed - 1] if passed > 0 else np.full_like(before[0], -1)
    right = after[passed] if passed < count else np.full_like(after[0], count)
    first = np.where(left < 0, right, left)
    last = np.where(right == count, left, right)
    nothing = (left < 0) & (right == count)
    first[nothing] = last[nothing] = 0
    return first.astype(np.int64), last.astype(np.int64)


def _check(values: NDArray[np.uint16], valid: NDArray[np.bool_], days: NDArray[np.int64]) -> None:
    expected = (values.shape[0], *values.shape[2:])
    if values.ndim != 4 or valid.shape != expected or days.shape != expected[:1]:
        raise SeriesError(
            f"values {values.shape}, valid {valid.shape} and days {days.shape} do not fit: "
            "expected (time, band, y, x), (time, y, x) and (time,)"
        )
    if days.size == 0 or (np.diff(days) <= 0).any():
        raise SeriesError(
            f"days must be strictly rising and at least one, found {days.tolist()}; merge the "
            "acquisitions of a day first"
        )
