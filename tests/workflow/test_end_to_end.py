"""The whole chain: two small tiles on two workers, and a real tile."""

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pystac
import pytest
import rasterio
import yaml
import zarr
from rio_cogeo.cogeo import cog_validate

from fgunet.nomenclature import read_nomenclature

pytestmark = pytest.mark.end_to_end

METHODS = ("fgunet", "forest")


def small(config: dict[str, Any]) -> dict[str, Any]:
    """The shipped configuration on two tiles of 128 pixels, trained for half a minute."""
    config["tiles"] = ["T30TWT", "T31TGK"]
    config["simulation"]["tile_size"] = 128
    config["split"]["leave_out_scarce"] = True
    config["fgunet"].update(
        patch_size=32, jitter=8, epochs=4, patches_per_epoch=160, validation_patches=16
    )
    config["forest"].update(trees=20, samples_per_class=200)
    config["comparison"]["learning_curve"] = [0.5]
    # A tile is one window of the study, and four where the map is to be exact.
    config["mapping"].update(
        window=64, overlap=16, margin=True, probabilities="uint8", polygon_minimum_m2=2500,
        calibrated=True,
    )  # fmt: skip
    config["accuracy"]["bootstrap_samples"] = 200
    return config


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("run")


@pytest.fixture(scope="module")
def run(folder: Path, snakemake: Any, root: Path, user_environment: dict[str, str]) -> Path:
    """A finished run, which was killed once on its way."""
    text = (root / "workflow_config.yaml").read_text(encoding="utf-8")
    config = small(yaml.safe_load(text))
    kill_half_way(folder, config, root, user_environment)
    done = snakemake(folder, "--cores", "2", config=config)
    assert done.returncode == 0, done.stderr[-6000:]
    return folder


def kill_half_way(
    folder: Path, config: dict[str, Any], root: Path, user_environment: dict[str, str]
) -> None:
    """Start the run and kill it, and all that it started, when the first series is there."""
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(config, sort_keys=False))
    started = subprocess.Popen(
        ["snakemake", "--snakefile", str(root / "Snakefile"), "--directory", str(folder),
         "--configfile", str(path), "--cores", "2"],
        env=user_environment, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    deadline = time.monotonic() + 300
    while not list(folder.glob("results/series/T*.zarr")) and time.monotonic() < deadline:
        assert started.poll() is None, "the run ended before it could be killed"
        time.sleep(0.2)
    os.killpg(started.pid, signal.SIGKILL)
    started.wait()


def test_results_obey_the_contracts(run: Path, root: Path) -> None:
    codes = {0, *read_nomenclature(root / "tables" / "oso17.yaml").codes}
    results = run / "results"
    for tile in ("T30TWT", "T31TGK"):
        group = zarr.open_group(results / "series" / f"{tile}.zarr", mode="r")
        assert group["series"].shape == (33, 10, 128, 128)
        assert group["series"].dtype == np.uint16
        for kind, dtype in (("code", "uint8"), ("polygon", "uint32"), ("split", "uint8")):
            with rasterio.open(results / "reference" / f"{tile}_{kind}.tif") as dataset:
                assert dataset.dtypes == (dtype,)
        for method in METHODS:
            with rasterio.open(results / "maps" / method / f"{tile}_class.tif") as dataset:
                assert set(np.unique(dataset.read(1))) <= codes
                assert dataset.nodata == 0
                assert dataset.colormap(1)[51] == (0, 0, 255, 255)
                assert dataset.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
            with rasterio.open(results / "maps" / method / f"{tile}_confidence.tif") as dataset:
                values = dataset.read(1)
                assert dataset.nodata == 255
                assert values[values != 255].max() <= 100
            counts = json.loads((results / "accuracy" / method / f"{tile}.json").read_text())
            assert {"tile", "method", "codes", "confusion", "polygons"} <= counts.keys()
    for method in METHODS:
        assert (results / "accuracy" / method / "_pooled.json").exists()
        assert (results / "maps" / method / "mosaic_class.tif").exists()
    for name in ("models/fgunet/model.keras", "models/forest/forest.skops"):
        assert (results / name).exists()


def test_windows_give_the_map_of_the_whole_image(run: Path) -> None:
    maps = run / "results" / "maps" / "fgunet"
    effect = json.loads((run / "results" / "accuracy" / "window_effect.json").read_text())
    for told in effect:
        tile = told["tile"]
        whole, windows = (
            read_raster(folder / f"{tile}_class.tif") for folder in (maps, maps / "exact")
        )
        assert told["changed"] == np.count_nonzero(whole != windows)
        facts = json.loads((maps / "exact" / f"{tile}_mapping.json").read_text())
        assert told["changed"] <= facts["ties"]
    assert [told["tile"] for told in effect] == ["T30TWT", "T31TGK"]
    assert "windows of the study" in (run / "results" / "report.html").read_text()


def test_products_agree_with_one_another(run: Path) -> None:
    for method in METHODS:
        stem = str(run / "results" / "maps" / method / "T31TGK")
        codes, confidence, margin = (
            read_raster(Path(f"{stem}_{kind}.tif")) for kind in ("class", "confidence", "margin")
        )
        with rasterio.open(f"{stem}_probabilities.tif") as dataset:
            shares = dataset.read()
        mapped = codes != 0
        np.testing.assert_array_equal(shares.max(axis=0), confidence)
        second, first = np.sort(shares.astype(int), axis=0)[-2:]
        assert np.abs((first - second) - margin)[mapped].max() <= 1  # each is rounded
        raw, filtered = (
            read_raster(Path(f"{stem}_{kind}.tif")) for kind in ("class", "regularised")
        )
        protected = np.isin(raw, (44, 51))
        np.testing.assert_array_equal(np.isin(filtered, (44, 51)), protected)
        polygons = gpd.read_file(f"{stem}_polygons.gpkg")
        assert polygons.area.sum() == pytest.approx(100 * mapped.sum())


def test_confidence_is_scaled_by_the_temperature_of_the_model(run: Path) -> None:
    for method in METHODS:
        told = json.loads((run / "results" / "models" / method / "metadata.json").read_text())
        temperature = told["calibration"]["temperature"]
        assert told["calibration"]["log_loss_after"] < told["calibration"]["log_loss_before"]
        stem = run / "results" / "maps" / method / "T31TGK"
        assert json.loads(Path(f"{stem}_mapping.json").read_text())["temperature"] == temperature
        with rasterio.open(f"{stem}_confidence.tif") as dataset:
            assert float(dataset.tags()["temperature"]) == temperature


def test_the_sample_tells_areas_of_all_methods(run: Path) -> None:
    areas = pd.read_csv(run / "results" / "accuracy" / "areas.csv")
    summary = json.loads((run / "results" / "accuracy" / "areas.json").read_text())
    for method in METHODS:
        found = areas[areas["method"] == method]
        assert found["area_ha"].sum() == pytest.approx(summary["area_ha"])
        assert summary["methods"][method]["overall_accuracy"] > 0.3


def test_all_maps_are_cloud_optimised(run: Path) -> None:
    maps = [*(run / "results" / "maps").glob("*/*.tif")]
    # Of each method: six kinds of two tiles and three mosaics; of each tile its clear days.
    assert len(maps) == 2 * (6 * 2 + 3) + 2
    for path in maps:
        valid, errors, warnings = cog_validate(path, strict=True)
        assert valid, (path, errors, warnings)


def test_the_catalogue_lists_tiles_and_models(run: Path) -> None:
    collection = pystac.Collection.from_file(run / "results" / "stac" / "collection.json")
    items = {item.id: item for item in collection.get_items()}
    assert items.keys() == {"T30TWT", "T31TGK", "model_fgunet", "model_forest"}
    for item in items.values():
        for asset in item.assets.values():
            assert Path(asset.get_absolute_href()).exists()


def test_split_is_by_polygon(run: Path) -> None:
    polygons = gpd.read_file(run / "results" / "reference" / "polygons.gpkg")
    assert polygons["polygon_id"].is_unique
    assert set(polygons["split"]) == {"training", "validation", "test"}
    by_id = dict(zip(polygons["polygon_id"], polygons["split"], strict=True))
    numbers = {1: "training", 2: "validation", 3: "test"}
    for tile in ("T30TWT", "T31TGK"):
        stem = run / "results" / "reference" / tile
        with rasterio.open(f"{stem}_polygon.tif") as ids, rasterio.open(f"{stem}_split.tif") as s:
            pairs = np.unique(np.stack([ids.read(1).ravel(), s.read(1).ravel()]), axis=1)
        assert all(by_id[int(i)] == numbers[int(s)] for i, s in pairs.T if i)


def read_raster(path: Path) -> "np.ndarray[Any, Any]":
    with rasterio.open(path) as dataset:
        return dataset.read(1)


def test_both_methods_learned_from_the_same_polygons(run: Path) -> None:
    results = run / "results"
    polygons = pd.read_parquet(results / "comparison" / "polygons.parquet")
    pool = set(polygons.loc[polygons["enters"].notna(), "polygon_id"])
    layer = gpd.read_file(results / "reference" / "polygons.gpkg")
    assert set(polygons["polygon_id"]) == set(layer.loc[layer["split"] == "training", "polygon_id"])
    seen = {
        method: set(pd.read_parquet(results / f"comparison/seen/{method}.parquet")["polygon_id"])
        for method in METHODS
    }
    drawn = [pd.read_parquet(path) for path in (results / "samples").glob("T?????.parquet")]
    assert seen["forest"] == pool == set(pd.concat(drawn)["polygon_id"])
    assert seen["fgunet"] <= pool
    labels = pd.read_csv(results / "accuracy" / "labels.csv")
    total = labels[labels["code"].isna()].set_index("method")
    assert total["polygons_in_pool"].tolist() == [len(pool)] * 2
    assert total["polygons_seen"].to_dict() == {m: len(seen[m]) for m in METHODS}
    assert total.loc["fgunet", "pixels_shown"] > total.loc["fgunet", "pixels_seen"]
    by_class = labels[labels["code"].notna()].groupby("method").sum(numeric_only=True)
    for column in ("polygons_available", "polygons_seen", "pixels_seen", "pixels_shown"):
        assert by_class[column].to_dict() == total[column].to_dict()


def test_a_budget_is_part_of_the_pool_and_changes_no_other_split(run: Path) -> None:
    polygons = pd.read_parquet(run / "results" / "comparison" / "polygons.parquet")
    for tile in ("T30TWT", "T31TGK"):
        number, split = (
            read_raster(run / f"results/reference/{tile}_{kind}.tif")
            for kind in ("polygon", "split")
        )
        every, half = (
            read_raster(run / f"results/comparison/{budget}/{tile}_split.tif")
            for budget in ("all", "0.5")
        )
        for learned in (every, half):
            np.testing.assert_array_equal(learned[split != 1], split[split != 1])
        assert set(np.unique(number[half == 1])) < set(np.unique(number[every == 1]))
        in_pool = polygons.loc[polygons["enters"].notna(), "polygon_id"]
        np.testing.assert_array_equal(every == 1, (split == 1) & np.isin(number, in_pool))


def test_learning_curve(run: Path) -> None:
    curve = pd.read_csv(run / "results" / "accuracy" / "learning_curve.csv")
    assert curve["budget"].tolist() == [0.5, 0.5, 1, 1]
    by_budget = curve.groupby("budget")["polygons"].agg(["min", "max"])
    assert (by_budget["min"] == by_budget["max"]).all()
    polygons = pd.read_parquet(run / "results" / "comparison" / "polygons.parquet")
    assert by_budget.loc[1.0, "max"] == polygons["enters"].notna().sum()
    share = by_budget.loc[0.5, "max"] / by_budget.loc[1.0, "max"]
    assert 0.4 < share < 0.6
    summary = pd.read_csv(run / "results" / "accuracy" / "summary.csv")
    whole = summary[summary["tile"] == "pooled"].set_index("method")["kappa"]
    assert curve[curve["budget"] == 1].set_index("method")["kappa"].to_dict() == whole.to_dict()
    assert curve["kappa"].notna().all()
    assert not list((run / "results" / "comparison" / "0.5").glob("**/*_class.tif"))


def test_confusion_is_counted_on_test_pixels_alone(run: Path) -> None:
    for method in METHODS:
        for tile in ("T30TWT", "T31TGK"):
            stem = run / "results" / "reference" / tile
            with rasterio.open(f"{stem}_split.tif") as dataset:
                n_test = int((dataset.read(1) == 3).sum())
            counts = json.loads((run / f"results/accuracy/{method}/{tile}.json").read_text())
            assert np.sum(counts["confusion"]) + counts["unmapped"] == n_test


def test_both_methods_beat_chance(run: Path) -> None:
    summary = pd.read_csv(run / "results" / "accuracy" / "summary.csv")
    pooled = summary[summary["tile"] == "pooled"].set_index("method")
    assert pooled.loc["forest", "kappa"] > 0.3
    assert pooled.loc["fgunet", "kappa"] > 0.3


def test_report_is_whole(run: Path) -> None:
    page = (run / "results" / "report.html").read_text(encoding="utf-8")
    assert page.rstrip().endswith("</html>")
    assert "data:image/png;base64," in page
    assert not re.search(r"""(src|href)=["']https?://""", page)
    for tile in ("T30TWT", "T31TGK"):
        assert tile in page
    for section in (
        "maps", "accuracy", "areas", "comparison", "differences", "urban", "context", "reliability",
        "calibration", "truth", "learning", "data", "reference", "left-out", "provenance", "limits",
    ):  # fmt: skip
        assert f'id="{section}"' in page, section
    assert len(page) < 15e6


def test_every_job_left_a_log_and_a_benchmark(run: Path) -> None:
    for rule in ("stack_series", "classify_fgunet"):
        assert (run / "logs" / rule / "T31TGK.log").stat().st_size > 0
        assert (run / "results" / "benchmarks" / rule / "T31TGK.tsv").exists()


def peaks_mb(run: Path) -> dict[str, float]:
    """Memory that Snakemake saw each job take, by benchmark file, in megabytes.

    It looks at a job from time to time: 0 where it saw no more than the job's first moment.
    """
    found = {}
    for path in (run / "results" / "benchmarks").rglob("*.tsv"):
        row = pd.read_csv(path, sep="\t", na_values="-").iloc[0]
        seen = row["cpu_time"] > 0
        found[str(path.relative_to(run))] = row["max_rss"] * 2**20 / 1e6 if seen else 0.0
    return found


def test_jobs_ask_for_the_memory_that_they_take(run: Path, asked: Any) -> None:
    peaks = peaks_mb(run)
    told = asked(yaml.safe_load((run / "config.yaml").read_text()))
    assert peaks.keys() == told["jobs"].keys()
    # Some jobs are over before they are looked at twice.
    assert sum(peak > 0 for peak in peaks.values()) > len(peaks) / 2
    for path, peak in peaks.items():
        own = told["jobs"][path]["mem_mb"] - told["snakemake_mb"]
        assert peak <= own, f"{path}: took {peak:.0f} MB of {own} MB"
        # Who asks for far more keeps others waiting. Python with the library takes up to 150 MB.
        assert own <= 5 * max(peak, 150), f"{path}: took {peak:.0f} MB of {own} MB"


def test_a_finished_run_does_nothing(run: Path, snakemake: Any) -> None:
    config = yaml.safe_load((run / "config.yaml").read_text())
    done = snakemake(run, "--cores", "2", config=config)
    assert done.returncode == 0
    assert "Nothing to be done" in done.stderr + done.stdout


def test_another_classifier_makes_forest_and_report_anew_in_one_go(
    run: Path, snakemake: Any
) -> None:
    text = (run / "config.yaml").read_text()
    changed = yaml.safe_load(text)
    changed["forest"] |= {"classifier": "lightgbm.LGBMClassifier", "parameters": {"verbose": -1}}
    plan = snakemake(run, "--dry-run", "--quiet", "rules", config=changed)
    (run / "config.yaml").write_text(text)
    counts = dict(line.split() for line in plan.stdout.splitlines() if len(line.split()) == 2)
    assert counts["train_forest"] == counts["report"] == "1"
    assert counts["classify_forest"] == "2"
    assert "train_fgunet" not in counts


def test_snakemake_report(run: Path, snakemake: Any) -> None:
    config = yaml.safe_load((run / "config.yaml").read_text())
    done = snakemake(run, "--report", "report.zip", config=config)
    assert done.returncode == 0, done.stderr
    assert (run / "report.zip").stat().st_size > 100_000


def test_a_series_made_again_is_the_same(run: Path, snakemake: Any) -> None:
    config = yaml.safe_load((run / "config.yaml").read_text())
    store = run / "results" / "series" / "T31TGK.zarr"
    before = {p.relative_to(store): p.read_bytes() for p in store.rglob("*") if p.is_file()}
    done = snakemake(run, "--cores", "2", "--force", str(store.relative_to(run)), config=config)
    assert done.returncode == 0, done.stderr
    after = {p.relative_to(store): p.read_bytes() for p in store.rglob("*") if p.is_file()}
    assert after == before


def test_real_products_end_in_maps_and_accuracy(
    shared_data: Path, snakemake: Any, tmp_path: Path, root: Path
) -> None:
    config = yaml.safe_load((root / "tests/workflow/t31ufq.yaml").read_text(encoding="utf-8"))
    config["nomenclature"] = str(root / config["nomenclature"])
    config["products"]["folder"] = str(shared_data / "theia_T31UFQ" / "products")
    config["reference"]["sources"][0]["path"] = str(shared_data / "theia_T31UFQ" / "stands.gpkg")
    done = snakemake(tmp_path, "--cores", "2", config=config)
    assert done.returncode == 0, done.stderr[-6000:]
    listing = json.loads((tmp_path / "results/acquisitions/T31UFQ.json").read_text())
    assert len(listing["kept"]) >= 8
    assert len(listing["kept"]) + len(listing["excluded"]) == 55
    assert any("without data" in row["reason"] for row in listing["excluded"])
    summary = pd.read_csv(tmp_path / "results" / "accuracy" / "summary.csv")
    assert set(summary["method"]) == set(METHODS)
    assert summary.set_index(["tile", "method"]).loc[("pooled", "forest"), "kappa"] > 0.3
    with rasterio.open(tmp_path / "results/maps/fgunet/T31UFQ_class.tif") as dataset:
        assert set(np.unique(dataset.read(1))) <= {0, 31, 99}
    assert (tmp_path / "results" / "report.html").exists()
