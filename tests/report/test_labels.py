import pandas as pd
import pytest

from fgunet.report.labels import labels_section

COUNTS = (
    "polygons_available", "polygons_in_pool", "polygons_seen", "polygons_seen_by_all",
    "pixels_available", "pixels_in_pool", "pixels_seen", "pixels_shown",
)  # fmt: skip


def table_of(rows):
    return pd.DataFrame(rows, columns=["method", "code", "name", *COUNTS])


LABELS = table_of(
    [
        ("fgunet", 1, "land", 1300, 1200, 1100, 1100, 9000, 8000, 7000, 700_000),
        ("fgunet", 2, "sea", 0, 0, 0, 0, 0, 0, 0, 0),
        ("fgunet", None, "all classes", 1300, 1200, 1100, 1100, 9000, 8000, 7000, 700_000),
        ("forest", 1, "land", 1300, 1200, 1200, 1100, 9000, 8000, 3000, 3000),
        ("forest", 2, "sea", 0, 0, 0, 0, 0, 0, 0, 0),
        ("forest", None, "all classes", 1300, 1200, 1200, 1100, 9000, 8000, 3000, 3000),
    ]
)


@pytest.fixture
def section(few_classes):
    return labels_section(LABELS, ["fgunet", "forest"], few_classes, equal_labels=True)


def test_the_sentence_tells_pool_and_what_each_saw(section):
    assert section["statement"] == (
        "Both methods may learn from the same 1\u202f200 of the 1\u202f300 training polygons: "
        "those that hold a pixel with data around which the network can draw a patch. The other "
        "100 are left out. FG-UNET saw 1\u202f100, Random Forest saw 1\u202f200; 1\u202f100 were "
        "seen by both."
    )


def test_the_sentence_is_short_where_each_saw_them_all(few_classes):
    labels = LABELS[LABELS["method"] == "forest"]
    section = labels_section(labels, ["forest"], few_classes, equal_labels=False)
    assert section["statement"].endswith("left out. Each method saw all 1\u202f200.")


def test_without_equal_labels_the_sentence_does_not_claim_them(few_classes):
    section = labels_section(LABELS, ["fgunet", "forest"], few_classes, equal_labels=False)
    assert "Both methods may" not in section["statement"]
    assert "that hold a pixel." in section["statement"]


def test_rows_of_all_classes_and_of_each_that_has_polygons(section):
    assert [row["name"] for row in section["rows"]] == ["FG-UNET", "Random Forest"]
    assert section["rows"][0]["pixels_shown"] == "700\u202f000"
    assert [row["name"] for row in section["classes"]] == ["land"]
    assert section["classes"][0]["pool"] == "1\u202f200"
    assert [cell["pixels_seen"] for cell in section["classes"][0]["cells"]] == [
        "7\u202f000",
        "3\u202f000",
    ]


def test_nothing_without_labels(few_classes):
    assert labels_section(pd.DataFrame(), ["forest"], few_classes, equal_labels=True) == {}
