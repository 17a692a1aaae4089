import numpy as np
import pandas as pd
import pytest

from fgunet.report.left_out import left_out_section, left_out_table

PRODUCTS = pd.DataFrame({"used": [True, False, False], "reason": ["", "broken", "broken"]})
LOSSES = pd.DataFrame(
    {
        "source": ["rpg", "clc", "clc"],
        "reason": ["too small", "too small", "ignored on purpose"],
        "features": pd.array([None, None, 9], "Int64"),
        "polygons": pd.array([4, 6, None], "Int64"),
    }
)
AUDIT = {
    "left_out": [{"name": "beaches", "polygons": 2}],
    "split": {
        "merged": [
            {"name": "orchards", "into_name": "vineyards", "polygons": 1},
            {"name": "glaciers", "into_name": "water", "polygons": 0},
        ],
        "given_up": {"lost": {"polygons": 5}},
    },
    "without_pixels": {"a": {"polygons": 3}, "b": {"polygons": 4}},
}
SUMMARY = pd.DataFrame(
    [("pooled", 90, 10), ("a", 90, 10), ("b", 0, 0), ("c", 0, 0)],
    columns=["tile", "pixels", "unmapped"],
).assign(method="fgunet")
CLASSES = pd.DataFrame(
    [("pooled", 1, "land", 90), ("pooled", 2, "sea", 0), ("a", 2, "sea", 0)],
    columns=["tile", "code", "name", "pixels"],
)
LABELS = pd.DataFrame(
    {"code": [np.nan, 1], "polygons_in_pool": [7, 7], "polygons_available": [10, 10]}
)
FACTS = [{"gaps": {"never_clear_share": 0.25}, "grid": {"height": 4, "width": 6}}] * 2
EVERYTHING = {
    "products": PRODUCTS, "losses": LOSSES, "audit": AUDIT, "summary": SUMMARY,
    "classes": CLASSES, "comparison": {"polygons": 18, "left_out": 2}, "labels": LABELS,
    "facts": FACTS,
}  # fmt: skip
NOTHING = {
    "products": PRODUCTS[:1], "losses": LOSSES[:0], "audit": {}, "summary": SUMMARY[1:2],
    "classes": CLASSES[:1], "comparison": {"reason": "one method"}, "labels": pd.DataFrame(),
    "facts": [],
}  # fmt: skip


def test_everything_that_was_left_out_is_counted():
    table = left_out_table(**EVERYTHING)
    found = [
        (row["what"], row["left_out"], None if pd.isna(row["of"]) else row["of"], row["names"])
        for row in table.to_dict("records")
    ]
    assert found == [
        ("products", 2, 3, ""),
        ("pixels of the tiles", 12, 48, ""),
        ("polygons of the sources", 10, None, "rpg; clc"),
        ("features of the sources", 9, None, "clc"),
        ("classes", 1, None, "beaches"),
        ("classes", 1, None, "orchards into vineyards"),
        ("polygons", 5, None, ""),
        ("polygons, counted in each tile", 7, None, ""),
        ("training polygons", 3, 10, ""),
        ("tiles", 2, 3, "b; c"),
        ("classes", 1, 2, "sea"),
        ("test pixels", 10, 100, ""),
        ("test polygons", 2, 20, ""),
    ]
    assert table["reason"].str.len().gt(0).all()


def test_where_nothing_was_left_out_there_is_nothing_to_list():
    table = left_out_table(**NOTHING)
    assert table.empty
    assert left_out_section(table) == {}


def test_a_file_of_it_gives_the_same_section(tmp_path):
    table = left_out_table(**EVERYTHING)
    table.to_csv(tmp_path / "left_out.csv", index=False)
    section = left_out_section(pd.read_csv(tmp_path / "left_out.csv"))
    assert section == left_out_section(table)
    assert section["rows"][0]["of"] == "3"
    assert section["rows"][2]["of"] == "–"
    assert section["rows"][2]["names"] == "rpg, clc"


@pytest.mark.parametrize(("count", "end"), [(10, "j"), (11, "j and 1 more")])
def test_long_lists_of_names_say_how_many_more_there_are(count, end):
    table = pd.DataFrame(
        {
            "what": ["tiles"],
            "reason": ["no test pixel"],
            "left_out": [count],
            "of": pd.array([None], "Int64"),
            "names": ["; ".join("abcdefghijklmno"[:count])],
        }
    )
    assert left_out_section(table)["rows"][0]["names"].endswith(f"i, {end}")
