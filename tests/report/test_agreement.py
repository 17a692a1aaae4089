from dataclasses import replace

import numpy as np
import pytest

from fgunet.accuracy.agreement import agreement_by_class, agreement_by_pair
from fgunet.report.agreement import agreement_section
from fgunet.report.page import render_report


def tables(nomenclature, *pairs):
    """Both tables of one method; pairs: (first tile, second tile, counts of the first classes)."""
    n = len(nomenclature.codes)
    counts = {}
    for first, second, values in pairs:
        counts[first, second] = np.zeros((n, n), np.int64)
        counts[first, second][: len(values), : len(values)] = values
    return agreement_by_class(counts, nomenclature), agreement_by_pair(counts)


def section(nomenclature, **methods):
    found = {method: tables(nomenclature, *pairs) for method, pairs in methods.items()}
    classes, pairs = ({m: found[m][k] for m in methods} for k in (0, 1))
    return agreement_section(classes, pairs, nomenclature)


SAME = ("T31TCJ", "T31TDJ", [[90, 10], [0, 0]])
ACROSS = ("T30TYN", "T31TDJ", [[60, 40], [0, 0]])


def test_one_pair(few_classes):
    shown = section(few_classes, fgunet=[SAME])
    assert shown["statement"].replace("\u00a0", " ") == (
        "1 pair of tiles shares 100 pixels of the mosaic. "
        "Both tiles have the same class on 90.0 % (FG-UNET) of them."
    )
    land, sea, everything = shown["rows"]
    assert land["colour"] == "#78a05a"
    assert land["cells"] == [
        {"pixels": "100", "agreement": "94.7", "confused_with": "sea", "confused_share": "100.0"}
    ]
    assert sea["cells"][0]["agreement"] == "0.0"
    assert (everything["name"], everything["colour"]) == ("all classes", None)
    assert everything["cells"] == [
        {"pixels": "100", "agreement": "90.0", "confused_with": "–", "confused_share": ""}
    ]


def test_two_methods_within_and_across_zones(few_classes):
    shown = section(few_classes, fgunet=[SAME, ACROSS], forest=[SAME, ACROSS])
    assert shown["statement"].replace("\u00a0", " ") == (
        "2 pairs of tiles share 200 pixels of the mosaic. Both tiles have the same class on "
        "75.0 % (FG-UNET) and 75.0 % (Random Forest) of them: within a UTM zone on "
        "90.0 % (FG-UNET) and 90.0 % (Random Forest), across zones on "
        "60.0 % (FG-UNET) and 60.0 % (Random Forest)."
    )
    assert "not how accurate" in shown["note"]
    assert "half a pixel" in shown["note"]


def test_a_class_of_one_method_alone(few_classes):
    shown = section(
        few_classes, fgunet=[("A", "B", [[5]])], forest=[("A", "B", [[4, 1], [0, 0]])]
    )  # fmt: skip
    assert [row["name"] for row in shown["rows"]] == ["land", "sea", "all classes"]
    assert [cell["agreement"] for cell in shown["rows"][1]["cells"]] == ["–", "0.0"]


def test_no_overlap(few_classes):
    shown = section(few_classes, fgunet=[], forest=[])
    assert shown["statement"] == "No two tiles share mapped ground."
    assert shown["rows"] == []
    assert agreement_section({}, {}, few_classes) == {}


@pytest.mark.parametrize("pairs", [[], [SAME, ACROSS]])
def test_the_page_tells_it(run, tmp_path, pairs):
    nomenclature = run.world.nomenclature
    classes, of_pairs = tables(nomenclature, *pairs)
    methods = run.world.methods
    inputs = replace(
        run.inputs,
        agreement=dict.fromkeys(methods, classes),
        agreement_pairs=dict.fromkeys(methods, of_pairs),
    )
    html = render_report(inputs)
    assert "Where tiles overlap" in html
    assert ("No two tiles share mapped ground" in html) == (not pairs)
    assert ("most often instead" in html) == bool(pairs)


def test_the_page_without_tables(run):
    assert "Where tiles overlap" not in render_report(run.inputs)
