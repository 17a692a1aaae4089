import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import binom

from fgunet.accuracy.areas import Sample, by_class, difference, overall, summarise
from fgunet.accuracy.drawing import allocate, count_by_row, draw_pixels
from fgunet.errors import AccuracyError
from fgunet.grid import Window
from fgunet.nomenclature import LandCoverClass, Nomenclature


def nomenclature(n):
    classes = (LandCoverClass(code, f"class {code}", (0, 0, 0), "") for code in range(1, n + 1))
    return Nomenclature("some", tuple(classes))


def sample_of(matrix, pixels, pixel_m2=900.0):
    """Points of a matrix of counts (rows: strata, which are the mapped classes 1..n)."""
    n = len(matrix)
    strata, reference = (np.repeat(index.ravel(), matrix.ravel()) for index in np.indices((n, n)))
    return Sample(strata, np.asarray(pixels), reference + 1, pixel_m2), strata + 1


# Olofsson et al. (2014), table 8: deforestation, forest gain, stable forest, stable non-forest;
# pixels of 30 m.
OLOFSSON = np.array([[66, 0, 5, 4], [0, 55, 8, 12], [1, 0, 153, 11], [2, 1, 9, 313]])
OLOFSSON_PIXELS = np.array([200_000, 150_000, 3_200_000, 6_450_000])


def test_the_example_of_olofsson():
    sample, mapped = sample_of(OLOFSSON, OLOFSSON_PIXELS)
    table = by_class(sample, mapped, OLOFSSON_PIXELS, nomenclature(4))
    first = table.iloc[0]
    # The paper leaves out the finite population correction and takes 1.96.
    assert first["area_ha"] / 0.09 == pytest.approx(235_086, abs=1)
    assert (first["area_ha_upper"] - first["area_ha"]) / 0.09 == pytest.approx(68_418, rel=5e-4)
    assert (round(first["users"], 2), round(first["producers"], 2)) == (0.88, 0.75)
    assert round(first["users_upper"] - first["users"], 2) == 0.07
    assert round(first["producers_upper"] - first["producers"], 2) == 0.21
    whole = overall(sample, mapped)
    assert round(whole["overall_accuracy"], 3) == 0.947
    assert round(whole["overall_accuracy_upper"] - whole["overall_accuracy"], 3) == 0.018


def test_strata_of_a_country_give_the_shares_of_strata_of_a_tile():
    # 6e12 pixels squared are beyond 64 bits.
    small, mapped = sample_of(OLOFSSON, 10**3 * OLOFSSON_PIXELS)
    large, _ = sample_of(OLOFSSON, 10**6 * OLOFSSON_PIXELS)
    expected, found = (overall(sample, mapped) for sample in (small, large))
    assert found["overall_accuracy_standard_error"] == pytest.approx(
        expected["overall_accuracy_standard_error"], rel=1e-6
    )


def olofsson_errors(matrix, pixels):
    """Variances of equations 5, 6, 7 and 10 of Olofsson et al. (2014), written out.

    Each stratum's term has the finite population correction 1 - n / N, which they leave out.
    """
    counts = matrix.sum(axis=1)
    weights, shares = pixels / pixels.sum(), matrix / counts[:, None]
    terms = (1 - counts / pixels)[:, None] * shares * (1 - shares) / (counts - 1)[:, None]
    users = np.diag(shares)
    of_reference = (pixels[:, None] * shares).sum(axis=0)
    producers = pixels * users / of_reference
    inner = pixels**2 * (1 - producers) ** 2 * np.diag(terms)
    outer = (pixels[:, None] ** 2 * terms).sum(axis=0) - pixels**2 * np.diag(terms)
    return {
        "overall": (weights**2 * np.diag(terms)).sum(),
        "users": np.diag(terms),
        "producers": (inner + producers**2 * outer) / of_reference**2,
        "area_ha": (weights[:, None] ** 2 * terms).sum(axis=0),
    }


@given(
    arrays(np.int64, (3, 3), elements=st.integers(1, 30)),
    arrays(np.int64, 3, elements=st.integers(100, 10**7)),
)
def test_standard_errors_are_those_of_olofsson_where_the_strata_are_the_map(matrix, pixels):
    sample, mapped = sample_of(matrix, pixels, pixel_m2=10_000 / pixels.sum())
    table = by_class(sample, mapped, pixels, nomenclature(3))
    expected = olofsson_errors(matrix, pixels)
    for name in ("users", "producers", "area_ha"):
        found = table[f"{name}_standard_error"].to_numpy()
        assert found == pytest.approx(np.sqrt(expected[name]), rel=1e-9, abs=1e-12)
    found = overall(sample, mapped)["overall_accuracy_standard_error"]
    assert found == pytest.approx(np.sqrt(expected["overall"]), rel=1e-9)


# Stehman (2014), table 2: ten points in each of four strata; map and reference classes A to D.
STEHMAN_MAP = "AAAAAAABBB" "ABBBBBBBBB" "BBCCCCCCBB" "DDDDDDDDDD"  # fmt: skip
STEHMAN_REFERENCE = "AAAAACBABC" "ABBBBBAABB" "CCCCCDDBBA" "DDDDDDDCCB"  # fmt: skip
STEHMAN_PIXELS = np.array([40_000, 30_000, 20_000, 10_000])


def stehman():
    mapped, reference = (
        np.array([" ABCD".index(one) for one in text]) for text in (STEHMAN_MAP, STEHMAN_REFERENCE)
    )
    return Sample(np.repeat(np.arange(4), 10), STEHMAN_PIXELS, reference, 10_000.0), mapped


def test_the_example_of_stehman_whose_strata_are_of_another_map():
    sample, mapped = stehman()
    table = by_class(sample, mapped, STEHMAN_PIXELS, nomenclature(4)).set_index("code")
    share, error = (table[name] / 100_000 for name in ("area_ha", "area_ha_standard_error"))
    assert (share[1], share[3]) == (pytest.approx(0.35), pytest.approx(0.20))
    assert error[[1, 3]].round(3).tolist() == [0.082, 0.064]
    assert table["users"][2].round(3) == 0.574
    assert table["users_standard_error"][2].round(3) == 0.125
    assert table["producers"][2].round(3) == 0.794
    whole = overall(sample, mapped)
    assert whole["overall_accuracy"] == pytest.approx(0.63)
    assert round(whole["overall_accuracy_standard_error"], 3) == 0.085


def test_the_error_of_a_ratio_is_that_of_stehman_by_hand():
    """Equations 28 and 29 with variances and covariances, one class and stratum after another."""
    sample, mapped = stehman()
    y = ((mapped == 2) & (sample.reference == 2)).astype(float)
    x = (sample.reference == 2).astype(float)
    totals = [sum(STEHMAN_PIXELS * v.reshape(4, 10).mean(axis=1)) for v in (y, x)]
    ratio, variance = totals[0] / totals[1], 0.0
    for pixels, ys, xs in zip(STEHMAN_PIXELS, y.reshape(4, 10), x.reshape(4, 10), strict=True):
        (of_y, both), (_, of_x) = np.cov(ys, xs)
        inner = of_y + ratio**2 * of_x - 2 * ratio * both
        variance += pixels**2 * (1 - 10 / pixels) * inner / 10
    found = sample.ratio(y[:, None], x[:, None])
    assert found.value[0] == pytest.approx(ratio)
    assert found.standard_error[0] == pytest.approx(np.sqrt(variance) / totals[1])


def test_a_count_of_all_pixels_has_no_error():
    reference = np.array([1, 1, 2, 2, 2])
    sample = Sample(np.array([0, 0, 1, 1, 1]), np.array([2, 3]), reference, 10_000.0)
    table = by_class(sample, np.array([1, 1, 1, 2, 2]), np.array([3, 2]), nomenclature(2))
    assert table["area_ha"].tolist() == [2, 3]
    assert (table[["area_ha_standard_error", "users_standard_error"]] == 0).all(axis=None)
    assert table["users"].tolist() == pytest.approx([2 / 3, 1])


def test_where_all_points_agree_the_error_is_undefined_and_not_zero():
    sample, mapped = sample_of(np.array([[7, 0, 0], [0, 4, 3], [0, 0, 9]]), [70, 700, 90])
    table = by_class(sample, mapped, sample.pixels, nomenclature(3)).set_index("code")
    assert table.loc[1, ["users", "producers", "area_ha"]].tolist() == pytest.approx([1, 1, 6.3])
    bounds = [name for name in table if name.endswith(("_lower", "_upper", "_error"))]
    assert table.loc[1, bounds].isna().all()
    assert table.loc[2, bounds].notna().sum() == 6, "user's accuracy and area; all of it is found"


def test_a_class_that_no_point_shows_is_undefined_but_told():
    sample, mapped = sample_of(np.array([[5, 0, 0], [2, 0, 0], [1, 0, 3]]), [50, 60, 70])
    table = by_class(sample, mapped, sample.pixels, nomenclature(3)).set_index("code")
    assert table["points"].tolist() == [8, 0, 3]
    assert table["users"][2] == 0
    assert np.isnan(table["producers"][2])
    assert np.isnan(table["area_ha_upper"][2])


def test_a_class_that_is_neither_mapped_nor_seen_has_no_row():
    sample, mapped = sample_of(np.array([[5, 0, 1], [0, 0, 0], [1, 0, 3]])[[0, 2, 1]], [50, 70, 0])
    mapped = np.where(mapped == 2, 3, mapped)
    table = by_class(sample, mapped, np.array([50, 0, 70]), nomenclature(3))
    assert table["code"].tolist() == [1, 3]


def test_a_stratum_with_one_point_is_refused():
    with pytest.raises(AccuracyError, match=r"strata \[1\] .* have \[1\] points; each needs two"):
        Sample(np.array([0, 0, 1]), np.array([10, 10]), np.array([1, 1, 2]), 100.0)
    Sample(np.array([0, 0, 1]), np.array([10, 1]), np.array([1, 1, 2]), 100.0)


def test_a_map_without_class_at_a_point_is_wrong_there():
    sample, mapped = sample_of(np.array([[5, 1], [2, 8]]), [50, 60])
    bare = np.where(np.arange(len(mapped)) == 0, 0, mapped)
    full, found = overall(sample, mapped), overall(sample, bare)
    assert (full["unmapped"], found["unmapped"]) == (0, 1)
    assert found["overall_accuracy"] == pytest.approx(full["overall_accuracy"] - 50 / 6 / 110)


def test_the_difference_of_two_maps_pairs_their_points():
    sample, mapped = sample_of(np.array([[50, 10], [20, 60]]), [5000, 6000])
    same = difference(sample, mapped, mapped)
    assert (same["difference"], same["standard_error"], same["lower"]) == (0, None, None)
    flipped = np.where(np.arange(len(mapped)) % 20 == 0, 3 - mapped, mapped)
    found = difference(sample, mapped, flipped)
    accuracies = [overall(sample, one) for one in (mapped, flipped)]
    first, second = (one["overall_accuracy"] for one in accuracies)
    assert found["difference"] == pytest.approx(first - second)
    apart = np.hypot(*(one["overall_accuracy_standard_error"] for one in accuracies))
    assert found["standard_error"] < apart / 2
    turned = difference(sample, flipped, mapped)
    assert turned["lower"] == pytest.approx(-found["upper"])


def test_summary_of_one_and_of_two_maps():
    sample, mapped = sample_of(np.array([[50, 10], [20, 60]]), [5000, 6000])
    maps = {"a": (mapped, sample.pixels), "b": (3 - mapped, sample.pixels[::-1])}
    table, summary = summarise(sample, maps, nomenclature(2))
    assert list(table.columns[:4]) == ["method", "code", "name", "mapped_area_ha"]
    assert table["method"].tolist() == ["a", "a", "b", "b"]
    assert table["area_ha"][:2].tolist() == table["area_ha"][2:].tolist()
    assert table["mapped_area_ha"].tolist() == [450, 540, 540, 450]
    assert (summary["points"], summary["pixels"], summary["area_ha"]) == (140, 11000, 990)
    assert summary["difference"]["difference"] > 0
    assert "difference" not in summarise(sample, {"a": maps["a"]}, nomenclature(2))[1]


def worlds(count):
    """Truths and two maps of them, and the sample of the first map that the library draws."""
    classes = nomenclature(4)
    for seed in range(count):
        random = np.random.default_rng([31, seed])
        truth = random.choice([1, 2, 3, 4], size=(40, 40), p=[0.1, 0.2, 0.3, 0.4]).astype(np.uint8)
        maps = []
        for right in (0.75, 0.65):
            other = random.integers(1, 5, truth.shape)
            maps.append(np.where(random.random(truth.shape) < right, truth, other).astype(np.uint8))
        blocks = [(Window(0, 0, 40, 40), maps[0])]
        counts = count_by_row(blocks, 40, classes)
        points = allocate(counts.sum(axis=0), size=240, minimum=40)
        drawn = draw_pixels(counts, points, classes.codes, maps[0].__getitem__, seed=seed)
        yield classes, truth, maps, counts.sum(axis=0), drawn


def test_intervals_hold_the_truth_as_often_as_they_say():
    """Areas, overall accuracies and their difference in 300 worlds, against binomial bounds."""
    n, held, classes_held = 300, [], []
    for classes, truth, maps, pixels, (rows, cols, strata) in worlds(n):
        at = (rows, cols)
        sample = Sample(strata, pixels, truth[at].astype(np.int64), 10_000.0)
        found = [overall(sample, one[at]) for one in maps]
        right = [float((one == truth).mean()) for one in maps]
        apart = difference(sample, maps[0][at], maps[1][at])
        held.append(
            [
                *(
                    one["overall_accuracy_lower"] <= value <= one["overall_accuracy_upper"]
                    for one, value in zip(found, right, strict=True)
                ),
                apart["lower"] <= right[0] - right[1] <= apart["upper"],
            ]
        )
        table = by_class(sample, maps[0][at], pixels, classes)
        areas = np.bincount(truth.ravel(), minlength=5)[1:]
        classes_held.append((table["area_ha_lower"] <= areas) & (areas <= table["area_ha_upper"]))
    low, high = binom.ppf([0.0005, 0.9995], n, 0.95)
    hits = [*np.sum(held, axis=0), *pd.DataFrame(classes_held).sum()]
    assert len(hits) == 7
    assert all(low <= one <= high for one in hits), (hits, low, high)
