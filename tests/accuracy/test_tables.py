import numpy as np
import pytest

from fgunet.accuracy.confusion import Confusion
from fgunet.accuracy.intervals import interval, resample_confusions
from fgunet.accuracy.scores import kappa, overall_accuracy
from fgunet.accuracy.tables import confusion_table, tabulate
from fgunet.nomenclature import LandCoverClass, Nomenclature

NOMENCLATURE = Nomenclature(
    "three",
    (
        LandCoverClass(11, "crops", (255, 85, 0), "agriculture"),
        LandCoverClass(41, "town", (255, 0, 255), "urban"),
        LandCoverClass(51, "water", (0, 0, 255), "water"),
    ),
)


def _confusion(tile="T30TWT"):
    ids = np.arange(1, 8)
    references = np.array([0, 0, 0, 1, 1, 1, 1])
    counts = np.array([[9, 1, 0], [8, 2, 0], [5, 5, 0], [0, 9, 1], [3, 7, 0], [1, 9, 0], [2, 8, 0]])
    return Confusion(tile, "fgunet", NOMENCLATURE.codes, ids, references, counts, ids * 0 + 1)


def test_rows_and_columns():
    summary, classes = tabulate(
        [_confusion(), _confusion("pooled")], NOMENCLATURE, focus_group="urban", samples=50, seed=0
    )
    assert summary["tile"].tolist() == ["T30TWT", "pooled"]
    row = summary.iloc[0]
    assert row["kappa"] == pytest.approx(kappa(_confusion().matrix))
    assert row["kappa_lower"] < row["kappa"] < row["kappa_upper"]
    assert (row["polygons"], row["pixels"], row["unmapped"]) == (7, 70, 7)
    assert row["group_f"] == pytest.approx(classes.set_index("code").iloc[1]["f_score"])
    assert len(classes) == 6
    water = classes[classes["code"] == 51].iloc[0]
    assert np.isnan(water["f_score"])
    assert water["mapped_pixels"] == 1
    assert water["name"] == "water"


def test_a_group_that_does_not_exist_is_left_out():
    summary, _ = tabulate([_confusion()], NOMENCLATURE, focus_group="snow", samples=5, seed=0)
    assert "group_f" not in summary


def test_scores_in_polygons_come_beside_those_in_pixels():
    summary, _ = tabulate([_confusion()], NOMENCLATURE, focus_group=None, samples=200, seed=0)
    row = summary.iloc[0]
    # All seven but the third, which has as many pixels of another class.
    assert row["polygon_overall_accuracy"] == pytest.approx(6 / 7)
    polygons = np.array([[2, 1, 0], [0, 4, 0], [0, 0, 0]])
    assert row["polygon_kappa"] == pytest.approx(kappa(polygons))
    assert row["polygon_kappa_lower"] < row["polygon_kappa"] < row["polygon_kappa_upper"] == 1


def test_pixels_and_polygons_do_not_disturb_one_another():
    summary, _ = tabulate([_confusion()], NOMENCLATURE, focus_group=None, samples=50, seed=3)
    confusion = _confusion()
    drawn = resample_confusions(confusion.references, confusion.counts, 3, samples=50, seed=3)
    lower, upper = interval(overall_accuracy(drawn))
    assert summary["overall_accuracy_lower"][0] == lower
    assert summary["overall_accuracy_upper"][0] == upper


def test_classes_of_one_polygon_give_no_interval():
    ids = np.array([1, 2])
    counts = np.array([[9, 1, 0], [2, 8, 0]])
    single = Confusion("T", "m", NOMENCLATURE.codes, ids, np.array([0, 1]), counts, ids * 0)
    summary, classes = tabulate([single], NOMENCLATURE, focus_group=None, samples=20, seed=0)
    assert summary["overall_accuracy"][0] == pytest.approx(0.85)
    for table in (summary, classes):
        bounds = [name for name in table if name.endswith(("_lower", "_upper"))]
        assert table[bounds].isna().all(axis=None)


def test_a_confusion_has_the_reference_in_its_rows():
    table = confusion_table(_confusion().matrix, NOMENCLATURE)
    assert table["code"].tolist() == [11, 41, 51]
    assert table["name"].tolist() == ["crops", "town", "water"]
    # By hand: 9 + 8 + 5 pixels of crops are right, 1 + 2 + 5 are taken for town.
    assert table["11 crops"].tolist() == [22, 6, 0]
    assert table["41 town"].tolist() == [8, 33, 0]
    assert table["51 water"].tolist() == [0, 1, 0]
