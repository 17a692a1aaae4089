"""The scripts of accuracy and report, from rasters to the page."""

import json

import numpy as np
import pandas as pd
import pytest

from fgunet.comparison.pool import choose_pool
from fgunet.comparison.tables import write_table
from fgunet.comparison.tally import tally
from fgunet.files import write_json
from fgunet.grid import Grid, Window
from fgunet.mapping.deliverables import create_class_map
from fgunet.rasters import read_band, write_raster

TILES = ("T30TWT", "T31TDJ")
METHODS = ("fgunet", "forest")
GRID = Grid("EPSG:32631", (10.0, 0.0, 600000.0, 0.0, -10.0, 4900000.0), 96, 96)
FIGURES = (
    "kappa_by_tile", "f_by_class", "confusion_matrices",
    "confusion_matrices_by_column", "training_history",
    "forest_importance", "learning_curve", "acquisitions", "clear_dates", "reference_polygons",
    "split_shares", "test_distances", "location",
)  # fmt: skip


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
            tags = {"tile": tile, "method": method}
            path_to_class = top / f"{method}_{tile}_class.tif"
            with create_class_map(path_to_class, GRID, run.world.nomenclature, tags) as write:
                write(Window(0, 0, *GRID.shape), world.maps[tile][method])
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
def scored(folder, run, script, root):
    nomenclature = str(root / "tables" / "oso17.yaml")
    for method in METHODS:
        for tile in TILES:
            mapped = str(folder / f"{method}_{tile}_class.tif")
            filtering = {
                "filters": {"majority_radius": 1, "minimum_area_m2": 0, "protect": []},
                "path_to_filtered": str(folder / f"{method}_{tile}_majority.tif"),
            }
            reference = {
                f"path_to_{name}": str(folder / f"{tile}_{name}.tif")
                for name in ("code", "polygon", "split")
            }
            for name in ("confusion", "regularise"):
                filtered = name == "regularise"
                suffix = "_majority" if filtered else ""
                script(name)(
                    tile=tile,
                    method=method,
                    path_to_class=mapped,
                    **reference,
                    nomenclature=nomenclature,
                    path_to_confusion=str(folder / f"{method}_{tile}{suffix}.json"),
                    **(filtering if filtered else {}),
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
        paths_to_matrices=[str(folder / f"{m}_matrix.csv") for m in METHODS],
        path_to_summary=str(folder / "summary.csv"),
        path_to_classes=str(folder / "classes.csv"),
        path_to_comparison=str(folder / "comparison.json"),
        path_to_differences=str(folder / "comparison.csv"),
    )
    script("regularisation")(
        paths_to_raw=[str(folder / f"{m}_pooled.json") for m in METHODS],
        path_to_raw_comparison=str(folder / "comparison.json"),
        paths_to_majority=[str(folder / f"{m}_{t}_majority.json") for m in METHODS for t in TILES],
        nomenclature=nomenclature,
        methods=METHODS,
        radius=1,
        focus_group="urban",
        bootstrap_samples=20,
        seed=1,
        path_to_table=str(folder / "regularisation.csv"),
        path_to_comparison=str(folder / "regularisation.json"),
    )
    script("regularised_scores")(
        paths_to_confusions=[str(folder / f"fgunet_{t}_majority.json") for t in TILES],
        nomenclature=nomenclature,
        methods=["fgunet"],
        focus_group="urban",
        bootstrap_samples=20,
        seed=1,
        path_to_scores=str(folder / "regularised.csv"),
    )
    script("learning_time")(
        paths_to_metadata=[str(folder / f"{m}_metadata.json") for m in METHODS],
        path_to_table=str(folder / "learning_time.csv"),
    )
    write_learned(folder, run.world)
    script("labels")(
        path_to_polygons=str(folder / "polygons.parquet"),
        paths_to_seen={m: str(folder / f"{m}_seen.parquet") for m in METHODS},
        nomenclature=nomenclature,
        path_to_table=str(folder / "labels.csv"),
    )
    script("learning_curve")(
        paths_to_confusions={
            budget: [str(folder / f"{m}_{t}.json") for m in METHODS for t in TILES]
            for budget in (0.3, 1.0)
        },
        path_to_polygons=str(folder / "polygons.parquet"),
        nomenclature=nomenclature,
        methods=METHODS,
        focus_group="urban",
        bootstrap_samples=20,
        seed=1,
        path_to_table=str(folder / "learning_curve.csv"),
    )
    return folder


@pytest.fixture(scope="module")
def joined(folder, script, root):
    """The mosaics of all tiles, and how often these agree."""
    for method in METHODS:
        script("mosaic")(
            tiles=TILES,
            paths_to_classes=[str(folder / f"{method}_{tile}_class.tif") for tile in TILES],
            paths_to_confidences=[
                str(folder / f"{method}_{tile}_confidence.tif") for tile in TILES
            ],
            nomenclature=str(root / "tables" / "oso17.yaml"),
            crs="EPSG:32631",
            resolution=10,
            path_to_class=str(folder / f"{method}_mosaic_class.tif"),
            path_to_confidence=str(folder / f"{method}_mosaic_confidence.tif"),
            path_to_overlap=str(folder / f"{method}_overlap.csv"),
            path_to_pairs=str(folder / f"{method}_overlap_pairs.csv"),
        )
    return folder


def write_learned(folder, world):
    """The training polygons; the forest saw them all, and the network all but one."""
    blocks = []
    for tile in TILES:
        chosen = world.splits[tile] == 1
        ids, codes = world.polygons[tile][chosen], world.truths[tile][chosen]
        once = np.ones(ids.size, int)
        blocks.append((ids, codes, dict.fromkeys(("pixels", "usable", "shown"), once)))
    layer = tally(blocks, ["pixels", "usable"])
    pool = choose_pool(layer.assign(feature=layer["polygon_id"]), layer, equal_labels=True, seed=1)
    write_table(folder / "polygons.parquet", pool)
    seen = tally(blocks, ["pixels", "shown"])
    write_table(folder / "forest_seen.parquet", seen)
    write_table(folder / "fgunet_seen.parquet", seen.iloc[1:].assign(shown=seen["shown"] * 7))


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
    for method in METHODS:
        told = json.loads((scored / f"{method}_pooled.json").read_text())["confusion"]
        table = pd.read_csv(scored / f"{method}_matrix.csv").drop(columns=["code", "name"])
        np.testing.assert_array_equal(table, told)


def test_one_method_has_nothing_to_compare(scored, script, root, tmp_path):
    script("scores")(
        paths_to_confusions=[str(scored / f"forest_{tile}.json") for tile in TILES],
        nomenclature=str(root / "tables" / "oso17.yaml"),
        methods=["forest"],
        focus_group=None,
        bootstrap_samples=5,
        seed=1,
        paths_to_pooled=[str(tmp_path / "pooled.json")],
        paths_to_matrices=[str(tmp_path / "matrix.csv")],
        path_to_summary=str(tmp_path / "summary.csv"),
        path_to_classes=str(tmp_path / "classes.csv"),
        path_to_comparison=str(tmp_path / "comparison.json"),
        path_to_differences=str(tmp_path / "comparison.csv"),
    )
    comparison = json.loads((tmp_path / "comparison.json").read_text())
    assert comparison == {"reason": "one method in this run: forest"}
    assert "group_f" not in pd.read_csv(tmp_path / "summary.csv")


def test_both_methods_are_scored_and_compared_after_the_same_filter(scored):
    table = pd.read_csv(scored / "regularisation.csv").set_index(["regularisation", "method"])
    raw = pd.read_csv(scored / "summary.csv").set_index(["tile", "method"])
    found = json.loads((scored / "regularisation.json").read_text())
    assert found["majority_radius"] == 1
    assert found["comparisons"]["none"] == json.loads((scored / "comparison.json").read_text())
    for method in METHODS:
        assert table.loc[("none", method), "kappa"] == raw.loc[("pooled", method), "kappa"]
        filtered = table.loc[("majority", method), "kappa"]
        assert filtered != table.loc[("none", method), "kappa"]
        of_filter = found["comparisons"]["majority"]["scores"]["kappa"]
        assert of_filter[method] == pytest.approx(filtered)
    assert (table["pixels"] == raw.loc["pooled", "pixels"].iloc[0]).all()


def test_a_mosaic_and_how_often_its_tiles_agree(joined, run):
    one, other = (run.world.maps[tile]["forest"] for tile in TILES)
    mapped, same = (one > 0) & (other > 0), (one == other) & (one > 0)
    (pair,) = pd.read_csv(joined / "forest_overlap_pairs.csv").to_dict("records")
    assert (pair["tile_a"], pair["tile_b"]) == TILES
    assert (pair["pixels"], pair["agreeing"]) == (mapped.sum(), same.sum())
    table = pd.read_csv(joined / "forest_overlap.csv")
    assert table["both"].iloc[-1] == table["both"].iloc[:-1].sum() == same.sum()
    # Both are equally sure, so that the first one decides.
    np.testing.assert_array_equal(read_band(joined / "forest_mosaic_class.tif"), one)
    assert (joined / "forest_mosaic_class.tif.aux.xml").exists()


def test_a_mosaic_of_filtered_maps_has_no_tables(joined, script, root, tmp_path):
    script("mosaic")(
        tiles=TILES,
        paths_to_classes=[str(joined / f"forest_{tile}_class.tif") for tile in TILES],
        paths_to_confidences=[str(joined / f"forest_{tile}_confidence.tif") for tile in TILES],
        nomenclature=str(root / "tables" / "oso17.yaml"),
        crs="EPSG:32631",
        resolution=10,
        path_to_class=str(tmp_path / "mosaic_regularised.tif"),
        path_to_confidence=None,
        path_to_overlap=None,
        path_to_pairs=None,
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "mosaic_regularised.tif",
        "mosaic_regularised.tif.aux.xml",
    ]


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


def test_sheets_figures_and_report(scored, joined, script, root, series):
    nomenclature = str(root / "tables" / "oso17.yaml")
    for tile in TILES:
        series(scored / f"{tile}.zarr", tile)
        script("tile_sheet")(
            tile=tile,
            nomenclature=nomenclature,
            path_to_series=str(scored / f"{tile}.zarr"),
            path_to_code=str(scored / f"{tile}_code.tif"),
            path_to_split=str(scored / f"{tile}_split.tif"),
            paths_to_maps={m: str(scored / f"{m}_{tile}_class.tif") for m in METHODS},
            paths_to_regularised={"fgunet": str(scored / f"fgunet_{tile}_majority.tif")},
            paths_to_confidences={m: str(scored / f"{m}_{tile}_confidence.tif") for m in METHODS},
            path_to_sheet=str(scored / f"{tile}.png"),
            path_to_view=str(scored / f"{tile}_view.json"),
            path_to_gaps=str(scored / "gaps" / f"{tile}.png"),
            path_to_facts=str(scored / f"{tile}_facts.json"),
        )
    views = json.loads((scored / "T30TWT_view.json").read_text())
    assert [view["tile"] for view in views] == ["T30TWT"], "a small tile has no detail"
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
    kappa_png = str(scored / "kappa_by_tile.png")
    script("accuracy_figures")(
        methods=METHODS,
        nomenclature=nomenclature,
        focus_group="urban",
        path_to_summary=str(scored / "summary.csv"),
        path_to_classes=str(scored / "classes.csv"),
        paths_to_matrices={m: str(scored / f"{m}_matrix.csv") for m in METHODS},
        path_to_history=str(scored / "history.csv"),
        path_to_forest=str(scored / "forest_metadata.json"),
        path_to_curve=str(scored / "learning_curve.csv"),
        paths_to_figures=[*(path for n, path in figures.items() if n not in of_data), kappa_png],
    )
    script("data_figures")(
        nomenclature=nomenclature,
        dates=("20160105", "20160706"),
        mosaic_crs="EPSG:2154",
        path_to_audit=str(scored / "audit.json"),
        paths_to_acquisitions=listings,
        paths_to_facts=facts,
        paths_to_maps={tile: str(scored / f"fgunet_{tile}_class.tif") for tile in TILES},
        paths_to_figures=[path for n, path in figures.items() if n in of_data],
    )
    assert (scored / "kappa_by_tile.png").read_bytes().startswith(b"\x89PNG")
    for tile in TILES:
        told = {"method": "fgunet", "mapped": 4096, "ties": 1, "tie_tolerance": 1e-5, "halo": 16,
                "needed_halo": 24}  # fmt: skip
        (scored / f"{tile}_mapping.json").write_text(json.dumps(told))
    script("window_effect")(
        tiles=TILES,
        paths_to_maps=[str(scored / f"fgunet_{tile}_class.tif") for tile in TILES],
        paths_to_exact_maps=[str(scored / f"forest_{tile}_class.tif") for tile in TILES],
        path_to_effect=str(scored / "window_effect.json"),
    )
    script("report")(
        configuration={
            "title": "Two tiles",
            "accuracy": {"focus_group": "urban"},
            "series": {"dates": ["20160105", "20160706"]},
            "mapping": {
                "regularisation": {
                    "fgunet": {"majority_radius": 1, "minimum_area_m2": 0, "protect": [51]}
                }
            },
        },
        nomenclature=nomenclature,
        methods=METHODS,
        most_tiles=12,
        paths_to_tables={
            "differences": str(scored / "comparison.csv"),
            **{
                name: str(scored / f"{name}.csv")
                for name in (
                    "summary",
                    "classes",
                    "labels",
                    "regularisation",
                    "regularised",
                    "learning_time",
                )
            },
        },
        paths_to_documents={
            "regularisation_comparison": str(scored / "regularisation.json"),
            **{
                name: str(scored / f"{name}.json")
                for name in ("comparison", "window_effect", "audit")
            },
        },
        paths_to_overlap=[str(joined / f"{m}_overlap.csv") for m in METHODS],
        paths_to_overlap_pairs=[str(joined / f"{m}_overlap_pairs.csv") for m in METHODS],
        paths_to_mappings=[str(scored / f"{t}_mapping.json") for t in TILES],
        paths_to_metadata=[str(scored / f"{m}_metadata.json") for m in METHODS],
        paths_to_acquisitions=listings,
        paths_to_facts=facts,
        paths_to_truth=[str(scored / f"truth_{m}_{t}.json") for m in METHODS for t in TILES],
        paths_to_figures=list(figures.values()),
        paths_to_views=[str(scored / f"{tile}_view.json") for tile in TILES],
        paths_to_gaps=[str(scored / "gaps" / f"{tile}.png") for tile in TILES],
        path_to_report=str(scored / "report.html"),
    )
    html = (scored / "report.html").read_text()
    assert html.count('src="data:image/') == len(FIGURES) + len(TILES)
    assert html.count("data-tile=") == len(TILES)
    assert "FG-UNET, regularised" in html
    assert "than 70 days, %" in html
    assert "Two tiles" in html
    assert "With the same regularisation" in html
    assert "majority of radius 1; protected: water" in html
    assert "windows of the study" in html
    assert "What each method learned from" in html
    assert "Learning curves" in html
    assert "1 pair of tiles shares 9\u202f207 pixels" in html
    assert "1 × 2 threads" in html


def test_labels_tell_what_each_method_saw(scored):
    table = pd.read_csv(scored / "labels.csv")
    totals = table[table["code"].isna()].set_index("method")
    assert totals["polygons_seen"]["forest"] == totals["polygons_in_pool"]["forest"]
    assert totals["polygons_seen"]["fgunet"] == totals["polygons_seen"]["forest"] - 1
    assert totals["pixels_shown"]["fgunet"] == 7 * totals["pixels_seen"]["fgunet"]


def test_the_last_point_of_a_curve_is_the_run_itself(scored):
    curve = pd.read_csv(scored / "learning_curve.csv").set_index(["budget", "method"])
    summary = pd.read_csv(scored / "summary.csv").set_index(["tile", "method"])
    for method in METHODS:
        for score in ("kappa", "group_f"):
            assert curve.loc[(1.0, method), score] == summary.loc[("pooled", method), score]
        assert curve.loc[(0.3, method), "polygons"] < curve.loc[(1.0, method), "polygons"]
