import numpy as np
import pandas as pd

from fgunet.accuracy.confusion import Confusion
from fgunet.accuracy.scores import group_f, kappa
from fgunet.comparison.curve import learning_curve
from fgunet.nomenclature import LandCoverClass, Nomenclature

CLASSES = Nomenclature(
    "two",
    (LandCoverClass(41, "town", (1, 2, 3), "urban"), LandCoverClass(51, "water", (1, 2, 4), "")),
)
POLYGONS = pd.DataFrame(
    {
        "code": [41, 41, 41, 41, 51, 51],
        "pixels": [1, 2, 4, 8, 16, 32],
        "enters": [0.5, 0.25, 1.0, 0.75, np.nan, 1.0],
    }
)


def confusion(method, right):
    references = np.array([0, 0, 1, 1])
    counts = np.full((4, 2), 10 - right)
    counts[np.arange(4), references] = right + np.arange(4)
    return Confusion(
        "pooled", method, (41, 51), np.arange(1, 5), references, counts, np.zeros(4, np.int64)
    )


def test_a_curve_by_hand():
    points = {
        1.0: [confusion("fgunet", 9), confusion("forest", 8)],
        0.5: [confusion("fgunet", 6), confusion("forest", 7)],
    }
    table = learning_curve(points, POLYGONS, CLASSES, focus_group="urban", samples=50, seed=1)
    assert table["budget"].tolist() == [0.5, 0.5, 1.0, 1.0]
    assert table["method"].tolist() == ["fgunet", "forest"] * 2
    # Two of four towns and, because each class keeps one, the water.
    assert table["polygons"].tolist() == [3, 3, 5, 5]
    assert table["pixels"].tolist() == [35, 35, 47, 47]
    for row, each in zip(table.itertuples(), [*points[0.5], *points[1.0]], strict=True):
        assert row.kappa == kappa(each.matrix)
        assert row.group_f == group_f(each.matrix, [0])
        assert row.kappa_lower <= row.kappa <= row.kappa_upper


def test_without_a_group_there_is_no_score_of_it():
    table = learning_curve(
        {1.0: [confusion("forest", 8)]}, POLYGONS, CLASSES, focus_group=None, samples=20, seed=1
    )
    assert "group_f" not in table
    assert {"kappa_lower", "overall_accuracy_upper", "macro_f"} <= set(table)
