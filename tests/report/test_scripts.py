"""The scripts of accuracy and report, from rasters to the page."""

import importlib.util
import json

import numpy as np
import pandas as pd
import pytest

from fgunet.files import write_json
from fgunet.grid import Grid
from fgunet.rasters import write_raster

TILES = ("T30TWT", "T31TDJ")
METHODS = ("fgunet", "forest")
GRID = Grid("EPSG:32631", (10.0, 0.0, 600000.0, 0.0, -10.0, 4900000.0), 96, 96)
FIGURES = (
    "kappa_by_tile", "f_by_class", "confusion_matrices", "training_history",
    "acquisitions", "clear_dates", "reference_polygons", "split_shares",
    "test_distances", "location",
)  # fmt: skip


@pytest.fixture(scope="module")
def script(root):
    def load(name):
        spec = importlib.util.spec_from_file_location(f"script_{name}", root / f"scripts/{name}.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module.main

    return load


@pytest.fixture(scope="module")
def folder(run, history, tmp_path_factory):
    """The files of a run of two tiles, up to the maps."""
    top, world = tmp_path_factory.mktemp("run"), run.world
    for tile in TILES:
        code = np.where(world.polygons[tile] > 0, world.truths[tile], 0).astype(np.uint8)
        write_raster(top / f"{tile}_code.tif", code, GRID, 0)
        write_raster(top / f"{tile}_polygon.tif", world.polygons[tile].astype(np.uint32), GRID, 0)
        write_raster(top / f"{tile}_split.tif", world.splits[tile], GRID, 0)
        write_raster(top / f"{tile}_truth.tif", world.truths[tile], GRID, 0)
        for method in METHODS:
            write_raster(top / f"{method}_{tile}_class.tif", world.maps[tile][method], GRID, 0)
            confidence = np.full(GRID.shape, 80, dtype=np.uint8)
            write_raster(top / f"{method}_{tile}_confidence.tif", confidence, GRID, 255)
        listing = next(one for one in run.inputs.acquisitions if one["tile"] == tile)
        write_json(top / f"{tile}_acquisitions.json", listing)
    write_json(top / "audit.json", run.inputs.audit)
    for method in METHODS:
        write_json(top / f"{method}_metadata.json", run.inputs.metadata[method])
    history.to_csv(top / "history.csv", index=False)
    return top


@pytest.fixture(scope="module")
def scored(folder, script, root):
    nomenclature = str(root / "tables" / "oso17.yaml")
    for method in METHODS:
        for tile in TILES:
            mapped = str(folder / f"{method}_{tile}_class.tif")
            script("confusion")(
                tile=tile,
                method=method,
                path_to_class=mapped,
                path_to_code=str(folder / f"{tile}_code.tif"),
                path_to_polygon=str(folder / f"{tile}_polygon.tif"),
                path_to_split=str(folder / f"{tile}_split.tif"),
                nomenclature=nomenclature,
                path_to_confusion=str(folder / f"{method}_{tile}.json"),
            )
            script("truth_confusion")(
                tile=tile,
                method=method,
                path_to_class=mapped,
                path_to_truth=str(folder / f"{tile}_truth.tif"),
                nomenclature=nomenclature,
                path_to_confusion=str(folder / f"truth_{method}_{tile}.json"),
            )
    script("scores")(
        paths_to_confusions=[str(folder / f"{m}_{t}.json") for m in METHODS for t in TILES],
        nomenclature=nomenclature,
        methods=METHODS,
        focus_group="urban",
        bootstrap_samples=20,
        seed=1,
        paths_to_pooled=[str(folder / f"{m}_pooled.json") for m in METHODS],
        path_to_summary=str(folder / "summary.csv"),
        path_to_classes=str(folder / "classes.csv"),
        path_to_comparison=str(folder / "comparison.json"),
    )
    script("learning_time")(
        paths_to_metadata=[str(folder / f"{m}_metadata.json") for m in METHODS],
        path_to_table=str(folder / "learning_time.csv"),
    )
    return folder


def test_confusions_count_test_pixels_alone(scored, run):
    found = json.loads((scored / "fgunet_T30TWT.json").read_text())
    split = run.world.splits["T30TWT"]
    unmapped = run.world.maps["T30TWT"]["fgunet"] == 0
    assert np.sum(found["confusion"]) + found["unmapped"] == np.count_nonzero(split == 3)
    assert found["unmapped"] == np.count_nonzero((split == 3) & unmapped)


def test_truth_confusions_count_every_pixel(scored):
    found = json.loads((scored / "truth_forest_T31TDJ.json").read_text())
    assert np.sum(found["confusion"]) + found["unmapped"] == GRID.height * GRID.width
    assert found["unmapped"] == 9


def test_scores_of_tiles_and_of_all(scored):
    summary = pd.read_csv(scored / "summary.csv")
    assert sorted(set(summary["tile"])) == ["T30TWT", "T31TDJ", "pooled"]
    assert len(summary) == 6
    assert len(pd.read_csv(scored / "classes.csv")) == 6 * 17
    comparison = json.loads((scored / "comparison.json").read_text())
    assert comparison["methods"] == list(METHODS)


def test_one_method_has_nothing_to_compare(scored, script, root, tmp_path):
    script("scores")(
        paths_to_confusions=[str(scored / f"forest_{tile}.json") for tile in TILES],
        nomenclature=str(root / "tables" / "oso17.yaml"),
        methods=["forest"],
        focus_group=None,
        bootstrap_samples=5,
        seed=1,
        paths_to_pooled=[str(tmp_path / "pooled.json")],
        path_to_summary=str(tmp_path / "summary.csv"),
        path_to_classes=str(tmp_path / "classes.csv"),
        path_to_comparison=str(tmp_path / "comparison.json"),
    )
    comparison = json.loads((tmp_path / "comparison.json").read_text())
    assert comparison == {"reason": "one method in this run: forest"}
    assert "group_f" not in pd.read_csv(tmp_path / "summary.csv")


def test_learning_time_of_each_method(scored, script, run, tmp_path):
    network = {**run.inputs.metadata["fgunet"], "cpu_s": 5400.0, "wall_s": 1440.0}
    del network["threads_per_worker"]
    write_json(tmp_path / "network.json", network)
    script("learning_time")(
        paths_to_metadata=[str(tmp_path / "network.json"), str(scored / "forest_metadata.json")],
        path_to_table=str(tmp_path / "accuracy" / "learning_time.csv"),
    )
    lines = (tmp_path / "accuracy" / "learning_time.csv").read_text().splitlines()
    assert lines[:2] == [
        "method,wall_s,workers,threads,cpu_s,samples,sample_unit,samples_per_s,one_cpu_h",
        "fgunet,1440.0,2,,5400.0,2880,patches,2.0,1.5",
    ]
    assert lines[2].startswith("forest,41.0,1,2,79.0,16832,pixels,410.5")


@pytest.fixture(scope="module")
def series(write_series):
    def write(path, tile):
        dates, bands = ("20160105", "20160706"), ("B02", "B03", "B04", "B08")
        values = np.random.default_rng(1).integers(300, 4000, (2, 4, *GRID.shape))
        clear = np.full(GRID.shape, 12, np.uint16)
        clear[:24] = 0
        counts = {
            "clear_count": clear,
            "longest_gap": np.where(clear, 71, 65535).astype(np.uint16),
            "bridged_count": np.where(clear, 1, 0).astype(np.uint16),
        }
        write_series(
            path, values.astype(np.uint16), counts=counts, tile=tile, grid=GRID, dates=dates,
            bands=bands, provenance={"max_gap_days": 70},
        )  # fmt: skip

    return write


def test_sheets_figures_and_report(scored, script, root, series):
    nomenclature = str(root / "tables" / "oso17.yaml")
    for tile in TILES:
        series(scored / f"{tile}.zarr", tile)
        script("tile_sheet")(
            tile=tile,
            methods=METHODS,
            nomenclature=nomenclature,
            path_to_series=str(scored / f"{tile}.zarr"),
            path_to_code=str(scored / f"{tile}_code.tif"),
            path_to_split=str(scored / f"{tile}_split.tif"),
            paths_to_maps=[str(scored / f"{m}_{tile}_class.tif") for m in METHODS],
            paths_to_confidences=[str(scored / f"{m}_{tile}_confidence.tif") for m in METHODS],
            path_to_sheet=str(scored / f"{tile}.png"),
            path_to_gaps=str(scored / "gaps" / f"{tile}.png"),
            path_to_facts=str(scored / f"{tile}_facts.json"),
        )
    facts = [str(scored / f"{tile}_facts.json") for tile in TILES]
    gaps = json.loads((scored / "T30TWT_facts.json").read_text())["gaps"]
    assert gaps["never_clear_share"] == gaps["bridged_share"] / 2 == 0.25
    assert gaps["clear_days"]["50"] == 12
    assert gaps["longest_gap_days"]["50"] == 71
    listings = [str(scored / f"{tile}_acquisitions.json") for tile in TILES]
    figures = {
        name: str(scored / f"{name}.{'png' if name == 'location' else 'svg'}") for name in FIGURES
    }
    of_data = set(FIGURES[FIGURES.index("acquisitions") :])
    script("accuracy_figures")(
        methods=METHODS,
        nomenclature=nomenclature,
        focus_group="urban",
        path_to_summary=str(scored / "summary.csv"),
        path_to_classes=str(scored / "classes.csv"),
        paths_to_pooled=[str(scored / f"{m}_pooled.json") for m in METHODS],
        path_to_history=str(scored / "history.csv"),
        paths_to_figures={n: path for n, path in figures.items() if n not in of_data},
    )
    script("data_figures")(
        nomenclature=nomenclature,
        dates=("20160105", "20160706"),
        mosaic_crs="EPSG:2154",
        path_to_audit=str(scored / "audit.json"),
        paths_to_acquisitions=listings,
        paths_to_facts=facts,
        paths_to_maps={tile: str(scored / f"fgunet_{tile}_class.tif") for tile in TILES},
        paths_to_figures={n: path for n, path in figures.items() if n in of_data},
    )
    script("report")(
        configuration={
            "title": "Two tiles",
            "accuracy": {"focus_group": "urban"},
            "series": {"dates": ["20160105", "20160706"]},
        },
        nomenclature=nomenclature,
        methods=METHODS,
        sheets=12,
        path_to_summary=str(scored / "summary.csv"),
        path_to_classes=str(scored / "classes.csv"),
        path_to_comparison=str(scored / "comparison.json"),
        path_to_learning_time=str(scored / "learning_time.csv"),
        path_to_audit=str(scored / "audit.json"),
        paths_to_metadata=[str(scored / f"{m}_metadata.json") for m in METHODS],
        paths_to_acquisitions=listings,
        paths_to_facts=facts,
        paths_to_truth=[str(scored / f"truth_{m}_{t}.json") for m in METHODS for t in TILES],
        paths_to_figures=list(figures.values()),
        paths_to_sheets=[str(scored / f"{tile}.png") for tile in TILES],
        paths_to_gaps=[str(scored / "gaps" / f"{tile}.png") for tile in TILES],
        path_to_report=str(scored / "report.html"),
    )
    html = (scored / "report.html").read_text()
    assert html.count('src="data:image/') == len(FIGURES) + 2 * len(TILES)
    assert "than 70 days, %" in html
    assert "Two tiles" in html
    assert "1 × 2 threads" in html
