import pytest

from fgunet.errors import SeriesError
from fgunet.series.dates import dates_of, day_numbers, regular_dates, shift_date


def test_dates_are_evenly_spaced_over_a_leap_day():
    assert regular_dates("20160219", 3, 10) == ("20160219", "20160229", "20160310")


def test_day_numbers_and_shifts():
    assert day_numbers(["19700101", "20000301"]).tolist() == [0, 11017]
    assert shift_date("20160301", -1) == "20160229"


@pytest.mark.parametrize(
    "day", ["2016-01-05", "20160230", "2016015", "", "abcdefgh", "٢٠١٦٠١٠٥", "2016010²"]
)
def test_what_is_no_date_is_refused(day):
    with pytest.raises(SeriesError, match="is not a date"):
        regular_dates(day, 2, 10)


@pytest.mark.parametrize(("count", "step"), [(0, 10), (3, 0)])
def test_a_series_needs_dates_and_a_step(count, step):
    with pytest.raises(SeriesError, match="n_dates"):
        regular_dates("20160105", count, step)


def test_dates_of_a_configuration():
    spaced = {"first_date": "20160219", "n_dates": 2, "step_days": 10}
    assert dates_of(**spaced, dates=None) == ("20160219", "20160229")
    none = dict.fromkeys(spaced)
    assert dates_of(**none, dates=["20160105", "20160301"]) == ("20160105", "20160301")
    with pytest.raises(SeriesError, match="is not a date"):
        dates_of(**none, dates=["20160230"])
    with pytest.raises(SeriesError, match="or dates"):
        dates_of(**{**spaced, "n_dates": None}, dates=None)


def test_dates_keep_their_eight_digits():
    assert regular_dates("00010101", 2, 1) == ("00010101", "00010102")


@pytest.mark.parametrize(
    ("day", "days"), [("99991230", 2), ("00010101", -1), ("20160105", 10**9), ("20160105", 10**30)]
)
def test_a_date_beyond_the_calendar_is_refused(day, days):
    with pytest.raises(SeriesError, match=rf"no date {days} days from {day}.*section series"):
        shift_date(day, days)
