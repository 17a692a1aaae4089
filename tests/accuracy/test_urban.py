import json

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t

from fgunet.accuracy.urban import group_shares, kappa_by_share, lines_of, slopes, straight_line

X = np.array([0.1, 0.2, 0.4, 0.5, 0.8])
Y = np.array([0.92, 0.85, 0.86, 0.80, 0.71])


def test_a_line_by_hand():
    # x = 0, 1, 2 and y = 0, 2, 1: slope 1/2, intercept 1/2, residuals -1/2, 1, -1/2.
    line = straight_line([0, 1, 2], [0, 2, 1])
    assert line.slope == pytest.approx(0.5)
    assert line.intercept == pytest.approx(0.5)
    assert line.noise == pytest.approx(np.sqrt(1.5))
    assert line.slope_error == pytest.approx(np.sqrt(1.5 / 2))
    # Student's t with one degree of freedom is Cauchy: its 97.5 % quantile is tan(0.475 pi).
    reach = np.tan(0.475 * np.pi) * np.sqrt(0.75)
    assert line.slope_bounds == pytest.approx((0.5 - reach, 0.5 + reach))
    assert line.p_value == pytest.approx(1 - 2 / np.pi * np.arctan(0.5 / np.sqrt(0.75)))
    value, lower, upper = line.at([1.0])
    half = np.tan(0.475 * np.pi) * np.sqrt(1.5 / 3)
    assert (value[0], lower[0], upper[0]) == pytest.approx((1, 1 - half, 1 + half))


def test_line_and_band_agree_with_the_normal_equations():
    line = straight_line(X, Y)
    design = np.column_stack([np.ones(5), X])
    beta, residual, *_ = np.linalg.lstsq(design, Y, rcond=None)
    assert (line.intercept, line.slope) == pytest.approx(tuple(beta))
    covariance = residual[0] / 3 * np.linalg.inv(design.T @ design)
    assert line.slope_error == pytest.approx(np.sqrt(covariance[1, 1]))
    at = np.array([0.0, 0.33, 1.0])
    rows = np.column_stack([np.ones(3), at])
    reach = t.ppf(0.975, 3) * np.sqrt(np.einsum("ij,jk,ik->i", rows, covariance, rows))
    value, lower, upper = line.at(at)
    np.testing.assert_allclose(value, rows @ beta)
    np.testing.assert_allclose(lower, value - reach)
    np.testing.assert_allclose(upper, value + reach)


def test_the_interval_of_the_slope_covers_it_at_its_rate():
    random = np.random.default_rng(0)
    hits = 0
    for _ in range(1000):
        low, high = straight_line(X, 0.9 - 0.2 * X + random.normal(0, 0.03, 5)).slope_bounds
        hits += low <= -0.2 <= high
    # 950 expected, with a standard deviation of 7.
    assert 920 <= hits <= 975


def test_the_order_of_tiles_does_not_matter_and_undefined_ones_are_left_out():
    plain = straight_line(X, Y)
    other = straight_line([*X[::-1], 0.9, np.nan], [*Y[::-1], np.nan, 0.1])
    assert other.points == 5
    assert (other.slope, *other.slope_bounds) == pytest.approx((plain.slope, *plain.slope_bounds))


@pytest.mark.parametrize(
    ("x", "y", "reason"),
    [
        ([], [], "a line takes 3 tiles"),
        ([0.1, 0.5, 0.7], [0.8, np.nan, 0.7], "a line takes 3 tiles"),
        ([0.3, 0.3, 0.3, 0.3], [0.8, 0.9, 0.7, 0.8], "all tiles have the same share"),
    ],
)
def test_no_line_where_none_can_be_drawn(x, y, reason):
    line = straight_line(x, y)
    assert reason in line.reason
    assert np.isnan([line.slope, line.intercept, line.p_value, *line.slope_bounds]).all()


AUDITS = [
    {"tile": "T2", "pixels": [{"code": 41, "split": "test", "pixels": 30},
                              {"code": 11, "split": "training", "pixels": 70}]},
    {"tile": "T1", "pixels": [{"code": 41, "split": "training", "pixels": 10},
                              {"code": 42, "split": "validation", "pixels": 20},
                              {"code": 42, "split": "test", "pixels": 30},
                              {"code": 11, "split": "test", "pixels": 20}]},
    {"tile": "T3", "pixels": []},
]  # fmt: skip


def test_shares_count_the_pixels_of_all_splits():
    shares = group_shares(AUDITS, (41, 42)).set_index("tile")
    assert shares.index.tolist() == ["T1", "T2", "T3"]
    assert shares["share"].tolist()[:2] == [0.75, 0.3]
    assert np.isnan(shares.loc["T3", "share"])
    assert shares["group_pixels"].tolist() == [60, 30, 0]


def _tables():
    tiles = ["pooled", "T1", "T2", "T4", "T5"]
    summary = pd.DataFrame(
        [(tile, m, k, k - 0.1, k + 0.05) for m, start in (("fgunet", 0.8), ("forest", 0.7))
         for k, tile in zip(start + np.arange(5) / 50, tiles, strict=True)],
        columns=["tile", "method", "kappa", "kappa_lower", "kappa_upper"],
    )  # fmt: skip
    differences = pd.DataFrame(
        {"scope": ["all", "tile", "tile", "tile", "class"], "score": ["kappa"] * 4 + ["f_score"],
         "tile": [None, "T1", "T1", "T2", None], "difference": [0.1, 0.11, 0.5, 0.12, 0.9],
         "lower": 0.0, "upper": 0.2}
    )  # fmt: skip
    differences.loc[2, "score"] = "overall_accuracy"
    return summary, differences


def test_kappa_and_difference_stand_beside_the_share():
    shares = group_shares(AUDITS, (41, 42))
    table = kappa_by_share(shares, *_tables())
    assert table["quantity"].unique().tolist() == ["fgunet", "forest", "difference"]
    by_place = table.set_index(["quantity", "tile"])
    assert len(table) == 9
    assert by_place.loc[("fgunet", "T1"), "value"] == pytest.approx(0.82)
    assert by_place.loc[("fgunet", "T1"), "lower"] == pytest.approx(0.72)
    assert by_place.loc[("difference", "T1"), "value"] == 0.11
    assert by_place.loc[("forest", "T2"), "share"] == 0.3
    assert np.isnan(by_place.loc[("difference", "T3"), "value"])


def test_one_method_has_no_difference():
    summary, differences = _tables()
    one = summary[summary["method"] == "forest"]
    table = kappa_by_share(group_shares(AUDITS, (41, 42)), one, differences.head(0))
    assert table["quantity"].unique().tolist() == ["forest"]


def test_slopes_are_told_for_ten_percentage_points():
    table = pd.DataFrame({"quantity": "fgunet", "share": X, "value": Y})
    found = slopes(table)["fgunet"]
    json.dumps(found, allow_nan=False)
    line = lines_of(table)["fgunet"]
    assert found["slope_per_10_points"] == pytest.approx(line.slope / 10)
    assert (found["lower"], found["upper"]) == pytest.approx(np.array(line.slope_bounds) / 10)
    assert (found["tiles"], found["reason"]) == (5, None)
    few = slopes(table.head(2))["fgunet"]
    assert few["slope_per_10_points"] is few["lower"] is few["p_value"] is None
    assert few["reason"] == "a line takes 3 tiles with scores"
