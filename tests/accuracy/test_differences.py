from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from fgunet.accuracy.comparison import compare, compare_first_two
from fgunet.accuracy.confusion import Confusion, pool
from fgunet.accuracy.differences import difference_table
from fgunet.accuracy.permutation import holm
from fgunet.accuracy.scores import f_scores, kappa, overall_accuracy
from fgunet.errors import AccuracyError
from fgunet.nomenclature import LandCoverClass, Nomenclature

CLASSES = {11: "crops", 41: "dense urban", 42: "diffuse urban", 51: "water"}
NOMENCLATURE = Nomenclature(
    "four", tuple(LandCoverClass(c, name, (c, c, c), "x") for c, name in CLASSES.items())
)
CODES = NOMENCLATURE.codes
OPTIONS = {"samples": 60, "seed": 3}


def _confusion(tile, method, right, seed, ids):
    random = np.random.default_rng(seed)
    references = np.asarray(ids) % 4
    counts = np.empty((len(ids), 4), dtype=np.int64)
    for row, reference in enumerate(references):
        shares = np.full(4, (1 - right) / 3)
        shares[reference] = right
        counts[row] = random.multinomial(25, random.dirichlet(shares * 6))
    unmapped = np.zeros(len(ids), dtype=np.int64)
    return Confusion(tile, method, CODES, np.asarray(ids), references, counts, unmapped)


@pytest.fixture
def confusions():
    """Three tiles; the second shares ten polygons with the first."""
    found = []
    for place, ids in enumerate((range(1, 61), range(51, 111), range(200, 240))):
        tile, rights = f"T{place}", ((0.9, 0.6), (0.8, 0.75), (0.8, 0.8))[place]
        for method, right in zip(("fgunet", "forest"), rights, strict=True):
            seed = 10 * place + (method == "forest")
            found.append(_confusion(tile, method, right, seed, list(ids)))
    return found


def _pooled(confusions):
    return [pool([c for c in confusions if c.method == m]) for m in ("fgunet", "forest")]


def _table(confusions, **changed):
    comparison = compare_first_two(_pooled(confusions), group=(41, 42), **OPTIONS)
    return difference_table(comparison, confusions, NOMENCLATURE, **OPTIONS | changed)


def test_values_are_those_of_the_confusions(confusions):
    table = _table(confusions)
    tiles = table[table["scope"] == "tile"].set_index(["tile", "score"])
    for first, second in zip(confusions[::2], confusions[1::2], strict=True):
        for name, score in (("kappa", kappa), ("overall_accuracy", overall_accuracy)):
            row = tiles.loc[(first.tile, name)]
            expected = float(score(first.matrix)), float(score(second.matrix))
            assert (row["first"], row["second"]) == pytest.approx(expected, abs=1e-12)
            assert row["difference"] == pytest.approx(expected[0] - expected[1], abs=1e-12)
            assert row["polygons"] == first.polygon_ids.size
            assert row["pixels"] == first.matrix.sum()
    classes = table[table["scope"] == "class"]
    assert classes["code"].tolist() == list(CODES)
    assert classes["name"].tolist() == list(CLASSES.values())
    for column, confusion in zip(("first", "second"), _pooled(confusions), strict=True):
        assert classes[column].to_numpy() == pytest.approx(f_scores(confusion.matrix), abs=1e-12)
    assert classes["pixels"].tolist() == _pooled(confusions)[0].matrix.sum(axis=1).tolist()
    assert table["reason"].isna().all()
    assert (table["lower"] <= table["upper"]).all()


def test_a_tile_is_compared_as_if_it_were_the_whole_run(confusions):
    table = _table(confusions)
    alone = compare(confusions[0], confusions[1], group=(), samples=120, seed=3)
    row = table[(table["tile"] == "T0") & (table["score"] == "kappa")].iloc[0]
    # 40 permutations a test: 120 for three tiles, 160 for four classes.
    assert row["difference"] == pytest.approx(alone["scores"]["kappa"]["difference"])
    assert row["p_value"] == pytest.approx(1 / 121)
    assert alone["scores"]["kappa"]["p_value"] == pytest.approx(1 / 161)


def test_the_overall_rows_and_the_classes_are_those_of_the_comparison(confusions):
    table = _table(confusions)
    comparison = compare_first_two(_pooled(confusions), group=(41, 42), **OPTIONS)
    for scope, found in (("all", comparison["scores"]), ("class", comparison["classes"])):
        rows = table[table["scope"] == scope]
        for row, told in zip(rows.to_dict("records"), found.values(), strict=True):
            assert row["first"] == told["fgunet"]
            assert row["second"] == told["forest"]
            for key in ("difference", "lower", "upper", "p_value"):
                assert row[key] == told[key]


def test_each_family_is_adjusted_by_itself(confusions):
    table = _table(confusions)
    assert table.loc[table["scope"] == "all", "p_adjusted"].isna().all()
    for scope, score in (("tile", "kappa"), ("tile", "overall_accuracy"), ("class", "f_score")):
        family = table[(table["scope"] == scope) & (table["score"] == score)]
        assert family["p_adjusted"].to_numpy() == pytest.approx(holm(family["p_value"]))
    clear = table[(table["tile"] == "T0") & (table["score"] == "kappa")].iloc[0]
    assert 0 < clear["lower"] < clear["difference"]
    assert clear["p_adjusted"] == pytest.approx(3 / 121)


def test_the_order_of_tiles_and_methods_does_not_matter(confusions):
    assert_frame_equal(_table(confusions), _table(confusions[::-1]), check_exact=True)


def test_one_method_gives_no_row(confusions):
    alone = [c for c in confusions if c.method == "forest"]
    comparison = compare_first_two([pool(alone)], group=(), **OPTIONS)
    table = difference_table(comparison, alone, NOMENCLATURE, **OPTIONS)
    assert table.empty
    assert {"scope", "p_adjusted", "reason"} <= set(table.columns)


def test_a_tile_without_common_polygons_says_so_and_the_others_stand(confusions):
    empty = [_confusion("T9", method, 0.8, 0, []) for method in ("fgunet", "forest")]
    alone = [_confusion("T8", "forest", 0.8, 0, range(300, 310))]
    apart = [_confusion("T7", "fgunet", 0.8, 0, range(400, 404)),
             _confusion("T7", "forest", 0.8, 0, range(500, 504))]  # fmt: skip
    comparison = compare_first_two(_pooled(confusions), group=(), **OPTIONS)
    table = difference_table(
        comparison, [*confusions, *empty, *alone, *apart], NOMENCLATURE, **OPTIONS
    )
    lost = table[table["tile"].isin(["T7", "T8", "T9"])]
    assert len(lost) == 6
    assert (
        lost[["first", "second", "difference", "lower", "p_value", "p_adjusted"]].isna().all(None)
    )
    assert (lost["polygons"] == 0).all()
    assert set(lost["reason"]) == {"no test polygon that both maps are judged on"}
    # Undefined ones are no tests: three tiles, as without them; only the permutations are more.
    kept = table[(table["tile"] == "T0") & (table["score"] == "kappa")].iloc[0]
    assert kept["p_adjusted"] == pytest.approx(3 * kept["p_value"])


def test_a_class_without_polygons_and_one_with_one(confusions):
    few = []
    for confusion in confusions:
        keep = (confusion.references != 3) & (
            (confusion.references != 2) | (confusion.polygon_ids == 2)
        )
        chosen = {
            name: getattr(confusion, name)[keep]
            for name in ("polygon_ids", "references", "counts", "unmapped_counts")
        }
        few.append(replace(confusion, **chosen))
    table = _table(few).set_index("code")
    water, diffuse = table.loc[51], table.loc[42]
    assert water["reason"] == "no test polygon that both maps are judged on"
    assert pd.isna(water[["first", "difference", "lower", "p_value", "p_adjusted"]]).all()
    assert diffuse["polygons"] == 1
    assert diffuse["reason"] == "no interval: it takes two test polygons of a class"
    assert pd.isna(diffuse[["lower", "upper"]]).all()
    assert not pd.isna(diffuse[["difference", "p_value", "p_adjusted"]]).any()
    assert table.loc[[11, 41], "reason"].isna().all()


def test_a_tile_of_one_class_has_no_kappa_and_says_why(confusions):
    right = np.zeros((5, 4), dtype=np.int64)
    right[:, 0] = 9
    ids, zero = np.arange(600, 605), np.zeros(5, dtype=np.int64)
    one = [Confusion("T5", m, CODES, ids, zero, right, zero) for m in ("fgunet", "forest")]
    table = _table([*confusions, *one])
    rows = table[table["tile"] == "T5"].set_index("score")
    assert (
        rows.loc["kappa", "reason"] == "one class alone in reference and maps: kappa is undefined"
    )
    assert np.isnan(rows.loc["kappa", "p_value"])
    assert rows.loc["overall_accuracy", "difference"] == 0
    assert rows.loc["overall_accuracy", "p_value"] == 1


def test_a_tile_whose_maps_hold_no_class_says_so(confusions):
    ids = np.arange(600, 604)
    empty = np.zeros((4, 4), dtype=np.int64)
    one = [
        Confusion("T5", m, CODES, ids, ids % 4, empty, np.full(4, 9)) for m in ("fgunet", "forest")
    ]
    rows = _table([*confusions, *one]).set_index("tile").loc["T5"]
    assert set(rows["reason"]) == {"no test pixel that the maps give a class"}
    assert (rows["polygons"] == 4).all()


def test_one_polygon_a_class_gives_no_interval(confusions):
    thin = [
        _confusion("T5", m, 0.7, s, range(600, 604)) for s, m in enumerate(("fgunet", "forest"))
    ]
    rows = _table([*confusions, *thin]).set_index("tile").loc["T5"]
    assert rows[["lower", "upper"]].isna().all(None)
    assert rows["difference"].notna().all()
    assert set(rows["reason"]) == {"no interval: it takes two test polygons of a class"}


def test_maps_of_a_tile_judged_on_different_pixels_are_refused(confusions):
    comparison = compare_first_two(_pooled(confusions), group=(), **OPTIONS)
    counts = confusions[1].counts.copy()
    counts[0, 0] += 1
    odd = [confusions[0], replace(confusions[1], counts=counts)]
    with pytest.raises(AccuracyError, match="different pixels in 1 of 60 common polygons"):
        difference_table(comparison, odd, NOMENCLATURE, **OPTIONS)
