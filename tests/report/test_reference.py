"""The section on the reference: its tables, its sentences and its charts."""

import re

import matplotlib.image
import numpy as np
import pytest

from fgunet.nomenclature import LandCoverClass, Nomenclature
from fgunet.reference.leakage import INFORMATION, check_leakage
from fgunet.reference.pixels import CHECKS
from fgunet.report import reference
from fgunet.report.reference_charts import nearest_training, reference_polygons, split_shares
from fgunet.report.style import save_figure

CLASSES = Nomenclature(
    "three",
    (
        LandCoverClass(11, "summer crops", (230, 200, 60), "crops"),
        LandCoverClass(31, "forest", (20, 90, 30), "forest"),
        LandCoverClass(53, "glaciers", (240, 240, 250), "water"),
    ),
)


def row(source, code, split, polygons, hectares):
    return {"source": source, "code": code, "split": split} | {
        "polygons": polygons, "hectares": hectares,
    }  # fmt: skip


ROWS = [
    row("rpg", 11, "training", 60, 120.0),
    row("rpg", 11, "test", 30, 50.0),
    row("clc", 11, "test", 9, 30.0),
    row("clc", 31, "training", 7, 90.0),
    row("clc", 31, "test", 4, 10.0),
]


def test_classes_by_hand():
    pixels = [{"source": "rpg", "code": 11, "split": s, "pixels": n}
              for s, n in (("training", 11_500), ("test", 7_900))]  # fmt: skip
    reach = {"classes": {"11": {"pixels": 7900, "in_reach": 7110, "share": 0.9}}}
    audit = {"counts": {"rows": ROWS}, "pixels": {"rows": pixels}, "reach": reach}
    crops, forest = reference.class_table(audit, CLASSES)
    assert crops == {
        "name": "summer crops", "colour": "#e6c83c", "splits": ["60", "0", "39"], "few": False,
        "hectares": "200.0", "test_share": "40.0", "pixels": "19\u202f400",
        "test_pixels": "7\u202f900", "reach": "90.0", "sources": "rpg (90), clc (9)",
    }  # fmt: skip
    assert forest["few"]
    assert (forest["test_share"], forest["pixels"], forest["reach"]) == ("10.0", "0", "–")


def test_classes_without_polygons_are_told_in_words():
    audit = {
        "counts": {"rows": ROWS, "classes": {"11": {"name": "summer crops"}}},
        "left_out": [{"code": 53, "name": "glaciers", "polygons": 2}],
        "split": {
            "merged": [
                {"name": "dunes", "into_name": "bare rock", "polygons": 1, "hectares": 2.0},
                {"name": "snow", "into_name": "bare rock", "polygons": 0, "hectares": 0.0},
            ],
            "rescued": [{"name": "forest", "to": "test"}],
            "without_validation": [11],
        },
    }
    assert [one["name"] for one in reference.class_table(audit, CLASSES)] == [
        "summer crops", "forest",
    ]  # fmt: skip
    assert reference.class_notes(audit) == [
        "Dunes is too scarce and joins bare rock (polygons: 1, 2.0 ha).",
        "Snow has no polygon; it would join another class.",
        "Left out of the map, for want of polygons: glaciers (2).",
        "Chance left a split without forest: a polygon was moved there for each, and may move "
        "again when the run changes.",
        "Without a say in the choice of the model: summer crops.",
    ]


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("polygons", "polygon by polygon, balanced in area"),
        (
            "blocks",
            r"whole squares .*10 km wide.* 7 lost 3\.\d ha, and 2 \(0\.5 ha\) were given up",
        ),
    ],
)
def test_the_shares_in_a_sentence(mode, words):
    options = {"mode": mode, "test_share": 0.34, "validation_share": 0.1, "square_m": 10_000.0}
    splits = {"test_share": 0.3391, "validation_share": 0.104}
    split = {"options": options}
    if mode == "blocks":
        split["given_up"] = {
            "cut": {"polygons": 7, "hectares": 3.25},
            "lost": {"polygons": 2, "hectares": 0.5},
        }
    note = reference.share_note({"split": split, "counts": {"splits": splits}})
    assert "The test has 33.9 % of the area (34.0 % were asked for)" in note
    assert "the validation 10.4 % of the rest (10.0 %)" in note
    assert re.search(words, note)


def overlap(hectares, kept=11, cut=31, contradiction=True):
    return {
        "kept_source": "rpg", "kept_code": kept, "cut_source": "clc", "cut_code": cut,
        "pairs": 3, "hectares": hectares, "contradiction": contradiction,
    }  # fmt: skip


def test_contradictions_the_largest_first():
    overlaps = [overlap(h) for h in np.arange(1.0, 18.0)]
    audit = {"fusion": {"overlaps": [*overlaps, overlap(5.0, 11, 11, contradiction=False)]}}
    found = reference.contradictions(audit, CLASSES)
    assert [one["hectares"] for one in found["rows"]][:2] == ["17.00", "16.00"]
    assert len(found["rows"]) == 15
    assert (found["more"], found["more_hectares"]) == (2, "3.0")
    assert (found["hectares"], found["agreed"]) == ("153.0", "5.0")
    assert found["rows"][0]["kept"] == {
        "source": "rpg", "name": "summer crops", "colour": "#e6c83c",
    }  # fmt: skip
    assert found["rows"][0]["share"] == "11.1"


def test_steps_add_classes_and_sources_up(run):
    found = reference.step_table(run.inputs.audit)
    assert found["steps"] == ["read", "prepared", "fused", "in the tiles", "in a split"]
    rpg, _, both = found["rows"]
    assert [cell["polygons"] for cell in rpg["cells"]] == ["500", "470", "440", "410", "380"]
    assert rpg["cells"][0]["hectares"] == "–"
    assert both["total"]
    assert both["cells"][-1] == {"polygons": "560", "hectares": "280.0"}
    assert both["pixels"] == "20\u202f160"


def test_checks_and_what_is_told_beside_them():
    audit = {"leakage": {"neighbours_between_splits": 4, "pixels_claimed_twice": 2, "a_thing": 0}}
    found = reference.leakage_rows(audit)
    assert [(one["name"], one["good"]) for one in found["checks"]] == [
        ("pixels that two polygons claim", False), ("a thing", True),
    ]  # fmt: skip
    assert [one["value"] for one in found["told"]] == ["4"]


def test_every_check_of_the_audit_has_words():
    nothing = np.zeros(0, dtype=np.int64)
    found = check_leakage(nothing, nothing, nothing, nothing, min_distance=1.0)
    names = {*found, *CHECKS, *INFORMATION, "pixels_on_two_sides"}
    told = reference.leakage_rows({"leakage": dict.fromkeys(names, 0)})
    assert [len(told["checks"]), len(told["told"])] == [len(names) - 3, 3]
    words = {row["name"] for rows in told.values() for row in rows}
    assert not words & {name.replace("_", " ") for name in names}


def test_distance_and_reach_in_words(run):
    audit = run.inputs.audit
    assert "it is 61 m in the median (12 m for the nearest" in reference.distance_note(audit)
    assert "more than 1.4 km" in reference.distance_note(audit)
    note = reference.reach_note(audit)
    assert note.startswith("95.0 % of the test pixels lie inside the 64 × 64 pixel patches")
    avoided = reference.reach_note(audit, avoided=True)
    assert "saw none of their pixels. Without that, 95.0 % of the test pixels would" in avoided
    for missing in (reference.distance_note, reference.reach_note, reference.share_note):
        assert missing({}) == ""


@pytest.mark.parametrize("which", ["run", "small_run"])
def test_charts_show_something(which, request, tmp_path):
    inputs = request.getfixturevalue(which).inputs
    counts = inputs.audit["counts"]
    asked = {"test_share": 0.34, "validation_share": 0.1}
    drawn = {
        "polygons": reference_polygons(counts["rows"], inputs.nomenclature),
        "shares": split_shares(counts, inputs.nomenclature, **asked),
        "distances": nearest_training(inputs.audit["distances"]),
    }
    for name, figure in drawn.items():
        save_figure(figure, tmp_path / f"{name}.png", dpi=50)
        assert matplotlib.image.imread(tmp_path / f"{name}.png")[..., :3].std() > 0.01


def hectares(training, validation, test):
    values = {"training": training, "validation": validation, "test": test}
    return {split: {"polygons": 1, "hectares": value} for split, value in values.items()}


def test_shares_are_drawn_against_what_was_asked_for():
    counts = {
        "classes": {"31": hectares(6.0, 1.0, 3.0), "11": hectares(0.0, 0.0, 0.0)},
        "tiles": {f"T{n:04d}": hectares(2.0, 0.0, 2.0) for n in range(300)},
    }
    figure = split_shares(counts, CLASSES, test_share=0.34, validation_share=0.1)
    classes, tiles = figure.axes
    assert [text.get_text() for text in classes.texts] == ["30.0"]
    assert [round(line.get_xdata()[0], 1) for line in classes.get_lines()] == [59.4, 66.0]
    widths = [[bar.get_width() for bar in bars] for bars in classes.containers]
    assert np.allclose(widths, [[0, 60], [0, 10], [0, 30]])
    assert "(60 of 300)" in tiles.get_title(loc="left")


def test_bars_of_distances_say_their_share():
    histogram = {"edges_m": [0, 10, 1000], "counts": [999, 0, 1]}
    axes = nearest_training({"histogram": histogram}).axes[0]
    assert [text.get_text() for text in axes.texts] == ["100 %", "< 1 %"]
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert labels == ["0 m", "10 m", "1 km"]
