import numpy as np
import pandas as pd
import pytest

from fgunet.report.curve import learning_curves
from fgunet.report.style import method_colour


def curve_of(kappas, polygons, group=True):
    rows = [
        {"budget": n / polygons[-1], "method": method, "polygons": n, "pixels": 10 * n}
        | {"kappa": k, "kappa_lower": k - 0.05, "kappa_upper": k + 0.05}
        | ({"group_f": k / 2, "group_f_lower": k / 3, "group_f_upper": k} if group else {})
        for method, values in kappas.items()
        for n, k in zip(polygons, values, strict=True)
    ]
    return pd.DataFrame(rows)


KAPPAS = {"fgunet": [0.4, 0.7, 0.85], "forest": [0.6, 0.7, 0.75]}
METHODS = ["fgunet", "forest"]


def test_points_bands_and_labels_of_both_methods():
    curve = curve_of(KAPPAS, [100, 300, 1000])
    kappa, group = learning_curves(curve, METHODS, "urban").axes
    assert kappa.get_xscale() == "log"
    for place, method in enumerate(METHODS):
        line = kappa.lines[place]
        assert line.get_ydata().tolist() == KAPPAS[method]
        assert line.get_xdata().tolist() == [100, 300, 1000]
        assert line.get_color() == method_colour(place)
        low, high = kappa.collections[place].get_datalim(kappa.transData).intervaly
        assert low == pytest.approx(min(KAPPAS[method]) - 0.05)
        assert high == pytest.approx(max(KAPPAS[method]) + 0.05)
    assert [text.get_text() for text in kappa.texts] == ["FG-UNET", "Random Forest"]
    assert [text.xyann[1] for text in kappa.texts] == [0, 0]
    assert [label.get_text() for label in kappa.get_xticklabels()] == [
        "100\n10 %",
        "300\n30 %",
        "1\u202f000\n100 %",
    ]
    assert group.get_title(loc="left") == "F-score of urban classes, mean"


@pytest.mark.parametrize(
    ("ends", "up"), [((0.80, 0.79), True), ((0.8, 0.8), True), ((0.79, 0.8), False)]
)
def test_names_of_curves_that_end_together_are_moved_apart(ends, up):
    kappas = {"fgunet": [0.4, ends[0]], "forest": [0.6, ends[1]]}
    axes = learning_curves(curve_of(kappas, [10, 90], group=False), METHODS, None).axes[0]
    first, second = (text.xyann[1] for text in axes.texts)
    assert (first > 0 > second) if up else (first < 0 < second)


def test_without_a_group_kappa_stands_alone():
    assert len(learning_curves(curve_of(KAPPAS, [1, 2, 9], group=False), METHODS, None).axes) == 1


def test_ticks_that_would_touch_are_left_out_but_never_the_last():
    curve = curve_of({"forest": [0.5, 0.6, 0.7, 0.7]}, [10, 500, 980, 1000])
    axes = learning_curves(curve, ["forest"], None).axes[0]
    assert axes.get_xticks().tolist() == [10, 500, 1000] or axes.get_xticks()[-1] == 1000
    assert 980 not in axes.get_xticks()


def test_an_undefined_score_is_a_gap():
    curve = curve_of({"fgunet": [np.nan, 0.7, np.nan], "forest": [0.1, 0.2, np.nan]}, [1, 2, 9])
    kappa = learning_curves(curve, METHODS, None).axes[0]
    assert np.isnan(kappa.lines[0].get_ydata()).tolist() == [True, False, True]
