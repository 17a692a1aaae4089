"""A plan, patches and tiles small enough for tests."""

import importlib.util
import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pytest

from fgunet.files import read_json
from fgunet.grid import Grid
from fgunet.rasters import write_raster
from fgunet.training.plan import TilePaths, TrainingPlan


class RandomPatches:
    """Patches whose class is written in their brightness, by number."""

    def __init__(self, size, channels, n_classes, stop_at=None):
        self.size, self.channels, self.n_classes, self.stop_at = size, channels, n_classes, stop_at
        self.labelled = 1000 * np.arange(1, n_classes + 1)

    def patch(self, index):
        if self.stop_at is not None and index >= self.stop_at:
            raise InterruptedError("killed")
        generator = np.random.default_rng(index)
        labels = generator.integers(self.n_classes, size=(self.size, self.size)).astype(np.uint8)
        noise = 0.1 * generator.random((self.size, self.size, self.channels))
        image = labels[..., None] / self.n_classes + noise
        labels[generator.random(labels.shape) < 0.5] = 255
        return image.astype(np.float32), labels

    def describe(self, index):
        return f"sample {index}"

    def batch(self, indices):
        patches = [self.patch(index) for index in indices]
        return np.stack([p[0] for p in patches]), np.stack([p[1] for p in patches])


@pytest.fixture(scope="session")
def random_patches():
    return RandomPatches


@pytest.fixture(scope="session")
def make_plan():
    def make(**changes):
        values = {
            "nomenclature": "three",
            "codes": (11, 31, 222),
            "tiles": (TilePaths("T31TCJ", "a.zarr", "code.tif", "split.tif"),),
            "dates": ("20180101", "20180111", "20180121", "20180131"),
            "bands": ("B02", "B03"),
            "nodata": 65535,
            "low": ((0.0, 0.0),) * 4,
            "high": ((1000.0, 1000.0),) * 4,
            "class_weights": (1.0, 0.5, 1.5),
            "dates_per_group": 2,
            "width": 2,
            "dropout": 0.2,
            "precision": "float32",
            "patch_size": 8,
            "jitter": 2,
            "avoid_test_context": False,
            "epochs": 3,
            "patches_per_epoch": 12,
            "batch_size": 6,
            "portion": 2,
            "learning_rate": 0.01,
            "warmup_epochs": 1,
            "plateau_factor": 0.5,
            "plateau_patience": 1,
            "minimum_learning_rate": 0.001,
            "validation_patches": 5,
            "select_on": "validation",
            "select_by": "kappa",
            "checkpoint_every": 1,
            "tensorboard": False,
            "seed": 7,
        }
        return TrainingPlan(**{**values, **changes})

    return make


GRID = Grid("EPSG:32631", (10.0, 0.0, 0.0, 0.0, -10.0, 0.0), 40, 36)
TILES = ("T31TCJ", "T31TDJ")
SETTINGS = {
    "dates_per_group": 2,
    "width": 2,
    "dropout": 0.1,
    "precision": "float32",
    "patch_size": 16,
    "jitter": 5,
    "avoid_test_context": False,
    "epochs": 2,
    "patches_per_epoch": 8,
    "batch_size": 4,
    "portion": 2,
    "learning_rate": 0.01,
    "warmup_epochs": 1,
    "plateau_factor": 0.2,
    "plateau_patience": 3,
    "minimum_learning_rate": 1e-5,
    "validation_patches": 3,
    "select_on": "validation",
    "select_by": "kappa",
    "checkpoint_every": 1,
    "tensorboard": False,
}
NOMENCLATURE = """
name: three
classes:
  - {code: 11, name: crops, colour: [1, 2, 3]}
  - {code: 31, name: forest, colour: [1, 2, 4]}
  - {code: 53, name: glaciers, colour: [1, 2, 5]}
"""


DATES, BANDS = ("20180101", "20180111", "20180121", "20180131"), ("B02", "B03")


ABOUT = {"tile": "T31TCJ", "grid": GRID, "dates": DATES, "bands": BANDS}


@pytest.fixture(scope="session")
def about_series():
    """What the series of `planned` are, as `write_series` takes it."""
    return ABOUT


def script(root, name):
    spec = importlib.util.spec_from_file_location(name, root / "scripts" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def planned(root, tmp_path, monkeypatch, write_series):
    """Folder with rasters, series, statistics and the plan, paths relative to it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "classes.yaml").write_text(NOMENCLATURE)
    for number, tile in enumerate(TILES):
        generator = np.random.default_rng(number)
        code = generator.choice(np.array([0, 11, 31], np.uint8), GRID.shape)
        split = np.where(code > 0, generator.integers(1, 4, GRID.shape), 0).astype(np.uint8)
        series = generator.integers(0, 500, (4, 2, *GRID.shape)) + 20 * code.astype(np.int64)
        series[:, :, 0, :5] = 65535
        write_raster(tmp_path / f"{tile}_code.tif", code, GRID, 0)
        write_raster(tmp_path / f"{tile}_split.tif", split, GRID, 0)
        write_series(tmp_path / f"{tile}.zarr", series.astype(np.uint16), **ABOUT)
        script(root, "training_statistics").main(
            path_to_series=f"{tile}.zarr",
            path_to_code=f"{tile}_code.tif",
            path_to_split=f"{tile}_split.tif",
            path_to_statistics=f"{tile}.npz",
        )

    def plan(**changes):
        script(root, "training_plan").main(
            tiles=TILES,
            seed=1,
            settings={**SETTINGS, **changes},
            path_to_nomenclature="classes.yaml",
            paths_to_series=[f"{tile}.zarr" for tile in TILES],
            paths_to_code=[f"{tile}_code.tif" for tile in TILES],
            paths_to_split=[f"{tile}_split.tif" for tile in TILES],
            paths_to_statistics=[f"{tile}.npz" for tile in TILES],
            path_to_plan="plan.json",
        )
        return read_json("plan.json")

    return plan
