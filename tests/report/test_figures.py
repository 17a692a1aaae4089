import matplotlib.image
import numpy as np
import pandas as pd
import pytest
import shapely
from matplotlib.collections import PathCollection
from matplotlib.colors import to_rgb
from matplotlib.dates import num2date

from fgunet.report.accuracy_charts import confusion_matrices, f_by_class, kappa_by_tile
from fgunet.report.data_charts import acquisition_calendar, clear_dates
from fgunet.report.gap_maps import NEVER, gap_maps, scale_of_counts, scale_of_gaps
from fgunet.report.gaps import Gaps
from fgunet.report.location import location_map
from fgunet.report.sheets import tile_sheet
from fgunet.report.style import evenly_chosen, save_charts, save_figure
from fgunet.report.training_charts import training_history
from fgunet.sentinel2.selection import BROKEN, EMPTY, OUTSIDE, SUPERSEDED

KINDS = {"svg": b"<?xml", "png": b"\x89PNG"}
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
        "gaps": gap_maps(run.tile, "EPSG:32630", run.gaps[run.tile], 60, 960.0),
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


def test_charts_go_to_the_files_that_have_their_names(history, tmp_path):
    chart = training_history(history)
    save_charts({"history": chart, "unasked": chart}, [tmp_path / f"history.{k}" for k in KINDS])
    save_figure(chart, tmp_path / "alone.svg")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "alone.svg", "history.png", "history.svg",
    ]  # fmt: skip
    for kind, start in KINDS.items():
        assert (tmp_path / f"history.{kind}").read_bytes().startswith(start)
    assert (tmp_path / "history.svg").read_bytes() == (tmp_path / "alone.svg").read_bytes()


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


def test_an_acquisition_is_drawn_on_its_day_by_its_clouds():
    listing = {
        "tile": "T31TEL",
        "kept": [{"time": "2016-01-05T10:55:00.000"}, {"time": "2016-01-15T10:55:00Z"}],
        "cloud_shares": [0.0, 0.8],
        "excluded": [
            {"date": "20160125", "reason": EMPTY},
            {"date": "20160204", "reason": BROKEN},
            {"date": "20140101", "reason": OUTSIDE},
            {"date": "20160105", "reason": SUPERSEDED},
        ],
    }
    axes = acquisition_calendar([listing], DATES).axes[0]
    (dots,) = (c for c in axes.collections if isinstance(c, PathCollection))
    days = [num2date(x).strftime("%Y%m%d") for x in dots.get_offsets()[:, 0]]
    assert days == ["20160105", "20160115"]
    assert dots.get_array().tolist() == [0.0, 0.8]
    left_out, broken = (line.get_xdata().astype(str).tolist() for line in axes.get_lines())
    assert (left_out, broken) == (["2016-01-25"], ["2016-02-04"])
    assert "broken" in [text.get_text() for text in axes.get_legend().get_texts()]


def test_a_tile_never_seen_leaves_its_row_of_clear_days_empty(tmp_path):
    quantiles = {"T31TEL": None, "T31TEM": dict.fromkeys(("5", "25", "50", "75", "95"), 9.0)}
    axes = clear_dates(quantiles).axes[0]
    drawn = axes.get_lines()[0].get_xdata()
    assert np.isnan(drawn[0])
    assert drawn[1] == 9


def test_colours_of_gaps_turn_above_the_limit():
    scale = scale_of_gaps(60)
    assert scale.ticks == (15, 30, 45, 60, 90, 120, 180)
    steps = scale.norm(np.array([0, 15, 16, 60, 61, 180, 181])).tolist()
    assert steps == [0, 0, 1, 3, 4, 6, 7]
    red, _, blue, _ = np.moveaxis(scale.colours(scale.norm(np.array([60, 61]))), 1, 0)
    assert red[0] < blue[0]
    assert red[1] > blue[1]


@pytest.mark.parametrize("limit", range(1, 12))
def test_scales_of_short_limits_have_a_colour_for_each_step(limit):
    scale = scale_of_gaps(limit)
    assert limit in scale.ticks
    assert list(scale.ticks) == sorted(set(scale.ticks))
    assert len(scale.ticks) == scale.colours.N


def test_few_odd_counts_do_not_flatten_the_scale():
    counts = np.array([1] + [20] * 200 + [30] * 200 + [90], dtype=np.uint16)
    scale = scale_of_counts(counts)
    assert (scale.norm.vmin, scale.norm.vmax, scale.extend) == (20, 30, "both")
    one = scale_of_counts(np.array([7, 7], dtype=np.uint16))
    assert (one.norm.vmin, one.norm.vmax, one.extend) == (7, 8, "neither")


def test_gap_maps_of_a_tile_never_seen(tmp_path):
    never = np.zeros((20, 30), np.uint16)
    gaps = Gaps({}, never, np.full_like(never, 65535))
    pixels = _drawn(gap_maps("T31TEL", "", gaps, 60, 300.0), tmp_path / "never.png")
    grey = np.abs(pixels[..., :3] - to_rgb(NEVER)).max(axis=-1) < 0.01
    assert grey.mean() > 0.3


def test_the_whole_tile_is_in_a_location_map_of_one_tile(run):
    footprint = shapely.box(500_000, 6_600_000, 609_800, 6_709_800)
    figure = location_map({"T31TEL": footprint}, {}, run.inputs.nomenclature, "EPSG:2154")
    low, high = figure.axes[0].get_xlim()
    assert low < 500_000
    assert high > 609_800
