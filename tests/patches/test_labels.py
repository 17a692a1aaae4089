import numpy as np
import pytest

from fgunet.errors import GridError, NomenclatureError
from fgunet.grid import Grid, Window
from fgunet.patches.labels import SplitLabels
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


def test_a_code_without_class(paths):
    with pytest.raises(NomenclatureError, match=r"\[222\]"):
        SplitLabels(*paths, (11,), 1).read(Window(0, 0, 2, 3))


def test_rasters_must_share_a_grid(paths, tmp_path):
    write_raster(tmp_path / "other.tif", SPLIT[:1], GRID.cut(Window(0, 0, 1, 3)), 0)
    with pytest.raises(GridError):
        SplitLabels(paths[0], tmp_path / "other.tif", (11, 222), 1)
