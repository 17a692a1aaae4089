import importlib.util
import json
import resource
from pathlib import Path

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage

from fgunet.errors import GridError, MapError
from fgunet.grid import Grid
from fgunet.mapping.majority import majority
from fgunet.mapping.regularisation import pixels_of, regularise
from fgunet.rasters import read_band, write_raster
from fgunet.reference.sides import TEST

ROAD = 44

maps = arrays(
    np.uint8,
    array_shapes(min_dims=2, max_dims=2, max_side=12),
    elements=st.sampled_from([0, 11, 11, 12, 12, ROAD, 51]),
)


def grid_of_shape(shape: tuple[int, ...]) -> Grid:
    return Grid("EPSG:32631", (10.0, 0.0, 500000.0, 0.0, -10.0, 4800000.0), *shape)


@pytest.fixture(scope="module")
def filtered(tmp_path_factory):
    path = tmp_path_factory.mktemp("regularisation") / "class.tif"

    def run(codes, *, radius=0, pixels=0, protect=(), core=100) -> np.ndarray:
        write_raster(path, codes, grid_of_shape(codes.shape), 0)
        found = np.full_like(codes, 99)
        for window, values in regularise(
            path,
            majority_radius=radius,
            minimum_area_m2=100 * pixels,
            protect=protect,
            core=core,
            scratch=path.parent,
        ):
            found[window.slices] = values
        assert list(path.parent.iterdir()) == [path]
        return found

    return run


def test_protected_pixels_have_no_vote(filtered) -> None:
    codes = np.array([[44, 44, 44], [44, 12, 44], [11, 11, 11]], np.uint8)
    # Around the middle: five 44, three 11, one 12. Elsewhere nothing outvotes a pixel.
    assert filtered(codes, radius=1)[1, 1] == 44
    expected = [[44, 44, 44], [44, 11, 44], [11, 11, 11]]
    assert filtered(codes, radius=1, protect=[44]).tolist() == expected


def test_the_sieve_does_not_cross_a_road(filtered) -> None:
    codes = np.array([[11, 11, 11, 44, 12, 36], [11, 44, 11, 44, 12, 12]], np.uint8)
    # The single 44 among 11 stays; left and right of the road are two grounds.
    expected = [[11, 11, 11, 44, 12, 12], [11, 44, 11, 44, 12, 12]]
    assert filtered(codes, pixels=3, protect=[44]).tolist() == expected
    # Unprotected, the single one joins, and with it the road.
    assert filtered(codes, pixels=3).tolist() == [
        [11, 11, 11, 11, 12, 12],
        [11, 11, 11, 11, 12, 12],
    ]


def test_majority_comes_before_the_sieve(filtered) -> None:
    codes = np.full((9, 9), 11, np.uint8)
    codes[3:6, 3:6] = 12
    # The majority cuts the corners of the square; five of nine pixels are left.
    assert np.count_nonzero(filtered(codes, radius=1) == 12) == 5
    assert (filtered(codes, radius=1, pixels=6) == 11).all()
    np.testing.assert_array_equal(filtered(codes, pixels=6), codes)


@given(maps, st.integers(0, 2), st.integers(0, 20), st.sets(st.sampled_from([11, ROAD, 51])))
def test_protected_classes_and_nodata_neither_lose_nor_gain(
    filtered, codes, radius, pixels, protect
) -> None:
    found = filtered(codes, radius=radius, pixels=pixels, protect=sorted(protect))
    for kept in (0, *protect):
        np.testing.assert_array_equal(found == kept, codes == kept)


@given(maps, st.integers(0, 2), st.integers(2, 20))
def test_open_patches_are_large_where_any_around_them_is(filtered, codes, radius, pixels) -> None:
    protect = [ROAD, 51]
    found = filtered(codes, radius=radius, pixels=pixels, protect=protect)
    grounds, count = ndimage.label((found > 0) & ~np.isin(found, protect))
    for ground in range(1, count + 1):
        sizes = [
            size
            for code in np.unique(found[grounds == ground])
            for size in np.bincount(ndimage.label((grounds == ground) & (found == code))[0].flat)[
                1:
            ]
        ]
        assert (min(sizes) >= pixels) == (max(sizes) >= pixels)


@given(maps, st.lists(st.sampled_from([11, ROAD]), unique=True))
def test_without_filters_nothing_changes(filtered, codes, protect) -> None:
    np.testing.assert_array_equal(filtered(codes, protect=protect), codes)


@given(maps, st.integers(0, 2), st.integers(0, 9), st.integers(1, 9))
def test_windows_of_any_size_give_the_same(filtered, codes, radius, pixels, core) -> None:
    asked = {"radius": radius, "pixels": pixels, "protect": [ROAD]}
    np.testing.assert_array_equal(filtered(codes, **asked, core=core), filtered(codes, **asked))


@given(maps, st.integers(2, 20), st.lists(st.sampled_from([11, ROAD]), unique=True))
def test_a_second_sieve_changes_nothing(filtered, codes, pixels, protect) -> None:
    once = filtered(codes, pixels=pixels, protect=protect)
    np.testing.assert_array_equal(filtered(once, pixels=pixels, protect=protect), once)


@pytest.mark.parametrize(("area", "pixels"), [(0, 0), (1, 1), (100, 1), (101, 2), (1000, 10)])
def test_part_of_a_pixel_counts_as_a_whole_one(area: float, pixels: int) -> None:
    assert pixels_of(area, grid_of_shape((3, 3))) == pixels


def test_refuses_other_than_codes(tmp_path: Path) -> None:
    path = tmp_path / "class.tif"
    write_raster(path, np.ones((3, 3), np.uint16), grid_of_shape((3, 3)), 0)
    asked = {"majority_radius": 1, "minimum_area_m2": 0, "protect": (), "core": 9}
    with pytest.raises(GridError, match=r"class\.tif holds uint16"):
        list(regularise(path, **asked, scratch=tmp_path))
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_leaves_one_error_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "class.tif"
    write_raster(path, np.ones((99, 99), np.uint8), grid_of_shape((99, 99)), 0)
    asked = {"majority_radius": 1, "minimum_area_m2": 200, "protect": (), "core": 50}
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        with pytest.raises(MapError, match="make room"):
            list(regularise(path, **asked, scratch=tmp_path))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == [path]


def test_script_writes_and_counts_a_class_map_like_the_raw_one(tmp_path, root) -> None:
    spec = importlib.util.spec_from_file_location("regularise", root / "scripts/regularise.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    random = np.random.default_rng(4)
    codes = random.choice(np.array([0, 11, 44, 222], np.uint8), (80, 90), p=[0.1, 0.3, 0.3, 0.3])
    grid = grid_of_shape(codes.shape)
    raw, target = tmp_path / "class.tif", tmp_path / "maps" / "regularised.tif"
    write_raster(raw, codes, grid, 0)
    with rasterio.open(raw, "r+") as dataset:
        dataset.update_tags(tile="T31TCJ", method="forest")
    # The reference is the map without a filter, a polygon each class; the right half is tested.
    split = np.full(codes.shape, 1, np.uint8)
    split[:, 45:] = TEST
    reference = {"code": codes, "polygon": codes.astype(np.uint32), "split": split}
    for name, values in reference.items():
        write_raster(tmp_path / f"{name}.tif", values, grid, 0)
    before = raw.read_bytes()
    arguments = {
        "tile": "T31TCJ",
        "method": "forest",
        "path_to_class": str(raw),
        **{f"path_to_{name}": str(tmp_path / f"{name}.tif") for name in reference},
        "nomenclature": str(root / "tables" / "oso17.yaml"),
        "path_to_filtered": str(target),
        "path_to_confusion": str(tmp_path / "confusion.json"),
    }
    script.main(**arguments, filters={"majority_radius": 2, "minimum_area_m2": 0, "protect": []})
    filtered = read_band(target)
    np.testing.assert_array_equal(filtered, majority(codes, 2))
    counted = json.loads((tmp_path / "confusion.json").read_text())
    tested = (split == TEST) & (codes > 0)
    assert np.trace(counted["confusion"]) == np.sum((filtered == codes)[tested])
    assert np.sum(counted["confusion"]) + counted["unmapped"] == np.sum(tested)
    filters = {"majority_radius": 2, "minimum_area_m2": 500, "protect": [44, 51]}
    script.main(**arguments, filters=filters)
    assert raw.read_bytes() == before
    with rasterio.open(target) as dataset:
        np.testing.assert_array_equal(dataset.read(1) == 44, codes == 44)
        assert dataset.colormap(1)[11] == (255, 85, 0, 255)
        tags = dataset.tags()
        assert tags["CLASS_44"] == "roads"
        assert tags["method"] == "forest"
        assert tags["majority_radius"] == "2"
        assert tags["minimum_area_m2"] == "500"
        assert tags["protected"] == "44,51"
        assert dataset.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert dataset.nodata == 0
    beside = {path.name for path in target.parent.iterdir()}
    assert beside == {"regularised.tif", "regularised.tif.aux.xml"}
