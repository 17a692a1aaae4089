import numpy as np
import pandas as pd
import pytest

from fgunet.comparison.labels import ALL_CLASSES, label_table
from fgunet.errors import ComparisonError
from fgunet.nomenclature import LandCoverClass, Nomenclature

CLASSES = Nomenclature(
    "two", (LandCoverClass(11, "crops", (1, 2, 3), ""), LandCoverClass(31, "forest", (1, 2, 4), ""))
)
POLYGONS = pd.DataFrame(
    {
        "polygon_id": [1, 2, 3, 4],
        "code": [11, 11, 11, 31],
        "pixels": [10, 20, 40, 5],
        "enters": [0.5, 1.0, np.nan, 1.0],
    }
)


def seen(*rows):
    return pd.DataFrame(rows, columns=["polygon_id", "code", "pixels", "shown"])


def test_what_was_seen_by_hand():
    table = label_table(
        POLYGONS,
        {
            "fgunet": seen((1, 11, 9, 90), (4, 31, 5, 6)),
            "forest": seen((1, 11, 3, 3), (2, 11, 1, 1)),
        },
        CLASSES,
    )
    assert table["method"].tolist() == ["fgunet"] * 3 + ["forest"] * 3
    assert table["name"].tolist() == ["crops", "forest", ALL_CLASSES] * 2
    assert table["code"].isna().tolist() == [False, False, True] * 2
    polygons = ["polygons_available", "polygons_in_pool", "polygons_seen", "polygons_seen_by_all"]
    assert table[polygons].to_numpy().tolist() == [
        [3, 2, 1, 1], [1, 1, 1, 0], [4, 3, 2, 1],
        [3, 2, 2, 1], [1, 1, 0, 0], [4, 3, 2, 1],
    ]  # fmt: skip
    pixels = ["pixels_available", "pixels_in_pool", "pixels_seen", "pixels_shown"]
    assert table[pixels].to_numpy().tolist() == [
        [70, 30, 9, 90], [5, 5, 5, 6], [75, 35, 14, 96],
        [70, 30, 4, 4], [5, 5, 0, 0], [75, 35, 4, 4],
    ]  # fmt: skip


def test_a_polygon_outside_of_the_pool_stops_the_run():
    with pytest.raises(ComparisonError, match=r"forest saw .* first 3"):
        label_table(POLYGONS, {"forest": seen((3, 11, 1, 1))}, CLASSES)
