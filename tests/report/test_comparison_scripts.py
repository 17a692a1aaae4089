"""The scripts that compare methods and splits, on the files of small runs."""

import json

import jinja2
import numpy as np
import pandas as pd
import pytest

from fgunet.accuracy.scores import kappa
from fgunet.errors import AccuracyError
from fgunet.files import write_json
from fgunet.report.differences import differences_section
from fgunet.report.split_gap import split_gap_section
from fgunet.report.urban import urban_section

METHODS = ("fgunet", "forest")


@pytest.fixture(scope="module")
def nomenclature_file(root):
    return str(root / "tables" / "oso17.yaml")


@pytest.fixture(scope="module")
def folder(run, script, nomenclature_file, tmp_path_factory):
    """Two finished runs of the same maps, that say they were split in two ways."""
    top, world = tmp_path_factory.mktemp("runs"), run.world
    for confusion in world.confusions:
        write_json(top / f"{confusion.method}_{confusion.tile}.json", confusion.to_dict())
    for tile in world.truths:
        codes, counts = np.unique(world.truths[tile][world.polygons[tile] > 0], return_counts=True)
        rows = [{"code": int(c), "pixels": int(n)} for c, n in zip(codes, counts, strict=True)]
        write_json(top / f"{tile}_audit.json", {"tile": tile, "pixels": rows})
    for mode, tiles in (("polygons", list(world.truths)), ("blocks", list(world.truths)[::-1])):
        results = top / mode / "results"
        script("scores")(
            paths_to_confusions=[str(top / f"{m}_{t}.json") for m in METHODS for t in tiles],
            nomenclature=nomenclature_file,
            methods=METHODS,
            focus_group="urban",
            bootstrap_samples=20,
            seed=1,
            paths_to_pooled=[str(results / f"accuracy/{m}/_pooled.json") for m in METHODS],
            paths_to_matrices=[str(results / f"accuracy/{m}/confusion.csv") for m in METHODS],
            path_to_summary=str(results / "accuracy/summary.csv"),
            path_to_classes=str(results / "accuracy/classes.csv"),
            path_to_comparison=str(results / "accuracy/comparison.json"),
            path_to_differences=str(results / "accuracy/comparison.csv"),
        )
        write_json(results / "reference/audit.json", {"split": {"options": {"mode": mode}}})
    return top


def _paths(folder, mode):
    results = folder / mode / "results"
    return {
        "summary": str(results / "accuracy/summary.csv"),
        "classes": str(results / "accuracy/classes.csv"),
        "audit": str(results / "reference/audit.json"),
    }


@pytest.fixture(scope="module")
def urban(folder, run, script, nomenclature_file):
    accuracy = folder / "polygons/results/accuracy"
    script("urban_share")(
        focus_group="urban",
        nomenclature=nomenclature_file,
        paths_to_audits=[str(folder / f"{tile}_audit.json") for tile in run.world.truths],
        path_to_summary=str(accuracy / "summary.csv"),
        path_to_differences=str(accuracy / "comparison.csv"),
        path_to_table=str(accuracy / "urban_share.csv"),
        path_to_slopes=str(accuracy / "urban_slope.json"),
    )
    return accuracy


def test_the_table_of_differences_is_the_same_whatever_the_order_of_tiles(folder, run):
    files = [folder / mode / "results/accuracy/comparison.csv" for mode in ("polygons", "blocks")]
    assert files[0].read_bytes() == files[1].read_bytes()
    table = pd.read_csv(files[0])
    tiles = table[(table["scope"] == "tile") & (table["score"] == "kappa")].set_index("tile")
    for confusion in run.world.confusions:
        column = "first" if confusion.method == "fgunet" else "second"
        expected = float(kappa(confusion.matrix))
        assert tiles.loc[confusion.tile, column] == pytest.approx(expected, abs=1e-12)


def test_the_urban_share_of_a_tile_is_that_of_its_polygons(urban, run):
    table = pd.read_csv(urban / "urban_share.csv").set_index(["quantity", "tile"])
    world = run.world
    for tile in world.truths:
        inside = world.polygons[tile] > 0
        share = np.isin(world.truths[tile][inside], world.nomenclature.group("urban")).mean()
        assert table.loc[("forest", tile), "share"] == pytest.approx(share)
    slopes = json.loads((urban / "urban_slope.json").read_text())
    rows = table.loc["difference"]
    slope = np.polyfit(rows["share"], rows["value"], 1)[0]
    assert slopes["difference"]["slope_per_10_points"] == pytest.approx(slope / 10)


def test_same_tables_same_figures(urban, script, nomenclature_file, tmp_path):
    drawn = []
    for place in ("one", "other"):
        paths = [tmp_path / place / f"{name}.svg" for name in ("differences", "urban_share")]
        script("comparison_figures")(
            methods=METHODS,
            nomenclature=nomenclature_file,
            focus_group="urban",
            path_to_differences=str(urban / "comparison.csv"),
            path_to_urban_share=str(urban / "urban_share.csv"),
            paths_to_figures=paths,
        )
        drawn.append([path.read_bytes() for path in paths])
    assert drawn[0] == drawn[1]


def test_the_gap_of_the_same_maps_is_nothing(folder, script, tmp_path):
    script("split_gap")(
        folder=str(folder / "blocks"),
        paths_to_this=_paths(folder, "polygons"),
        paths_to_other=_paths(folder, "blocks"),
        path_to_gap=str(tmp_path / "split_gap.csv"),
    )
    table = pd.read_csv(tmp_path / "split_gap.csv")
    assert len(table) == 6
    assert (table["gap"] == 0).all()
    assert (table["gap_lower"] < 0).all()
    assert (table["gap_upper"] > 0).all()


def test_a_run_of_the_same_split_is_refused(folder, script, tmp_path):
    with pytest.raises(AccuracyError, match="polygons here and polygons in the run"):
        script("split_gap")(
            folder=str(folder / "polygons"),
            paths_to_this=_paths(folder, "polygons"),
            paths_to_other=_paths(folder, "polygons"),
            path_to_gap=str(tmp_path / "split_gap.csv"),
        )
    assert not (tmp_path / "split_gap.csv").exists()


def test_the_sections_read_what_the_scripts_wrote(folder, urban, run, script, tmp_path):
    gap = tmp_path / "split_gap.csv"
    script("split_gap")(
        folder=str(folder / "blocks"),
        paths_to_this=_paths(folder, "polygons"),
        paths_to_other=_paths(folder, "blocks"),
        path_to_gap=str(gap),
    )
    slopes = json.loads((urban / "urban_slope.json").read_text())
    sections = {
        "differences": differences_section(
            pd.read_csv(urban / "comparison.csv"), run.inputs.nomenclature
        ),
        "urban": urban_section(pd.read_csv(urban / "urban_share.csv"), slopes, "urban"),
        "split_gap": split_gap_section(pd.read_csv(gap)),
    }
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("fgunet.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    for name, section in sections.items():
        template = environment.get_template(f"{name}.html.j2")
        html = template.render(figures={}, **{name: section})
        assert "<h3" in html
        assert ">nan" not in html
        assert template.render(figures={}, **{name: {}}).strip() == ""
