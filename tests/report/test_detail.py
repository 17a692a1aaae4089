import base64
import itertools
import json
import zlib
from functools import partial

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st

from fgunet.grid import Grid, Window
from fgunet.rasters import OpenBand, write_raster
from fgunet.report.detail import SIDE, densest_square, tile_views
from fgunet.report.overview import (
    Picture,
    overview_step,
    picture_detail,
    series_picture,
)
from fgunet.report.viewer import MOST_BYTES, Layer, detail_view, overview_layers, picture_bytes

TRANSFORM = (10.0, 0.0, 600000.0, 0.0, -10.0, 4900000.0)
# Not square, and no multiple of a square's side.
GRID = Grid("EPSG:32631", TRANSFORM, 700, 1030)
FULL = Grid("EPSG:32631", TRANSFORM, 10980, 10980)
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
        self.values[:, :, 300:310, 500:600] = NODATA

    def read(self, window):
        return self.values[(..., *window.slices)]


class Noise(Memory):
    """A full tile of noise, in no memory."""

    grid = FULL

    def __init__(self):
        self.random = np.random.default_rng(0)

    def read(self, window):
        shape = len(self.dates), len(self.bands), *window.shape
        return self.random.integers(200, 3000, shape).astype(np.uint16)


def unpacked(layer):
    values = np.frombuffer(zlib.decompress(base64.b64decode(layer["data"])), dtype=np.uint8)
    return values.reshape(layer["height"], layer["width"])


def reader_of(values, asked=None):
    """Gives windows of an array; notes which."""

    def read(window):
        if asked is not None:
            asked.append(window)
        return values[window.slices]

    return read


def brute_force(values, side):
    """Count each square by its pixels one by one; the first of the best."""
    squares = {}
    for row, col in itertools.product(*(range(0, length, side) for length in values.shape)):
        rows, cols = (
            [place for place in range(length) if start <= place < start + side]
            for start, length in (
                (max(0, min(row, values.shape[0] - side)), values.shape[0]),
                (max(0, min(col, values.shape[1] - side)), values.shape[1]),
            )
        )
        count = sum(bool(values[r, c]) for r in rows for c in cols)
        squares[rows[0], cols[0], len(rows), len(cols)] = count
    return Window(*max(squares, key=squares.get))


@given(
    st.integers(1, 23), st.integers(1, 23), st.integers(1, 9),
    st.sampled_from([0, 0.02, 0.3, 1]), st.integers(0, 1000),
)  # fmt: skip
def test_the_square_is_the_one_that_counting_pixels_finds(height, width, side, share, seed):
    random = np.random.default_rng(seed)
    values = np.where(random.random((height, width)) < share, 17, 0).astype(np.uint8)
    asked = []
    assert densest_square(reader_of(values, asked), values.shape, side) == brute_force(values, side)
    assert {one.shape for one in asked} == {(min(side, height), min(side, width))}


def test_the_first_of_equal_squares_is_taken_and_the_last_ones_reach_back():
    values = np.zeros((10, 11), dtype=np.uint8)
    assert densest_square(reader_of(values), values.shape, 4) == Window(0, 0, 4, 4)
    values[2, 9] = values[9, 0] = 3
    assert densest_square(reader_of(values), values.shape, 4) == Window(0, 7, 4, 4)
    values[9, 1] = 5
    assert densest_square(reader_of(values), values.shape, 4) == Window(6, 0, 4, 4)


@pytest.fixture(scope="module")
def tile(tmp_path_factory):
    """The rasters of a tile by name, and what `overview_layers` reads of them."""
    folder, random = tmp_path_factory.mktemp("tile"), np.random.default_rng(0)
    paths = {}
    for name in ("a", "b", "smooth", "reference", "sure"):
        values = random.integers(1, 18, GRID.shape).astype(np.uint8)
        if name == "reference":
            values[random.random(GRID.shape) < 0.9] = 0
            values[500:520, 400:500] = 4
        write_raster(folder / f"{name}.tif", values, GRID, 255 if name == "sure" else 0)
        paths[name] = str(folder / f"{name}.tif")
    maps = {"fgunet": paths["a"], "forest": paths["b"]}
    smooth, sure = {"forest": paths["smooth"]}, {"fgunet": paths["sure"]}
    return paths, partial(overview_layers, maps, smooth, paths["reference"], sure)


def views_of(tile, **options):
    paths, read = tile
    series = Memory()
    step = overview_step(GRID.shape)
    picture = series_picture(series, step)
    reference = OpenBand(paths["reference"]).read
    return tile_views("T31TCJ", series, picture, read, reference, step=step, **options)


def test_a_detail_has_the_pixels_of_the_files_at_its_place(tile):
    whole, detail = views_of(tile)
    assert [view["tile"] for view in (whole, detail)] == ["T31TCJ", "T31TCJ, detail"]
    assert Grid.from_dict(whole["grid"]) == GRID
    assert whole["detail"] == detail["grid"]
    grid = Grid.from_dict(detail["grid"])
    # 700 - 256 rows from the top; the second square from the left.
    assert grid == GRID.cut(Window(444, 256, SIDE, SIDE))
    names = [layer["name"] for layer in whole["layers"]]
    assert [layer["name"] for layer in detail["layers"]] == names
    order = ("a", "b", "smooth", "reference", "sure")
    for name, layer in zip(order, detail["layers"], strict=True):
        with rasterio.open(tile[0][name]) as dataset:
            there = dataset.read(1, window=dataset.window(*grid.bounds))
        np.testing.assert_array_equal(unpacked(layer), there)
    assert detail["image"]["step"] == 1
    assert detail["image"]["name"] == whole["image"]["name"] == "True colour, 2016-06-01"


def test_a_detail_has_the_colours_of_the_picture_of_the_whole():
    series, square = Memory(), Window(256, 512, SIDE, SIDE)
    picture = series_picture(series, 2)
    detail = picture_detail(series, picture, square)
    assert (detail.date, detail.bands) == (picture.date, picture.bands)
    assert detail.colours.shape == (SIDE, SIDE, 3)
    same = picture.colours[128 : 128 + SIDE // 2, 256 : 256 + SIDE // 2]
    np.testing.assert_array_equal(detail.colours[::2, ::2], same)
    assert (detail.colours[45, 10] == 1).all(), "no data is white"


def test_a_band_that_the_picture_of_the_whole_has_not_seen_can_be_shown():
    series = Memory()
    series.values[:, 0] = NODATA
    picture = series_picture(series, 2)
    series.values[:, 0, 5, 5] = 1750
    detail = picture_detail(series, picture, Window(0, 0, 16, 16))
    assert detail.colours[5, 5, 2] == pytest.approx(0.5**0.85)
    assert detail.colours[5, 6, 2] == 1


def noise(random, step, window=None):
    """Layers of a full tile that no compression makes smaller; seven of them."""
    shape = window.shape if window else FULL.shape
    height, width = (-(-side // step) for side in shape)
    codes = random.integers(1, 18, (5, height, width)).astype(np.uint8)
    percent = random.integers(0, 101, (2, height, width)).astype(np.uint8)
    classes = [Layer(f"map {place}", "class", one) for place, one in enumerate(codes)]
    return classes + [Layer(f"sure {n}", "confidence", one) for n, one in enumerate(percent)]


def test_a_full_tile_of_noise_and_its_detail_fit_into_the_budget():
    random = np.random.default_rng(0)
    picture = Picture(random.random((785, 785, 3)), "20160601", "true colour", ((0, 3000),) * 3)

    def read_reference(window):
        return np.full(window.shape, window.row == window.col == 512, dtype=np.uint8)

    whole, detail = tile_views(
        "T", Noise(), picture, partial(noise, random), read_reference, step=14
    )
    assert picture_bytes(whole) + picture_bytes(detail) <= MOST_BYTES
    assert len(json.dumps([whole, detail])) < MOST_BYTES + 4000
    # The middle of the square; and neither view is much smaller than it has to be.
    assert Grid.from_dict(detail["grid"]) == FULL.cut(Window(544, 544, 192, 192))
    assert {unpacked(layer).shape for layer in detail["layers"]} == {(192, 192)}
    assert picture_bytes(whole) + picture_bytes(detail) > 0.6 * MOST_BYTES
    assert min(layer["width"] for layer in whole["layers"]) > 150


def test_a_detail_that_does_not_fit_shows_its_middle():
    random = np.random.default_rng(0)
    values = random.integers(0, 256, (100, 64)).astype(np.uint8)
    picture = Picture(np.zeros((100, 64, 3)), "20160601", "true colour", ())
    grid = GRID.cut(Window(200, 300, 100, 64))
    view = detail_view("T", grid, picture, [Layer("a", "class", values)], most=6000)
    # 100 x 64, less an eighth at each edge: 76 x 48.
    assert Grid.from_dict(view["grid"]) == GRID.cut(Window(212, 308, 76, 48))
    np.testing.assert_array_equal(unpacked(view["layers"][0]), values[12:88, 8:56])
    least = detail_view("T", grid, picture, [Layer("a", "class", values)], most=1)
    assert max(Grid.from_dict(least["grid"]).shape) <= 32


def test_a_tile_that_is_shown_in_full_has_no_detail():
    small = np.ones(GRID.shape, dtype=np.uint8)
    picture = Picture(np.zeros((*GRID.shape, 3)), "20160601", "true colour", ())
    asked = []
    views = tile_views(
        "T", Memory(), picture, lambda _: [Layer("a", "class", small)],
        reader_of(small, asked), step=1,
    )  # fmt: skip
    assert len(views) == 1
    assert "detail" not in views[0]
    assert asked == []


def test_same_files_same_bytes(tile):
    assert json.dumps(views_of(tile)) == json.dumps(views_of(tile))
