"""From stored numbers of 10 m and 20 m pixels to reflectance x 10000 of 10 m pixels."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fgunet.compiled import compiled
from fgunet.errors import GridError

MAXIMUM = 65534
"""Greatest reflectance x 10000 that is kept; 65535 says nodata in a series."""

_WHOLE = 2.0**23


def repeat(values: NDArray[Any]) -> NDArray[Any]:
    """Each pixel of (y, x) four times, as (2 y, 2 x): nearest neighbour with aligned edges."""
    return values.repeat(2, axis=0).repeat(2, axis=1)


class Calibration(NamedTuple):
    """What stored numbers mean.

    Attributes
    ----------
    gain, shift : float
        Reflectance x 10000 is ``stored * gain + shift``; both are rounded to float32.
    nodata : int or None
        Stored number of a pixel without measurement; None if all count.
    """

    gain: float = 1.0
    shift: float = 0.0
    nodata: int | None = None


class Stored(NamedTuple):
    """Stored numbers of a band and what they mean, of one kind for all products.

    Made by `stored_numbers`. A number is ``(bits ^ flip) - bias``; `nodata` is its bits, or -1.
    """

    bits: NDArray[np.uint16]
    flip: np.int32
    bias: np.int32
    nodata: np.int32
    gain: np.float32
    shift: np.float32


def stored_numbers(stored: NDArray[Any], calibration: Calibration) -> Stored:
    """Stored numbers as `refine` and `rescale` take them; no copy is made.

    Parameters
    ----------
    stored : ndarray of int16 or uint16, shape (y, x), C-contiguous
        Stored numbers.
    calibration : Calibration
        What they mean.

    Raises
    ------
    GridError
        If `stored` is of another kind.
    """
    if stored.ndim != 2 or stored.dtype not in (np.int16, np.uint16):
        raise GridError(f"stored is {stored.dtype} {stored.shape}; expected 16-bit numbers (y, x)")
    sign = np.int32(0x8000 if stored.dtype == np.int16 else 0)
    gain, shift, nodata = calibration
    limits = np.iinfo(stored.dtype)
    storable = nodata is not None and limits.min <= nodata <= limits.max
    return Stored(
        _unwritable(stored).view(np.uint16),
        sign,
        sign,
        np.int32(int(nodata) & 0xFFFF if nodata is not None and storable else -1),
        np.float32(gain),
        np.float32(shift),
    )


def refine(
    stored: Stored,
    usable: NDArray[np.bool_],
    row: int,
    col: int,
    *,
    valid: NDArray[np.bool_],
    out: NDArray[np.uint16],
) -> None:
    """Bilinear interpolation to pixels half as large, pixel edges aligned, over usable pixels only.

    The centre of a fine pixel lies a quarter of a coarse pixel from the centre of its own, so the
    weights are 9/16 for its own pixel, 3/16 for two neighbours and 1/16 for the diagonal one.
    Pixels that are not usable or outside get no weight, and the rest are scaled to sum to one.
    The weighted sum is exact in float32.

    Fine pixel (R, C), counted from the upper left corner of `stored`, belongs to coarse pixel
    (R // 2, C // 2). With a margin of one coarse pixel around those of the window, or the tile's
    edge, a pixel does not depend on the window.

    Parameters
    ----------
    stored : Stored
        Stored numbers (coarse y, coarse x).
    usable : ndarray of bool, shape (coarse y, coarse x)
        True where a coarse pixel may be used if it has data.
    row, col : int
        Fine pixel of `stored` that is the first of `out`.
    valid : ndarray of bool, shape (y, x), C-contiguous
        Becomes False where a pixel's own coarse pixel is not usable or has no data.
    out : ndarray of uint16, shape (y, x), C-contiguous
        Is filled with reflectance x 10000, rounded to nearest (half to even) and clipped to
        0..65534; anything may stand where `valid` is False.

    Raises
    ------
    GridError
        If shapes or dtypes do not fit, or `out` leaves `stored`.
    """
    shape = stored.bits.shape
    _check(valid, out)
    _require_inside(shape, (row, col), out, 2)
    if usable.shape != shape or usable.dtype != np.bool_:
        raise GridError(f"usable {usable.dtype} {usable.shape} does not fit {shape}")
    _refine(stored, _unwritable(usable), (row, col), valid, out)


def rescale(
    stored: Stored,
    row: int,
    col: int,
    *,
    valid: NDArray[np.bool_],
    out: NDArray[np.uint16],
) -> None:
    """Reflectance x 10000 of a band that lies on the 10 m grid.

    Parameters
    ----------
    stored : Stored
        Stored numbers (stored y, stored x).
    row, col : int
        Pixel of `stored` that is the first of `out`.
    valid, out
        As `refine` takes them.

    Raises
    ------
    GridError
        If shapes or dtypes do not fit, or `out` leaves `stored`.
    """
    _check(valid, out)
    _require_inside(stored.bits.shape, (row, col), out, 1)
    _rescale(stored, row, col, valid, out)


def _check(valid: NDArray[np.bool_], out: NDArray[np.uint16]) -> None:
    if not (
        out.ndim == 2
        and out.shape == valid.shape
        and out.dtype == np.uint16
        and valid.dtype == np.bool_
        and out.flags.carray
        and valid.flags.carray
    ):
        raise GridError(
            f"out {out.dtype} {out.shape} and valid {valid.dtype} {valid.shape} do not fit: "
            "expected uint16 and bool of one shape (y, x), C-contiguous"
        )


def _require_inside(
    shape: tuple[int, ...], first: tuple[int, int], out: NDArray[Any], factor: int
) -> None:
    (row, col), (height, width) = first, out.shape
    inside = row + height <= factor * shape[0] and col + width <= factor * shape[1]
    if min(row, col) < 0 or not inside:
        raise GridError(
            f"{height} x {width} pixels from ({row}, {col}) leave {shape[0]} x "
            f"{shape[1]} stored ones of {factor} x {factor} pixels"
        )


def _unwritable(array: NDArray[Any]) -> NDArray[Any]:
    """The array, C-contiguous and read-only: machine code is made for one kind alone."""
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view


@compiled
def _rescale(
    source: Stored, row: int, col: int, valid: NDArray[np.bool_], out: NDArray[np.uint16]
) -> None:
    height, width = out.shape
    values = np.empty(width, np.float32)
    for y in range(height):
        bits = source.bits[row + y, col : col + width]
        _numbers(bits, source, values)
        _write(values, source, out[y])
        _require_data(bits, source.nodata, valid[y])


@compiled
def _refine(
    source: Stored,
    usable: NDArray[np.bool_],
    corner: tuple[int, int],
    valid: NDArray[np.bool_],
    out: NDArray[np.uint16],
) -> None:
    row, col = corner
    height, width = out.shape
    # The coarse columns under the window and, inside the tile, one more on each side.
    begin = max(col // 2 - 1, 0)
    end = min((col + width + 1) // 2 + 1, source.bits.shape[1])
    fine = np.empty(2 * (end - begin), np.float32)
    first = col - 2 * begin
    own_twice = np.empty(fine.size, np.bool_)
    # All coarse rows that are needed, each turned into numbers once.
    top = max(row // 2 - 1, 0)
    bottom = min((row + height + 1) // 2 + 1, source.bits.shape[0])
    numbers = np.empty((bottom - top, end - begin), np.float32)
    present = np.empty((bottom - top, end - begin), np.bool_)
    weights = np.empty((bottom - top, end - begin), np.float32)
    whole = np.empty(bottom - top, np.bool_)
    for line in range(bottom - top):
        bits = source.bits[top + line, begin:end]
        _numbers(bits, source, numbers[line])
        _find_present(bits, usable[top + line, begin:end], source.nodata, present[line])
        whole[line] = _all(present[line])
        if not whole[line]:
            _weigh(present[line], numbers[line])
        _weigh_ones(present[line], weights[line])
    for y in range(height):
        own = (row + y) // 2
        # Where there is no neighbour, the row stands for it: that scales values and weights alike.
        other = min(max(own - 1 + (row + y) % 2 * 2, 0), len(source.bits) - 1)
        pair = own - top, other - top
        rows = numbers[pair[0]], numbers[pair[1]]
        if whole[pair[0]] and whole[pair[1]]:
            _spread(_mix(rows), fine)
        else:
            _average(rows, (weights[pair[0]], weights[pair[1]]), fine)
            _twice(present[pair[0]], own_twice)
            _keep(own_twice[first : first + width], valid[y])
        _write(fine[first : first + width], source, out[y])


@compiled
def _numbers(bits: NDArray[np.uint16], source: Stored, values: NDArray[np.float32]) -> None:
    flip, bias = source.flip, source.bias
    for x in range(values.size):
        values[x] = np.float32((np.int32(bits[x]) ^ flip) - bias)


@compiled
def _require_data(bits: NDArray[np.uint16], nodata: np.int32, valid: NDArray[np.bool_]) -> None:
    for x in range(valid.size):
        valid[x] = valid[x] & (np.int32(bits[x]) != nodata)


@compiled
def _twice(coarse: NDArray[np.bool_], fine: NDArray[np.bool_]) -> None:
    for x in range(coarse.size):
        fine[2 * x] = coarse[x]
        fine[2 * x + 1] = coarse[x]


@compiled
def _keep(usable: NDArray[np.bool_], valid: NDArray[np.bool_]) -> None:
    for x in range(valid.size):
        valid[x] = valid[x] & usable[x]


@compiled
def _find_present(
    bits: NDArray[np.uint16],
    usable: NDArray[np.bool_],
    nodata: np.int32,
    present: NDArray[np.bool_],
) -> None:
    for x in range(present.size):
        present[x] = usable[x] & (np.int32(bits[x]) != nodata)


@compiled
def _all(usable: NDArray[np.bool_]) -> bool:
    missing = 0
    # Without a way out of the loop, so that one instruction looks at many pixels.
    for x in range(usable.size):
        missing |= not usable[x]
    return missing == 0


@compiled
def _weigh(present: NDArray[np.bool_], numbers: NDArray[np.float32]) -> None:
    """Numbers where they count, else 0."""
    for x in range(numbers.size):
        # Read before the choice: a read inside it would be a branch.
        number = numbers[x]
        numbers[x] = number if present[x] else np.float32(0)


@compiled
def _weigh_ones(present: NDArray[np.bool_], weights: NDArray[np.float32]) -> None:
    for x in range(weights.size):
        weights[x] = np.float32(1) if present[x] else np.float32(0)


@compiled
def _average(
    numbers: tuple[NDArray[np.float32], NDArray[np.float32]],
    weights: tuple[NDArray[np.float32], NDArray[np.float32]],
    fine: NDArray[np.float32],
) -> None:
    """Fine pixels from the weighted ones of their own row and the other."""
    total = np.empty_like(fine)
    _spread(_mix(numbers), fine)
    _spread(_mix(weights), total)
    for x in range(fine.size):
        # Where the own pixel is not usable, this may be no number; it does not count there.
        fine[x] = fine[x] / total[x]


@compiled
def _mix(rows: tuple[NDArray[np.float32], NDArray[np.float32]]) -> NDArray[np.float32]:
    """The row of which three quarters and one of the next lie in a fine row.

    One pixel more at each end repeats the last, as `_refine` does with rows.
    """
    own, other = rows
    mixed = np.empty(own.size + 2, np.float32)
    inner = mixed[1:-1]
    for x in range(inner.size):
        inner[x] = np.float32(0.75) * own[x] + np.float32(0.25) * other[x]
    mixed[0] = mixed[1]
    mixed[-1] = mixed[-2]
    return mixed


@compiled
def _spread(mixed: NDArray[np.float32], fine: NDArray[np.float32]) -> None:
    """Two fine pixels of each but the first and last."""
    before, own, after = mixed[:-2], mixed[1:-1], mixed[2:]
    for x in range(own.size):
        fine[2 * x] = np.float32(0.75) * own[x] + np.float32(0.25) * before[x]
        fine[2 * x + 1] = np.float32(0.75) * own[x] + np.float32(0.25) * after[x]


@compiled
def _write(values: NDArray[np.float32], source: Stored, out: NDArray[np.uint16]) -> None:
    """Reflectance x 10000 of a row, as whole numbers."""
    gain, shift = source.gain, source.shift
    for x in range(out.size):
        scaled = np.float32(values[x] * gain) + shift
        # In this order, what is no number becomes 0.
        inside = min(max(np.float32(0), scaled), np.float32(MAXIMUM))
        # A float32 between 2^23 and 2^24 is a whole number: the sum is rounded, half to even.
        whole = np.float32(inside + np.float32(_WHOLE)) - np.float32(_WHOLE)
        out[x] = np.uint16(np.int32(whole))
