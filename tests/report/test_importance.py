import matplotlib.image
import numpy as np
import pytest

from fgunet.report.importance import feature_importance
from fgunet.report.style import save_figure

DATES = ["20151228", "20160110", "20160120", "20160301"]
BANDS = ["B02", "B11", "NDVI"]
SHARES = np.arange(1.0, 13.0).reshape(4, 3) / 78


def _drawn(figure, path):
    save_figure(figure, path, dpi=50)
    return matplotlib.image.imread(path)


def test_cells_and_bars_hold_the_shares_in_percent():
    above, _, heat, right = feature_importance(SHARES.tolist(), DATES, BANDS).axes[:4]
    cells = heat.collections[0].get_array()
    np.testing.assert_allclose(cells, 100 * SHARES.T)
    assert heat.collections[0].norm.vmin == 0
    by_date = [bar.get_height() for bar in above.patches]
    np.testing.assert_allclose(by_date, 100 * SHARES.sum(axis=1))
    by_band = [bar.get_width() for bar in right.patches]
    np.testing.assert_allclose(by_band, 100 * SHARES.sum(axis=0))
    assert sum(by_date) == pytest.approx(100)
    assert above.lines[0].get_ydata()[0] == pytest.approx(25)
    assert right.lines[0].get_xdata()[0] == pytest.approx(100 / 3)
    assert [text.get_text() for text in right.texts] == ["28.2 %", "33.3 %", "38.5 %"]


def test_the_first_band_is_on_top_and_known_ones_tell_their_wavelength():
    heat = feature_importance(SHARES.tolist(), DATES, BANDS).axes[2]
    labels = [label.get_text() for label in heat.get_yticklabels()]
    assert labels == ["B02, 490 nm", "B11, 1610 nm", "NDVI"]
    bottom, top = heat.get_ylim()
    assert bottom > top


def test_time_runs_true_to_scale_with_months_named_in_their_middle():
    heat = feature_importance(SHARES.tolist(), DATES, BANDS).axes[2]
    corners = heat.collections[0].get_coordinates()[0, :, 0]
    days = np.array(
        ["2015-12-28", "2016-01-10", "2016-01-20", "2016-03-01"], "datetime64[D]"
    ).astype(float)
    np.testing.assert_allclose(corners[1:-1], (days[1:] + days[:-1]) / 2)
    assert corners[0] == days[0] - 6.5
    assert corners[-1] == days[-1] + 20.5
    labels = [label.get_text() for label in heat.get_xticklabels()]
    assert labels == ["Dec\n2015", "Jan\n2016", "Feb", "Mar"]
    begins = np.array(["2016-01-01", "2016-02-01", "2016-03-01"], "datetime64[D]").astype(float)
    np.testing.assert_array_equal(heat.get_xticks(minor=True), begins)
    assert heat.get_xticks()[2] == pytest.approx(begins[1] + 14.5)


def test_long_series_name_few_months():
    dates = np.arange("2010-01", "2020-01", dtype="datetime64[M]").astype("datetime64[D]")
    names = [str(date).replace("-", "") for date in dates]
    shares = np.full((len(names), 1), 1 / len(names))
    heat = feature_importance(shares.tolist(), names, ["B02"]).axes[2]
    labels = [label.get_text() for label in heat.get_xticklabels()]
    assert 8 <= len(labels) <= 14
    assert len({label.split("\n")[-1] for label in labels if "\n" in label}) >= 8


@pytest.mark.parametrize(
    ("dates", "labels"),
    [(["20160615"], ["Jun\n2016"]), (["20160602", "20160605", "20160609"], ["Jun\n2016"])],
)
def test_few_dates_are_drawn_too(dates, labels, tmp_path):
    shares = np.full((len(dates), 3), 1 / 3 / len(dates))
    figure = feature_importance(shares.tolist(), dates, BANDS)
    assert [label.get_text() for label in figure.axes[2].get_xticklabels()] == labels
    assert _drawn(figure, tmp_path / "few.png")[..., :3].std() > 0.01


def test_the_colours_of_the_cells_are_drawn_pale_to_dark(tmp_path):
    shares = np.zeros((2, 2))
    shares[1, 1] = 1
    heat = feature_importance(shares.tolist(), ["20160101", "20160201"], ["B02", "B03"]).axes[2]
    mesh = heat.collections[0]
    pale, dark = (mesh.cmap(mesh.norm(value))[:3] for value in (0, 100))
    assert min(pale) > 0.7
    assert max(dark) < 0.3


@pytest.mark.parametrize("importances", [None, [[0.0, 0.0, 0.0]] * 4])
def test_classifiers_that_tell_none_are_put_into_words(importances, tmp_path):
    figure = feature_importance(importances, DATES, BANDS)
    (axes,) = figure.axes
    assert "does not tell" in axes.texts[0].get_text()
    assert _drawn(figure, tmp_path / "none.png")[..., :3].std() > 0.01
