import numpy as np
import pytest

from fgunet.accuracy.confusion import Confusion
from fgunet.accuracy.regularisation import MAJORITY, NONE, regularisation_table
from fgunet.accuracy.tables import tabulate
from fgunet.nomenclature import LandCoverClass, Nomenclature

NOMENCLATURE = Nomenclature(
    "two",
    (
        LandCoverClass(11, "crops", (255, 85, 0), "agriculture"),
        LandCoverClass(41, "town", (255, 0, 255), "urban"),
    ),
)


def _confusion(method: str, counts: list[list[int]]) -> Confusion:
    ids, none = np.arange(1, 5), np.zeros(4, dtype=np.int64)
    return Confusion("pooled", method, (11, 41), ids, ids // 3, np.array(counts), none)


RAW = [
    _confusion("fgunet", [[9, 1], [8, 2], [1, 9], [2, 8]]),
    _confusion("forest", [[7, 3], [6, 4], [3, 7], [4, 6]]),
]
FILTERED = [
    _confusion("fgunet", [[10, 0], [9, 1], [0, 10], [1, 9]]),
    _confusion("forest", [[9, 1], [8, 2], [2, 8], [1, 9]]),
]
OPTIONS = {"samples": 40, "seed": 3}


def test_a_row_of_each_regularisation_and_method():
    table = regularisation_table(
        {NONE: RAW, MAJORITY: FILTERED}, NOMENCLATURE, focus_group="urban", **OPTIONS
    )
    assert table["regularisation"].tolist() == ["none", "none", "majority", "majority"]
    assert table["method"].tolist() == ["fgunet", "forest"] * 2
    # 34, 26, 38 and 34 of 40 right, half of each class: kappa is 2 right - 1.
    assert table["overall_accuracy"].tolist() == pytest.approx([0.85, 0.65, 0.95, 0.85])
    assert table["kappa"].tolist() == pytest.approx([0.7, 0.3, 0.9, 0.7])
    # Towns: 17 of 20 found, and 20 mapped.
    assert table["group_f"].iloc[0] == pytest.approx(2 * 17 / (20 + 20))
    assert (table["pixels"] == 40).all()
    assert (table["kappa_lower"] <= table["kappa"]).all()


def test_scores_and_intervals_are_those_of_the_summary():
    table = regularisation_table({NONE: RAW}, NOMENCLATURE, focus_group=None, **OPTIONS)
    summary, _ = tabulate(RAW, NOMENCLATURE, focus_group=None, **OPTIONS)
    columns = ["kappa", "kappa_lower", "kappa_upper", "macro_f_upper"]
    np.testing.assert_array_equal(table[columns], summary[columns])
    assert "group_f" not in table
    assert "weighted_f" not in table
