import shutil
import subprocess

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely

from fgunet.grid import Grid, split_windows
from fgunet.reference.rasterisation import Rasteriser

GRID = Grid("EPSG:32631", (10.0, 0.0, 500_000.0, 0.0, -10.0, 5_000_000.0), 90, 130)


def rasteriser(shapes, ids=None):
    n = len(shapes)
    ids = np.arange(1, n + 1) if ids is None else np.asarray(ids)
    return Rasteriser(
        np.array(shapes, dtype=object),
        np.resize([11, 31, 211], n),
        ids,
        np.resize(np.array([1, 2, 3], dtype=np.uint8), n),
    )


def crumbs(count, seed):
    """Shapes of many corners, some with holes, some beyond the grid."""
    rng = np.random.default_rng(seed)
    left, bottom, right, top = GRID.bounds
    xy = rng.uniform((left - 100, bottom - 100), (right + 100, top + 100), (count, 2))
    shapes = []
    for point, radius in zip(shapely.points(xy), rng.uniform(3, 160, count), strict=True):
        shape = shapely.affinity.scale(point.buffer(radius), 1, rng.uniform(0.2, 1))
        shape = shapely.affinity.rotate(shape, rng.uniform(0, 90))
        shapes.append(shape.difference(point.buffer(radius / 5)))
    return shapes


def test_the_pixel_of_a_centre():
    # Centres lie at 5, 15, 25 ...: the square from 4 to 16 holds two of them a side.
    square = shapely.box(500_004, 4_999_984, 500_016, 4_999_996)
    code, polygon, split = rasteriser([square], [4_294_967_295]).burn(GRID)
    assert (code.dtype, polygon.dtype, split.dtype) == (np.uint8, np.uint32, np.uint8)
    assert np.argwhere(code).tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert set(polygon.ravel().tolist()) == {0, 4_294_967_295}
    assert (code[0, 0], split[0, 0]) == (11, 1)


def test_windows_equal_the_whole():
    burner = rasteriser(crumbs(120, 3))
    whole = burner.burn(GRID)
    for size in (37, 64):
        parts = [np.zeros_like(band) for band in whole]
        for window in split_windows(GRID.shape, size):
            for part, band in zip(parts, burner.burn(GRID.cut(window)), strict=True):
                part[window.slices] = band
        for part, band in zip(parts, whole, strict=True):
            np.testing.assert_array_equal(part, band)


def test_order_does_not_matter_even_where_polygons_overlap():
    shapes, ids = crumbs(60, 4), np.arange(1, 61)
    order = np.random.default_rng(1).permutation(60)
    one = rasteriser(shapes, ids).burn(GRID)[1]
    two = rasteriser([shapes[i] for i in order], ids[order]).burn(GRID)[1]
    np.testing.assert_array_equal(one, two)


def test_centres_are_inside_by_another_rule_too():
    shapes = crumbs(40, 5)
    _, polygon, _ = rasteriser(shapes).burn(GRID)
    rows, cols = np.indices(GRID.shape)
    x, y = 500_005.0 + 10 * cols, 4_999_995.0 - 10 * rows
    expected = np.zeros(GRID.shape, dtype=np.uint32)
    for i, shape in enumerate(shapes):
        expected[shapely.contains_xy(shape, x, y)] = i + 1
    np.testing.assert_array_equal(polygon, expected)


def test_no_polygon_gives_empty_rasters():
    code, polygon, split = rasteriser([shapely.box(0, 0, 1, 1)]).burn(GRID)
    assert [band.max() for band in (code, polygon, split)] == [0, 0, 0]


@pytest.mark.skipif(shutil.which("gdal_rasterize") is None, reason="gdal_rasterize is not there")
def test_same_as_gdal_rasterize(tmp_path):
    shapes = crumbs(50, 6)
    frame = gpd.GeoDataFrame({"number": range(1, 51)}, geometry=shapes, crs=GRID.crs)
    frame.to_file(tmp_path / "p.gpkg")
    left, bottom, right, top = map(str, GRID.bounds)
    subprocess.run(
        [
            "gdal_rasterize",
            "-q",
            "-a",
            "number",
            "-ot",
            "UInt32",
            "-tr",
            "10",
            "10",
            "-te",
            left,
            bottom,
            right,
            top,
            str(tmp_path / "p.gpkg"),
            str(tmp_path / "p.tif"),
        ],
        check=True,
    )
    with rasterio.open(tmp_path / "p.tif") as dataset:
        np.testing.assert_array_equal(rasteriser(shapes).burn(GRID)[1], dataset.read(1))
