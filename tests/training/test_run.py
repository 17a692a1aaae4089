"""From reference rasters and series to the deliverables, on two tiny tiles."""

import csv
import fcntl
import logging
import threading
from pathlib import Path

import keras
import numpy as np
import pytest

from fgunet.calibration import read_temperature
from fgunet.errors import ModelError, PatchError, TrainingError
from fgunet.files import read_json
from fgunet.grid import Window
from fgunet.network import required_halo
from fgunet.rasters import read_band, write_raster
from fgunet.series.store import SeriesStore


def test_the_plan_holds_the_statistics_of_training_pixels_alone(planned, caplog):
    with caplog.at_level(logging.WARNING):
        plan = planned()
    pixels = []
    for tile in plan["tiles"]:
        series = SeriesStore(tile["series"])
        values = series.read(Window(0, 0, *series.grid.shape))
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


def test_a_whole_training(planned, write_series, about_series):
    from fgunet.training.run import run  # noqa: PLC0415

    plan = planned()
    run("plan.json", "out")
    metadata = read_json("out/metadata.json")
    assert metadata["codes"] == [11, 31, 53]
    assert metadata["untrained_codes"] == [53]
    assert metadata["low"] == plan["low"]
    assert metadata["patches"] == 16
    assert metadata["workers"] == metadata["threads_per_worker"] == 1
    assert metadata["halo"] == 24
    calibration = metadata["calibration"]
    assert calibration["split"] == "validation"
    assert calibration["pixels"] > 100
    assert calibration["log_loss_after"] <= calibration["log_loss_before"]
    assert read_temperature("out/metadata.json") == calibration["temperature"] > 0
    model = keras.models.load_model("out/model.keras")
    assert required_halo(model) == 24
    assert model.count_params() == metadata["n_parameters"]
    with Path("out/history.csv").open(encoding="utf-8") as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["1", "2"]

    grid, dates = about_series["grid"], about_series["dates"]
    ones = np.ones((4, 2, *grid.shape), np.uint16)
    other = {**about_series, "dates": ("20190101", *dates[1:])}
    write_series(Path("T31TCJ.zarr"), ones, **other)
    with pytest.raises(TrainingError, match=r"tile T31TCJ.*make the plan again"):
        run("plan.json", "other")


def test_a_reference_on_another_grid_stops_before_the_plan(planned, about_series):
    grid = about_series["grid"]
    shifted = grid.cut(Window(1, 0, grid.height - 1, grid.width))
    for name in ("code", "split"):
        path = Path(f"T31TDJ_{name}.tif")
        values = read_band(path)[1:]
        path.unlink()
        write_raster(path, values, shifted, 0)
    with pytest.raises(PatchError, match=r"T31TDJ.*T31TDJ.zarr.*T31TDJ_code.tif"):
        planned()


def test_a_patch_larger_than_a_tile(planned):
    with pytest.raises(PatchError, match=r"T31TCJ has 40 x 36 pixels.*64 x 64"):
        planned(patch_size=64)


def test_no_label_of_the_training_split_anywhere(planned, about_series):
    for tile in ("T31TCJ", "T31TDJ"):
        path = Path(f"{tile}_split.tif")
        values = read_band(path)
        path.unlink()
        write_raster(path, np.where(values == 1, 0, values), about_series["grid"], 0)
    with pytest.raises(PatchError, match="training"):
        planned()


def test_a_tile_without_training_pixels_is_named(planned, about_series, caplog):
    path = Path("T31TDJ_split.tif")
    values = read_band(path)
    path.unlink()
    write_raster(path, np.where(values == 1, 2, values), about_series["grid"], 0)
    with caplog.at_level(logging.WARNING):
        planned()
    assert "no training pixel can be drawn in 1 of 2 tiles: T31TDJ" in caplog.text


def test_a_model_chosen_on_training_labels_says_so(planned, caplog):
    from fgunet.training.run import run  # noqa: PLC0415

    planned(select_on="training", select_by="quadratic_kappa", epochs=1)
    with caplog.at_level(logging.WARNING):
        run("plan.json", "out")
    assert "its score is no validation" in caplog.text
    metadata = read_json("out/metadata.json")
    assert metadata["select_on"] == "training"
    assert metadata["calibration"]["temperature"] is None
    with pytest.raises(ModelError, match="the model was chosen on the training split"):
        read_temperature("out/metadata.json")


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
