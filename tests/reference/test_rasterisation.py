import importlib.util
import shutil
import subprocess

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely

from fgunet.files import write_json
from fgunet.grid import Grid, Window
from fgunet.rasters import read_band
from fgunet.reference.rasterisation import PixelPolygons, Rasteriser, strips
from fgunet.vectors import write_layer

GRID = Grid("EPSG:32631", (10.0, 0.0, 500_000.0, 0.0, -10.0, 5_000_000.0), 90, 130)
WHOLE = Window(0, 0, *GRID.shape)
SPLITS = np.array(["training", "validation", "test"])

with_gdal = pytest.mark.skipif(
    shutil.which("gdal_rasterize") is None or shutil.which("ogr2ogr") is None,
    reason="the tools gdal_rasterize and ogr2ogr are not installed (gdal-bin)",
)


def rasteriser(shapes, ids=None):
    n = len(shapes)
    ids = np.arange(1, n + 1) if ids is None else np.asarray(ids)
    return Rasteriser(
        np.array(shapes, dtype=object),
        np.resize([11, 31, 211], n),
        ids,
        np.resize(np.array([1, 2, 3], dtype=np.uint8), n),
        GRID,
    )


def burn(shapes, ids=None):
    return rasteriser(shapes, ids).burn(WHOLE)


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


def on_centres():
    """Shapes whose corners lie on pixel centres, and edges that run through centres askew."""
    left, top = 500_005.0, 4_999_995.0
    shapes = [shapely.box(left, top - 100, left + 100, top)]
    for run, rise, at in ((1, 1, 15), (3, 1, 25), (1, 3, 35), (7, 3, 45), (7, 11, 55), (13, 9, 75)):
        x, y = left + 10 * at, top - 10 * (at % 40)
        corners = [(0, 0), (10 * run, -10 * rise), (10 * (run - rise), -10 * (rise + run))]
        corners.append((-10 * rise, -10 * run))
        for size in (1, 3):
            turned = [(x + 150 * (size - 1) + size * a, y + size * b) for a, b in corners]
            shapes.append(shapely.Polygon(turned))
    return shapes


def hostile():
    """All that may go wrong: neighbours with common edges, holes, parts, slivers, centres."""
    left, _, _, top = GRID.bounds
    quarters = [
        shapely.box(left + x, top - y - 97.3, left + x + 113.7, top - y)
        for x in 113.7 * np.arange(4)
        for y in 300 + 97.3 * np.arange(4)
    ]
    ring = shapely.Point(left + 700, top - 400).buffer(120)
    nested = [ring.difference(ring.buffer(-40)), ring.buffer(-40).difference(ring.buffer(-80))]
    islands = shapely.MultiPolygon(
        [shapely.box(x, top - 620, x + 40, top - 560) for x in left + np.arange(620, 1020, 55)]
    )
    slivers = [
        shapely.Polygon([(left + 30, top - 800), (left + 1250, top - y), (left + 30, top - y)])
        for y in (800.4, 803, 811)
    ]
    return [*on_centres(), *quarters, *nested, islands, *slivers, *crumbs(40, 8)]


def test_the_pixel_of_a_centre():
    # Centres lie at 5, 15, 25 ...: the square from 4 to 16 holds two of them a side.
    square = shapely.box(500_004, 4_999_984, 500_016, 4_999_996)
    code, polygon, split = burn([square], [4_294_967_295])
    assert (code.dtype, polygon.dtype, split.dtype) == (np.uint8, np.uint32, np.uint8)
    assert np.argwhere(code).tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert set(polygon.ravel().tolist()) == {0, 4_294_967_295}
    assert (code[0, 0], split[0, 0]) == (11, 1)


def test_strips_tile_the_grid():
    assert list(strips((90, 130), 37)) == [
        Window(0, 0, 37, 130), Window(37, 0, 37, 130), Window(74, 0, 16, 130),
    ]  # fmt: skip


def test_strips_equal_the_whole_even_where_edges_run_through_centres():
    burner = rasteriser(hostile())
    whole = burner.burn(WHOLE)
    for height in (1, 7, 37, 64):
        parts = [burner.burn(window) for window in strips(GRID.shape, height)]
        for band, pieces in zip(whole, zip(*parts, strict=True), strict=True):
            np.testing.assert_array_equal(np.concatenate(pieces), band)


def test_order_does_not_matter_even_where_polygons_overlap():
    shapes, ids = crumbs(60, 4), np.arange(1, 61)
    order = np.random.default_rng(1).permutation(60)
    one = burn(shapes, ids)[1]
    two = burn([shapes[i] for i in order], ids[order])[1]
    np.testing.assert_array_equal(one, two)


def test_centres_are_inside_by_another_rule_too():
    shapes = crumbs(40, 5)
    rows, cols = np.indices(GRID.shape)
    x, y = 500_005.0 + 10 * cols, 4_999_995.0 - 10 * rows
    expected = np.zeros(GRID.shape, dtype=np.uint32)
    count = np.zeros(GRID.shape, dtype=np.uint32)
    for i, shape in enumerate(shapes):
        inside = shapely.contains_xy(shape, x, y)
        expected[inside] = i + 1
        count += inside
    np.testing.assert_array_equal(burn(shapes)[1], expected)
    polygons = PixelPolygons(np.array(shapes, dtype=object), GRID)
    np.testing.assert_array_equal(polygons.burn(WHOLE, count=True), count)
    assert count.max() > 1


def test_a_common_edge_through_centres():
    left, _, _, top = GRID.bounds
    beside = [shapely.box(left + x, top - 405, left + x + 200, top - 5) for x in (5, 205, 405)]
    below = [shapely.box(left + 5, top - y - 200, left + 605, top - y) for y in (5, 205, 405)]
    claimed = {}
    for name, shapes in (("beside", beside), ("below", below)):
        polygons = PixelPolygons(np.array(shapes, dtype=object), GRID)
        claimed[name] = polygons.burn(WHOLE, count=True)
        assert np.count_nonzero(polygons.burn(WHOLE)) == 60 * (41 if name == "beside" else 61)
    # GDAL gives the centres on an upright edge to one side, those on a level edge to both.
    assert claimed["beside"].max() == 1
    assert np.flatnonzero(claimed["below"].max(axis=1) > 1).tolist() == [20, 40]


def test_no_polygon_gives_empty_rasters():
    code, polygon, split = burn([shapely.box(0, 0, 1, 1)])
    assert [band.max() for band in (code, polygon, split)] == [0, 0, 0]


def gdal_rasterize(layer, attribute, path, kind):
    extent = [str(value) for value in GRID.bounds]
    subprocess.run(
        ["gdal_rasterize", "-q", "-a", attribute, "-ot", kind, "-tr", "10", "10", "-te", *extent,
         str(layer), str(path)],
        check=True,
    )  # fmt: skip
    with rasterio.open(path) as dataset:
        return dataset.read(1)


@with_gdal
def test_same_as_gdal_rasterize_where_edges_run_through_centres(tmp_path):
    shapes = hostile()
    numbers = np.arange(1, len(shapes) + 1)
    frame = gpd.GeoDataFrame({"polygon_id": numbers}, geometry=shapes, crs=GRID.crs)
    write_layer(tmp_path / "p.gpkg", frame)
    expected = gdal_rasterize(tmp_path / "p.gpkg", "polygon_id", tmp_path / "p.tif", "UInt32")
    np.testing.assert_array_equal(burn(shapes)[1], expected)


@with_gdal
def test_the_rule_equals_ogr2ogr_and_gdal_rasterize(root, tmp_path):
    shapes = hostile()
    ids = np.sort(np.random.default_rng(2).choice(2**32 - 1, len(shapes), replace=False) + 1)
    fields = {
        "polygon_id": ids,
        "code": np.resize([11, 31, 211], len(shapes)),
        "split": np.resize(SPLITS, len(shapes)),
        "side": np.resize([1, 2, 3], len(shapes)),
    }
    frame = gpd.GeoDataFrame(fields, geometry=shapes, crs=GRID.crs).to_crs("EPSG:2154")
    write_layer(tmp_path / "polygons.gpkg", frame, layer="polygons")
    write_json(tmp_path / "tile.json", {"tile": "T31TCJ", "grid": GRID.to_dict()})
    paths = {k: tmp_path / f"{k}.tif" for k in ("code", "polygon", "split")}
    script = root / "scripts" / "rasterise_reference.py"
    spec = importlib.util.spec_from_file_location("rasterise", script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.main(
        tile="T31TCJ",
        path_to_polygons=str(tmp_path / "polygons.gpkg"),
        path_to_grid=str(tmp_path / "tile.json"),
        **{f"path_to_{kind}": str(path) for kind, path in paths.items()},
    )
    utm = tmp_path / "utm.gpkg"
    subprocess.run(
        ["ogr2ogr", "-t_srs", GRID.crs, str(utm), str(tmp_path / "polygons.gpkg")], check=True
    )
    attributes = {
        "code": ("code", "Byte"), "polygon": ("polygon_id", "UInt32"), "split": ("side", "Byte"),
    }  # fmt: skip
    for kind, (attribute, dtype) in attributes.items():
        expected = gdal_rasterize(utm, attribute, tmp_path / f"{kind}_gdal.tif", dtype)
        np.testing.assert_array_equal(read_band(paths[kind]), expected)
    assert np.count_nonzero(expected) > 2000
