import html.parser
import re

import numpy as np
import pandas as pd
import pytest

from fgunet.report.table_pages import MOST_ROWS, decimals_of, number, table_page


class Cells(html.parser.HTMLParser):
    """The rows of the table of a page, as a reader sees them."""

    def __init__(self):
        super().__init__()
        self.rows, self.open = [], False

    def handle_starttag(self, tag, attributes):
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self.open = True

    def handle_endtag(self, tag):
        self.open = self.open and tag not in ("td", "th")

    def handle_data(self, data):
        if self.open:
            self.rows[-1][-1] += data


def page(table, caption="What it shows.", title="a table"):
    return table_page(table, title=title, caption=caption, file="results/a.csv")


def rows_of(text):
    parser = Cells()
    parser.feed(text)
    return parser.rows


def test_a_page_holds_the_table_and_loads_nothing():
    table = pd.DataFrame(
        {
            "tile": ["T31TDJ", "pooled"],
            "kappa_lower": [0.81234, np.nan],
            "pixels": [12345, 67],
            "used": [True, False],
        }
    )
    text = page(table)
    assert rows_of(text) == [
        ["tile", "kappa_lower", "pixels", "used"],
        ["T31TDJ", "0.812", "12\u202f345", "yes"],
        ["pooled", "–", "67", "no"],
    ]
    assert "http" not in text
    assert "<script" not in text
    assert text.count('scope="col"') == 4
    assert text.count('scope="row"') == 2
    assert "results/a.csv has every digit" in text


def test_text_is_shown_as_it_is_and_literals_as_code():
    table = pd.DataFrame({"name": ["<b>bold</b> & co"]})
    text = page(table, caption="``kappa`` < 1 & ``_lower``.\n", title="a < b")
    assert "<code>kappa</code> &lt; 1 &amp; <code>_lower</code>.</p>" in text
    assert rows_of(text)[1] == ["<b>bold</b> & co"]
    assert "<h1>a &lt; b</h1>" in text


def test_a_long_table_says_that_it_is_cut():
    text = page(pd.DataFrame({"row": np.arange(MOST_ROWS + 500)}))
    assert len(rows_of(text)) == MOST_ROWS + 1
    assert "The first 2000 of 2500 rows." in text
    assert "every row and every digit" in text


def test_a_table_without_rows_has_its_headings():
    assert rows_of(page(pd.DataFrame(columns=["tile", "kappa"]))) == [["tile", "kappa"]]


@pytest.mark.parametrize(
    ("values", "places"),
    [
        ([1, 20_000], 0),
        ([1.0, 2018.0, np.nan], 0),
        ([0.25, 0.5], 3),
        ([9.99, 0.1], 3),
        ([10.5, 0.1], 2),
        ([-123.4, 1.0], 1),
        ([1234.5, 0.25], 0),
        ([np.nan], 0),
        ([np.inf, 0.5], 3),
    ],
)
def test_a_column_has_the_decimals_that_it_needs(values, places):
    assert decimals_of(pd.Series(values)) == places


@pytest.mark.parametrize(
    ("value", "places", "text"),
    [
        (2018, 0, "2018"),
        (9999, 0, "9999"),
        (10_000, 0, "10\u202f000"),
        (-1_234_567, 0, "−1\u202f234\u202f567"),
        (9999.7, 0, "10\u202f000"),
        (-0.5, 3, "−0.500"),
        (0, 3, "0.000"),
        (0.00012, 3, "0.00012"),
        (-0.2, 0, "−0.2"),
        (0.25, 0, "0.25"),
        (np.inf, 0, "–"),
    ],
)
def test_numbers_are_written_with_what_counts(value, places, text):
    assert number(value, places) == text


def test_what_is_not_nothing_never_reads_nothing():
    random = np.random.default_rng(4)
    for value in 10 ** random.uniform(-9, 9, 300) * random.choice([-1, 1], 300):
        for places in range(4):
            digits = re.sub(r"e.*", "", number(value, places))
            assert re.search(r"[1-9]", digits)


def test_the_same_table_gives_the_same_page():
    table = pd.DataFrame({"tile": ["a"], "kappa": [0.5]})
    assert page(table) == page(table.copy())
