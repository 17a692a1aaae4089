"""Linear interpolation in time, over valid acquisitions only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from fgunet.compiled import compiled
from fgunet.errors import SeriesError

NODATA = 65535
"""Value of a pixel that is never valid, and its longest gap."""

_LONGEST = 65534
"""Days that the acquisitions and regular days may span; the proof in `_blend` rests on it too."""

_CHUNK = 1024
"""Pixels that are worked on at once: what they need stays in the processor's cache."""

_NEVER = -(2**31)
"""The day of an acquisition that there is none of."""

# A float64 between 2^32 and 2^33 is a multiple of 2^-20, one between 2^52 and 2^53 a whole number.
_SNAP = 1.5 * 2.0**32
_WHOLE = 1.5 * 2.0**52

Days = Sequence[int] | NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Interpolated:
    """A series on regular dates, and what it rests on.

    Attributes
    ----------
    series : ndarray of uint16, shape (date, band, y, x)
        Reflectance x 10000; `NODATA` at all dates and bands of a pixel that is never valid.
    clear_count : ndarray of uint16, shape (y, x)
        On how many days a pixel is valid.
    longest_gap : ndarray of uint16, shape (y, x)
        The greatest gap of the regular dates, in days; `NODATA` where never valid. The gap of a
        date is 0 if the pixel is valid on that day; the days from its last valid day before to
        its first after; or the days to the nearest if all valid days lie on one side.
    bridged_count : ndarray of uint16, shape (y, x)
        How many regular dates have a gap above the limit; 0 where never valid.
    """

    series: NDArray[np.uint16]
    clear_count: NDArray[np.uint16]
    longest_gap: NDArray[np.uint16]
    bridged_count: NDArray[np.uint16]

    @classmethod
    def allocate(cls, n_dates: int, n_bands: int, height: int, width: int) -> Self:
        """Arrays to be filled by `interpolate_rows`; what they hold before is not defined."""
        plane = (height, width)
        return cls(
            np.empty((n_dates, n_bands, *plane), np.uint16),
            np.empty(plane, np.uint16),
            np.empty(plane, np.uint16),
            np.empty(plane, np.uint16),
        )


def interpolate(
    values: NDArray[np.uint16],
    valid: NDArray[np.bool_],
    days: Days,
    regular_days: Days,
    *,
    max_gap_days: int,
) -> Interpolated:
    """Interpolate each pixel linearly between its nearest valid acquisitions.

    On the day of a valid acquisition the result is that acquisition. Before the first valid one
    and after the last the nearest value is kept. Results are rounded to nearest, half to even,
    as if computed without error.

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
    max_gap_days : int
        Dates with a longer gap count as bridged, in days.

    Returns
    -------
    Interpolated
        The series and its gaps.

    Raises
    ------
    SeriesError
        If shapes do not fit, `days` is not strictly rising, the days span more than 65534, or
        `max_gap_days` is negative.
    """
    _check(values, valid, days)
    _, n_bands, height, width = values.shape
    into = Interpolated.allocate(len(regular_days), n_bands, height, width)
    interpolate_rows(values, valid, days, regular_days, max_gap_days=max_gap_days, into=into, row=0)
    return into


def interpolate_rows(
    values: NDArray[np.uint16],
    valid: NDArray[np.bool_],
    days: Days,
    regular_days: Days,
    *,
    max_gap_days: int,
    into: Interpolated,
    row: int,
) -> None:
    """`interpolate` into some rows of larger arrays, which makes no copy of them.

    Several threads may fill different rows of the same arrays: the interpreter's lock is free
    meanwhile, and one call uses one core.

    Parameters
    ----------
    values, valid, days, regular_days, max_gap_days
        As `interpolate` takes them; y counts the rows to fill.
    into : Interpolated
        C-contiguous arrays with the dates, bands and width of the result, and at least
        ``row + y`` rows. Other rows are left as they are.
    row : int
        First row to fill.

    Raises
    ------
    SeriesError
        As `interpolate`, or if `into` does not fit.
    """
    _check(values, valid, days)
    known, targets = _from_one_origin(days, regular_days)
    if max_gap_days < 0:
        raise SeriesError(f"max_gap_days is {max_gap_days}; expected 0 or more days")
    _check_fits(into, (targets.size, *values.shape[1:]), row)
    count, n_bands, height, width = values.shape
    given = _Given(
        _unwritable(values).reshape(count, n_bands, height * width),
        _unwritable(valid).reshape(count, height * width),
        known,
    )
    order = np.argsort(targets, kind="stable")
    dates = _Dates(
        targets[order],
        order,
        np.searchsorted(known, targets[order], side="left"),
        np.searchsorted(known, targets[order], side="right"),
        min(max_gap_days, NODATA),
    )
    output = _Output(
        into.series.reshape(targets.size, n_bands, into.clear_count.size),
        into.clear_count.reshape(-1),
        into.longest_gap.reshape(-1),
        into.bridged_count.reshape(-1),
    )
    _interpolate(given, dates, output, row * width)


def _check(values: NDArray[np.uint16], valid: NDArray[np.bool_], days: Days) -> None:
    known = np.asarray(days)
    expected = (values.shape[0], *values.shape[2:])
    if values.ndim != 4 or valid.shape != expected or known.shape != expected[:1]:
        raise SeriesError(
            f"values {values.shape}, valid {valid.shape} and days {known.shape} do not fit: "
            "expected (time, band, y, x), (time, y, x) and (time,)"
        )
    if values.dtype != np.uint16 or valid.dtype != np.bool_:
        raise SeriesError(
            f"values are {values.dtype} and valid is {valid.dtype}; expected uint16 and bool"
        )
    if known.size == 0 or (np.diff(known) <= 0).any():
        raise SeriesError(
            f"days must be strictly rising and at least one, found {known.tolist()}; merge the "
            "acquisitions of a day first"
        )


def _from_one_origin(days: Days, regular_days: Days) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    known, targets = np.asarray(days, np.int64), np.asarray(regular_days, np.int64)
    both = np.concatenate([known, targets])
    origin = both.min()
    if both.max() - origin > _LONGEST:
        raise SeriesError(
            f"days and regular_days span {origin} to {both.max()}, more than {_LONGEST} days; "
            "have both the same origin?"
        )
    return (known - origin).astype(np.int32), (targets - origin).astype(np.int32)


def _check_fits(into: Interpolated, shape: tuple[int, ...], row: int) -> None:
    """Whether `into` has room for a series of `shape` from `row`."""
    n_dates, n_bands, n_rows, width = shape
    plane = into.clear_count.shape
    if (
        into.series.shape != (n_dates, n_bands, *plane)
        or plane[1:] != (width,)
        or not 0 <= row <= plane[0] - n_rows
    ):
        raise SeriesError(
            f"a series {shape} from row {row} does not fit into one of {into.series.shape} with a "
            f"clear count of {plane}; dates, bands and width must be the same, and the rows inside"
        )
    for array in (into.series, into.clear_count, into.longest_gap, into.bridged_count):
        if array.shape[-2:] != plane or array.dtype != np.uint16 or not array.flags.carray:
            raise SeriesError(
                f"an array of `into` is {array.dtype} {array.shape}; expected uint16 "
                f"{('...', *plane)}, C-contiguous and writable: take Interpolated.allocate"
            )


def _unwritable(array: NDArray[Any]) -> NDArray[Any]:
    """The array, C-contiguous and read-only: machine code is made for one kind alone."""
    view = np.require(array, requirements=["C", "A"]).view()
    view.flags.writeable = False
    return view


# Below, pixels stand in one row, y after y. The steps are told apart by what they do to such rows,
# without a branch on a pixel, so that one instruction does many of them: clouds of any pattern
# take the same time as none.


class _Given(NamedTuple):
    values: NDArray[np.uint16]
    """(time, band, pixel)"""
    valid: NDArray[np.bool_]
    """(time, pixel)"""
    days: NDArray[np.int32]
    """(time)"""


class _Dates(NamedTuple):
    """Regular dates, rising."""

    days: NDArray[np.int32]
    order: NDArray[np.int64]
    """Which date of the result each is."""
    reached: NDArray[np.int64]
    """How many times lie before each."""
    passed: NDArray[np.int64]
    """How many times lie before or on each."""
    max_gap: int


class _Output(NamedTuple):
    series: NDArray[np.uint16]
    """(date, band, pixel)"""
    clear_count: NDArray[np.uint16]
    """(pixel), as the next two."""
    longest_gap: NDArray[np.uint16]
    bridged_count: NDArray[np.uint16]


class _Scratch(NamedTuple):
    """What is known of a chunk at each date, (date, pixel)."""

    left: NDArray[np.int32]
    """The last valid day up to the date."""
    share: NDArray[np.float64]
    """The weight of the next valid value against the last."""
    start: NDArray[np.uint16]
    """The last valid value up to the date, of one band."""


@compiled
def _interpolate(given: _Given, dates: _Dates, output: _Output, first: int) -> None:
    """Fill the pixels from `first`."""
    n_pixels = given.values.shape[2]
    shape = (dates.days.size, _CHUNK)
    scratch = _Scratch(
        np.empty(shape, np.int32), np.empty(shape, np.float64), np.empty(shape, np.uint16)
    )
    for begin in range(0, n_pixels, _CHUNK):
        chunk = (begin, min(begin + _CHUNK, n_pixels), first)
        _count_clear(given.valid, chunk, output.clear_count)
        _last_days(given, dates, chunk, scratch.left)
        _measure(given, dates, chunk, scratch, output)
        for band in range(given.values.shape[1]):
            _last_values(given, dates, chunk, band, scratch.start)
            _fill(given, dates, (*chunk, band), scratch, output.series)


@compiled
def _count_clear(
    valid: NDArray[np.bool_], chunk: tuple[int, int, int], clear_count: NDArray[np.uint16]
) -> None:
    begin, end, first = chunk
    clear = clear_count[first + begin : first + end]
    clear[:] = 0
    for time in range(len(valid)):
        _add(valid[time, begin:end], clear)


@compiled
def _last_days(
    given: _Given, dates: _Dates, chunk: tuple[int, int, int], left: NDArray[np.int32]
) -> None:
    """The last valid day up to each date."""
    begin, end, _ = chunk
    last = np.full(end - begin, _NEVER, np.int32)
    since = 0
    for date in range(dates.days.size):
        for time in range(since, dates.passed[date]):
            _replace_day(given.valid[time, begin:end], given.days[time], last)
        since = dates.passed[date]
        left[date, : last.size] = last


@compiled
def _measure(
    given: _Given, dates: _Dates, chunk: tuple[int, int, int], scratch: _Scratch, output: _Output
) -> None:
    """Where each date lies between its valid days, and the gaps of all dates."""
    begin, end, first = chunk
    longest = output.longest_gap[first + begin : first + end]
    bridged = output.bridged_count[first + begin : first + end]
    longest[:] = 0
    bridged[:] = 0
    gap = np.empty(end - begin, np.uint16)
    right = np.full(end - begin, _NEVER, np.int32)
    until = len(given.valid)
    for date in range(dates.days.size - 1, -1, -1):
        for time in range(until - 1, dates.reached[date] - 1, -1):
            _replace_day(given.valid[time, begin:end], given.days[time], right)
        until = dates.reached[date]
        _share(scratch.left[date], right, dates.days[date], scratch.share[date])
        _gap(scratch.left[date], right, dates.days[date], gap)
        _note(gap, np.uint16(dates.max_gap), longest, bridged)
    _mark_never(output.clear_count[first + begin : first + end], longest)


@compiled
def _last_values(
    given: _Given,
    dates: _Dates,
    chunk: tuple[int, int, int],
    band: int,
    start: NDArray[np.uint16],
) -> None:
    """The last valid value up to each date; NODATA if there is none."""
    begin, end, _ = chunk
    last = np.full(end - begin, NODATA, np.uint16)
    since = 0
    for date in range(dates.days.size):
        for time in range(since, dates.passed[date]):
            _replace_value(given.valid[time, begin:end], given.values[time, band, begin:end], last)
        since = dates.passed[date]
        start[date, : last.size] = last


@compiled
def _fill(
    given: _Given,
    dates: _Dates,
    chunk: tuple[int, int, int, int],
    scratch: _Scratch,
    series: NDArray[np.uint16],
) -> None:
    """Go back in time with the next valid value, and blend it with the last at each date."""
    begin, end, first, band = chunk
    following = np.full(end - begin, NODATA, np.uint16)
    until = len(given.values)
    for date in range(dates.days.size - 1, -1, -1):
        for time in range(until - 1, dates.reached[date] - 1, -1):
            now = given.values[time, band, begin:end]
            _replace_value(given.valid[time, begin:end], now, following)
        until = dates.reached[date]
        out = series[dates.order[date], band, first + begin : first + end]
        _blend(scratch.start[date], following, scratch.share[date], out)


@compiled
def _replace_day(valid: NDArray[np.bool_], day: np.int32, held: NDArray[np.int32]) -> None:
    for x in range(held.size):
        # Read before the choice: a read inside it would be a branch.
        before = held[x]
        held[x] = day if valid[x] else before


@compiled
def _replace_value(
    valid: NDArray[np.bool_], values: NDArray[np.uint16], held: NDArray[np.uint16]
) -> None:
    for x in range(held.size):
        before = held[x]
        now = values[x]
        held[x] = now if valid[x] else before


@compiled
def _add(valid: NDArray[np.bool_], count: NDArray[np.uint16]) -> None:
    for x in range(count.size):
        count[x] += valid[x]


@compiled
def _mark_never(clear: NDArray[np.uint16], longest: NDArray[np.uint16]) -> None:
    for x in range(clear.size):
        before = longest[x]
        longest[x] = NODATA if clear[x] == 0 else before


@compiled
def _share(
    left: NDArray[np.int32], right: NDArray[np.int32], target: np.int32, share: NDArray[np.float64]
) -> None:
    """The weight of the next value: 1 if there is it alone, 0 if it is not or on the same day.

    Where a pixel is never valid it is that of the last value, which then is NODATA.
    """
    for x in range(right.size):
        before, after = left[x], right[x]
        days = max(np.int32(after - before), np.int32(1))
        between = np.float64(target - before) / np.float64(days)
        between = np.float64(0) if after == _NEVER else between
        share[x] = 1.0 if (before == _NEVER) & (after != _NEVER) else between


@compiled
def _gap(
    left: NDArray[np.int32], right: NDArray[np.int32], target: np.int32, gap: NDArray[np.uint16]
) -> None:
    """Days between the valid days around the target, or to the only one; 0 if there is none."""
    for x in range(right.size):
        last, following = left[x], right[x]
        before = following if last == _NEVER else last
        after = last if following == _NEVER else following
        before = target if before == _NEVER else before
        after = target if after == _NEVER else after
        # The first is 0 on one side alone, and not below the second with days on both.
        gap[x] = max(after - before, abs(target - before))


@compiled
def _note(
    gap: NDArray[np.uint16],
    max_gap: np.uint16,
    longest: NDArray[np.uint16],
    bridged: NDArray[np.uint16],
) -> None:
    for x in range(gap.size):
        longest[x] = max(longest[x], gap[x])
        bridged[x] += gap[x] > max_gap


@compiled
def _blend(
    start: NDArray[np.uint16],
    end: NDArray[np.uint16],
    share: NDArray[np.float64],
    out: NDArray[np.uint16],
) -> None:
    """Whole numbers nearest to start + (end - start) share, half to even, without a division.

    The share is a quotient of days e / g, so the exact value is a multiple of 1 / g. What is
    computed before it is rounded differs from it by less than 2^-35, as share and product are
    wrong by half a unit in the last of 53 bits each, and the value is below 2^16. To add `_SNAP`
    rounds to multiples of 2^-20. So a half or a whole number becomes exact; and any other value,
    which is at least 1 / (2 g) > 2^-18 from the nearest half, stays on its side of it. To add
    `_WHOLE` then rounds to the nearest whole number, half to even, because it is even itself.
    """
    for x in range(out.size):
        difference = np.int32(np.int32(end[x]) - np.int32(start[x]))
        snapped = difference * share[x] + (start[x] + _SNAP)
        out[x] = np.uint16(np.int32((snapped + (_WHOLE - _SNAP)) - _WHOLE))
