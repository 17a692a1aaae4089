import re

import jinja2
import numpy as np
import pandas as pd
import pytest

from fgunet.accuracy.areas import Sample, summarise
from fgunet.report.area_charts import class_areas
from fgunet.report.areas import areas_section
from fgunet.report.style import save_figure

METHODS = ["fgunet", "forest"]


@pytest.fixture(scope="module")
def found(nomenclature):
    """Three classes: one found without error, one confused with another, ten points unlabelled."""
    pixels = np.zeros(len(nomenclature.codes), dtype=np.int64)
    pixels[[0, 4, 12]] = 4000, 250_000, 60
    strata = np.repeat([0, 4, 12], 50)
    codes = np.array(nomenclature.codes)
    mapped = codes[strata]
    reference = np.where(np.arange(150) % 10 < (strata == 4) * 2, codes[0], mapped)
    other = np.where(np.arange(150) % 25 == 0, 0, mapped)
    maps = {"fgunet": (mapped, pixels), "forest": (other, pixels - (pixels > 0) * 10)}
    table, summary = summarise(Sample(strata, pixels, reference, 100.0), maps, nomenclature)
    about = {"drawn": 160, "unlabelled": 10, "crs": "EPSG:2154", "keeps_areas": False}
    return table, summary | about


def section(found, nomenclature, **changed):
    table, summary = found
    options = {"simulated": False, **changed}
    return areas_section(table, summary, METHODS, nomenclature, **options)


def rendered(areas, figures):
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("fgunet.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    template = environment.get_template("areas.html.j2")
    return template.render(areas=areas, figures=figures, method_names=["FG-UNET", "Forest"])


def test_without_a_sample_the_page_says_how_to_draw_one(nomenclature):
    areas = areas_section(pd.DataFrame(), {}, METHODS, nomenclature, simulated=False)
    assert areas == {"command": "snakemake -c1 results/sample/points.gpkg"}
    page = rendered(areas, {})
    assert "test polygons are not a probability sample" in page
    assert "<code>snakemake -c1 results/sample/points.gpkg</code>" in page
    assert "<table>" not in page


def test_rows_by_hand(found, nomenclature):
    areas = section(found, nomenclature)
    rows = {row["name"]: row for row in areas["rows"]}
    assert list(rows) == ["summer crops", "natural grassland", "water"]
    # A fifth of the 2500 ha that are mapped as natural grassland are summer crops, besides 40 ha.
    crops = rows["summer crops"]
    assert (crops["mapped"], crops["area"]["value"]) == (["40.0", "39.9"], "540")
    assert crops["points"] == "60"
    error = 2500 * np.sqrt((1 - 50 / 250_000) * 0.2 * 0.8 / 49)
    assert crops["area"]["interval"] == f"{540 - 1.96 * error:.0f} to {540 + 1.96 * error:.0f}"
    users, producers = crops["scores"][0]
    assert users == {"value": "1.000", "interval": ""}
    assert producers["value"] == f"{40 / 540:.3f}"
    assert rows["water"]["area"] == {"value": "0.6", "interval": ""}
    total = areas["total"]
    assert total["mapped"] == ["2\u202f541", "2\u202f540"]
    assert total["points"] == "150"
    assert total["scores"][0]["value"] == f"{1 - 500 / 2540.6:.3f}"


def test_what_is_said_around_the_table(found, nomenclature):
    areas = section(found, nomenclature)
    assert areas["statement"].startswith("150 points of the mosaic")
    assert "A person has said what is at each" in areas["statement"]
    assert "FG-UNET and Random Forest cannot be told apart" in areas["difference"]
    notes = " ".join(areas["notes"])
    assert "10 of 160 points are without class" in notes
    assert "The map of Random Forest has no class at 6 points" in notes
    assert "EPSG:2154, which is not equal-area" in notes
    simulated = section(found, nomenclature, simulated=True)
    assert "The truth of the simulated world says what is at each" in simulated["statement"]


def test_nothing_is_noted_that_is_not_so(found, nomenclature):
    table, summary = found
    whole = {"unlabelled": 0, "keeps_areas": True, "difference": None}
    methods = {name: {**each, "unmapped": 0} for name, each in summary["methods"].items()}
    areas = section((table, summary | whole | {"methods": methods}), nomenclature)
    assert len(areas["notes"]) == 1
    assert areas["difference"] == ""


def test_a_difference_is_told(found, nomenclature):
    table, summary = found
    apart = {"difference": -0.05, "lower": -0.08, "upper": -0.02, "standard_error": 0.015}
    areas = section((table, summary | {"difference": apart}), nomenclature)
    assert (
        "FG-UNET and Random Forest differ: −0.050 (95 % interval −0.080 to" in areas["difference"]
    )


def test_the_table_has_a_cell_for_each_heading(found, nomenclature):
    page = rendered(section(found, nomenclature), {"areas": "data:,"})
    assert '<img src="data:,"' in page
    body = page[page.index("<tbody>") :]
    for row in re.findall(r"<tr.*?</tr>", body, flags=re.DOTALL):
        spans = [int(n) for n in re.findall(r'<td[^>]* colspan="(\d)"', row)]
        assert row.count("<td") + sum(spans) - len(spans) == 2 + 1 + 4 + 1
    assert "nan" not in page.lower()


def test_a_class_that_one_map_lacks_is_told_of_the_other(found, nomenclature):
    table, summary = found
    without = table[(table["method"] != "fgunet") | (table["code"] != 51)]
    water = section((without, summary), nomenclature)["rows"][-1]
    assert water["mapped"] == ["0.0", "0.5"]
    assert [cell["value"] for cell in water["scores"][0]] == ["–", "–"]


def test_chart_of_areas_that_differ_much_has_a_logarithmic_axis(found, nomenclature, tmp_path):
    table, _ = found
    axes = class_areas(table, METHODS, nomenclature).axes[0]
    assert axes.get_xscale() == "log"
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "natural grassland",
        "summer crops",
        "water",
    ]
    near = class_areas(table[table["code"] != 51], METHODS[:1], nomenclature)
    assert near.axes[0].get_xscale() == "linear"
    for name in ("a.svg", "b.svg"):
        save_figure(class_areas(table, METHODS, nomenclature), tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_chart_shows_the_numbers(found, nomenclature):
    table, _ = found
    axes = class_areas(table, METHODS, nomenclature).axes[0]
    drawn = {
        tuple(np.round(line.get_xdata().astype(float), 6))
        for line in axes.get_lines()
        if len(line.get_xdata()) == 3
    }
    own = table[table["method"] == "fgunet"].sort_values("area_ha", ascending=False)
    other = table[table["method"] == "forest"].sort_values("area_ha", ascending=False)
    for values in (own["area_ha"], own["mapped_area_ha"], other["mapped_area_ha"]):
        assert tuple(np.round(values, 6)) in drawn
    texts = [text.get_text() for text in axes.get_legend().get_texts()]
    assert texts[1:] == ["mapped by FG-UNET", "mapped by Random Forest"]
