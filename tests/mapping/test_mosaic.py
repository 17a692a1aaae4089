from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.enums import Resampling
from rasterio.warp import reproject

from fgunet.errors import GridError
from fgunet.grid import Grid
from fgunet.mapping.mosaic import mosaic_tiles
from fgunet.mapping.overlap import OverlapCount, most_confident
from fgunet.nomenclature import LandCoverClass, Nomenclature
from fgunet.rasters import read_grid, write_raster

NOMENCLATURE = Nomenclature(
    "three classes",
    tuple(LandCoverClass(code, f"class {code}", (code, 1, 2), "") for code in (11, 44, 222)),
)


def put(
    folder: Path, name: str, codes: np.ndarray, confidence: np.ndarray, origin: tuple[float, float]
) -> tuple[str, str]:
    crs = f"EPSG:326{name[1:3]}"
    grid = Grid(crs, (10.0, 0.0, origin[0], 0.0, -10.0, origin[1]), *codes.shape)
    paths = str(folder / f"{name}_class.tif"), str(folder / f"{name}_confidence.tif")
    write_raster(paths[0], codes, grid, 0)
    write_raster(paths[1], confidence, grid, 255)
    return paths


def random_tile(seed: int, shape: tuple[int, int] = (150, 170)) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    codes = random.choice(np.array([0, 11, 44, 222], np.uint8), shape)
    confidence = random.integers(0, 101, shape, dtype=np.uint8)
    confidence[codes == 0] = 255
    return codes, confidence


def test_one_tile_is_what_gdal_reprojects(tmp_path) -> None:
    codes, confidence = random_tile(1)
    paths = put(tmp_path, "T31TCJ", codes, confidence, (480000.0, 4850000.0))
    overlap = mosaic_tiles(
        [paths],
        NOMENCLATURE,
        tmp_path / "mosaic.tif",
        crs="EPSG:2154",
        resolution=10,
        tolerance=1e-9,
    )
    grid = read_grid(tmp_path / "mosaic.tif")
    source = read_grid(paths[0])
    expected = np.zeros(grid.shape, np.uint8)
    reproject(
        codes,
        expected,
        src_transform=source.affine,
        src_crs=source.crs,
        dst_transform=grid.affine,
        dst_crs=grid.crs,
        src_nodata=0,
        dst_nodata=0,
        resampling=Resampling.nearest,
        tolerance=1e-9,
    )
    with rasterio.open(tmp_path / "mosaic.tif") as dataset:
        found = dataset.read(1)
        assert dataset.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert dataset.colormap(1)[44] == (44, 1, 2, 255)
        assert dataset.tags()["CLASS_222"] == "class 222"
        assert dataset.nodata == 0
    np.testing.assert_array_equal(found, expected)
    assert (found > 0).sum() == pytest.approx((codes > 0).sum(), rel=0.02)
    left, _, _, top = grid.bounds
    assert left % 10 == top % 10 == 0
    assert overlap["pixels"] == 0
    assert overlap["share"] is None


def test_confidence_decides_where_tiles_overlap(tmp_path) -> None:
    first = np.full((100, 100), 11, np.uint8), np.full((100, 100), 60, np.uint8)
    second = np.full((100, 100), 44, np.uint8), np.full((100, 100), 50, np.uint8)
    second[1][:, :20] = 90  # surer in 20 of the 40 shared columns
    second[0][:, 20:30] = 11  # agreeing in 10 of the other
    second[0][:10], second[1][:10] = 0, 255
    maps = [
        put(tmp_path, "T31TCJ", *first, (500000.0, 4850000.0)),
        put(tmp_path, "T31TDJ", *second, (500600.0, 4850000.0)),
    ]
    overlap = mosaic_tiles(
        maps, NOMENCLATURE, tmp_path / "mosaic.tif", crs="EPSG:32631", resolution=10
    )
    expected = np.zeros((100, 160), np.uint8)
    expected[:, :100] = 11
    expected[10:, 60:80] = 44
    expected[10:, 100:] = 44
    with rasterio.open(tmp_path / "mosaic.tif") as dataset:
        np.testing.assert_array_equal(dataset.read(1), expected)
    assert overlap == {
        "pixels": 3600,
        "agreeing": 900,
        "share": 0.25,
        "classes": {
            "11": {"pixels": 1800, "agreeing": 900},
            "44": {"pixels": 1800, "agreeing": 0},
        },
    }


def test_tiles_of_two_zones_far_apart_stay_sparse(tmp_path) -> None:
    maps = [
        put(tmp_path, "T30TWT", *random_tile(1), (500000.0, 5300000.0)),
        put(tmp_path, "T31TDJ", *random_tile(2), (480000.0, 4800000.0)),
        put(tmp_path, "T32TLQ", *random_tile(3), (380000.0, 5200000.0)),
    ]
    target = tmp_path / "mosaic.tif"
    for _ in range(2):
        mosaic_tiles(maps, NOMENCLATURE, target, crs="EPSG:2154", resolution=60)
    assert target.stat().st_size < 200_000
    with rasterio.open(target) as dataset:
        factors = dataset.overviews(1)
        assert factors == [2, 4, 8, 16, 32][: len(factors)]
        assert max(dataset.shape) / factors[-1] <= 512
        full = dataset.read(1)
    with rasterio.open(target, overview_level=0) as overview:
        half = overview.read(1)
    has = full != 0
    has = np.pad(has, [(0, side % 2) for side in full.shape])
    expected = has[::2, ::2] | has[1::2, ::2] | has[::2, 1::2] | has[1::2, 1::2]
    np.testing.assert_array_equal(half != 0, expected)


def test_same_bytes_twice(tmp_path) -> None:
    maps = [
        put(tmp_path, "T31TCJ", *random_tile(1), (500000.0, 4850000.0)),
        put(tmp_path, "T31TDJ", *random_tile(2), (501000.0, 4850500.0)),
    ]
    for name in ("a.tif", "b.tif"):
        mosaic_tiles(maps, NOMENCLATURE, tmp_path / name, crs="EPSG:2154", resolution=10)
    assert (tmp_path / "a.tif").read_bytes() == (tmp_path / "b.tif").read_bytes()


def test_most_confident_by_hand() -> None:
    codes = [np.array([[11, 11, 0, 0, 11]], np.uint8), np.array([[44, 44, 44, 0, 44]], np.uint8)]
    percent = [
        np.array([[50, 70, 255, 255, 255]], np.uint8),
        np.array([[50, 71, 1, 255, 3]], np.uint8),
    ]
    assert most_confident(codes, percent).tolist() == [[11, 44, 44, 0, 44]]
    count = OverlapCount()
    count.add(codes, most_confident(codes, percent))
    assert count.to_dict()["pixels"] == 3


def test_errors(tmp_path) -> None:
    target = tmp_path / "mosaic.tif"
    with pytest.raises(GridError, match="at least one tile"):
        mosaic_tiles([], NOMENCLATURE, target, crs="EPSG:2154", resolution=10)
    with pytest.raises(GridError, match="positive"):
        mosaic_tiles([], NOMENCLATURE, target, crs="EPSG:2154", resolution=0)
    one = put(tmp_path, "T31TCJ", *random_tile(1), (500000.0, 4850000.0))
    other = put(tmp_path, "T31TDJ", *random_tile(2), (501000.0, 4850500.0))
    with pytest.raises(GridError, match="another grid"):
        mosaic_tiles([(one[0], other[1])], NOMENCLATURE, target, crs="EPSG:2154", resolution=10)
    assert not target.exists()
