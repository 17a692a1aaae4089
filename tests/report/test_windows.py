import dataclasses

import pytest

from fgunet.report.page import render_report
from fgunet.report.windows import window_notes


def mapping(method: str, halo: int, mapped: int = 30_000, ties: int = 2) -> dict:
    return {
        "method": method, "mapped": mapped, "ties": ties, "tie_tolerance": 1e-5,
        "halo": halo, "needed_halo": 24 if method == "fgunet" else 0,
    }  # fmt: skip


def test_ties_are_told_by_method() -> None:
    found = window_notes(
        [mapping("fgunet", 24), mapping("forest", 0), mapping("fgunet", 24, ties=5)], []
    )
    assert len(found) == 1
    assert (
        "In 7 of 60\u202f000 pixels (FG-UNET) and 2 of 30\u202f000 pixels (Random Forest)"
        in found[0]
    )
    assert "to 0.00001" in found[0]
    assert window_notes([], []) == []


def test_what_the_windows_of_the_study_change_is_told() -> None:
    effect = [{"tile": "T31TCJ", "changed": 300}, {"tile": "T31TDJ", "changed": 0}]
    found = window_notes([mapping("fgunet", 16), mapping("fgunet", 16)], effect)
    assert "16 pixels were seen, where the network needs 24" in found[0]
    assert "300 of 60\u202f000 mapped pixels (0.50 %)" in found[0]


@pytest.mark.parametrize("halo", [16, 24])
def test_the_page_says_it(run, halo: int) -> None:
    inputs = dataclasses.replace(
        run.inputs, mappings=[mapping("fgunet", halo)],
        window_effect=[{"tile": "T31TCJ", "changed": 7}],
    )  # fmt: skip
    page = render_report(inputs)
    assert ("windows of the study" in page) == (halo == 16)
    assert "equally probable" in page
