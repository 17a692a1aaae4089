import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyproj
import pytest
import rasterio
from rio_cogeo.cogeo import cog_validate

from fgunet.errors import GridError, MapError
from fgunet.grid import Grid
from fgunet.mapping.mosaic import mosaic_tiles
from fgunet.mapping.mosaic_tiles import TileMaps
from fgunet.rasters import read_band, read_grid
from tests.mapping.tile_maps import NOMENCLATURE, put, random_tile

LAMBERT = {"crs": "EPSG:2154", "resolution": 10}


def mosaic(folder: Path, maps: list[TileMaps], **options):
    paths = folder / "mosaic_class.tif", folder / "mosaic_confidence.tif"
    return mosaic_tiles(maps, NOMENCLATURE, *paths, **{**LAMBERT, **options}), paths


def reprojected(path: str, grid: Grid, nodata: int) -> np.ndarray:
    """The pixel of the map below the middle of each pixel of `grid`, by PROJ and NumPy."""
    source, values = read_grid(path), read_band(path)
    rows, columns = np.indices(grid.shape) + 0.5
    to_source = pyproj.Transformer.from_crs(grid.crs, source.crs, always_xy=True)
    x, y = to_source.transform(*(grid.affine @ (columns, rows)))
    columns, rows = (np.floor(each).astype(int) for each in ~source.affine @ (x, y))
    inside = (rows >= 0) & (rows < source.height) & (columns >= 0) & (columns < source.width)
    result = np.full(grid.shape, nodata, np.uint8)
    result[inside] = values[rows[inside], columns[inside]]
    return result


def test_one_tile_is_taken_pixel_by_pixel(tmp_path) -> None:
    codes, confidence = random_tile(1)
    maps = put(tmp_path, "T31TCJ", codes, confidence, (480000.0, 4850000.0))
    overlap, (path_to_class, path_to_confidence) = mosaic(tmp_path, [maps], tolerance=1e-9)
    grid = read_grid(path_to_class)
    with rasterio.open(path_to_class) as dataset:
        found = dataset.read(1)
        assert dataset.colormap(1)[44] == (44, 1, 2, 255)
        assert dataset.tags()["CLASS_222"] == "class 222"
        assert dataset.nodata == 0
    np.testing.assert_array_equal(found, reprojected(maps.path_to_class, grid, 0))
    assert (found > 0).sum() == pytest.approx((codes > 0).sum(), rel=0.02)
    percent = read_band(path_to_confidence)
    np.testing.assert_array_equal(percent, reprojected(maps.path_to_confidence, grid, 255))
    assert read_grid(path_to_confidence) == grid
    left, _, _, top = grid.bounds
    assert left % 10 == top % 10 == 0
    assert overlap.pairs == {}


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
    overlap, (path_to_class, path_to_confidence) = mosaic(tmp_path, maps, crs="EPSG:32631")
    codes, percent = np.zeros((100, 160), np.uint8), np.full((100, 160), 255, np.uint8)
    codes[:, :100], percent[:, :100] = 11, 60
    codes[10:, 60:80], percent[10:, 60:80] = 44, 90
    codes[10:, 100:], percent[10:, 100:] = 44, 50
    np.testing.assert_array_equal(read_band(path_to_class), codes)
    np.testing.assert_array_equal(read_band(path_to_confidence), percent)
    assert {pair: counts.tolist() for pair, counts in overlap.pairs.items()} == {
        ("T31TCJ", "T31TDJ"): [[900, 2700, 0], [0, 0, 0], [0, 0, 0]]
    }


def test_tiles_of_one_grid_that_agree_agree_everywhere(tmp_path) -> None:
    codes, confidence = random_tile(4, (200, 300))
    maps = [
        put(tmp_path, "T31TCJ", codes[:, :190], confidence[:, :190], (500000.0, 4850000.0)),
        put(tmp_path, "T31TDJ", codes[:, 70:], confidence[:, 70:], (500700.0, 4850000.0)),
    ]
    overlap, (path_to_class, _) = mosaic(tmp_path, maps)
    (counts,) = overlap.pairs.values()
    assert np.trace(counts) == counts.sum() > 15000
    whole = put(tmp_path, "T31TEJ", codes, confidence, (500000.0, 4850000.0))
    _, (path_to_whole, _) = mosaic(tmp_path / "whole", [whole])
    np.testing.assert_array_equal(read_band(path_to_class), read_band(path_to_whole))


def test_two_zones_are_joined_pixel_by_pixel(tmp_path) -> None:
    maps = [
        put(tmp_path, "T30TYP", *random_tile(1, (300, 300)), (739000.0, 4901000.0)),
        put(tmp_path, "T31TBJ", *random_tile(2, (300, 300)), (261500.0, 4901000.0)),
    ]
    overlap, (path_to_class, path_to_confidence) = mosaic(tmp_path, maps, tolerance=1e-9)
    grid = read_grid(path_to_class)
    (a, p), (b, q) = (
        (reprojected(each.path_to_class, grid, 0), reprojected(each.path_to_confidence, grid, 255))
        for each in maps
    )
    second = (b > 0) & ((a == 0) | (q > p))
    np.testing.assert_array_equal(read_band(path_to_class), np.where(second, b, a))
    np.testing.assert_array_equal(read_band(path_to_confidence), np.where(second, q, p))
    (counts,) = overlap.pairs.values()
    assert counts.sum() == ((a > 0) & (b > 0)).sum() > 1000
    assert counts[2, 1] == ((a == 222) & (b == 44)).sum() > 100


def test_tiles_of_three_zones_far_apart_stay_sparse(tmp_path) -> None:
    maps = [
        put(tmp_path, "T30TWT", *random_tile(1), (500000.0, 5300000.0)),
        put(tmp_path, "T31TDJ", *random_tile(2), (480000.0, 4800000.0)),
        put(tmp_path, "T32TLQ", *random_tile(3), (380000.0, 5200000.0)),
    ]
    for _ in range(2):
        overlap, paths = mosaic(tmp_path, maps, resolution=60)
    assert overlap.pairs == {}
    for path, nodata in zip(paths, (0, 255), strict=True):
        assert path.stat().st_size < 200_000
        with rasterio.open(path) as dataset:
            factors = dataset.overviews(1)
            assert factors == [2, 4, 8, 16, 32][: len(factors)]
            assert max(dataset.shape) / factors[-1] <= 512
            full = dataset.read(1)
        with rasterio.open(path, overview_level=0) as overview:
            half = overview.read(1)
        has = np.pad(full != nodata, [(0, side % 2) for side in full.shape])
        expected = has[::2, ::2] | has[1::2, ::2] | has[::2, 1::2] | has[1::2, 1::2]
        np.testing.assert_array_equal(half != nodata, expected)


@pytest.mark.parametrize("resolution", [10, 25, 60])
def test_mosaics_are_valid_cogs(tmp_path, resolution) -> None:
    maps = [
        put(tmp_path, "T31TCJ", *random_tile(1, (900, 900)), (500000.0, 4850000.0)),
        put(tmp_path, "T31TDJ", *random_tile(2), (530000.0, 4810000.0)),
    ]
    _, paths = mosaic(tmp_path, maps, resolution=resolution)
    for path in paths:
        assert cog_validate(path, strict=True, quiet=True) == (True, [], [])


def test_class_names_and_colours_lie_beside_the_mosaic(tmp_path) -> None:
    maps = put(tmp_path, "T31TCJ", *random_tile(1), (500000.0, 4850000.0))
    _, (path_to_class, _) = mosaic(tmp_path, [maps])
    table = Path(f"{path_to_class}.aux.xml").read_text()
    assert "GDALRasterAttributeTable" in table
    assert "class 222" in table


def test_tags_that_all_tiles_share_are_kept(tmp_path) -> None:
    tile, version = random_tile(1), {"version": "1.2"}
    maps = [
        put(tmp_path, "T31TCJ", *tile, (500000.0, 4850000.0), tile="T31TCJ", **version),
        put(tmp_path, "T31TDJ", *tile, (501000.0, 4850500.0), tile="T31TDJ", extra="x", **version),
    ]
    _, paths = mosaic(tmp_path, maps)
    for path, own in zip(paths, ({"nomenclature", "CLASS_11"}, {"unit"}), strict=True):
        with rasterio.open(path) as dataset:
            tags = dataset.tags()
        assert tags["version"] == "1.2"
        assert own <= tags.keys()
        assert not {"tile", "extra"} & tags.keys()


def test_same_bytes_twice(tmp_path) -> None:
    maps = [
        put(tmp_path, "T31TCJ", *random_tile(1), (500000.0, 4850000.0)),
        put(tmp_path, "T31TDJ", *random_tile(2), (501000.0, 4850500.0)),
    ]
    first, second = (mosaic(tmp_path / name, maps)[1] for name in "ab")
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes()


def test_the_confidence_can_be_left_out(tmp_path) -> None:
    maps = put(tmp_path, "T31TCJ", *random_tile(1), (500000.0, 4850000.0))
    mosaic(tmp_path / "both", [maps])
    target = tmp_path / "alone" / "mosaic_class.tif"
    mosaic_tiles([maps], NOMENCLATURE, target, **LAMBERT)
    assert target.read_bytes() == (tmp_path / "both" / "mosaic_class.tif").read_bytes()
    assert {path.name for path in target.parent.iterdir()} == {
        "mosaic_class.tif",
        "mosaic_class.tif.aux.xml",
    }


FEW_FILES = """
import resource, sys
from pathlib import Path
from tests.mapping.test_mosaic import mosaic
from tests.mapping.tile_maps import NOMENCLATURE
from fgunet.mapping.mosaic_tiles import TileMaps
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
folder = Path(sys.argv[1])
maps = [
    TileMaps(name, str(folder / f"{name}_class.tif"), str(folder / f"{name}_confidence.tif"))
    for name in sys.argv[2:]
]
overlap, _ = mosaic(folder, maps, crs="EPSG:32631")
print(len(overlap.pairs))
"""


def test_a_hundred_tiles_need_few_open_files(tmp_path, root) -> None:
    rows, columns, side = 25, 4, 300
    values = np.full((side, side), 11, np.uint8), np.full((side, side), 50, np.uint8)
    maps = [
        put(
            tmp_path, f"T31{row:02d}{col}", *values,
            (500000.0 + 2800 * col, 4850000.0 - 2800 * row),
        )
        for row in range(rows)
        for col in range(columns)
    ]  # fmt: skip
    names = [each.tile for each in maps]
    done = subprocess.run(
        [sys.executable, "-c", FEW_FILES, str(tmp_path), *names],
        capture_output=True, check=False, cwd=root, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    beside, diagonal = rows * (columns - 1) + columns * (rows - 1), (rows - 1) * (columns - 1)
    assert int(done.stdout) == beside + 2 * diagonal
    assert (read_band(tmp_path / "mosaic_class.tif") == 11).all()


def test_errors(tmp_path) -> None:
    with pytest.raises(GridError, match="at least one tile"):
        mosaic(tmp_path, [])
    with pytest.raises(GridError, match="positive"):
        mosaic(tmp_path, [], resolution=0)
    assert list(tmp_path.iterdir()) == []


def mounted(folder: Path, size: int) -> bool:
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(sys.platform != "linux", reason="mounts a small file system")
def test_a_full_disk_leaves_one_error_and_no_mosaic(tmp_path) -> None:
    """The disk is full at every stage in turn: the blocks, the overviews, either COG."""
    maps = put(tmp_path, "T31TCJ", *random_tile(1, (600, 600)), (500000.0, 4850000.0))
    _, paths = mosaic(tmp_path / "room", [maps])
    made = sum(path.stat().st_size for path in paths)
    sizes = np.linspace(4096, 3 * made, 16, dtype=int)
    refused = [is_refused(tmp_path / f"small{size}", size, maps) for size in sizes]
    assert refused == sorted(refused, reverse=True)
    assert all(refused[: np.searchsorted(sizes, made)])
    assert not refused[-1]


def is_refused(folder: Path, size: int, maps: TileMaps) -> bool:
    """Whether a disk of `size` bytes is too small for the mosaic of one tile."""
    if not mounted(folder, size):
        pytest.skip("a small file system cannot be mounted here (it takes root)")
    try:
        mosaic(folder, [maps])
    except MapError as error:
        told = str(error)
    else:
        return False
    finally:
        left = list(folder.iterdir())
        subprocess.run(["umount", str(folder)], check=True)
    assert "mosaic_class.tif cannot be written" in told or "mosaic_confidence.tif" in told
    assert "make room there" in told
    assert left == []
    return True


def test_what_gdal_loses_at_the_end_of_a_file_is_missed(tmp_path) -> None:
    """A file that may not grow to its last bytes: GDAL says so in its log alone."""
    maps = put(tmp_path, "T31TCJ", *random_tile(1, (400, 400)), (500000.0, 4850000.0))
    target = tmp_path / "mosaic_class.tif"
    mosaic_tiles([maps], NOMENCLATURE, target, **LAMBERT)
    before = target.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    for missing in (1, 8, 100):
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) - missing, limits[1]))
        try:
            with pytest.raises(MapError, match=r"mosaic_class.tif cannot be written"):
                mosaic_tiles([maps], NOMENCLATURE, target, **LAMBERT)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert target.read_bytes() == before
