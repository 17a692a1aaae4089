import json
from dataclasses import replace

import numpy as np
import pytest

from fgunet.accuracy.comparison import compare, compare_first_two
from fgunet.accuracy.confusion import Confusion
from fgunet.accuracy.scores import f_scores, kappa
from fgunet.errors import AccuracyError

CODES = (11, 41, 42, 51)


def _confusion(method, right, seed, polygons=120, ids=None):
    random = np.random.default_rng(seed)
    references = np.arange(polygons) % 4
    counts = np.empty((polygons, 4), dtype=np.int64)
    for row, reference in enumerate(references):
        share = np.full(4, (1 - right) / 3)
        share[reference] = right
        counts[row] = random.multinomial(25, random.dirichlet(share * 6))
    ids = np.arange(1, polygons + 1) if ids is None else ids
    return Confusion(
        "pooled", method, CODES, ids, references, counts, np.zeros(polygons, dtype=np.int64)
    )


def test_a_clear_difference_is_found_and_signed():
    better, worse = _confusion("fgunet", 0.9, 0), _confusion("forest", 0.6, 1)
    result = compare(better, worse, group=(41, 42), samples=400, seed=2)
    json.dumps(result, allow_nan=False)
    found = result["scores"]["kappa"]
    assert found["fgunet"] == pytest.approx(kappa(better.matrix))
    assert found["difference"] == pytest.approx(found["fgunet"] - found["forest"])
    assert 0 < found["lower"] < found["difference"] < found["upper"]
    assert found["p_value"] == pytest.approx(1 / 401)
    assert result["mcnemar"]["only_first"] > result["mcnemar"]["only_second"]
    assert {"group_f", "group_micro_f"} <= set(result["scores"])


def test_classes_are_compared_by_their_f_scores():
    a, b = _confusion("a", 0.9, 0), _confusion("b", 0.6, 1)
    found = compare(a, b, group=(), samples=400, seed=2)["classes"]
    assert list(found) == [str(code) for code in CODES]
    for place, one in enumerate(found.values()):
        assert one["a"] == pytest.approx(f_scores(a.matrix)[place])
        assert one["difference"] == pytest.approx(one["a"] - one["b"])
        assert 0 < one["lower"] < one["difference"] < one["upper"]
        assert one["p_value"] == pytest.approx(1 / 401)
        assert (one["polygons"], one["pixels"]) == (30, 30 * 25)


def test_exchanging_the_methods_changes_the_sign_alone():
    a, b = _confusion("a", 0.8, 0), _confusion("b", 0.7, 1)
    forth = compare(a, b, group=(), samples=200, seed=2)["scores"]["kappa"]
    back = compare(b, a, group=(), samples=200, seed=2)["scores"]["kappa"]
    assert back["difference"] == pytest.approx(-forth["difference"])
    assert back["lower"] == pytest.approx(-forth["upper"])
    assert back["p_value"] == pytest.approx(forth["p_value"], abs=0.03)


def test_a_map_compared_with_itself_does_not_differ():
    a = _confusion("a", 0.8, 0)
    result = compare(a, a, group=(41, 42), samples=50, seed=0)
    for score in result["scores"].values():
        assert score["difference"] == 0
        assert score["p_value"] == 1
    assert result["mcnemar"]["p_value"] is None


def test_only_common_polygons_count_and_the_rest_is_told():
    a = _confusion("a", 0.8, 0, polygons=40)
    b = _confusion("b", 0.8, 1, polygons=40, ids=np.arange(5, 45))
    result = compare(a, b, group=(), samples=20, seed=0)
    assert result["polygons"] == 36
    assert result["left_out"] == 8
    assert result["pixels"] == 36 * 25


def test_same_seed_same_result():
    a, b = _confusion("a", 0.8, 0), _confusion("b", 0.7, 1)
    assert compare(a, b, group=(), samples=50, seed=7) == compare(
        a, b, group=(), samples=50, seed=7
    )


def test_refuses_maps_that_cannot_be_compared():
    a = _confusion("a", 0.8, 0, polygons=8)
    elsewhere = _confusion("b", 0.8, 0, polygons=8, ids=np.arange(100, 108))
    with pytest.raises(AccuracyError, match="no test polygon in common"):
        compare(a, elsewhere, group=(), samples=5, seed=0)
    shifted = _confusion("b", 0.8, 0, polygons=8, ids=np.arange(2, 10))
    with pytest.raises(AccuracyError, match="one reference class"):
        compare(a, shifted, group=(), samples=5, seed=0)


def test_refuses_maps_that_are_judged_on_different_pixels():
    a, b = _confusion("a", 0.8, 0, polygons=8), _confusion("b", 0.7, 1, polygons=8)
    fewer = b.counts.copy()
    fewer[2] = fewer[5] = [20, 0, 0, 0]
    with pytest.raises(
        AccuracyError, match=r"in 2 of 8 common polygons; polygon 3 has 25 .* 20 and 0"
    ):
        compare(a, replace(b, counts=fewer), group=(), samples=5, seed=0)
    unmapped = np.zeros(8, dtype=np.int64)
    unmapped[[2, 5]] = 5
    with pytest.raises(AccuracyError, match=r"polygon 3 has 25 pixels .* 20 and 5 in the other"):
        compare(a, replace(b, counts=fewer, unmapped_counts=unmapped), group=(), samples=5, seed=0)
    with pytest.raises(AccuracyError, match=r"25 pixels with a class and 0 without .* 25 and 5"):
        compare(a, replace(b, unmapped_counts=unmapped), group=(), samples=5, seed=0)
    both = [replace(one, counts=fewer, unmapped_counts=unmapped) for one in (a, b)]
    assert compare(*both, group=(), samples=5, seed=0)["pixels"] == 6 * 25 + 2 * 20


def test_pixels_of_polygons_that_one_map_lacks_do_not_matter():
    a = _confusion("a", 0.8, 0, polygons=40)
    b = _confusion("b", 0.8, 1, polygons=40, ids=np.arange(5, 45))
    b.counts[-1] = [1, 0, 0, 0]  # polygon 44, which a lacks
    assert compare(a, b, group=(), samples=5, seed=0)["left_out"] == 8


def test_the_first_two_methods_of_a_run_are_compared():
    maps = [_confusion(name, 0.8, seed, polygons=12) for seed, name in enumerate("abc")]
    options = {"group": (), "samples": 5, "seed": 0}
    assert compare_first_two(maps, **options) == compare(maps[0], maps[1], **options)
    assert compare_first_two(maps[2:], **options) == {"reason": "one method in this run: c"}
