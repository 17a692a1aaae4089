import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import cohen_kappa_score

from fgunet.report.model_tables import model_table, truth_table
from fgunet.report.study_tables import f_by_class, kappa_by_tile, method_costs, study_tables


def test_models_are_told_by_what_they_consist_of(run):
    table = model_table(run.inputs.metadata, ["fgunet", "forest", "missing"]).set_index("method")
    assert table.index.tolist() == ["fgunet", "forest"]
    assert table.loc["fgunet", "parameters"] == 143_201
    assert table.loc["forest", "trees"] == 100
    assert table["validation_kappa"].tolist() == [0.83, 0.79]
    assert pd.isna(table.loc["forest", "parameters"])
    assert table["out_of_bag_kappa"].isna().all()


def test_truth_is_told_by_tile_and_pooled_by_adding_pixels_up():
    one, other = [[8, 2], [1, 9]], [[1, 3], [0, 6]]
    table = truth_table(
        [
            {"tile": "a", "method": "forest", "confusion": one},
            {"tile": "b", "method": "forest", "confusion": other},
        ]
    ).set_index("tile")
    assert table.index.tolist() == ["pooled", "a", "b"]
    assert table["pixels"].tolist() == [30, 20, 10]
    pooled = np.array(one) + np.array(other)
    reference, mapped = (np.repeat(axis.ravel(), pooled.ravel()) for axis in np.indices((2, 2)))
    assert table.loc["pooled", "kappa"] == pytest.approx(cohen_kappa_score(reference, mapped))
    assert table.loc["a", "overall_accuracy"] == 17 / 20


def test_costs_stand_beside_what_the_study_reported(run):
    table = method_costs(run.inputs.learning_time, run.inputs.metadata)
    assert table["origin"].tolist() == ["this run"] * 2 + ["the study"] * 2
    assert table["method"].tolist() == ["fgunet", "forest"] * 2
    own, study = table.iloc[0], table.iloc[2]
    assert (own["parameters"], study["parameters"]) == (143_201, 525_997)
    assert own["wall_h"] == pytest.approx(1780 / 3600)
    assert own["one_cpu_h"] == pytest.approx(3391 / 3600)
    assert (study["wall_h"], study["one_cpu_h"], study["samples"]) == (13, 3300, 500_000)
    assert table["trees"].tolist()[1] == table["trees"].tolist()[3] == 100
    assert table["one_cpu_h"][3] == 25
    assert pd.isna(table["wall_h"][3])


def test_kappa_is_a_row_a_tile_with_all_tiles_last(run):
    table = kappa_by_tile(run.inputs.summary, ["forest", "fgunet"])
    names = [
        f"{method}{end}" for method in ("forest", "fgunet") for end in ("", "_lower", "_upper")
    ]
    assert table.columns.tolist() == ["tile", *names]
    assert table["tile"].tolist() == [*sorted(run.world.truths), "pooled"]
    summary = run.inputs.summary.set_index(["tile", "method"])
    for row in table.to_dict("records"):
        for method in ("fgunet", "forest"):
            assert row[method] == summary.loc[(row["tile"], method), "kappa"]
            assert row[f"{method}_upper"] == summary.loc[(row["tile"], method), "kappa_upper"]


def test_f_scores_are_a_row_a_class_in_the_order_of_the_nomenclature(run, nomenclature):
    table = f_by_class(run.inputs.classes, run.world.methods)
    assert table["code"].tolist() == list(nomenclature.codes)
    classes = run.inputs.classes.set_index(["tile", "method", "code"])
    for row in table.to_dict("records"):
        told = classes.loc[("pooled", "forest", row["code"]), "f_score"]
        assert row["forest"] == told or (np.isnan(row["forest"]) and np.isnan(told))


def test_a_tile_that_one_method_lacks_is_a_row_with_a_gap():
    rows = [("a", "x", 0.5), ("pooled", "x", 0.5), ("b", "y", 0.25)]
    summary = pd.DataFrame(rows, columns=["tile", "method", "kappa"])
    summary = summary.assign(kappa_lower=np.nan, kappa_upper=np.nan)
    table = kappa_by_tile(summary, ["x", "y"]).set_index("tile")
    assert table.index.tolist() == ["a", "b", "pooled"]
    assert table["x"].isna().tolist() == [False, True, False]
    assert table["y"].tolist()[1] == 0.25


def test_the_tables_of_the_study_have_the_methods_of_the_run_alone(run):
    forest = {"forest": run.inputs.metadata["forest"]}
    timing = run.inputs.learning_time.query("method == 'forest'")
    tables = study_tables(run.inputs.summary, run.inputs.classes, timing, forest)
    assert sorted(tables) == ["study_f_scores", "study_kappa", "study_methods"]
    assert tables["study_methods"]["method"].tolist() == ["forest", "forest"]
    assert "fgunet" not in tables["study_kappa"]
