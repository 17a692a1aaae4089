import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from fgunet.accuracy.comparison import compare_first_two
from fgunet.accuracy.confusion import pool_methods
from fgunet.accuracy.differences import difference_table
from fgunet.report.comparison_charts import differences
from fgunet.report.differences import differences_section
from fgunet.report.style import method_colour, save_figure


@pytest.fixture(scope="module")
def table(run):
    confusions, nomenclature = run.world.confusions, run.inputs.nomenclature
    pooled = pool_methods(confusions, run.inputs.methods)
    comparison = compare_first_two(pooled, group=(), samples=60, seed=0)
    return difference_table(comparison, confusions, nomenclature, samples=60, seed=0)


def _markers(axes):
    """Value, colour and whether it is filled, of every marker drawn."""
    return sorted(
        (float(x), to_hex(line.get_color()), line.get_markerfacecolor() != "white")
        for line in axes.get_lines()
        if line.get_marker() not in ("None", "s")
        for x in np.atleast_1d(line.get_xdata())
    )


def test_markers_tell_the_better_method_and_whether_it_is_beyond_chance(table, run):
    left, right = differences(table, run.inputs.methods, run.inputs.nomenclature).axes
    kappa = table[(table["score"] == "kappa")]
    p = kappa["p_adjusted"].where(kappa["scope"] == "tile", kappa["p_value"])
    expected = [
        (value, method_colour(0 if value > 0 else 1), bool(p < 0.05))
        for value, p in zip(kappa["difference"], p, strict=True)
    ]
    assert _markers(left) == sorted(expected)
    classes = table[table["scope"] == "class"]["difference"]
    assert [m[0] for m in _markers(right)] == sorted(classes)
    assert [t.get_text() for t in left.get_yticklabels()][-1] == "all tiles"
    assert left.get_xlim()[0] == -left.get_xlim()[1]


def test_undefined_rows_are_told_and_not_drawn(table, run, tmp_path):
    lost = table.copy()
    at = (lost["tile"] == "T30TWT") | (lost["code"] == 51)
    lost.loc[at, ["first", "second", "difference", "lower", "upper", "p_value", "p_adjusted"]] = (
        np.nan
    )
    lost.loc[at, "reason"] = "no test polygon that both maps are judged on"
    figure = differences(lost, run.inputs.methods, run.inputs.nomenclature)
    for axes in figure.axes:
        assert [text.get_text() for text in axes.texts].count("undefined") == 1
    assert len(_markers(figure.axes[0])) == len(_markers(differences(
        table, run.inputs.methods, run.inputs.nomenclature).axes[0])) - 1  # fmt: skip
    save_figure(figure, tmp_path / "figure.svg")
    section = differences_section(lost, run.inputs.nomenclature)
    row = section["tables"][0]["rows"][0]
    assert (row["name"], row["difference"], row["p_adjusted"]) == ("T30TWT", "–", "–")
    assert row["reason"] == "no test polygon that both maps are judged on"
    assert section["statements"][0].endswith("; 1 equal or undefined.")
    everything = lost.assign(difference=np.nan, lower=np.nan, upper=np.nan)
    save_figure(differences(everything, run.inputs.methods, run.inputs.nomenclature),
                tmp_path / "none.svg")  # fmt: skip


def test_a_country_of_tiles_shows_an_even_choice(table, run):
    one = table[(table["scope"] == "tile") & (table["score"] == "kappa")].iloc[:1]
    many = pd.concat([one.assign(tile=f"T{i:04d}") for i in range(1100)])
    rest = table[table["scope"] != "tile"]
    figure = differences(pd.concat([rest, many]), run.inputs.methods, run.inputs.nomenclature)
    left = figure.axes[0]
    assert len(left.get_yticks()) == 61
    assert "60 of 1100 tiles" in left.get_title(loc="left")


def test_statements_count_who_is_ahead_and_beyond_chance(nomenclature):
    table = pd.DataFrame(
        {"scope": ["tile"] * 4 + ["class"] * 2, "score": ["kappa"] * 4 + ["f_score"] * 2,
         "tile": ["T1", "T2", "T3", "T4", None, None], "code": [None] * 4 + [11, 51],
         "name": [None] * 4 + ["summer crops", "water"], "method_a": "fgunet",
         "method_b": "forest", "first": 0.8, "second": 0.7,
         "difference": [0.1, 0.02, -0.01, 0.0, 0.3, 0.2], "lower": 0.01, "upper": 0.2,
         "p_value": [0.0001, 0.2, 0.3, 1, 0.004, 0.03],
         "p_adjusted": [0.0004, 0.6, 0.6, 1, 0.008, 0.03], "polygons": 30, "pixels": 1200,
         "reason": None}
    )  # fmt: skip
    section = differences_section(table, nomenclature)
    assert section["methods"] == ["FG-UNET", "Random Forest"]
    assert section["statements"] == [
        "Of 4 tiles, FG-UNET has the higher kappa on 2, beyond chance on 1; Random Forest on 1, "
        "beyond chance on none; 1 equal or undefined.",
        "Of 2 classes, FG-UNET has the higher F-score on 2, beyond chance on 2; Random Forest on "
        "none.",
    ]
    first = section["tables"][0]["rows"][0]
    assert (first["difference"], first["interval"]) == ("+0.100", "0.010 to 0.200")
    assert (first["p_value"], first["p_adjusted"]) == ("< 0.001", "< 0.001")
    assert first["pixels"] == "1\u202f200"
    assert section["tables"][1]["rows"][1]["colour"] == "#{:02x}{:02x}{:02x}".format(
        *nomenclature.colours[51]
    )


def test_nothing_where_there_is_one_method(nomenclature):
    assert differences_section(pd.DataFrame(), nomenclature) == {}
