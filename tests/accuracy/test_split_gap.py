from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from fgunet.accuracy.split_gap import JudgedRun, files_of_run, split_gap
from fgunet.errors import AccuracyError
from fgunet.files import write_json

SCORES = ("kappa", "overall_accuracy", "macro_f")


def _run(folder, mode, values, half=0.02, polygons=300):
    rows = []
    for tile in ("pooled", "T1"):
        for method, value in values.items():
            row = {"tile": tile, "method": method, "polygons": polygons}
            for score in SCORES:
                row |= {
                    score: value,
                    f"{score}_lower": value - half,
                    f"{score}_upper": value + half,
                }
            rows.append(row)
    classes = pd.DataFrame({"tile": "pooled", "code": [11, 41], "name": ["crops", "dense urban"]})
    return JudgedRun(folder, mode, pd.DataFrame(rows), classes)


POLYGONS = _run(".", "polygons", {"fgunet": 0.85, "forest": 0.80})
BLOCKS = _run("../blocks", "blocks", {"forest": 0.76, "fgunet": 0.75}, half=0.03, polygons=200)


def test_the_gap_by_hand():
    table = split_gap(POLYGONS, BLOCKS).set_index(["method", "score"])
    assert table.index.get_level_values("method").unique().tolist() == ["fgunet", "forest"]
    row = table.loc[("fgunet", "kappa")]
    assert (row["polygon_split"], row["block_split"]) == (0.85, 0.75)
    assert (row["polygon_split_polygons"], row["block_split_polygons"]) == (300, 200)
    assert row["gap"] == pytest.approx(0.1)
    # Symmetric intervals add like standard errors: 0.02 and 0.03 to sqrt(0.0013).
    assert row["gap_lower"] == pytest.approx(0.1 - 0.0013**0.5)
    assert row["gap_upper"] == pytest.approx(0.1 + 0.0013**0.5)
    assert table.loc[("forest", "macro_f"), "gap"] == pytest.approx(0.04)


def test_uneven_intervals_keep_their_sides():
    skewed = BLOCKS.summary.assign(kappa_upper=BLOCKS.summary["kappa"] + 0.01)
    row = split_gap(POLYGONS, replace(BLOCKS, summary=skewed)).iloc[0]
    assert row["gap_lower"] == pytest.approx(0.1 - (0.02**2 + 0.01**2) ** 0.5)
    assert row["gap_upper"] == pytest.approx(0.1 + (0.02**2 + 0.03**2) ** 0.5)


def test_which_run_is_this_one_does_not_matter():
    one, other = split_gap(POLYGONS, BLOCKS), split_gap(BLOCKS, POLYGONS)
    order = ["method", "score"]
    pd.testing.assert_frame_equal(
        one.sort_values(order, ignore_index=True), other.sort_values(order, ignore_index=True)
    )


def test_the_interval_covers_the_gap_of_independent_estimates_at_its_rate():
    random, hits = np.random.default_rng(1), 0
    for _ in range(1000):
        a, b = random.normal(0.8, 0.01), random.normal(0.7, 0.02)
        runs = [_run(".", mode, {"forest": value}, half=1.96 * error)
                for mode, value, error in (("polygons", a, 0.01), ("blocks", b, 0.02))]  # fmt: skip
        row = split_gap(*runs).iloc[0]
        hits += row["gap_lower"] <= 0.1 <= row["gap_upper"]
    assert 920 <= hits <= 975


def test_undefined_scores_give_no_gap():
    unknown = BLOCKS.summary.assign(kappa=np.nan, kappa_lower=np.nan, kappa_upper=np.nan)
    table = split_gap(POLYGONS, replace(BLOCKS, summary=unknown)).set_index(["method", "score"])
    assert table.loc[("fgunet", "kappa"), ["gap", "gap_lower", "gap_upper"]].isna().all()
    assert table.loc[("fgunet", "macro_f"), "gap"] == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (replace(BLOCKS, mode="polygons"), r"polygons here and polygons in the run in \.\./blocks"),
        (_run("x", "blocks", {"forest": 0.7}), r"other methods .* only here \['fgunet'\]"),
        (replace(BLOCKS, classes=BLOCKS.classes.head(1)), r"other classes .*41, 'dense urban'"),
        (replace(BLOCKS, summary=BLOCKS.summary.replace("T1", "T2")),
         r"other tiles .* only here \['T1'\], only there \['T2'\]"),
    ],
)  # fmt: skip
def test_runs_that_differ_in_more_than_the_split_are_refused(other, told):
    with pytest.raises(AccuracyError, match=told):
        split_gap(POLYGONS, other)


def test_a_folder_without_a_finished_run_is_refused(tmp_path):
    with pytest.raises(AccuracyError, match=r"no finished run lies in .*summary.csv.*audit.json"):
        files_of_run(tmp_path)
    for name in ("accuracy/summary.csv", "accuracy/classes.csv"):
        path = tmp_path / "results" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    with pytest.raises(AccuracyError, match=r"has no results/reference/audit.json\."):
        files_of_run(tmp_path)
    write_json(tmp_path / "results/reference/audit.json", {})
    assert files_of_run(tmp_path)["audit"] == str(tmp_path / "results/reference/audit.json")
