import itertools

import pandas as pd

from fgunet.report.data_tables import acquisition_counts, data_tables, gap_table, product_table
from fgunet.sentinel2.selection import BROKEN, CLOUDY

KEPT = {
    "product": "b", "family": "theia", "platform": "SENTINEL2A", "time": "2016-03-02T10:55:00",
}  # fmt: skip
OUT = [
    {"product": "c", "date": "20160401", "family": "safe", "reason": BROKEN, "detail": "B04"},
    {"product": "a", "date": "20160201", "family": "safe", "reason": CLOUDY, "detail": ""},
]


def listing(tile, kept=(KEPT,), excluded=OUT):
    return {
        "tile": tile, "kept": list(kept), "cloud_shares": [0.125] * len(kept),
        "excluded": list(excluded),
    }  # fmt: skip


def test_a_product_is_a_row_with_what_became_of_it():
    table = product_table([listing("T31TEL")])
    assert table["date"].tolist() == ["2016-02-01", "2016-03-02", "2016-04-01"]
    assert table["product"].tolist() == ["a", "b", "c"]
    assert table["used"].tolist() == [False, True, False]
    assert table["reason"].tolist() == [CLOUDY, "", BROKEN]
    assert table["platform"].tolist() == ["", "SENTINEL2A", ""]
    assert table["cloud_share"].isna().tolist() == [True, False, True]
    assert table["cloud_share"][1] == 0.125


def test_products_have_the_same_order_whatever_that_of_the_tiles():
    listings = [listing(tile) for tile in ("T31TEL", "T30TWT", "T32ULU")]
    tables = [product_table(order) for order in itertools.permutations(listings)]
    assert tables[0]["tile"].is_monotonic_increasing
    for table in tables[1:]:
        pd.testing.assert_frame_equal(table, tables[0])


def test_products_are_counted_by_tile_and_reason():
    products = product_table([listing("T31TEL"), listing("T30TWT", kept=(), excluded=OUT[:1])])
    counts = acquisition_counts(products, ["T31TEL", "T32ULU", "T30TWT"]).set_index("tile")
    assert counts.columns.tolist() == [
        "found", "used", *sorted([f"left out: {CLOUDY}", f"left out: {BROKEN}"]),
    ]  # fmt: skip
    assert counts.loc["T31TEL", ["found", "used"]].tolist() == [3, 1]
    assert counts.loc["T30TWT", f"left out: {BROKEN}"] == 1
    assert counts.loc["T30TWT", f"left out: {CLOUDY}"] == 0
    assert counts.loc["T32ULU"].tolist() == [0, 0, 0, 0]
    assert (counts["found"] == counts.drop(columns="found").sum(axis=1)).all()


def test_a_run_without_any_product_is_a_table_of_zeros():
    products = product_table([listing("T31TEL", (), ())])
    assert acquisition_counts(products, ["T31TEL"]).to_dict("records") == [
        {"tile": "T31TEL", "found": 0, "used": 0}
    ]


def test_gaps_keep_their_numbers_and_a_tile_never_seen_has_none():
    days = {"5": 7.0, "25": 11.0, "50": 19.0, "75": 20.5, "95": 31.0}
    seen = {
        "never_clear_share": 0.25, "clear_days": days, "longest_gap_days": days,
        "bridged_share": 0.03,
    }  # fmt: skip
    never = {
        "never_clear_share": 1.0, "clear_days": None, "longest_gap_days": None,
        "bridged_share": None,
    }  # fmt: skip
    table = gap_table(
        [
            {"tile": "b", "gaps": never, "max_gap_days": 60},
            {"tile": "a", "gaps": seen, "max_gap_days": 60},
        ]
    ).set_index("tile")
    assert table.loc["a", "clear_days_p75"] == 20.5
    assert table.loc["a", "longest_gap_days_p5"] == 7.0
    assert table.loc["b", "never_clear_share"] == 1.0
    assert table.loc["b"].isna().sum() == len(days) * 2 + 1


def test_the_tables_of_a_run_tell_of_every_tile(run):
    tiles = [one["tile"] for one in run.inputs.acquisitions]
    tables = data_tables(run.inputs.acquisitions, run.inputs.facts, tiles)
    assert tables["acquisitions"]["tile"].tolist() == sorted(tiles)
    assert tables["gaps"]["tile"].tolist() == sorted(tiles)
    assert len(tables["products"]) == tables["acquisitions"]["found"].sum()
