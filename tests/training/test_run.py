"""From reference rasters and series to the deliverables, on two tiny tiles."""

import csv
import fcntl
import importlib.util
import logging
import threading
from pathlib import Path

import keras
import numpy as np
import pytest

from fgunet.errors import TrainingError
from fgunet.files import read_json
from fgunet.grid import Grid, Window
from fgunet.network import required_halo
from fgunet.rasters import read_band, write_raster
from fgunet.series.store import SeriesStore

GRID = Grid("EPSG:32631", (10.0, 0.0, 0.0, 0.0, -10.0, 0.0), 40, 36)
TILES = ("T31TCJ", "T31TDJ")
SETTINGS = {
    "dates_per_group": 2,
    "width": 2,
    "dropout": 0.1,
    "patch_size": 16,
    "jitter": 5,
    "epochs": 2,
    "patches_per_epoch": 8,
    "batch_size": 4,
    "learning_rate": 0.01,
    "warmup_epochs": 1,
    "plateau_factor": 0.2,
    "plateau_patience": 3,
    "minimum_learning_rate": 1e-5,
    "validation_patches": 3,
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


def test_the_plan_holds_the_statistics_of_training_pixels_alone(planned, caplog):
    with caplog.at_level(logging.WARNING):
        plan = planned()
    pixels = []
    for tile in plan["tiles"]:
        values = SeriesStore(tile["series"]).read(Window(0, 0, *GRID.shape))
        shown = script_split(tile["split"]) & (values[0, 0] != 65535)
        pixels.append(values[:, :, shown])
    expected = np.percentile(np.concatenate(pixels, axis=-1), [3, 97], axis=-1)
    np.testing.assert_allclose([plan["low"], plan["high"]], expected)
    assert plan["class_weights"][2] == 0
    assert sum(plan["class_weights"]) == pytest.approx(3)
    assert "no training patch holds the classes [53]" in caplog.text
    assert "training pixels are without data" in caplog.text


def script_split(path):
    return read_band(path) == 1


def test_dates_that_cannot_be_grouped(planned):
    with pytest.raises(TrainingError, match="4 dates cannot be cut into groups of 3"):
        planned(dates_per_group=3)


def test_settings_that_are_not_of_a_plan(planned):
    with pytest.raises(TrainingError, match="colour"):
        planned(colour=1)


def test_a_whole_training(planned, write_series):
    from fgunet.training.run import run  # noqa: PLC0415

    plan = planned()
    run("plan.json", "out")
    metadata = read_json("out/metadata.json")
    assert metadata["codes"] == [11, 31, 53]
    assert metadata["untrained_codes"] == [53]
    assert metadata["low"] == plan["low"]
    assert metadata["patches"] == 16
    assert metadata["workers"] == 1
    assert metadata["halo"] == 24
    model = keras.models.load_model("out/model.keras")
    assert required_halo(model) == 24
    assert model.count_params() == metadata["n_parameters"]
    with Path("out/history.csv").open(encoding="utf-8") as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["1", "2"]

    other = ("20190101", *DATES[1:])
    ones = np.ones((4, 2, *GRID.shape), np.uint16)
    write_series(Path("T31TCJ.zarr"), ones, **{**ABOUT, "dates": other})
    with pytest.raises(TrainingError, match="make the plan again"):
        run("plan.json", "other")


def test_one_training_at_a_time_in_a_folder(planned, caplog):
    from fgunet.training.run import run  # noqa: PLC0415

    planned()
    Path("out").mkdir()
    with Path("out/.lock").open("w") as lock, caplog.at_level(logging.WARNING):
        fcntl.flock(lock, fcntl.LOCK_EX)
        second = threading.Thread(target=run, args=("plan.json", "out"))
        second.start()
        while "another process is at work in out" not in caplog.text:
            second.join(0.05)
            assert second.is_alive(), "it ended instead of waiting"
        assert not Path("out/checkpoint").exists()
        fcntl.flock(lock, fcntl.LOCK_UN)
        second.join(120)
    assert Path("out/model.keras").exists()
