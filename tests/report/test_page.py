import itertools
import re
from dataclasses import replace
from html.parser import HTMLParser
from importlib import resources

import numpy as np
import pandas as pd
import pytest

from fgunet.errors import AccuracyError
from fgunet.grid import Grid
from fgunet.report.overview import Picture
from fgunet.report.page import GAP_BYTES, render_report
from fgunet.report.style import forest_named, save_figure
from fgunet.report.training_charts import training_history
from fgunet.report.viewer import Layer, tile_view

TEMPLATES = resources.files("fgunet.report") / "templates"
HEADINGS = ("h1", "h2", "h3", "h4")
VOID = {"meta", "img", "br", "link", "hr", "input"}


class Page(HTMLParser):
    """Checks that tags are balanced; collects text, sources and links."""

    def __init__(self, html):
        super().__init__()
        self.open, self.sources, self.links, self.ids, self.tags = [], [], [], [], []
        self.words = []
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.tags.append(tag)
        self.sources.extend(values[name] for name in ("src", "srcset") if name in values)
        self.links.extend([values["href"]] if "href" in values else [])
        self.ids.extend([values["id"]] if "id" in values else [])
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] not in ("script", "style"):
            self.words.append(data)

    @property
    def text(self):
        return re.sub(r"\s+", " ", " ".join(self.words))


def view_of(run, name="FG-UNET"):
    sheet = run.sheet
    layers = [Layer(name, "class", sheet.maps[run.world.methods[0]])]
    grid = Grid("EPSG:32630", (10.0, 0.0, 500000.0, 0.0, -10.0, 5300000.0), 96, 96)
    picture = Picture(sheet.image, "20160618", "true colour", ())
    return [tile_view(sheet.tile, grid, picture, lambda _: layers, 1)]


@pytest.fixture(scope="module")
def picture(history, tmp_path_factory):
    path = tmp_path_factory.mktemp("picture") / "a.png"
    save_figure(training_history(history), path, dpi=40)
    return "png", path.read_bytes()


def test_a_full_page_answers_first_and_loads_nothing(run, picture):
    names = ("kappa_by_tile", "f_by_class", "location", "training_history", "acquisitions")
    inputs = replace(run.inputs, figures=dict.fromkeys(names, picture), views=[view_of(run)])
    html = render_report(inputs)
    page = Page(html)
    assert html.startswith("<!DOCTYPE html>")
    assert len(page.sources) == 5
    assert all(source.startswith("data:image/") for source in page.sources)
    assert page.tags.count("script") == 3
    assert not re.search(r"url\(|@import|https?://|fetch\(|XMLHttp|\bsrc=\"(?!data:)", html)
    assert all(link.startswith("#") and link[1:] in page.ids for link in page.links)
    text = page.text
    assert text.index("FG-UNET is better than Random Forest") < text.index("Maps")
    assert "F-score of urban classes" in text
    assert "The network is narrowed" in text
    assert "not a probability sample" in text
    assert "nan" not in text.lower().replace("dominant", "")


def test_the_page_can_be_read_without_eyes(run, picture):
    names = ("kappa_by_tile", "f_by_class", "confusion_matrices", "location", "clear_dates")
    inputs = replace(run.inputs, figures=dict.fromkeys(names, picture), views=[view_of(run)])
    html = render_report(replace(inputs, gap_maps={"T30TWT": picture}))
    page = Page(html)
    levels = [HEADINGS.index(tag) for tag in page.tags if tag in HEADINGS]
    assert levels[0] == 0
    assert levels.count(0) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    for tag in re.findall(r"<img[^>]*>", html):
        assert re.search(r'alt="[^"]{20,}"', tag), tag
    for tag in re.findall(r"<th\b[^>]*>", html):
        assert "scope=" in tag, tag
    for table in re.findall(r"<table.*?</table>", html, re.DOTALL):
        assert "<caption>" in table
        assert "<thead>" in table
        assert '<th scope="row"' in table or "<th scope=row" in table
    for tag in re.findall(r"<(?:select|button)\b[^>]*>", html):
        name = re.search(r'id="([^"]*)"', tag)[1]
        assert "aria-label=" in tag or f'<label for="{name}"' in html, tag
    assert html.count("<main") == html.count("<header") == html.count("<nav") == 1
    assert '<html lang="en">' in html


@pytest.mark.parametrize(
    "template", [path.name for path in sorted(TEMPLATES.iterdir()) if path.suffix == ".j2"]
)
def test_tables_of_every_section_have_captions_and_headers(template):
    text = (TEMPLATES / template).read_text()
    for tag in re.findall(r"<th\b[^>]*>", text):
        assert "scope=" in tag, tag
    for table in re.findall(r"<table.*?</table>", text, re.DOTALL):
        # A page of one table has its caption as a paragraph.
        assert "<caption>" in table or "aria-describedby=" in table
        assert "<thead>" in table


def test_accuracy_against_the_truth_stands_beside_the_test_polygons(run):
    page = Page(render_report(run.inputs))
    assert "Against the truth" in page.text
    section = page.text.split("every pixel")[-1].split("Learning")[0]
    assert len(re.findall(r"0\.\d{3}", section)) >= 12


def test_the_methods_are_compared_with_the_same_regularisation_too(run):
    text = Page(render_report(run.inputs)).text
    section = text.split("With the same regularisation")[1].split("Against the truth")[0]
    scores = run.inputs.regularisation.set_index(["regularisation", "method"])["kappa"]
    after = run.inputs.regularisation_comparison["comparisons"]["majority"]["scores"]["kappa"]
    assert "F-score of urban classes, mean" in section
    assert f"none {scores['none', 'fgunet']:.3f}" in section
    filtered = f"majority of radius 1 3 × 3 pixels {scores['majority', 'fgunet']:.3f}"
    assert filtered in section
    assert f"{after['difference']:+.3f} {after['lower']:.3f} to {after['upper']:.3f}" in section
    assert "FG-UNET is better, with the filter or without" in section


def test_pages_without_a_filter_do_not_speak_of_it(run):
    inputs = replace(run.inputs, regularisation=pd.DataFrame(), regularisation_comparison={})
    text = Page(render_report(inputs)).text
    assert "Both maps are judged on the same" in text
    assert "regularisation" not in text


def test_one_method_one_tile_and_nothing_optional(small_run):
    inputs = replace(
        small_run.inputs,
        truth=[],
        audit={},
        metadata={},
        learning_time=pd.DataFrame(),
    )
    text = Page(render_report(inputs)).text
    assert "Random Forest reaches a kappa of" in text
    assert "No comparison: one method in this run" in text
    for missing in ("Against the truth", "urban", "narrowed", "FG-UNET", "Shaded", "Learning"):
        assert missing not in text


def test_what_learning_took_stands_beside_what_the_study_reported(run):
    text = Page(render_report(run.inputs)).text.split("Learning time")[-1]
    own = "this run FG-UNET 29.7 min 2 × 1 thread 56.5 min 2 880 patches 1.6 0.94 h 164 h projected"
    forest = "Random Forest 41 s 1 × 2 threads 79 s 16 832 pixels 411 0.022 h –"
    study = "FG-UNET 13 h a cluster – 500 000 patches – 3 300 h 3 300 h"
    assert f"{own} {forest} for reference" in text
    assert f"what the study reported {study} Random Forest, 100 trees – – – – – 25 h –" in text
    assert "projection at this network's width (16 filters in its first level" in text


def test_a_run_without_the_network_projects_nothing(small_run):
    text = Page(render_report(small_run.inputs)).text
    text = text[text.index("Learning time") : text.index("found used")]
    assert "1 × 2 threads 79 s 16 832 pixels 411 0.022 h for reference" in text
    for missing in ("FG-UNET", "500", "projection", "can be compared"):
        assert missing not in text


def test_times_that_are_unknown_are_dashes(run):
    times = run.inputs.learning_time.copy()
    times.loc[0, ["threads", "cpu_s", "one_cpu_h"]] = np.nan
    times.loc[1, ["workers", "wall_s", "samples_per_s"]] = np.nan
    text = Page(render_report(replace(run.inputs, learning_time=times))).text
    assert "FG-UNET 29.7 min 2 – 2 880 patches 1.6 – Random Forest – – 79 s" in text
    assert "on one CPU, 500 000" not in text


def test_the_figure_of_importance_is_enough_for_a_section_on_learning(small_run, picture):
    inputs = replace(small_run.inputs, metadata={}, learning_time=pd.DataFrame())
    page = Page(render_report(replace(inputs, figures={"forest_importance": picture})))
    assert "#learning" in page.links
    assert "no statement of cause" in page.text
    assert len(page.sources) == 1


def test_another_classifier_has_its_own_name(run):
    with forest_named("lightgbm.LGBMClassifier"):
        text = Page(render_report(run.inputs)).text
    assert "LGBMClassifier" in text
    # What the study reported stays a forest's.
    assert text.replace("Random Forest, 100 trees", "").count("Random Forest") == 0
    assert "Random Forest" in Page(render_report(run.inputs)).text


def test_both_methods_tell_their_kappa_on_the_validation_split(run):
    text = Page(render_report(run.inputs)).text
    assert "Kappa on the validation split 0.830 0.790" in text
    forest = {**run.inputs.metadata["forest"], "score": {"on": "out_of_bag", "kappa": 0.912}}
    metadata = {**run.inputs.metadata, "forest": forest}
    text = Page(render_report(replace(run.inputs, metadata=metadata))).text
    assert "Kappa on the validation split 0.830 –" in text
    assert "Kappa out of bag – 0.912" in text


def test_undefined_is_a_dash(run):
    summary = run.inputs.summary.copy()
    scores = [name for name in summary if name.startswith("kappa")]
    summary.loc[summary["tile"] == "T30TWT", scores] = np.nan
    text = Page(render_report(replace(run.inputs, summary=summary))).text
    assert "T30TWT – –" in text


def test_a_page_of_some_tiles_says_so(run):
    text = Page(render_report(replace(run.inputs, views=[view_of(run)]))).text
    assert "1 of 11 tiles are shown, evenly chosen by name" in text
    assert "tiles are shown" not in Page(render_report(run.inputs)).text


def test_maps_of_gaps_are_left_out_where_they_are_too_large(run, picture):
    tiles = [listing["tile"] for listing in run.inputs.acquisitions]
    large = ("png", picture[1] + bytes(GAP_BYTES // 4))
    page = Page(render_report(replace(run.inputs, gap_maps=dict.fromkeys(tiles, large))))
    assert len(page.sources) == 3
    assert "3 of 11 tiles show maps of their clear days" in page.text
    huge = ("png", bytes(GAP_BYTES + 1))
    assert not Page(render_report(replace(run.inputs, gap_maps={tiles[0]: huge}))).sources


def test_a_page_of_twelve_full_tiles_leaves_room_for_its_charts(run, picture):
    random = np.random.default_rng(0)
    grid = Grid("EPSG:32630", (10.0, 0.0, 500000.0, 0.0, -10.0, 5300000.0), 10980, 10980)
    noise = Picture(random.random((785, 785, 3)), "20160618", "true colour", ())

    def read(step):
        side = -(-10980 // step)
        return [
            Layer(f"map {place}", "class", random.integers(0, 256, (side, side)).astype(np.uint8))
            for place in range(6)
        ]

    views = [[tile_view("T30TWT", grid, noise, read, 14)]] * 12
    large = ("png", bytes(GAP_BYTES // 12))
    gaps = {listing["tile"]: large for listing in run.inputs.acquisitions}
    html = render_report(replace(run.inputs, views=views, gap_maps=gaps))
    assert len(html) < 10_000_000


def test_a_page_says_what_a_detail_is_where_it_has_one(run):
    (view,) = view_of(run)
    views = [[{**view, "detail": view["grid"]}, {**view, "tile": "T30TWT, detail"}]]
    html = render_report(replace(run.inputs, views=views))
    assert re.findall(r'data-tile="([^"]*)"', html) == ["T30TWT", "T30TWT, detail"]
    assert "<option>T30TWT</option><option>T30TWT, detail</option>" in html
    text = Page(html).text
    assert "small copy of its maps" in text
    assert "The detail of a tile shows every pixel of a square" in text
    assert "1 of 11 tiles are shown" in text
    text = Page(render_report(replace(run.inputs, views=[[view]]))).text
    assert "small copy of its maps" not in text
    assert "The detail of a tile" not in text


def test_names_in_the_viewer_cannot_end_their_script(run):
    view = view_of(run, name="</script><b>'x'")
    html = render_report(replace(run.inputs, views=[view]))
    page = Page(html)
    assert "</script><b>" not in html
    assert "'x'" not in page.text


def test_broken_products_catch_the_eye(run, picture):
    page = Page(render_report(replace(run.inputs, gap_maps={"T30TWT": picture})))
    text = page.text
    notice = "3 broken products were set aside"
    assert text.index(notice) < text.index("Cohen's kappa")
    assert text.count(notice) == 2
    assert "ends after 1048576 of 2097152 bytes" in text
    assert page.tags.count("details") == 1 + len(run.inputs.acquisitions)
    assert len(page.sources) == 1


def test_gaps_of_each_tile_stand_on_the_page(run):
    text = Page(render_report(run.inputs)).text
    assert "than 60 days, %" in text
    assert re.search(r"T30TWT 0\.6 \d+ \d+ \d+ \d+\.\d", text)


def test_whole_runs_have_no_notice(small_run):
    listings = [{**one, "excluded": []} for one in small_run.inputs.acquisitions]
    text = Page(render_report(replace(small_run.inputs, acquisitions=listings, facts=[]))).text
    assert "set aside" not in text
    assert "never clear" not in text


def test_classes_that_were_left_out_are_named(small_run):
    rows = [{"code": 46, "name": "beaches and dunes", "polygons": 2}]
    audit = {**small_run.inputs.audit, "left_out": rows}
    text = Page(render_report(replace(small_run.inputs, audit=audit))).text
    assert "too few polygons to be split: beaches and dunes (2)." in text
    assert "too few polygons" not in Page(render_report(small_run.inputs)).text


def test_listed_dates_are_counted(small_run):
    assert "2 regular dates" in Page(render_report(small_run.inputs)).text


@pytest.mark.parametrize(("lower", "p_value"), [(-0.01, 0.4), (-0.01, 0.01), (0.002, 0.37)])
def test_methods_that_cannot_be_told_apart(run, lower, p_value):
    comparison = {**run.inputs.comparison}
    kappa = {**comparison["scores"]["kappa"], "lower": lower, "upper": 0.03, "p_value": p_value}
    comparison["scores"] = {**comparison["scores"], "kappa": kappa}
    text = Page(render_report(replace(run.inputs, comparison=comparison))).text
    assert "cannot be told apart by kappa" in text


def test_the_better_method_may_be_the_second(run):
    comparison = {**run.inputs.comparison}
    kappa = {"difference": -0.05, "lower": -0.08, "upper": -0.02, "p_value": 0.0001}
    comparison["scores"] = {**comparison["scores"], "kappa": kappa}
    text = Page(render_report(replace(run.inputs, comparison=comparison))).text
    assert "Random Forest is better than FG-UNET: its kappa is higher by 0.050" in text
    assert "(95 % interval 0.020 to 0.080; p < 0.001)" in text


def test_names_of_the_user_are_escaped(run):
    html = render_report(replace(run.inputs, title="Crops <b>& towns"))
    assert "Crops &lt;b&gt;&amp; towns" in html


def test_same_inputs_same_page(run):
    assert render_report(run.inputs) == render_report(run.inputs)


def test_refuses_a_report_of_nothing(run):
    with pytest.raises(AccuracyError, match="needs a method"):
        render_report(replace(run.inputs, methods=[]))
