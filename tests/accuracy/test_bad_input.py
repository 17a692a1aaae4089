"""The scripts of accuracy on what a run can meet."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import yaml
from matplotlib.text import Text

from fgunet.accuracy.confusion import Confusion
from fgunet.accuracy.tile_confusion import confuse_tile
from fgunet.errors import AccuracyError, GridError, ResultError
from fgunet.grid import Grid, Window
from fgunet.nomenclature import read_nomenclature
from fgunet.rasters import create_raster, write_raster
from fgunet.report.accuracy_charts import confusion_matrices, f_by_class, kappa_by_tile

SIDE, FIELD = 96, 6
GRID = Grid("EPSG:32631", (10.0, 0.0, 600000.0, 0.0, -10.0, 4900000.0), SIDE, SIDE)
ASIDE = Grid("EPSG:32631", (10.0, 0.0, 600010.0, 0.0, -10.0, 4900000.0), SIDE, SIDE)
METHODS = ("fgunet", "forest")
REFERENCE = ("code", "polygon", "split")


@pytest.fixture
def write(tmp_path):
    """Write the rasters of a tile and the nomenclature of its codes."""

    def write_tile(tile, codes, *, splits=(1, 2, 3, 3), map_grid=GRID, seed=0):
        random = np.random.default_rng(seed)
        ids = np.arange(SIDE)[:, None] // FIELD * (SIDE // FIELD) + np.arange(SIDE) // FIELD + 1
        code = random.choice(codes, size=ids.max() + 1)[ids].astype(np.uint8)
        split = random.choice(splits, size=ids.max() + 1)[ids].astype(np.uint8)
        rasters = {"code": code, "polygon": (ids + 1000 * seed).astype(np.uint32), "split": split}
        for name, values in rasters.items():
            write_raster(tmp_path / f"{tile}_{name}.tif", values, GRID, 0)
        unmapped = random.random(code.shape) < 0.02
        for method in METHODS:
            kept = random.random(code.shape) < 0.7
            mapped = np.where(kept, code, random.choice(codes, size=code.shape))
            path = tmp_path / f"{method}_{tile}.tif"
            shown = np.where(unmapped, 0, mapped).astype(np.uint8)
            tags = {"tile": tile, "method": method}
            with create_raster(path, map_grid, "uint8", 0, tags=tags) as write_window:
                write_window(Window(0, 0, SIDE, SIDE), shown)
        classes = [
            {"code": int(code), "name": f"class {code}", "colour": [9, 9, 9], "group": "urban"}
            for code in codes
        ]
        (tmp_path / "classes.yaml").write_text(yaml.safe_dump({"name": "x", "classes": classes}))

    return write_tile


@pytest.fixture
def confuse(script, tmp_path):
    """Run the script of a tile and method; its document."""

    def run(tile, method):
        path = tmp_path / f"{method}_{tile}.json"
        script("confusion")(
            tile=tile,
            method=method,
            path_to_class=str(tmp_path / f"{method}_{tile}.tif"),
            path_to_code=str(tmp_path / f"{tile}_code.tif"),
            path_to_polygon=str(tmp_path / f"{tile}_polygon.tif"),
            path_to_split=str(tmp_path / f"{tile}_split.tif"),
            nomenclature=str(tmp_path / "classes.yaml"),
            path_to_confusion=str(path),
        )
        return json.loads(path.read_text())

    return run


@pytest.fixture
def score(script, tmp_path):
    """Run the script of the scores; the summary by method and tile, by class, and comparison."""

    def run(tiles, methods=METHODS, judged=None):
        judged = methods if judged is None else judged
        paths = {
            "path_to_summary": str(tmp_path / "summary.csv"),
            "path_to_classes": str(tmp_path / "by_class.csv"),
            "path_to_comparison": str(tmp_path / "comparison.json"),
            "path_to_differences": str(tmp_path / "differences.csv"),
        }
        script("scores")(
            paths_to_confusions=[str(tmp_path / f"{m}_{t}.json") for m in judged for t in tiles],
            nomenclature=str(tmp_path / "classes.yaml"),
            methods=methods,
            focus_group="urban",
            bootstrap_samples=50,
            seed=1,
            paths_to_pooled=[str(tmp_path / f"{method}_pooled.json") for method in methods],
            paths_to_matrices=[str(tmp_path / f"{method}_matrix.csv") for method in methods],
            **paths,
        )
        return (
            pd.read_csv(paths["path_to_summary"]).set_index(["method", "tile"]),
            pd.read_csv(paths["path_to_classes"]),
            json.loads((tmp_path / "comparison.json").read_text()),
        )

    return run


def _draw(tmp_path, summary, by_class, methods=METHODS):
    """The figures of a run, which must take whatever its tables hold."""
    nomenclature = read_nomenclature(tmp_path / "classes.yaml")
    matrices = {
        method: Confusion.from_dict(
            json.loads((tmp_path / f"{method}_pooled.json").read_text())
        ).matrix
        for method in methods
    }
    figures = [
        kappa_by_tile(summary.reset_index(), methods),
        f_by_class(by_class, methods, nomenclature, "urban"),
        confusion_matrices(matrices, nomenclature),
        confusion_matrices(matrices, nomenclature, by_column=True),
    ]
    for number, figure in enumerate(figures):
        figure.savefig(tmp_path / f"{number}.png", dpi=20)
    return [{text.get_text() for text in figure.findobj(Text)} for figure in figures]


def test_map_and_reference_on_different_grids(write, confuse):
    write("A", [1, 2, 3], map_grid=ASIDE)
    with pytest.raises(GridError) as caught:
        confuse("A", "fgunet")
    message = str(caught.value)
    for part in ("fgunet_A.tif", "A_code.tif", "600000", "600010"):
        assert part in message


def test_the_map_of_another_method_or_tile_is_refused(write, confuse, tmp_path):
    write("A", [1, 2, 3])
    write("B", [1, 2, 3])
    (tmp_path / "forest_A.tif").rename(tmp_path / "aside.tif")
    for other, told in (("fgunet_A", "method fgunet"), ("forest_B", "tile B")):
        shutil.copy(tmp_path / f"{other}.tif", tmp_path / "forest_A.tif")
        with pytest.raises(ResultError, match=rf"forest_A\.tif is of {told}, expected "):
            confuse("A", "forest")


def test_windows_of_any_size_give_the_same_counts(write, tmp_path):
    write("A", [1, 2, 3])

    def counts(window):
        return confuse_tile(
            str(tmp_path / "forest_A.tif"),
            **{f"path_to_{name}": str(tmp_path / f"A_{name}.tif") for name in REFERENCE},
            tile="A", method="forest", codes=[1, 2, 3], window=window,
        ).to_dict()  # fmt: skip

    whole = counts(SIDE)
    assert counts(17) == whole
    assert counts(SIDE - 1) == whole
    assert np.sum(whole["confusion"]) > 1000


def test_a_tile_without_test_pixels_says_so_and_the_others_stand(write, confuse, score, tmp_path):
    write("A", [1, 2, 3])
    write("B", [1, 2, 3], splits=(0, 1, 2), seed=1)
    for method in METHODS:
        confuse("A", method)
        assert np.sum(confuse("B", method)["confusion"]) == 0
    summary, by_class, comparison = score(["A", "B"])
    empty = summary.loc[("forest", "B")]
    assert empty[["polygons", "pixels", "unmapped"]].tolist() == [0, 0, 0]
    assert empty.drop(["polygons", "pixels", "unmapped"]).isna().all()
    alone, _, expected = score(["A"])
    pd.testing.assert_frame_equal(summary.drop(index="B", level="tile"), alone)
    assert comparison == expected
    kappa, *_ = _draw(tmp_path, summary, by_class)
    assert "no test pixels" in kappa


def test_one_class_only(write, confuse, score, tmp_path):
    write("A", [7])
    for method in METHODS:
        confuse("A", method)
    summary, by_class, comparison = score(["A"])
    assert summary[["kappa", "kappa_lower", "polygon_kappa"]].isna().all(axis=None)
    assert (summary[["overall_accuracy", "macro_f"]] == 1).all(axis=None)
    assert (by_class["f_score"] == 1).all()
    assert comparison["scores"]["kappa"]["difference"] is None
    kappa, *_ = _draw(tmp_path, summary, by_class)
    assert "one class only: undefined" in kappa


def test_more_classes_than_a_figure_can_name(write, confuse, score, tmp_path):
    codes = list(range(3, 63))
    write("A", codes)
    for method in METHODS:
        confuse("A", method)
    summary, by_class, _ = score(["A"])
    assert len(by_class) == 2 * 2 * 60
    assert 0.5 < summary.loc[("forest", "A"), "kappa"] < 1
    _, f_scores, rows, columns = _draw(tmp_path, summary, by_class)
    assert "class 62" in f_scores
    for texts in (rows, columns):
        assert {"62", "percent"} <= texts
        assert "class 62" not in texts


def test_one_method_is_told_and_a_missing_one_refused(write, confuse, score, tmp_path):
    write("A", [1, 2, 3])
    confuse("A", "forest")
    summary, by_class, comparison = score(["A"], methods=["forest"])
    assert comparison == {"reason": "one method in this run: forest"}
    _draw(tmp_path, summary, by_class, ["forest"])
    with pytest.raises(AccuracyError, match=r"no tile has a confusion of fgunet, only of forest"):
        score(["A"], judged=["forest"])
