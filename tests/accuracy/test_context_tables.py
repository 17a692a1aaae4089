import numpy as np
import pandas as pd
import pytest

from fgunet.accuracy.context import BORDER, CLEAR_DAYS, count_context
from fgunet.accuracy.context_tables import DIFFERENCE, context_table, reliability_table
from fgunet.errors import AccuracyError

DRAWING = {"samples": 200, "seed": 3}


def counts_of(ids, code, mapped, *, confidence=None, border=None):
    """Counts of pixels in one row."""
    shape = np.shape(ids)
    percent = np.full(shape, 80, np.uint8) if confidence is None else confidence
    covariates = {BORDER: np.full(shape, 5.0) if border is None else border}
    return count_context([(ids, code, mapped, percent, covariates)], tile="T")


def of(counts, covariate=BORDER):
    return counts[counts["covariate"] == covariate]


def by_hand():
    """Two polygons of class 1 near the border, one of class 2 away from it."""
    ids = np.array([1, 1, 1, 2, 2, 3, 3, 3])
    code = np.array([1, 1, 1, 1, 1, 2, 2, 2], np.uint8)
    border = np.array([5.0, 5, 5, 5, 5, 60, 60, 60])
    first = np.array([1, 1, 2, 1, 0, 2, 2, 2], np.uint8)
    second = np.array([1, 2, 2, 1, 0, 2, 1, 2], np.uint8)
    return {
        name: of(counts_of(ids, code, mapped, border=border))
        for name, mapped in (("fgunet", first), ("forest", second))
    }


def test_known_accuracies_and_their_difference():
    table, changes = context_table(by_hand(), BORDER, **DRAWING)
    table = table.set_index(["lower", "method"])
    assert table["accuracy"].to_dict() == pytest.approx(
        {
            (0, "fgunet"): 3 / 4, (0, "forest"): 2 / 4, (0, DIFFERENCE): 1 / 4,
            (50, "fgunet"): 1.0, (50, "forest"): 2 / 3, (50, DIFFERENCE): 1 / 3,
        }
    )  # fmt: skip
    near, far = table.loc[(0, "fgunet")], table.loc[(50, "fgunet")]
    assert near[["upper", "polygons", "pixels", "unmapped"]].tolist() == [10, 2, 4, 1]
    assert far[["upper", "polygons", "pixels", "unmapped"]].tolist() == [np.inf, 1, 3, 0]
    # One polygon is drawn alike every time.
    assert table.loc[50, ["accuracy_lower", "accuracy_upper"]].isna().all(axis=None)
    assert table.loc[0, ["accuracy_lower", "accuracy_upper"]].notna().all(axis=None)
    assert changes.empty


def test_one_method_has_no_difference():
    table, _ = context_table({"forest": by_hand()["forest"]}, BORDER, **DRAWING)
    assert table["method"].tolist() == ["forest", "forest"]


def test_nothing_counted_is_an_empty_table():
    nothing = count_context([], tile="T")
    table, changes = context_table({"a": nothing, "b": nothing}, CLEAR_DAYS, **DRAWING)
    bins, calibration = reliability_table(nothing, "a", **DRAWING)
    assert table.empty
    assert changes.empty
    assert bins.empty
    assert calibration["pixels"] == 0
    assert np.isnan([calibration["ece"], calibration["accuracy"], calibration["ece_lower"]]).all()


@pytest.mark.parametrize("change", [{"pixels": 2}, {"unmapped": 1}, {"bin": 1}])
def test_maps_judged_on_different_pixels_are_refused(change):
    counts = by_hand()
    other = counts["forest"].copy()
    other.loc[other.index[0], list(change)] = list(change.values())
    with pytest.raises(AccuracyError, match="fgunet and forest are judged on different pixels: of"):
        context_table({**counts, "forest": other}, BORDER, **DRAWING)


def world(seed, *, polygons=120, size=10, wrong=0.2, by_class=(0.0, 0.0), far=0.0):
    """Polygons of two classes, half of each near the border; `far` is what distance adds."""
    random = np.random.default_rng(seed)
    ids = np.repeat(np.arange(1, polygons + 1), size)
    code = (ids % 2 + 1).astype(np.uint8)
    border = np.where(ids // 2 % 2, 60.0, 5.0)
    right = 1 - wrong + np.take(by_class, ids % 2) + far * (border > 50)
    right = right + np.repeat(random.normal(0, 0.1, polygons), size)
    mapped = np.where(random.random(ids.size) < right, code, 3 - code).astype(np.uint8)
    return ids, code, mapped, border


def test_two_equal_maps_differ_nowhere():
    ids, code, mapped, border = world(1)
    counts = of(counts_of(ids, code, mapped, border=border))
    table, changes = context_table({"a": counts, "b": counts}, BORDER, **DRAWING)
    scores = table.loc[table["method"] == DIFFERENCE, "accuracy":]
    assert (scores == 0).all(axis=None)
    assert (changes.loc[changes["method"] == DIFFERENCE, "change":] == 0).all(axis=None)
    # Paired: each map alone varies.
    assert (table.loc[table["method"] == "a", "accuracy_lower"] < 0.8).all()


def test_intervals_cover_the_true_accuracy_and_the_true_change():
    covered = np.zeros(3)
    for seed in range(60):
        ids, code, mapped, border = world(1000 + seed, wrong=0.4, far=0.2)
        counts = of(counts_of(ids, code, mapped, border=border))
        table, changes = context_table({"a": counts}, BORDER, samples=200, seed=seed)
        near, change = table.iloc[0], changes.iloc[0]
        covered += [
            near["accuracy_lower"] <= 0.6 <= near["accuracy_upper"],
            change["change_lower"] <= 0.2 <= change["change_upper"],
            change["within_lower"] <= 0.2 <= change["within_upper"],
        ]
    # 95 % of 60 are 57; fewer than 52 would be three standard deviations away.
    assert (covered >= 52).all()


def test_a_change_that_only_the_classes_make_is_none_within_classes():
    # Class 1 has nine tenths of the pixels near the border and is right in half of them; class 2
    # has nine tenths of those away from it and is right everywhere.
    ids = np.repeat(np.arange(1, 121), 10)
    code = np.where(ids <= 60, 1, 2).astype(np.uint8)
    place = np.tile(np.arange(10), 120)
    border = np.where((place == 9) ^ (code == 2), 60.0, 5.0)
    mapped = np.where((code == 2) | (ids % 2 == 0), code, 3).astype(np.uint8)
    counts = of(counts_of(ids, code, mapped, border=border))
    _, changes = context_table({"a": counts}, BORDER, **DRAWING)
    change = changes.iloc[0]
    assert change["change"] == pytest.approx(0.95 - 0.55)
    assert change["within"] == pytest.approx(0, abs=1e-12)
    assert change[["from_lower", "from_upper", "to_lower"]].tolist() == [0, 10, 50]
    assert np.isinf(change["to_upper"])


def test_the_change_within_classes_is_that_of_mantel_and_haenszel():
    ids, code, mapped, border = world(8, by_class=(0.1, -0.2), far=0.1)
    keep = np.random.default_rng(2).random(ids.size) < np.where((code == 1) & (border > 50), 0.3, 1)
    ids, code, mapped, border = (values[keep] for values in (ids, code, mapped, border))
    counts = of(counts_of(ids, code, mapped, border=border))
    _, changes = context_table({"a": counts}, BORDER, **DRAWING)
    above = below = 0
    for one in (1, 2):
        near, far = (mapped[(code == one) & side] == one for side in (border < 50, border > 50))
        weight = near.size * far.size / (near.size + far.size)
        above += weight * (far.mean() - near.mean())
        below += weight
    assert changes.iloc[0]["within"] == pytest.approx(above / below, rel=1e-12)


def test_one_class_only_has_the_same_change_within():
    ids, _, _, border = world(4)
    code = np.ones(ids.size, np.uint8)
    mapped = np.where(np.random.default_rng(0).random(ids.size) < 0.7, 1, 2).astype(np.uint8)
    counts = of(counts_of(ids, code, mapped, border=border))
    _, changes = context_table({"a": counts}, BORDER, **DRAWING)
    change = changes.iloc[0]
    assert change["within"] == pytest.approx(change["change"])
    assert change["within_lower"] == pytest.approx(change["change_lower"])


def sure_world(seed, over=0.0, polygons=300, size=20):
    """Pixels that are right as often as their confidence less `over` says."""
    random = np.random.default_rng(seed)
    ids = np.repeat(np.arange(1, polygons + 1), size)
    code = (ids % 5 + 1).astype(np.uint8)
    percent = np.repeat(random.integers(45, 100, polygons), size) + random.integers(-4, 2, ids.size)
    right = random.random(ids.size) < percent / 100 - over
    return ids, code, np.where(right, code, 9).astype(np.uint8), percent.astype(np.uint8)


def test_reliability_equals_that_of_the_pixels():
    ids, code, mapped, percent = sure_world(1, over=0.1)
    counts = counts_of(ids, code, mapped, confidence=percent)
    bins, calibration = reliability_table(of(counts, "confidence_percent"), "forest", **DRAWING)
    right, confidence = mapped == code, percent / 100
    error = 0.0
    for row in bins.to_dict("records"):
        # The last bin holds 100 % too.
        inside = (percent >= row["lower"]) & ((percent < row["upper"]) | (row["upper"] == 100))
        assert row["pixels"] == inside.sum()
        assert row["polygons"] == np.unique(ids[inside]).size
        assert row["confidence"] == pytest.approx(confidence[inside].mean(), rel=1e-12)
        assert row["accuracy"] == pytest.approx(right[inside].mean(), rel=1e-12)
        error += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    assert bins["pixels"].sum() == ids.size
    assert calibration["ece"] == pytest.approx(error, rel=1e-12)
    assert calibration["confidence"] == pytest.approx(confidence.mean(), rel=1e-12)
    assert calibration["accuracy"] == pytest.approx(right.mean(), rel=1e-12)
    assert calibration["over_confidence"] == pytest.approx(confidence.mean() - right.mean())
    assert (calibration["method"], calibration["polygons"]) == ("forest", 300)


def test_known_calibration_error():
    percent = np.array([95, 95, 55, 55], np.uint8)
    code, mapped = np.full(4, 1, np.uint8), np.array([1, 2, 1, 1], np.uint8)
    counts = of(counts_of(np.array([1, 2, 3, 4]), code, mapped, confidence=percent),
                "confidence_percent")  # fmt: skip
    _, calibration = reliability_table(counts, "m", **DRAWING)
    # 0.95 against 1/2 and 0.55 against 1, two pixels each: they do not make up for one another.
    assert calibration["ece"] == pytest.approx((0.45 + 0.45) / 2)
    assert calibration["over_confidence"] == pytest.approx(0.75 - 0.75)


def test_intervals_of_calibration_cover_the_truth():
    covered = np.zeros(2)
    for seed in range(60):
        ids, code, mapped, percent = sure_world(1000 + seed, over=0.1)
        counts = of(counts_of(ids, code, mapped, confidence=percent), "confidence_percent")
        _, found = reliability_table(counts, "m", samples=200, seed=seed)
        covered += [
            found[f"{score}_lower"] <= 0.1 <= found[f"{score}_upper"]
            for score in ("over_confidence", "ece")
        ]
    # 95 % of 60 are 57; fewer than 52 would be three standard deviations away.
    assert (covered >= 52).all()


def test_a_map_that_knows_how_sure_it_is_has_a_small_error_and_no_over_confidence():
    ids, code, mapped, percent = sure_world(7, polygons=2000)
    counts = of(counts_of(ids, code, mapped, confidence=percent), "confidence_percent")
    _, found = reliability_table(counts, "m", **DRAWING)
    assert 0 <= found["ece_lower"] <= found["ece"] < 0.01
    assert found["over_confidence_lower"] < 0 < found["over_confidence_upper"]


def test_one_polygon_has_no_interval():
    counts = counts_of(np.array([1, 1]), np.array([1, 1], np.uint8), np.array([1, 2], np.uint8))
    bins, found = reliability_table(of(counts, "confidence_percent"), "m", **DRAWING)
    assert bins["accuracy"].tolist() == [0.5]
    assert bins["accuracy_lower"].isna().all()
    assert np.isnan([found["ece_lower"], found["accuracy_upper"]]).all()


def test_the_seed_alone_decides_the_intervals():
    ids, code, mapped, border = world(5)
    counts = {"a": of(counts_of(ids, code, mapped, border=border))}
    one, again = (context_table(counts, BORDER, samples=50, seed=1)[0] for _ in range(2))
    pd.testing.assert_frame_equal(one, again)
    other, _ = context_table(counts, BORDER, samples=50, seed=2)
    assert (other["accuracy"] == one["accuracy"]).all()
    assert (other["accuracy_lower"] != one["accuracy_lower"]).any()
