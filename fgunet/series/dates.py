"""Regular dates, and days between dates. A date is a string YYYYMMDD."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from fgunet.errors import SeriesError


def regular_dates(first: str, count: int, step_days: int) -> tuple[str, ...]:
    """The dates of a series: `count` dates, `step_days` days apart, from `first` on.

    Raises
    ------
    SeriesError
        If `first` is not a date, or `count` or `step_days` is below 1.
    """
    if count < 1 or step_days < 1:
        raise SeriesError(
            f"a series needs at least one date and a step of at least one day; found n_dates "
            f"{count} and step_days {step_days} in the section series of the configuration"
        )
    return tuple(shift_date(first, step_days * i) for i in range(count))


def dates_of(
    *,
    first_date: str | None,
    n_dates: int | None,
    step_days: int | None,
    dates: Sequence[str] | None,
) -> tuple[str, ...]:
    """The regular dates that a configuration names: evenly spaced ones, or those it lists.

    Raises
    ------
    SeriesError
        If neither is given whole, or a date is none.
    """
    if dates is not None:
        day_numbers(dates)
        return tuple(dates)
    if first_date is None or n_dates is None or step_days is None:
        raise SeriesError("a series needs first_date, n_dates and step_days, or dates")
    return regular_dates(first_date, n_dates, step_days)


def shift_date(day: str, days: int) -> str:
    """The date `days` days after `day` (before it, if negative).

    Raises
    ------
    SeriesError
        If `day` is not a date, or the other would lie beyond the year 9999 or before 1.
    """
    try:
        return (_parse(day) + timedelta(days=days)).isoformat().replace("-", "")
    except OverflowError:
        raise SeriesError(
            f"there is no date {days} days from {day}: years go from 1 to 9999; correct the "
            "section series of the configuration"
        ) from None


def day_numbers(dates: Sequence[str]) -> NDArray[np.int64]:
    """Days of `dates` since 1970-01-01, int64, shape (date,).

    Raises
    ------
    SeriesError
        If one is not a date.
    """
    epoch = date(1970, 1, 1)
    return np.array([(_parse(day) - epoch).days for day in dates], dtype=np.int64)


def _parse(day: str) -> date:
    # strptime alone takes "2018011" for a date.
    if len(day) == 8 and day.isascii() and day.isdigit():
        try:
            return datetime.strptime(day, "%Y%m%d").date()
        except ValueError:
            pass
    raise SeriesError(f"{day!r} is not a date; write it as YYYYMMDD, like '20180131'")
