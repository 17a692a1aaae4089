"""Rasters on a disk without room: whole, or not there."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import rasterio

from fgunet.errors import MapError
from fgunet.grid import Grid, Window, split_windows
from fgunet.mapping.cog import create_cog, write_cog
from fgunet.mapping.deliverables import create_class_map
from fgunet.nomenclature import LandCoverClass, Nomenclature
from fgunet.rasters import create_raster, rasterio_window
from fgunet.whole import require_whole

KILOBYTES = 256
GRID = Grid("EPSG:32631", (10.0, 0.0, 500000.0, 0.0, -10.0, 4800000.0), 600, 600)
NOISE = np.random.default_rng(0).integers(0, 255, GRID.shape, dtype=np.uint8)


@pytest.fixture(scope="module")
def small_disk(tmp_path_factory) -> Iterator[Path]:
    if sys.platform != "linux":
        pytest.skip("mounts a small file system")
    folder = tmp_path_factory.mktemp("small")
    size = f"size={KILOBYTES}k"
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)], capture_output=True, check=False
    )
    if done.returncode != 0:
        pytest.skip("a small file system cannot be mounted here (it takes root)")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def noisy(pixels: int) -> np.ndarray:
    """So many pixels of noise, which takes about a byte each, and zeros."""
    values = np.zeros(GRID.shape, np.uint8)
    values.flat[:pixels] = NOISE.flat[:pixels]
    return values


def as_raster(path: Path, values: np.ndarray, side: int) -> None:
    with create_raster(path, GRID, "uint8", 0) as put:
        for window in split_windows(GRID.shape, side):
            put(window, values[window.slices])


def as_cog(path: Path, values: np.ndarray, side: int) -> None:
    with create_cog(path, GRID, "uint8", 0, overviews="MODE") as put:
        for window in split_windows(GRID.shape, side):
            put(window, values[window.slices])


def translated(path: Path, values: np.ndarray, side: int) -> None:
    source = path.parent.with_name("source.tif")
    as_raster(source, values, side)
    write_cog(source, path, overviews="MODE", block=256)


def outcome(make: Callable[..., None], path: Path, values: np.ndarray, side: int = 100) -> str:
    """ "" where the map is whole, otherwise what the error says; nothing is left of either."""
    before = set(path.parent.iterdir())
    try:
        make(path, values, side)
    except MapError as error:
        told = str(error)
    else:
        told = ""
        with rasterio.open(path) as dataset:
            np.testing.assert_array_equal(dataset.read(1), values)
        path.unlink()
    assert set(path.parent.iterdir()) == before
    return told


# Where GDAL keeps blocks back (windows that cut blocks), it tells of a full disk only as it closes
# the file, and to nobody: then a check of the closed file finds it.
@pytest.mark.parametrize("side", [100, 600])
@pytest.mark.parametrize(
    ("make", "most"), [(as_raster, 330_000), (as_cog, 160_000), (translated, 200_000)]
)
def test_a_map_is_whole_or_not_there(make, most, side, small_disk) -> None:
    path = small_disk / "map.tif"
    told = [outcome(make, path, noisy(pixels), side) for pixels in range(50_000, most, 10_000)]
    assert told[0] == ""
    assert told[-1] != ""
    for each in filter(None, told):
        assert each.startswith(f"{path} cannot be written: ")
        assert each.endswith("and start again")
        assert f"0 MB are free in {small_disk}: make room there" in each


def test_a_disk_full_at_the_last_kilobytes(small_disk) -> None:
    """Around the size of the file, where its last blocks or its directory find no room."""
    filler = small_disk / "filler"
    told = []
    for kilobytes in range(60, 110, 4):
        filler.write_bytes(bytes(kilobytes * 1024))
        told.append(outcome(as_raster, small_disk / "map.tif", noisy(170_000)))
    filler.unlink()
    assert told[0] == ""
    assert "the end of the file is missing" in told[-1]


def as_class_map(path: Path, values: np.ndarray, nomenclature: Nomenclature) -> None:
    with create_class_map(path, GRID, nomenclature) as put:
        put(Window(0, 0, *GRID.shape), values)


def test_the_former_map_and_no_table_stay_where_the_next_fails(small_disk) -> None:
    nomenclature = Nomenclature("one", (LandCoverClass(1, "all", (1, 2, 3), ""),))
    path = small_disk / "class.tif"
    path.write_bytes(b"former")
    with pytest.raises(MapError, match=r"class\.tif cannot be written"):
        as_class_map(path, NOISE, nomenclature)
    assert [each.name for each in small_disk.iterdir()] == ["class.tif"]
    assert path.read_bytes() == b"former"
    path.unlink()


def test_a_file_cut_short_is_not_whole(tmp_path) -> None:
    path = tmp_path / "map.tif"
    translated(path, NOISE, 600)
    require_whole(path)
    content = path.read_bytes()
    for kept in (len(content) - 5, len(content) // 2, 300):
        path.write_bytes(content[:kept])
        with pytest.raises(OSError, match="the end of the file is missing"):
            require_whole(path)


def test_a_block_left_out_is_missed_unless_it_may_be(tmp_path) -> None:
    path = tmp_path / "sparse.tif"
    profile = {"driver": "GTiff", "width": 64, "height": 64, "count": 1, "dtype": "uint8"}
    profile |= {"crs": GRID.crs, "transform": GRID.affine}
    tiles = {"tiled": True, "blockxsize": 32, "blockysize": 32, "SPARSE_OK": True}
    with rasterio.open(path, "w", **profile, **tiles) as dataset:
        dataset.write(np.ones((32, 32), np.uint8), 1, window=rasterio_window(Window(0, 0, 32, 32)))
    require_whole(path, sparse=True)
    with pytest.raises(OSError, match="missing"):
        require_whole(path)
