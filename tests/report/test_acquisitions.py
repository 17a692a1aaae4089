import pytest

from fgunet.report import acquisitions
from fgunet.report.acquisitions import (
    broken_products,
    gap_rows,
    mask_notes,
    product_lists,
)
from fgunet.report.wording import alternatives, day, percent
from fgunet.sentinel2.masks import REASONS
from fgunet.sentinel2.selection import BROKEN, CLOUDY

ALL = dict.fromkeys(REASONS, True)


def listing_of(excluded=(), tile="T31TEL", **changed):
    kept = {"product": "b", "family": "theia", "platform": "SENTINEL2A", "time": "2016-03-02T10:55"}
    values = {
        "tile": tile,
        "kept": [kept],
        "cloud_shares": [0.125],
        "excluded": [
            {"product": p, "date": d, "family": "safe", "reason": r, "detail": "why"}
            for p, d, r in excluded
        ],
        "missing_masks": {},
        "undeclared_nodata": 0,
        "masks": {**ALL, "dilation_m": 0},
    }
    return {**values, **changed}


def test_products_are_listed_by_day_with_what_became_of_them():
    (found,) = product_lists([listing_of([("c", "20160401", BROKEN), ("a", "20160201", CLOUDY)])])
    assert [row["date"] for row in found["rows"]] == ["2016-02-01", "2016-03-02", "2016-04-01"]
    assert [row["clouds"] for row in found["rows"]] == ["–", "12.5", "–"]
    assert [row["broken"] for row in found["rows"]] == [False, False, True]
    assert found["rows"][1]["reason"] == ""
    assert found["rows"][0]["reason"] == CLOUDY
    assert (found["kept"], found["excluded"], found["broken"]) == ("1", "2", "1")


def test_a_country_of_tiles_lists_an_even_choice(monkeypatch):
    monkeypatch.setattr(acquisitions, "MOST_TILES", 3)
    listings = [listing_of(tile=f"T31TE{letter}") for letter in "ABCDEFGHI"]
    assert [one["tile"] for one in product_lists(listings)] == ["T31TEA", "T31TEE", "T31TEI"]


def test_broken_products_are_counted_and_named():
    assert broken_products([listing_of([("a", "20160201", CLOUDY)])]) is None
    one = broken_products([listing_of([("x", "20160201", BROKEN)])])
    assert one == {"statement": "1 broken product was set aside", "names": ["x"], "more": 0}
    many = [(f"p{number:02d}", "20160201", BROKEN) for number in range(23)]
    found = broken_products([listing_of(many[:9]), listing_of(many[9:], tile="T31TEM")])
    assert found["statement"] == "23 broken products were set aside"
    assert found["names"] == [f"p{number:02d}" for number in range(20)]
    assert found["more"] == 3


def test_every_reason_for_a_mask_has_words():
    assert tuple(acquisitions._MASKED) == REASONS


def test_masks_in_words():
    masks = {**ALL, "dark": False, "snow": False, "dilation_m": 40.0}
    text = " ".join(mask_notes([listing_of(masks=masks)]))
    assert "mark as cloud, shadow of a cloud," in text
    assert "up to 40 m from a cloud or its shadow" in text
    assert "pixels marked as dark feature or snow were used" in text
    assert "without a margin" in " ".join(mask_notes([listing_of()]))
    nothing = {**dict.fromkeys(REASONS, False), "dilation_m": 0}
    assert mask_notes([listing_of(masks=nothing)]) == [
        "No mask was used: all pixels count as clear."
    ]
    assert mask_notes([]) == []


def test_what_products_did_not_tell_is_added_up_over_tiles():
    listings = [
        listing_of(missing_masks={"SAT_R1": 2}, undeclared_nodata=1),
        listing_of(missing_masks={"SAT_R1": 3, "EDG": 1}, tile="T31TEM"),
    ]
    text = " ".join(mask_notes(listings))
    assert "5 used products have no mask SAT_R1" in text
    assert "1 used product has no mask EDG" in text
    assert "1 used product does not declare nodata" in text


def test_gaps_of_a_tile_never_seen_are_dashes():
    nothing = {"never_clear_share": 1.0, "clear_days": None, "longest_gap_days": None}
    seen = {
        "never_clear_share": 0.0001,
        "clear_days": {"5": 7.0, "50": 19.0},
        "longest_gap_days": {"50": 43.0},
        "bridged_share": 0.0312,
    }
    first, second = gap_rows(
        [
            {"tile": "b", "gaps": {**nothing, "bridged_share": None}, "max_gap_days": 60},
            {"tile": "a", "gaps": seen, "max_gap_days": 60},
        ]
    )
    assert list(first.values()) == ["a", "< 0.1", "7", "19", "43", "3.1"]
    assert list(second.values()) == ["b", "100.0", "–", "–", "–", "–"]


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0.0"), (0.0004, "< 0.1"), (0.0006, "0.1"), (0.25, "25.0"), (None, "–")],
)
def test_percent(share, text):
    assert percent(share) == text


def test_days_and_alternatives():
    assert day("20160105") == day("2016-01-05T10:55:00.000Z") == "2016-01-05"
    assert [alternatives(list("abc")[:n]) for n in range(4)] == ["", "a", "a or b", "a, b or c"]
