"""Real spectra of Victoria, polygons kept together: 400 pixels, 73 dates x 10 bands, 8 classes."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import cohen_kappa_score
from sklearn.model_selection import StratifiedGroupKFold

from fgunet.forest.classifiers import ForestSettings
from fgunet.forest.samples import Samples
from fgunet.forest.training import train_forest
from fgunet.nomenclature import LandCoverClass, Nomenclature

NOMENCLATURE = Nomenclature(
    "Victoria",
    tuple(LandCoverClass(code, f"class {code}", (code, 0, 0), "") for code in range(1, 9)),
)
DATES = tuple(str(np.datetime64("2016-01-01") + 5 * n).replace("-", "") for n in range(73))
BANDS = tuple(f"B{n:02}" for n in range(10))


@pytest.fixture(scope="module")
def table(shared_data: Path) -> pd.DataFrame:
    path = shared_data / "s2_pixels_victoria" / "train_dataset.csv"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    return pd.read_csv(path)


def samples_of(table: pd.DataFrame, chosen: np.ndarray) -> Samples:
    part = table.iloc[chosen]
    pixels = pd.DataFrame(
        {
            "tile": "T55HCU",
            "row": chosen.astype(np.uint32),
            "column": np.uint32(0),
            "polygon_id": part["objectid"].to_numpy(np.uint32),
            "code": part["lc_id"].to_numpy(np.uint8) + np.uint8(1),
            "key": chosen.astype(np.uint64),
        }
    )
    values = np.rint(part.filter(regex="^b[0-9]+$").to_numpy()).astype(np.uint16)
    return Samples(pixels, np.ascontiguousarray(values), DATES, BANDS)


def test_held_out_polygons_against_scikit_learn_by_hand(table: pd.DataFrame) -> None:
    """As good as scikit-learn's forest on polygons it never saw, and with all values the same."""
    codes, given = [], {"by hand": [], "all values": [], "levels": []}
    folds = StratifiedGroupKFold(3, shuffle=True, random_state=2)
    for known, held_out in folds.split(table, table["lc_id"], table["objectid"]):
        learnt, asked = samples_of(table, known), samples_of(table, held_out)
        assert not set(learnt.pixels["polygon_id"]) & set(asked.pixels["polygon_id"])
        by_hand = RandomForestClassifier(100, max_depth=25, random_state=6)
        by_hand.fit(learnt.reflectance, learnt.pixels["code"].to_numpy())
        codes.append(asked.pixels["code"].to_numpy())
        given["by hand"].append(by_hand.predict(asked.reflectance))
        for name, levels in (("all values", None), ("levels", 256)):
            settings = ForestSettings(levels=levels)
            forest = train_forest(learnt, NOMENCLATURE, settings, seed=6, threads=2)
            votes = forest.probabilities(asked.reflectance.T)
            given[name].append(np.array(forest.codes)[votes.argmax(axis=0)])
    reference = np.concatenate(codes)
    kappa = {n: cohen_kappa_score(reference, np.concatenate(each)) for n, each in given.items()}
    np.testing.assert_array_equal(
        np.concatenate(given["all values"]), np.concatenate(given["by hand"])
    )
    assert kappa["by hand"] > 0.8
    # 0.03 is 12 of the 400 pixels.
    assert kappa["levels"] > kappa["by hand"] - 0.03
