import importlib.util
import logging
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from rasterio.features import rasterize, shapes
from scipy.ndimage import label

from fgunet.errors import GridError, MapError, NomenclatureError
from fgunet.grid import Grid
from fgunet.mapping.connected import find_patches
from fgunet.mapping.outlines import outlines
from fgunet.mapping.polygons import STRIP, SmallPatches, read_strips, write_polygons
from fgunet.nomenclature import read_nomenclature
from fgunet.rasters import write_raster
from fgunet.vectors import find_layer

COLUMNS = ["code", "name", "area_m2", "pixels", "confidence"]

maps = arrays(
    np.uint8,
    array_shapes(min_dims=2, max_dims=2, max_side=12),
    elements=st.sampled_from([0, 11, 44]),
)


def grid_of(shape: tuple[int, int]) -> Grid:
    return Grid("EPSG:32631", (10.0, 0.0, 500_000.0, 0.0, -10.0, 4_800_000.0), *shape)


def confidence_of(codes: np.ndarray) -> np.ndarray:
    """Whole percents that differ from pixel to pixel, 255 without class."""
    random = np.random.default_rng(codes.size)
    return np.where(codes, random.integers(0, 101, codes.shape), 255).astype(np.uint8)


def strips(codes: np.ndarray, height: int):
    confidence = confidence_of(codes)
    for row in range(0, codes.shape[0], height):
        yield codes[row : row + height], confidence[row : row + height]


def polygons_of(codes: np.ndarray, height: int) -> list[tuple[int, int, int, str]]:
    """Code, pixels, sum of the confidence, and polygon of each patch."""
    found = []
    for each in find_patches(strips(codes, height), codes.shape[1]):
        shape = outlines(each.place, each.starts, grid_of(codes.shape))
        wkt = shapely.to_wkt(shape, rounding_precision=-1)
        found += zip(
            each.code.tolist(), each.pixels.tolist(), each.total.tolist(), wkt.tolist(), strict=True
        )
    return found


@pytest.fixture
def classes(root: Path):
    return read_nomenclature(root / "tables" / "oso17.yaml")


@pytest.fixture
def write(tmp_path: Path, classes):
    def call(codes: np.ndarray, height: int = 4, name: str = "T31TCJ_polygons.gpkg"):
        path, small = tmp_path / name, SmallPatches(3, [44])
        write_polygons(path, strips(codes, height), grid_of(codes.shape), classes, small)
        return path, small

    return call


def test_known_patches() -> None:
    codes = np.array([[11, 11, 11, 0], [11, 44, 11, 44], [11, 11, 11, 44]], np.uint8)
    confidence = np.array([[1, 2, 3, 255], [4, 5, 6, 7], [8, 9, 10, 11]], np.uint8)
    found = list(find_patches([(codes, confidence)], 4))
    assert [each.code.tolist() for each in found] == [[44], [11, 44]]
    assert [each.pixels.tolist() for each in found] == [[1], [8, 2]]
    assert [each.total.tolist() for each in found] == [[5], [43, 18]]
    shape = [outlines(each.place, each.starts, Grid("EPSG:32631", (1, 0, 0, 0, -1, 3), 3, 4))
             for each in found]  # fmt: skip
    assert [one.wkt for part in shape for one in part] == [
        "POLYGON ((1 2, 1 1, 2 1, 2 2, 1 2))",
        "POLYGON ((0 3, 0 0, 3 0, 3 3, 0 3), (1 2, 2 2, 2 1, 1 1, 1 2))",
        "POLYGON ((3 2, 3 0, 4 0, 4 2, 3 2))",
    ]


@pytest.mark.parametrize("turn", range(4))
@pytest.mark.parametrize("height", [1, 3])
def test_a_patch_that_touches_itself_has_a_hole_there(turn: int, height: int) -> None:
    # The lower left pixel is no part of the patch, and touches its hole at a point.
    codes = np.rot90(np.array([[11, 11, 11], [11, 0, 11], [0, 11, 11]], np.uint8), turn)
    [(_, pixels, _, wkt)] = polygons_of(codes, height)
    shape = shapely.from_wkt(wkt)
    assert pixels == 7
    assert shape.is_valid
    assert len(shape.interiors) == 1
    assert shape.exterior.length == 120
    assert shape.interiors[0].length == 40
    assert shape.exterior.intersection(shape.interiors[0]).geom_type == "Point"


def test_pixels_that_touch_at_a_point_are_two_patches() -> None:
    codes = np.array([[11, 44], [44, 11]], np.uint8)
    assert [(code, pixels) for code, pixels, *_ in polygons_of(codes, 2)] == [
        (11, 1), (44, 1), (44, 1), (11, 1)]  # fmt: skip


@given(maps, st.integers(1, 12))
def test_they_are_gdals_polygons(codes: np.ndarray, height: int) -> None:
    found = [
        (code, shapely.normalize(shapely.from_wkt(wkt)).wkt)
        for code, *_, wkt in polygons_of(codes, height)
    ]
    made = shapes(codes, codes > 0, connectivity=4, transform=grid_of(codes.shape).affine)
    expected = [(int(code), shapely.normalize(shapely.geometry.shape(one)).wkt)
                for one, code in made]  # fmt: skip
    assert Counter(found) == Counter(expected)


@given(maps, st.integers(1, 12))
def test_pixels_and_confidence_are_those_that_scipy_labels(codes: np.ndarray, height: int) -> None:
    confidence, expected = confidence_of(codes), []
    for code in (11, 44):
        numbers, count = label(codes == code)
        for number in range(1, count + 1):
            inside = confidence[numbers == number]
            expected.append((code, inside.size, int(inside.sum())))
    assert Counter(each[:3] for each in polygons_of(codes, height)) == Counter(expected)


@given(maps, st.integers(1, 12))
def test_burned_again_they_are_the_map(codes: np.ndarray, height: int) -> None:
    grid = grid_of(codes.shape)
    found = [(shapely.from_wkt(wkt), code) for code, *_, wkt in polygons_of(codes, height)]
    assert all(shape.is_valid and shape.exterior.is_ccw for shape, _ in found)
    assert not any(hole.is_ccw for shape, _ in found for hole in shape.interiors)
    assert sum(shape.area for shape, _ in found) == np.count_nonzero(codes) * 100
    burned = rasterize(found, codes.shape, transform=grid.affine) if found else 0 * codes
    np.testing.assert_array_equal(burned, codes)


@given(maps, st.integers(1, 12))
def test_strips_of_any_height_give_the_same(codes: np.ndarray, height: int) -> None:
    assert polygons_of(codes, height) == polygons_of(codes, codes.shape[0])


def test_a_spiral_over_many_strips_is_one_patch() -> None:
    codes = np.full((41, 41), 44, np.uint8)
    for turn in range(1, 41, 4):
        codes[turn : 41 - turn, turn : 41 - turn] = 11
        codes[turn + 2 : 39 - turn, turn + 2 : 39 - turn] = 44
        codes[turn + 1, 20] = 44
    assert polygons_of(codes, 1) == polygons_of(codes, 41)


def test_the_layer(write) -> None:
    codes = np.array([[11, 11, 0], [11, 44, 44], [0, 0, 0], [0, 211, 0]], np.uint8)
    confidence = confidence_of(codes)
    path, small = write(codes, 1)
    layer = find_layer(path)
    assert (layer.name, layer.geometry_type, layer.crs) == (path.stem, "Polygon", "EPSG:32631")
    frame = gpd.read_file(path)
    assert [*frame.columns] == [*COLUMNS, "geometry"]
    assert frame["code"].tolist() == [11, 44, 211]
    assert frame["name"].tolist() == ["summer crops", "roads", "grassland"]
    assert frame["area_m2"].tolist() == frame.area.tolist() == [300.0, 200.0, 100.0]
    assert frame["pixels"].tolist() == [3, 2, 1]
    means = [confidence[codes == code].mean() for code in (11, 44, 211)]
    assert frame["confidence"].tolist() == [round(mean, 1) for mean in means]
    assert (small.patches, small.protected, small.others) == (3, 1, 1)


def test_batches_make_one_sound_geopackage(write) -> None:
    codes = np.random.default_rng(1).choice(np.array([0, 11, 44], np.uint8), (30, 40))
    path, small = write(codes, 7)
    with closing(sqlite3.connect(path)) as database:
        for query, expected in {
            "PRAGMA integrity_check": "ok",
            "SELECT count(*) FROM rtree_T31TCJ_polygons_geom": small.patches,
            "SELECT feature_count FROM gpkg_ogr_contents": small.patches,
            "SELECT max(fid) FROM T31TCJ_polygons": small.patches,
            "SELECT last_change FROM gpkg_contents": "1970-01-01T00:00:00.000Z",
        }.items():
            assert database.execute(query).fetchall() == [(expected,)]


def test_same_map_same_bytes(write) -> None:
    codes = np.random.default_rng(1).choice(np.array([0, 11, 44], np.uint8), (30, 40))
    one, other = (write(codes, 7, f"{folder}/p.gpkg")[0] for folder in ("one", "other"))
    assert one.read_bytes() == other.read_bytes()


def test_a_map_without_data_is_an_empty_layer_like_others(write) -> None:
    path, small = write(np.zeros((5, 6), np.uint8))
    full, _ = write(np.full((5, 6), 11, np.uint8), name="full.gpkg")
    of_empty, of_full = (pyogrio.read_info(each) for each in (path, full))
    assert small.patches == of_empty["features"] == 0
    for key in ("crs", "geometry_type", "geometry_name", "encoding"):
        assert of_empty[key] == of_full[key]
    for key in ("fields", "ogr_types"):
        assert [*of_empty[key]] == [*of_full[key]]


def test_a_code_of_another_nomenclature_is_refused(write, tmp_path) -> None:
    with pytest.raises(NomenclatureError, match=r"codes \[7\] are not in the nomenclature"):
        write(np.full((5, 6), 7, np.uint8))
    assert not list(tmp_path.iterdir())


def test_a_class_without_confidence_is_refused(tmp_path) -> None:
    codes = np.full((STRIP + 8, 9), 11, np.uint8)
    confidence, grid = confidence_of(codes), grid_of(codes.shape)
    confidence[STRIP + 2, 3:5] = 255
    write_raster(tmp_path / "class.tif", codes, grid, 0)
    write_raster(tmp_path / "confidence.tif", confidence, grid, 255)
    read = read_strips(tmp_path / "class.tif", tmp_path / "confidence.tif", grid)
    np.testing.assert_array_equal(next(read)[1], confidence[:STRIP])
    with pytest.raises(MapError, match=r"confidence.tif has no confidence at 2 .* rows 256 to 263"):
        next(read)


@pytest.fixture
def script(root: Path):
    spec = importlib.util.spec_from_file_location("polygons", root / "scripts" / "polygons.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write_maps(folder: Path, codes: np.ndarray, confidence_grid: Grid | None = None):
    grid = grid_of(codes.shape)
    write_raster(folder / "class.tif", codes, grid, 0)
    confidence = confidence_of(codes)
    write_raster(folder / "confidence.tif", confidence, confidence_grid or grid, 255)
    return {
        "path_to_class": str(folder / "class.tif"),
        "path_to_confidence": str(folder / "confidence.tif"),
    }


def run(script, root: Path, folder: Path, **arguments) -> gpd.GeoDataFrame:
    path = folder / "polygons.gpkg"
    script.main(
        nomenclature=str(root / "tables" / "oso17.yaml"),
        path_to_polygons=str(path),
        **arguments,
    )
    return gpd.read_file(path)


def test_small_patches_join_and_what_stays_small_is_told(script, root, tmp_path, caplog) -> None:
    codes = np.full((20, 30), 11, np.uint8)
    codes[2:4, 2:4] = 12  # joins 11
    codes[10, 10] = 44  # protected
    codes[15:, 20:] = 0
    codes[17, 25] = 211  # an island in nodata, with nothing to join
    paths = write_maps(tmp_path, codes)
    before = (tmp_path / "class.tif").read_bytes()
    with caplog.at_level(logging.INFO):
        # 450 m2 are five pixels: part of a pixel counts as a whole one.
        found = run(script, root, tmp_path, minimum_area_m2=450, protect=[44], **paths)
    assert found["code"].tolist() == [44, 211, 11]
    assert found["pixels"].tolist() == [1, 1, 20 * 30 - 50 - 1]
    whole = codes == 11
    whole[2:4, 2:4] = True
    assert found["confidence"][2] == round(confidence_of(codes)[whole].mean(), 1)
    told = (
        "3 polygons; smaller than 5 pixels are 1 of protected classes, and 1 with no large enough"
    )
    assert told in caplog.text
    assert (tmp_path / "class.tif").read_bytes() == before
    assert {each.name for each in tmp_path.iterdir()} == {
        "class.tif", "confidence.tif", "polygons.gpkg"}  # fmt: skip


def test_no_patch_smaller_than_the_unit_stays_where_it_could_join(script, root, tmp_path) -> None:
    random = np.random.default_rng(5)
    codes = np.kron(random.choice(np.array([11, 12, 44, 211], np.uint8), (30, 30)), np.ones((3, 3)))
    noisy = random.random(codes.shape) < 0.2
    codes[noisy] = random.choice([0, 11, 12, 44], noisy.sum())
    codes = codes.astype(np.uint8)
    paths = write_maps(tmp_path, codes)
    found = run(script, root, tmp_path, minimum_area_m2=1000, protect=[44], **paths)
    burned = rasterize(
        zip(found.geometry, found["code"], strict=True),
        codes.shape,
        transform=grid_of(codes.shape).affine,
        dtype="uint8",
    )
    np.testing.assert_array_equal(burned == 0, codes == 0)
    np.testing.assert_array_equal(burned == 44, codes == 44)
    assert found["area_m2"].sum() == np.count_nonzero(codes) * 100
    # Where others than 44 are connected, and one patch is large enough, all are.
    ground, _ = label((codes != 0) & (codes != 44))
    seeds = found.geometry.representative_point()
    rows, cols = ((4_800_000 - seeds.y) // 10).astype(int), ((seeds.x - 500_000) // 10).astype(int)
    found["ground"] = ground[rows, cols]
    largest = found.groupby("ground")["pixels"].transform("max")
    small = found[(found["pixels"] < 10) & (found["code"] != 44)]
    assert len(small)
    assert (largest[small.index] < 10).all()


def test_a_confidence_of_another_grid_is_refused(script, root, tmp_path) -> None:
    codes = np.full((4, 5), 11, np.uint8)
    elsewhere = Grid("EPSG:32631", (10.0, 0.0, 0.0, 0.0, -10.0, 0.0), 4, 5)
    paths = write_maps(tmp_path, codes, elsewhere)
    with pytest.raises(GridError, match=r"confidence\.tif lies on another grid than"):
        run(script, root, tmp_path, minimum_area_m2=200, protect=[], **paths)


def mounted(folder: Path, size: str) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(sys.platform != "linux", reason="mounts a small file system")
@pytest.mark.parametrize("size", ["16k", "64k", "200k", "400k", "900k"])
def test_a_full_disk(script, root, tmp_path, size) -> None:
    # Without pattern: the raster takes 200 kB even compressed, the polygons more than a megabyte.
    codes = np.random.default_rng(2).choice(np.array([11, 12, 44], np.uint8), (150, 1000))
    paths = write_maps(tmp_path, codes)
    folder = tmp_path / "small"
    folder.mkdir()
    if not mounted(folder, size):
        pytest.skip("a small file system cannot be mounted here (it takes root)")
    try:
        with pytest.raises(MapError, match=r"cannot be written.*make room there") as caught:
            run(script, root, folder, minimum_area_m2=200, protect=[44], **paths)
        assert str(caught.value).startswith(str(folder))
        assert not list(folder.iterdir())
    finally:
        # GDAL may still hold a file that it failed to close.
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
