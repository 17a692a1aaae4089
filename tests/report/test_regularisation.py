import pandas as pd
import pytest

from fgunet.report.regularisation import regularisation_table

CLEAR = {"lower": 0.02, "upper": 0.06, "p_value": 0.001}
OTHER = {"lower": -0.06, "upper": -0.02, "p_value": 0.001}
UNCLEAR = {"lower": -0.01, "upper": 0.02, "p_value": 0.4}


def _kappa(fgunet, forest, bounds):
    return {"fgunet": fgunet, "forest": forest, "difference": fgunet - forest, **bounds}


def _shown(raw, filtered, radius=1):
    found = {
        kind: {"methods": ["fgunet", "forest"], "scores": {"kappa": scores}}
        for kind, scores in (("none", raw), ("majority", filtered))
    }
    table = pd.DataFrame(
        [
            {
                "regularisation": kind,
                "method": method,
                "kappa": comparison["scores"]["kappa"][method],
                "kappa_lower": 0.5,
                "kappa_upper": 0.9,
            }
            for kind, comparison in found.items()
            for method in ("fgunet", "forest")
        ]
    )
    return regularisation_table(table, {"majority_radius": radius, "comparisons": found}, None)


def test_rows_hold_both_methods_and_their_difference():
    shown = _shown(_kappa(0.84, 0.8, CLEAR), _kappa(0.85, 0.84, UNCLEAR), radius=2)
    assert shown["scores"] == ["Cohen's kappa"]
    assert [(row["name"], row["square"]) for row in shown["rows"]] == [
        ("none", ""),
        ("majority of radius 2", "5 × 5 pixels"),
    ]
    (kappa,) = shown["rows"][0]["scores"]
    assert [cell["value"] for cell in kappa["cells"]] == ["0.840", "0.800"]
    assert kappa["cells"][0]["interval"] == "0.500 to 0.900"
    assert (kappa["difference"], kappa["interval"]) == ("+0.040", "0.020 to 0.060")
    assert kappa["p_value"] == "0.001"
    assert "5 × 5 pixels around it" in shown["note"]


@pytest.mark.parametrize(
    ("raw", "filtered", "outcome"),
    [
        (CLEAR, CLEAR, "By kappa, FG-UNET is better, with the filter or without."),
        (UNCLEAR, UNCLEAR, "By kappa, the two cannot be told apart, with the filter or without."),
        (
            CLEAR,
            UNCLEAR,
            "By kappa, FG-UNET is better without the filter; "
            "with it, the two cannot be told apart.",
        ),
    ],
)
def test_the_verdict_says_whether_the_filter_changes_the_outcome(raw, filtered, outcome):
    verdict = _shown(_kappa(0.84, 0.8, raw), _kappa(0.85, 0.84, filtered))["verdict"]
    assert verdict == (
        "The filter changes the kappa of FG-UNET by +0.010 and that of Random Forest by +0.040; "
        f"their difference goes from +0.040 to +0.010. {outcome}"
    )


def test_the_headline_speaks_up_where_the_filter_changes_the_outcome():
    same = _shown(_kappa(0.84, 0.8, CLEAR), _kappa(0.85, 0.81, CLEAR))
    assert same["headline"] == ""
    other = _shown(_kappa(0.84, 0.8, CLEAR), _kappa(0.85, 0.84, UNCLEAR))
    assert other["headline"] == (
        "With the same majority filter over both maps, the two cannot be told apart: their kappas "
        "differ by +0.010 (95 % interval −0.010 to 0.020)."
    )


def test_the_filter_may_turn_the_outcome():
    verdict = _shown(_kappa(0.84, 0.8, CLEAR), _kappa(0.83, 0.87, OTHER))["verdict"]
    assert "FG-UNET is better without the filter; with it, Random Forest is better." in verdict
    assert "FG-UNET by −0.010" in verdict
    assert "from +0.040 to −0.040" in verdict


def test_undefined_scores_are_dashes():
    nothing = {"fgunet": None, "forest": None, "difference": None, "lower": None, "upper": None}
    nothing["p_value"] = None
    shown = _shown(nothing, nothing)
    assert shown["rows"][0]["scores"][0]["cells"][0]["value"] == "–"
    assert "cannot be told apart" in shown["verdict"]


def test_nothing_is_shown_of_a_run_without_filter():
    assert regularisation_table(pd.DataFrame(), {}, "urban") == {}
