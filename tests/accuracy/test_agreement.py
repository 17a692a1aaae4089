import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import cohen_kappa_score, f1_score

from fgunet.accuracy.agreement import agreement_by_class, agreement_by_pair
from fgunet.nomenclature import LandCoverClass, Nomenclature

NOMENCLATURE = Nomenclature(
    "four classes",
    tuple(LandCoverClass(code, f"class {code}", (code, 1, 2), "") for code in (11, 44, 51, 222)),
)
PAIRS = {
    ("B", "C"): np.array([[5, 0, 0, 0], [4, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]),
    ("A", "B"): np.array([[10, 1, 0, 2], [3, 20, 0, 0], [0, 0, 0, 0], [0, 0, 0, 6]]),
}


def test_classes_by_hand() -> None:
    table = agreement_by_class(PAIRS, NOMENCLATURE)
    assert table["name"].tolist() == ["class 11", "class 44", "class 222", "all"]
    assert table["code"].tolist() == [11, 44, 222, pd.NA]
    rows = table.set_index("name")
    assert rows.loc["class 11", ["pixels", "both"]].tolist() == [25, 15]
    assert rows.loc["class 11", "agreement"] == pytest.approx(30 / (18 + 22))
    assert rows.loc["class 11", "confused_with"] == "class 44"
    assert rows.loc["class 11", "confused_share"] == pytest.approx(8 / 10)
    assert rows.loc["class 44", ["pixels", "both"]].tolist() == [28, 20]
    assert rows.loc["class 44", "agreement"] == pytest.approx(40 / (27 + 21))
    assert rows.loc["class 44", "confused_share"] == 1
    assert rows.loc["class 222", "agreement"] == pytest.approx(12 / (6 + 8))
    assert rows.loc["all", ["pixels", "both"]].tolist() == [51, 41]
    assert rows.loc["all", "agreement"] == pytest.approx(41 / 51)
    assert rows.loc["all", ["confused_with", "confused_share"]].isna().all()


def test_a_class_that_always_agrees_is_confused_with_none() -> None:
    table = agreement_by_class({("A", "B"): np.diag([3, 0, 0, 0])}, NOMENCLATURE)
    assert table["agreement"].tolist() == [1, 1]
    assert table["confused_with"].isna().all()


def test_pairs_by_hand() -> None:
    table = agreement_by_pair(PAIRS)
    assert table[["tile_a", "tile_b"]].agg("".join, axis=1).tolist() == ["AB", "BC"]
    assert table["pixels"].tolist() == [42, 9]
    assert table["agreeing"].tolist() == [36, 5]
    assert table["share"].tolist() == pytest.approx([36 / 42, 5 / 9])
    by_chance = (13 * 13 + 23 * 21 + 6 * 8) / 42**2
    assert table["kappa"][0] == pytest.approx((36 / 42 - by_chance) / (1 - by_chance))
    assert table["kappa"][1] == 0


COUNTS = arrays(np.int64, (4, 4), elements=st.integers(0, 9))


@settings(max_examples=60)
@given(st.lists(COUNTS, min_size=1, max_size=3))
def test_scores_are_those_of_scikit_learn(counts: list[np.ndarray]) -> None:
    pairs = {("A", str(number)): each for number, each in enumerate(counts)}
    total = sum(counts)
    one, other = (
        np.repeat(np.array(NOMENCLATURE.codes)[each.ravel()], total.ravel())
        for each in np.indices((4, 4))
    )
    table = agreement_by_class(pairs, NOMENCLATURE)
    codes = table["code"].dropna().tolist()
    assert codes == sorted(set(one) | set(other))
    if codes:
        f_scores = f1_score(one, other, labels=codes, average=None, zero_division=0)
        np.testing.assert_allclose(table["agreement"][:-1], f_scores)
    if len(counts) == 1 and len(codes) > 1:
        kappa = agreement_by_pair(pairs)["kappa"][0]
        assert kappa == pytest.approx(cohen_kappa_score(one, other))


@settings(max_examples=60)
@given(COUNTS)
def test_which_tile_comes_first_does_not_matter(counts: np.ndarray) -> None:
    tables = [agreement_by_class({("A", "B"): each}, NOMENCLATURE) for each in (counts, counts.T)]
    pd.testing.assert_frame_equal(*tables)


def test_without_overlap_the_tables_have_columns_alone() -> None:
    assert agreement_by_class({}, NOMENCLATURE).empty
    assert "confused_share" in agreement_by_class({}, NOMENCLATURE)
    assert agreement_by_pair({}).empty
    assert "kappa" in agreement_by_pair({})
