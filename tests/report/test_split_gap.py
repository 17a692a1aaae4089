import pandas as pd

from fgunet.report.split_gap import split_gap_section

ROW = {
    "method": "fgunet", "score": "kappa", "polygon_split": 0.85, "polygon_split_lower": 0.83,
    "polygon_split_upper": 0.87, "polygon_split_polygons": 3000, "block_split": 0.8,
    "block_split_lower": 0.76, "block_split_upper": 0.83, "block_split_polygons": 2900,
    "gap": 0.05, "gap_lower": 0.014, "gap_upper": 0.095,
}  # fmt: skip


def test_both_scores_and_the_gap_are_told():
    section = split_gap_section(pd.DataFrame([ROW, ROW | {"score": "macro_f"}]))
    assert section["statements"] == [
        "Kappa of FG-UNET is 0.850 split by polygon and 0.800 split by block: a gap of +0.050; "
        "95 % interval of the gap 0.014 to 0.095."
    ]
    first, second = section["rows"]
    assert (first["method"], first["score"]) == ("FG-UNET", "Cohen's kappa")
    assert first["cells"][1] == {
        "value": "0.800", "interval": "0.760 to 0.830", "polygons": "2\u202f900"
    }  # fmt: skip
    assert (first["gap"], first["interval"]) == ("+0.050", "0.014 to 0.095")
    assert second["score"] == "F-score, mean of classes"


def test_an_undefined_gap_is_told_so():
    lost = dict.fromkeys([key for key in ROW if key.startswith(("gap", "block_split"))])
    row = ROW | lost | {"block_split_polygons": 0}
    section = split_gap_section(pd.DataFrame([row]))
    assert "undefined" in section["statements"][0]
    assert (section["rows"][0]["gap"], section["rows"][0]["interval"]) == ("–", "")


def test_nothing_where_no_other_run_is_named():
    assert split_gap_section(pd.DataFrame()) == {}
