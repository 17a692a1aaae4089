import numpy as np
import pytest

from fgunet.grid import Grid
from fgunet.rasters import write_raster
from fgunet.report import overview
from fgunet.report.cartography import class_colours, codes_present, round_length

GRID = Grid("EPSG:32631", (10.0, 0.0, 600000.0, 0.0, -10.0, 4900000.0), 37, 50)
NODATA = 65535


class Memory:
    """A series in memory."""

    grid, nodata = GRID, NODATA
    dates = ("20160105", "20160601", "20161201")
    bands = ("B02", "B03", "B04", "B08")

    def __init__(self):
        random = np.random.default_rng(0)
        self.values = random.integers(200, 900, (3, 4, *GRID.shape)).astype(np.uint16)
        self.values[1, 3] = 4000
        self.values[:, :, 0, 0] = NODATA

    def read(self, window):
        return self.values[(..., *window.slices)]


@pytest.mark.parametrize("step", [1, 2, 7])
@pytest.mark.parametrize("window", [4, 16, 512])
def test_a_series_overview_is_every_nth_pixel(step, window, monkeypatch):
    monkeypatch.setattr(overview, "_WINDOW", window)
    series = Memory()
    found = overview.series_overview(series.read, GRID, 3, [2, 0], step)
    np.testing.assert_array_equal(found, series.values[:, [2, 0], ::step, ::step])


def test_a_picture_is_taken_at_the_greenest_date():
    picture = overview.series_picture(Memory(), 1)
    assert picture.date == "20160601"
    assert picture.bands == "true colour"
    assert picture.colours.shape == (*GRID.shape, 3)
    assert picture.colours[0, 0].tolist() == [1, 1, 1]
    assert 0 <= picture.colours.min() <= picture.colours.max() <= 1


def test_the_narrow_near_infrared_stands_in_for_the_wide_one():
    series = Memory()
    series.bands = ("B02", "B03", "B04", "B8A")
    assert overview.series_picture(series, 1).date == "20160601"
    series.bands = ("B02", "B03", "B04", "B11")
    assert overview.series_picture(series, 1).date == series.dates[1]
    series.values[[0, 1]] = series.values[[1, 0]]
    assert overview.series_picture(series, 1).date == series.dates[1], "the middle date"


def test_bands_to_show():
    assert overview.display_bands(["B03", "B04", "B08"])[1].startswith("false colour")
    assert overview.display_bands(["B11"])[0] == ("B11", "B11", "B11")
    assert overview.display_bands(["B11"])[1] == "bands B11"


def test_no_data_at_all_shows_the_middle_date():
    nothing = np.full((3, 2, 2), NODATA, dtype=np.uint16)
    assert overview.greenest_date(nothing, nothing, NODATA) == 1


def test_raster_overviews(tmp_path):
    codes = np.repeat(np.repeat(np.array([[1, 2], [3, 4]], dtype=np.uint8), 8, axis=0), 8, axis=1)
    codes[0, 0] = 9
    grid = Grid("EPSG:32631", GRID.transform, 16, 16)
    write_raster(tmp_path / "codes.tif", codes, grid, 0)
    found = overview.read_overview(tmp_path / "codes.tif", 4, mode=True)
    assert found.shape == (4, 4)
    assert found[0, 0] == 1
    assert overview.read_overview(tmp_path / "codes.tif", 1).tolist() == codes.tolist()


def test_steps_keep_the_longest_side_in_bounds():
    assert overview.overview_step((256, 256)) == 1
    assert overview.overview_step((10980, 10980)) == 14


def test_class_colours_and_codes(few_classes):
    codes = np.array([[0, 1], [2, 1]], dtype=np.uint8)
    assert class_colours(codes, few_classes)[1, 0].tolist() == [20, 60, 160]
    assert codes_present([codes]) == [1, 2]


@pytest.mark.parametrize(
    ("length", "expected"), [(768, 500), (290, 200), (100, 100), (36000, 20000)]
)
def test_round_lengths(length, expected):
    assert round_length(length) == expected
