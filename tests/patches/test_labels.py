from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from fgunet.errors import GridError, NomenclatureError, PatchError
from fgunet.grid import Grid, Window
from fgunet.patches.labels import SplitGround, SplitLabels, require_one_grid
from fgunet.patches.open_rasters import OPEN_RASTERS, read_open
from fgunet.rasters import write_raster

GRID = Grid("EPSG:32631", (10.0, 0.0, 0.0, 0.0, -10.0, 0.0), 2, 3)
CODES = np.array([[11, 222, 0], [11, 11, 222]], np.uint8)
SPLIT = np.array([[1, 1, 0], [2, 3, 2]], np.uint8)


@pytest.fixture
def paths(tmp_path):
    write_raster(tmp_path / "code.tif", CODES, GRID, 0)
    write_raster(tmp_path / "split.tif", SPLIT, GRID, 0)
    return tmp_path / "code.tif", tmp_path / "split.tif"


def test_only_the_split_is_shown(paths):
    whole = Window(0, 0, 2, 3)
    training = SplitLabels(*paths, (11, 222), 1)
    assert training.grid == GRID
    assert training.read(whole).tolist() == [[0, 1, 255], [255, 255, 255]]
    validation = SplitLabels(*paths, (11, 222), 2)
    assert validation.read(whole).tolist() == [[255, 255, 255], [0, 255, 1]]
    assert validation.read(Window(1, 1, 1, 2)).tolist() == [[255, 1]]


def test_the_ground_of_a_split_has_any_class(paths):
    ground = SplitGround(paths[1], 2)
    assert ground.read(Window(0, 0, 2, 3)).tolist() == [[False] * 3, [True, False, True]]
    assert ground.read(Window(1, 2, 1, 1)).tolist() == [[True]]


def test_a_code_without_class(paths):
    with pytest.raises(NomenclatureError, match=r"\[222\]"):
        SplitLabels(*paths, (11,), 1).read(Window(0, 0, 2, 3))


def test_rasters_must_share_a_grid(paths, tmp_path):
    write_raster(tmp_path / "other.tif", SPLIT[:1], GRID.cut(Window(0, 0, 1, 3)), 0)
    with pytest.raises(GridError):
        SplitLabels(paths[0], tmp_path / "other.tif", (11, 222), 1)


def test_the_reference_must_lie_on_the_grid_of_the_series():
    series = "results/series/T31TCJ.zarr", GRID
    require_one_grid("T31TCJ", series, ("code.tif", GRID))
    other = GRID.cut(Window(0, 0, 1, 3))
    message = (
        r"tile T31TCJ: results/series/T31TCJ.zarr lies on .*height=2, width=3\), "
        r"code.tif on .*height=1, width=3\); .*rule rasterise_reference"
    )
    with pytest.raises(PatchError, match=message):
        require_one_grid("T31TCJ", series, ("code.tif", other))


def test_a_replaced_raster_is_opened_again(paths):
    whole = Window(0, 0, 2, 3)
    assert read_open(paths[1], whole).tolist() == SPLIT.tolist()
    write_raster(paths[1], SPLIT + 1, GRID, 0)
    assert read_open(paths[1], whole).tolist() == (SPLIT + 1).tolist()
    with pytest.raises(GridError, match="leaves"):
        read_open(paths[1], Window(0, 0, 3, 3))


def open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


def test_no_more_rasters_stay_open_than_a_process_may_have(tmp_path):
    before = open_files()
    for number in range(OPEN_RASTERS + 30):
        write_raster(tmp_path / f"{number}.tif", SPLIT, GRID, 0)
        assert read_open(tmp_path / f"{number}.tif", Window(0, 0, 2, 3)).tolist() == SPLIT.tolist()
    assert open_files() <= before + OPEN_RASTERS


def test_threads_read_one_raster_at_once(paths):
    labels = SplitLabels(*paths, (11, 222), 2)
    windows = [Window(row, col, 1, 1) for row in range(2) for col in range(3)] * 100
    with ThreadPoolExecutor(4) as pool:
        found = [values.item() for values in pool.map(labels.read, windows)]
    assert found == [255, 255, 255, 0, 255, 1] * 100
