import matplotlib.image
import numpy as np
import pandas as pd
import pytest
import shapely

from fgunet.report.accuracy_charts import confusion_matrices, f_by_class, kappa_by_tile
from fgunet.report.data_charts import (
    acquisition_calendar,
    acquisition_date,
    clear_dates,
    reference_polygons,
)
from fgunet.report.location import location_map
from fgunet.report.sheets import tile_sheet
from fgunet.report.style import evenly_chosen, save_figure
from fgunet.report.training_charts import training_history

DATES = ("20160105", "20160116", "20160127")


def _drawn(figure, path):
    """Pixels of a saved figure; a figure that is one colour is empty."""
    save_figure(figure, path, dpi=50)
    pixels = matplotlib.image.imread(path)
    assert pixels[..., :3].std() > 0.01
    return pixels


def _figures(run):
    inputs, world = run.inputs, run.world
    return {
        "kappa": kappa_by_tile(inputs.summary, inputs.methods),
        "f": f_by_class(inputs.classes, inputs.methods, inputs.nomenclature, inputs.focus_group),
        "matrices": confusion_matrices(run.matrices, inputs.nomenclature),
        "sheet": tile_sheet(run.sheet, inputs.nomenclature),
        "calendar": acquisition_calendar(inputs.acquisitions, DATES),
        "clear": clear_dates(
            {t: dict.fromkeys(("5", "25", "50", "75", "95"), 9) for t in world.truths}
        ),
        "reference": reference_polygons(inputs.audit["counts"]["rows"], inputs.nomenclature),
        "location": location_map(run.footprints, run.thumbnails, inputs.nomenclature, "EPSG:2154"),
    }


def test_every_figure_of_a_full_run_shows_something(run, tmp_path):
    for name, figure in _figures(run).items():
        _drawn(figure, tmp_path / f"{name}.png")


def test_every_figure_of_one_method_one_tile_and_two_classes(small_run, tmp_path):
    for name, figure in _figures(small_run).items():
        _drawn(figure, tmp_path / f"{name}.png")


def test_training_history_with_and_without_validation(history, tmp_path):
    _drawn(training_history(history), tmp_path / "full.png")
    bare = history[["epoch", "loss", "learning_rate"]].head(1)
    _drawn(training_history(bare), tmp_path / "bare.png")
    undefined = history.assign(validation_kappa=np.nan)
    _drawn(training_history(undefined), tmp_path / "undefined.png")


def test_same_figure_same_bytes(history, tmp_path):
    for kind in ("svg", "png"):
        first, second = tmp_path / f"a.{kind}", tmp_path / f"b.{kind}"
        save_figure(training_history(history), first)
        save_figure(training_history(history), second)
        assert first.read_bytes() == second.read_bytes()


def test_undefined_scores_are_not_drawn(run, tmp_path):
    summary = run.inputs.summary.copy()
    scores = [name for name in summary if name.startswith("kappa")]
    summary.loc[summary["tile"] == "T30TWT", scores] = np.nan
    axes = kappa_by_tile(summary, run.inputs.methods).axes[0]
    drawn = [line for line in axes.get_lines() if line.get_label() == "FG-UNET"]
    assert np.isnan(drawn[0].get_xdata()[0])
    assert not np.isnan(drawn[0].get_xdata()[1:].astype(float)).any()


def test_a_country_of_tiles_shows_an_even_choice():
    tiles = [f"T{number:04d}" for number in range(1100)]
    summary = pd.DataFrame({"tile": [*tiles, "pooled"], "method": "forest"})
    summary = summary.assign(kappa=0.8, kappa_lower=0.7, kappa_upper=0.9)
    axes = kappa_by_tile(summary, ["forest"]).axes[0]
    assert len(axes.get_yticks()) == 61
    assert "60 of 1100 tiles" in axes.get_title(loc="left")


def test_even_choice_keeps_both_ends():
    assert evenly_chosen(list("abcdefgh"), 3)[0] == "a"
    assert evenly_chosen(list("abcdefgh"), 3)[-1] == "h"
    assert evenly_chosen(list("ab"), 3) == ["a", "b"]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"product": "x", "time": "2016-01-05T10:55:00.000Z"}, "2016-01-05"),
        ({"product": "SENTINEL2A_20160115-105500-000_L2A_T30TWT_C_V1-0"}, "2016-01-15"),
        ({"product": "S2A_MSIL2A_20220125T105331_N0400"}, "2022-01-25"),
        ({"product": "no date at all"}, None),
    ],
)
def test_dates_of_acquisitions(entry, expected):
    found = acquisition_date(entry)
    assert (found and found.strftime("%Y-%m-%d")) == expected


def test_the_whole_tile_is_in_a_location_map_of_one_tile(run):
    footprint = shapely.box(500_000, 6_600_000, 609_800, 6_709_800)
    figure = location_map({"T31TEL": footprint}, {}, run.inputs.nomenclature, "EPSG:2154")
    low, high = figure.axes[0].get_xlim()
    assert low < 500_000
    assert high > 609_800
