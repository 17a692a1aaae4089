import numpy as np
import pandas as pd
import pytest

from fgunet.accuracy.urban import lines_of, slopes
from fgunet.report.comparison_charts import urban_share
from fgunet.report.style import save_figure
from fgunet.report.urban import urban_section

METHODS = ("fgunet", "forest")
SHARES = np.array([0.1, 0.25, 0.5, 0.7])


@pytest.fixture
def table():
    rows = []
    for quantity, values in (
        ("fgunet", [0.90, 0.88, 0.84, 0.83]),
        ("forest", [0.89, 0.85, 0.79, 0.73]),
        ("difference", [0.01, 0.03, 0.05, 0.10]),
    ):
        for place, (share, value) in enumerate(zip(SHARES, values, strict=True)):
            found = {"value": value, "lower": value - 0.02, "upper": value + 0.03}
            about = {"tile": f"T{place}", "pixels": 4000, "share": share, "quantity": quantity}
            rows.append({**about, **found})
    return pd.DataFrame(rows)


def test_points_and_lines_are_those_of_the_table(table):
    left, right = urban_share(table, METHODS, "urban").axes
    for axes, quantities in ((left, METHODS), (right, ["difference"])):
        points = [line for line in axes.get_lines() if line.get_marker() in ("o", "D")]
        fits = [line for line in axes.get_lines() if len(line.get_xdata()) == 100]
        for quantity, drawn, fit in zip(quantities, points, fits, strict=True):
            values = table[table["quantity"] == quantity]["value"]
            np.testing.assert_allclose(drawn.get_xdata(), 100 * SHARES)
            np.testing.assert_allclose(drawn.get_ydata(), values)
            line = lines_of(table)[quantity]
            ends = line.intercept + line.slope * SHARES[[0, -1]]
            np.testing.assert_allclose(fit.get_ydata()[[0, -1]], ends)
    assert left.get_ylim()[0] < 0.71
    assert left.get_ylim()[1] > 0.93


def test_the_claim_comes_first_with_its_slope(table):
    section = urban_section(table, slopes(table), "urban")
    slope = np.polyfit(SHARES, [0.01, 0.03, 0.05, 0.10], 1)[0] / 10
    claim = section["statements"][0]
    assert "the difference in kappa, FG-UNET less Random Forest, changes by" in claim
    assert f"+{slope:.3f} (95 % interval" in claim
    assert claim.endswith("So FG-UNET gains on the other method where a tile is more urban.")
    assert "kappa of Random Forest changes by −0." in section["statements"][2]
    assert section["note"].startswith("This rests on 4 tiles")
    assert section["columns"] == ["FG-UNET", "Random Forest", "difference"]
    assert section["rows"][2]["share"] == "50.0"
    assert [cell["value"] for cell in section["rows"][3]["cells"]] == ["0.830", "0.730", "+0.100"]


def test_a_slope_that_may_be_nothing_is_told_so(table):
    unclear = table.copy()
    unclear.loc[unclear["quantity"] == "difference", "value"] = [0.05, 0.01, 0.06, 0.02]
    claim = urban_section(unclear, slopes(unclear), "urban")["statements"][0]
    assert claim.endswith(
        "So this run does not tell whether FG-UNET gains where a tile is more urban."
    )
    falling = table.assign(value=-table["value"])
    claim = urban_section(falling, slopes(falling), "urban")["statements"][0]
    assert "FG-UNET loses on the other method" in claim


def test_few_tiles_have_points_and_no_line(table, tmp_path):
    two = table[table["tile"].isin(["T0", "T1"])]
    section = urban_section(two, slopes(two), "urban")
    assert section["statements"][0] == (
        "No line is drawn for the difference in kappa, FG-UNET less Random Forest: a line takes 3 "
        "tiles with scores; 2 have both a share and a score."
    )
    figure = urban_share(two, METHODS, "urban")
    assert not [line for line in figure.axes[0].get_lines() if len(line.get_xdata()) == 100]
    save_figure(figure, tmp_path / "two.svg")
    undefined = table.assign(value=np.nan, lower=np.nan, upper=np.nan)
    save_figure(urban_share(undefined, METHODS, "urban"), tmp_path / "none.svg")


def test_one_method_has_one_panel(table):
    alone = table[table["quantity"] == "forest"]
    assert len(urban_share(alone, ["forest"], "urban").axes) == 1
    assert urban_section(alone, slopes(alone), "urban")["columns"] == ["Random Forest"]


def test_nothing_without_a_table():
    assert urban_section(pd.DataFrame(), {}, None) == {}
