from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import rasterio

from fgunet.errors import GridError, ResultError
from fgunet.grid import Grid, Window, split_windows
from fgunet.rasters import (
    OpenBand,
    create_raster,
    read_band,
    read_grid,
    require_same_grid,
    write_raster,
)

GRID = Grid("EPSG:32631", (10.0, 0.0, 500000.0, 0.0, -10.0, 4800000.0), 150, 200)


def test_windows_written_apart_make_the_same_file(tmp_path: Path) -> None:
    values = np.random.default_rng(1).integers(0, 255, GRID.shape, dtype=np.uint8)
    write_raster(tmp_path / "whole.tif", values, GRID, 255)
    with create_raster(tmp_path / "parts.tif", GRID, "uint8", 255) as write:
        for window in split_windows(GRID.shape, 128):
            write(window, values[window.slices])
    assert read_grid(tmp_path / "parts.tif") == GRID
    assert (read_band(tmp_path / "parts.tif") == values).all()
    with rasterio.open(tmp_path / "parts.tif") as dataset:
        assert dataset.nodata == 255
        assert dataset.block_shapes == [(128, 128)]


def test_window_read(tmp_path: Path) -> None:
    values = np.arange(150 * 200, dtype=np.uint32).reshape(GRID.shape)
    write_raster(tmp_path / "a.tif", values, GRID, 0)
    window = Window(10, 20, 30, 40)
    assert (read_band(tmp_path / "a.tif", window) == values[window.slices]).all()
    with pytest.raises(GridError, match="leaves"):
        read_band(tmp_path / "a.tif", Window(130, 0, 30, 10))


@pytest.mark.parametrize("size", [0, 200, 1500])
@pytest.mark.parametrize(
    "read", [read_band, lambda path: OpenBand(path).read(Window(0, 0, 40, 40))]
)
def test_a_damaged_raster_is_one_clear_error(tmp_path: Path, size: int, read) -> None:
    path = tmp_path / "code.tif"
    values = np.random.default_rng(0).integers(0, 255, (40, 40), dtype=np.uint8)
    write_raster(path, values, Grid(GRID.crs, GRID.transform, 40, 40), 0)
    assert (read(path) == values).all()
    with path.open("r+b") as file:
        file.truncate(size)
    with pytest.raises(
        ResultError, match=rf"{path} cannot be read \(.*\): remove it, and the same"
    ):
        read(path)


def test_open_band_reads_the_same_from_any_thread(tmp_path: Path) -> None:
    values = np.arange(150 * 200, dtype=np.uint32).reshape(GRID.shape)
    write_raster(tmp_path / "a.tif", values, GRID, 0)
    band = OpenBand(tmp_path / "a.tif")
    windows = list(split_windows(GRID.shape, 16))
    with ThreadPoolExecutor(4) as pool:
        for window, found in zip(windows, pool.map(band.read, windows), strict=True):
            assert (found == values[window.slices]).all()
    with pytest.raises(GridError, match="leaves"):
        band.read(Window(0, 190, 10, 11))


def test_colour_table(tmp_path: Path) -> None:
    values = np.full(GRID.shape, 11, dtype=np.uint8)
    write_raster(tmp_path / "a.tif", values, GRID, 0, colours={11: (255, 85, 0)})
    with rasterio.open(tmp_path / "a.tif") as dataset:
        assert dataset.colormap(1)[11] == (255, 85, 0, 255)


def test_wrong_shape_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GridError, match=r"values have shape \(2, 2\)"):
        write_raster(tmp_path / "a.tif", np.zeros((2, 2), np.uint8), GRID, 0)


def test_different_grids_name_both() -> None:
    other = Grid("EPSG:32632", GRID.transform, 150, 200)
    with pytest.raises(GridError, match=r"b\.tif lies on another grid than a\.tif"):
        require_same_grid([("a.tif", GRID), ("b.tif", other)])
    assert require_same_grid([("a.tif", GRID), ("c.tif", GRID)]) == GRID
