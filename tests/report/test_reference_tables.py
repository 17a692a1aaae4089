import pandas as pd
import pytest

from fgunet.report.reference_tables import (
    check_table,
    overlap_table,
    reference_classes,
    reference_tables,
    source_losses,
    source_table,
    step_table,
)


@pytest.fixture(scope="module")
def audit(run):
    return run.inputs.audit


def test_every_class_is_a_row_and_nothing_is_lost(audit, nomenclature):
    table = reference_classes(audit, nomenclature).set_index("code")
    assert table.index.tolist() == list(nomenclature.codes)
    for split in ("training", "validation", "test"):
        for key, rows in (("polygons", "counts"), ("hectares", "counts"), ("pixels", "pixels")):
            told = sum(row[key] for row in audit[rows]["rows"] if row["split"] == split)
            assert table[f"{key}_{split}"].sum() == pytest.approx(told)
    first = nomenclature.codes[0]
    assert table.loc[first, "seen_in_patches_share"] == 0.98
    assert table["seen_in_patches_share"].isna().sum() == len(table) - 1


def test_shares_and_sources_of_a_class(few_classes):
    row = {"code": 1, "source": "rpg", "split": "test", "polygons": 2, "hectares": 1.0}
    rows = [row, {**row, "source": "clc", "split": "training", "polygons": 5, "hectares": 3.0}]
    table = reference_classes({"counts": {"rows": rows}}, few_classes).set_index("code")
    assert table.loc[1, "test_share"] == 0.25
    assert table.loc[1, "sources"] == "clc: 5; rpg: 2"
    assert pd.isna(table.loc[2, "test_share"])
    assert table.loc[2, "polygons_test"] == 0
    assert table.loc[2, "sources"] == ""


def test_sources_in_their_order_with_years_that_are_whole(audit):
    table = source_table(audit)
    assert table["source"].tolist() == ["rpg", "clc"]
    assert table["year"].tolist()[0] == 2016
    assert pd.isna(table["year"][1])
    assert table["polygons_kept"].tolist() == [436, 436]
    assert table["hectares_cut_away"].tolist() == [2.5, 2.5]


def test_what_was_left_out_of_a_source_is_counted_in_its_own_unit(audit):
    table = source_losses(audit)
    assert table["reason"][:4].tolist() == [
        "ignored on purpose", "unknown value 999", "too small", "cut away",
    ]  # fmt: skip
    assert table["features"][:2].tolist() == [12, 3]
    assert table["polygons"][2:4].tolist() == [40, 9]
    assert table["hectares"].isna().tolist() == [True, True, False, False] * 2
    assert (table[["features", "polygons"]].notna().sum(axis=1) == 1).all()


def test_steps_keep_what_each_counts(audit):
    table = step_table(audit)
    assert len(table) == len(audit["steps"])
    read = table[table["step"] == "read"]
    assert read["features"].tolist() == [500, 300]
    assert read[["code", "polygons", "hectares", "pixels"]].isna().all(axis=None)


def test_overlaps_are_named_and_the_largest_comes_first(few_classes):
    row = {
        "kept_source": "rpg", "kept_code": 1, "cut_source": "clc", "cut_code": 2, "pairs": 3,
        "hectares": 1.5, "contradiction": True,
    }  # fmt: skip
    same = {**row, "cut_code": 1, "hectares": 9.0, "contradiction": False}
    table = overlap_table({"fusion": {"overlaps": [row, same]}}, few_classes)
    assert table["hectares"].tolist() == [9.0, 1.5]
    assert table["cut_name"].tolist() == ["land", "sea"]
    assert table["contradiction"].tolist() == [False, True]


def test_checks_say_which_must_be_zero_even_those_that_are_new():
    table = check_table({"leakage": {"spilled_ink": 1, "neighbours_between_splits": 4}})
    assert table["check"].tolist() == ["neighbours_between_splits", "spilled_ink"]
    assert table["meaning"].tolist()[1] == "spilled ink"
    assert table["must_be_zero"].tolist() == [False, True]
    assert table["count"].tolist() == [4.0, 1.0]


def test_an_audit_that_tells_nothing_gives_tables_without_rows(nomenclature):
    tables = reference_tables({}, nomenclature)
    classes = tables.pop("reference_classes")
    assert (classes["polygons_test"] == 0).all()
    assert all(table.empty and len(table.columns) for table in tables.values())
