import pytest

from fgunet.report.findings import polygon_verdict

METHODS = ["fgunet", "forest"]


def compared(both, first, second, neither, p_value):
    counts = {"both_right": both, "only_first": first, "only_second": second}
    return {
        "methods": METHODS,
        "mcnemar": {**counts, "both_wrong": neither, "p_value": p_value},
    }


@pytest.mark.parametrize(
    ("first", "second", "ahead", "behind"),
    [(5, 30, "Random Forest", "FG-UNET"), (30, 5, "FG-UNET", "Random Forest")],
)
def test_the_method_that_is_right_on_more_polygons_is_ahead(first, second, ahead, behind):
    told = polygon_verdict(compared(60, first, second, 5, 0.0001))
    # 60 + 30 and 60 + 5 of 100.
    assert f"{ahead} is ahead: right on 90.0 % of them, {behind} on 65.0 %" in told
    assert "p\u00a0<\u00a00.001" in told


@pytest.mark.parametrize("p_value", [0.2, None])
def test_what_may_be_chance_is_told_so(p_value):
    told = polygon_verdict(compared(60, 10, 10, 20, p_value))
    assert "cannot be told apart" in told
    assert "70.0 % of the polygons" in told


def test_one_method_has_no_verdict():
    assert polygon_verdict({"reason": "one method in this run: forest"}) == ""
