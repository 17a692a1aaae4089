"""Two small tiles of square polygons, and a plan to train on them."""

import numpy as np
import pytest

from fgunet.grid import Grid
from fgunet.rasters import write_raster
from fgunet.training.plan import TilePaths, TrainingPlan

GRID = Grid("EPSG:32631", (10.0, 0.0, 0.0, 0.0, -10.0, 0.0), 40, 48)
TILES = ("T31TCJ", "T31TDJ")
DATES, BANDS = ("20180101", "20180111"), ("B02", "B03")
CODES = (11, 31, 222)
SIDE = 6


def rasters_of(number):
    """Code, polygon and split: squares of 6 pixels, every 8, the split turning 1, 1, 2, 3."""
    generator = np.random.default_rng(number)
    code, polygon, split = (np.zeros(GRID.shape, t) for t in (np.uint8, np.uint32, np.uint8))
    for place, (row, col) in enumerate(np.ndindex(5, 6)):
        square = np.s_[8 * row : 8 * row + SIDE, 8 * col : 8 * col + SIDE]
        code[square] = CODES[generator.integers(3)]
        polygon[square] = 100 * number + place + 1
        split[square] = (1, 1, 1, 1, 2, 3)[place % 6] if place != 9 else 3
    return {"code": code, "polygon": polygon, "split": split}


@pytest.fixture(scope="session")
def grid():
    return GRID


@pytest.fixture
def two_tiles(tmp_path, write_series):
    """Files of two tiles, whose series tells tile, row and column of each pixel; their rasters."""
    rasters = [rasters_of(number) for number in range(2)]
    for number, tile in enumerate(TILES):
        for name, values in rasters[number].items():
            write_raster(tmp_path / f"{tile}_{name}.tif", values, GRID, 0)
        series = np.empty((2, 2, *GRID.shape), np.uint16)
        series[0, 0], series[0, 1] = np.indices(GRID.shape)
        series[1] = number
        clear = np.ones(GRID.shape, np.uint16)
        clear[:6, :6] = 0  # no data on the first polygon of either tile
        clear[8:14, :5] = 0
        write_series(
            tmp_path / f"{tile}.zarr", series, tile=tile, grid=GRID, dates=DATES, bands=BANDS,
            counts={"clear_count": clear},
        )  # fmt: skip
    return tmp_path, rasters


@pytest.fixture
def make_plan(two_tiles):
    folder, _ = two_tiles

    def make(splits="split", **changes):
        values = {
            "nomenclature": "three",
            "codes": CODES,
            "tiles": tuple(
                TilePaths(t, *(str(folder / f"{t}{end}") for end in (
                    ".zarr", "_code.tif", f"_{splits}.tif")))
                for t in TILES
            ),
            "dates": DATES, "bands": BANDS, "nodata": 65535,
            "low": ((0.0, 0.0),) * 2, "high": ((1000.0, 1000.0),) * 2,
            "class_weights": (1.0, 1.0, 1.0),
            "dates_per_group": 1, "width": 2, "dropout": 0.2, "precision": "float32",
            "patch_size": 12, "jitter": 4, "avoid_test_context": False,
            "epochs": 3, "patches_per_epoch": 20, "batch_size": 5, "portion": 5,
            "learning_rate": 0.01, "warmup_epochs": 1, "plateau_factor": 0.5,
            "plateau_patience": 1, "minimum_learning_rate": 0.001, "validation_patches": 5,
            "select_on": "validation", "select_by": "kappa", "checkpoint_every": 1,
            "tensorboard": False, "seed": 7,
        }  # fmt: skip
        return TrainingPlan(**{**values, **changes})

    return make
