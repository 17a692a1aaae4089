from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fgunet.errors import GridError, MissingAcquisitionError
from fgunet.grid import Grid
from fgunet.sentinel2.acquisition import Acquisition
from fgunet.sentinel2.reading import holds_data
from fgunet.sentinel2.selection import EMPTY, OUTSIDE, SUPERSEDED, Selection, select_acquisitions
from fgunet.sentinel2.theia import read_product

GRID = Grid("EPSG:32631", (10.0, 0.0, 600000.0, 0.0, -10.0, 5e6), 12, 12)


def acquisition(
    time: str = "2018-01-05T10:54:32.457",
    version: str = "C_V2-2",
    platform: str = "SENTINEL2A",
    grid: Grid = GRID,
) -> Acquisition:
    return Acquisition(
        product=f"{platform} {time} {version}",
        family="theia",
        tile="T31TCJ",
        time=time,
        platform=platform,
        version=version,
        grid=grid,
        bands={"B02": "nowhere.tif"},
        masks={},
        scale=1e-4,
        offset=0.0,
        nodata=-10000,
    )


def select(*acquisitions: Acquisition, minimum: int = 1, empty: str = "none") -> Selection:
    return select_acquisitions(
        acquisitions,
        first_date="20180101",
        last_date="20180131",
        minimum=minimum,
        holds_data=lambda a: empty not in a.product,
    )


def test_both_ends_of_the_period_are_in_it():
    days = ["2017-12-31", "2018-01-01", "2018-01-31", "2018-02-01"]
    selection = select(*[acquisition(f"{day}T10:00:00.000") for day in days])
    assert [a.date for a in selection.kept] == ["20180101", "20180131"]
    assert [reason for _, reason in selection.excluded] == [OUTSIDE, OUTSIDE]


def test_the_latest_version_is_kept_by_number_not_by_letter():
    old, new = acquisition(version="D_V2-9"), acquisition(version="C_V2-10")
    for order in ((old, new), (new, old)):
        selection = select(*order)
        assert selection.kept == [new]
        assert selection.excluded == [(old.product, SUPERSEDED)]


def test_an_older_version_stands_in_for_an_empty_later_one():
    old, new = acquisition(version="C_V1-4"), acquisition(version="C_V2-2")
    selection = select(old, new, empty="V2-2")
    assert selection.kept == [old]
    assert selection.excluded == [(new.product, EMPTY)]
    assert selection.count_reasons() == {EMPTY: 1}


def test_milliseconds_do_not_make_another_acquisition_but_platform_and_second_do():
    first = acquisition("2018-01-05T10:54:32.457")
    again = acquisition("2018-01-05T10:54:32.458", version="C_V1-4")
    second = acquisition("2018-01-05T10:54:33.000")
    twin = acquisition(platform="SENTINEL2B")
    assert select(twin, second, again, first).kept == [first, twin, second]


def test_too_few_say_how_many_and_why():
    late = acquisition("2018-03-01T10:00:00.000")
    with pytest.raises(MissingAcquisitionError) as error:
        select(acquisition(), late, minimum=2)
    assert "1 acquisitions are left of 2 found, at least 2" in str(error.value)
    assert f"1 {OUTSIDE}" in str(error.value)
    assert "minimum_acquisitions" in str(error.value)
    with pytest.raises(MissingAcquisitionError, match="at least 1 are needed"):
        select(late, minimum=0)


def test_other_grids_are_refused_with_both_names():
    other = acquisition("2018-01-09T10:00:00.000", grid=replace(GRID, height=10))
    with pytest.raises(GridError, match=r"2018-01-09.*2018-01-05"):
        select(acquisition(), other)


def test_one_common_pixel_is_data(write_product: Callable[..., Path]):
    """Data in each band is not enough: a pixel must have it in all of them."""
    fine, coarse = np.full((12, 12), -10000, np.int16), np.full((6, 6), -10000, np.int16)
    coarse[5, 5] = 7
    fine[11, 9] = 7
    apart = write_product(bands={"B02": fine.copy(), "B11": coarse}, folder="apart")
    fine[10, 11] = 7
    together = write_product(bands={"B02": fine, "B11": coarse}, folder="together")
    for path, expected in ((apart, False), (together, True)):
        found = read_product(path, reflectance="FRE", bands=("B02", "B11"))
        assert holds_data(found) is expected
