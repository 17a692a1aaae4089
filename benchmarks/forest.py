"""How fast, how good and how large the Random Forest is, beside Orfeo ToolBox and scikit-learn.

200,000 training pixels of 330 channels in 17 classes, 100 trees of depth 25, and a series of
2048 x 2048 pixels (`tile_on_disk.py`), on two cores. In turn, in one run:

- training, from a table on disk to a model on disk: the job of the workflow (a Parquet table),
  ``otbcli_TrainVectorClassifier -classifier rf`` (the same pixels in a GeoPackage), and
  scikit-learn called by hand on the table in memory, on all processors: `train_over_otb`,
  `train_over_sklearn`;
- classification, from file to file: the job of the workflow (from the series to a COG of classes
  and one of confidence), ``otbcli_ImageClassifier`` (from one GeoTIFF of 330 bands, uncompressed
  and by pixel, to a GeoTIFF of classes alone), and ``predict_proba`` of scikit-learn on the windows
  of the series: `predict_over_otb`, `predict_over_sklearn`;
- kappa of the maps on the pixels of the test polygons; each run has another seed.

Orfeo ToolBox is run where it is installed (Debian: otb-bin). Jobs are processes of their own;
their peak memory is the system's (VmHWM).
"""

import argparse
import os
import shutil
import statistics
import subprocess
import time
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import rasterio
from jobs import run_job
from series import Runs, note, print_figures, write_result
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import cohen_kappa_score
from tile_on_disk import BANDS, CODES, DATES, ROOT, SIDE, TILE, tile_folder

from fgunet.forest.samples import channel_names
from fgunet.forest.tables import read_samples
from fgunet.grid import Window, split_windows
from fgunet.rasters import read_band
from fgunet.reference.sides import TEST
from fgunet.series.store import SeriesStore

PIXELS, TREES, DEPTH, THREADS, WINDOW = 200_000, 100, 25, 2, 512
NOMENCLATURE = ROOT / "tables" / "oso17.yaml"
TARGETS = {
    "train_over_otb": ">= 3",
    "predict_over_otb": ">= 3, 5 is the aim",
    "kappa_less_otb": ">= 0",
    "train_peak_over_table": "< 3",
    "predict_peak_gb": "< 2",
    "predict_peak_2048_over_1024": "about 1",
}


def sampling(samples: int, *, strategy: str = "class_cap") -> dict[str, Any]:
    return {"strategy": strategy, "samples_per_class": samples // len(CODES), "samples": samples,
            "samples_per_polygon": None}  # fmt: skip


def run_otb(application: str, *arguments: str) -> float:
    """Run an application of Orfeo ToolBox; seconds of its process."""
    threads = {"ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS": str(THREADS)}
    begin = time.perf_counter()
    done = subprocess.run(
        [f"otbcli_{application}", *arguments],
        env={**os.environ, **threads}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(
            f"otbcli_{application} failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
        )
    return time.perf_counter() - begin


def draw_samples(work: Path, tile: Path) -> tuple[float, float, float]:
    """The tables of training and validation pixels, as the workflow draws them."""
    return run_job(
        "sample_pixels",
        tile=TILE,
        path_to_series=tile / "series.zarr",
        path_to_code=tile / "code.tif",
        path_to_polygon=tile / "polygon.tif",
        path_to_split=tile / "split.tif",
        sampling=sampling(PIXELS),
        validation_sampling=sampling(20_000, strategy="proportional"),
        seed=1,
        threads=THREADS,
        nomenclature=NOMENCLATURE,
        path_to_samples=work / "samples.parquet",
        path_to_validation=work / "validation.parquet",
    )


def otb_inputs(work: Path, tile: Path) -> tuple[Path, Path]:
    """The training pixels as a GeoPackage, and the series as one image; made once."""
    table, image = work / "samples.gpkg", work / "series.tif"
    if not table.exists():
        samples = read_samples(work / "samples.parquet")
        names = [f"b{n}" for n in range(samples.reflectance.shape[1])]
        frame = pd.DataFrame(samples.reflectance.astype(np.int32), columns=names)
        frame.insert(0, "code", samples.pixels["code"].to_numpy(np.int32))
        points = gpd.points_from_xy(samples.pixels["column"], samples.pixels["row"])
        pyogrio.write_dataframe(gpd.GeoDataFrame(frame, geometry=points, crs="EPSG:32631"), table)
    if not image.exists():
        series = SeriesStore(tile / "series.zarr")
        profile = {"driver": "GTiff", "width": SIDE, "height": SIDE, "dtype": "uint16",
                   "count": len(DATES) * len(BANDS), "crs": series.grid.crs,
                   "interleave": "pixel", "BIGTIFF": "YES"}  # fmt: skip
        with rasterio.open(image, "w", **profile) as dataset:
            for row in range(0, SIDE, 64):
                values = series.read(Window(row, 0, 64, SIDE))
                part = rasterio.windows.Window(0, row, SIDE, 64)
                dataset.write(values.reshape(-1, 64, SIDE), window=part)
    return table, image


def train_otb(work: Path, table: Path, seed: int) -> float:
    names = [f"b{n}" for n in range(len(DATES) * len(BANDS))]
    return run_otb(
        "TrainVectorClassifier", "-io.vd", str(table), "-feat", *names, "-cfield", "code",
        "-io.out", str(work / "otb.rf"), "-classifier", "rf", "-rand", str(seed),
        "-classifier.rf.nbtrees", str(TREES), "-classifier.rf.max", str(DEPTH),
        "-classifier.rf.min", "2", "-classifier.rf.var", str(int(len(names) ** 0.5)),
        "-classifier.rf.acc", "0",
    )  # fmt: skip


def train(work: Path, seed: int) -> tuple[float, float, float]:
    settings = {"trees": TREES, "depth": DEPTH}
    return run_job(
        "train_forest",
        paths_to_samples=[work / "samples.parquet"],
        paths_to_validation=[work / "validation.parquet"],
        nomenclature=NOMENCLATURE,
        sampling=sampling(PIXELS),
        validation_sampling=sampling(20_000, strategy="proportional"),
        settings=settings,
        seed=seed,
        threads=THREADS,
        path_to_forest=work / "forest.skops",
        path_to_metadata=work / "metadata.json",
    )


def classify(work: Path, path_to_series: Path) -> tuple[float, float, float]:
    return run_job(
        "classify_forest",
        path_to_series=path_to_series,
        path_to_model=work / "forest.skops",
        path_to_metadata=work / "metadata.json",
        classifier="sklearn.ensemble.RandomForestClassifier",
        nomenclature=NOMENCLATURE,
        windows={"core": WINDOW},
        layers={},
        calibrated=False,
        memory_mb=2000,
        threads=THREADS,
        path_to_class=work / "class.tif",
        path_to_confidence=work / "confidence.tif",
        path_to_margin=None,
        path_to_probabilities=None,
        path_to_facts=work / "mapping.json",
    )


def scikit_learn(work: Path, tile: Path) -> tuple[float, float]:
    """Seconds of scikit-learn's training and prediction, called by hand; writes no map."""
    samples = read_samples(work / "samples.parquet")
    codes = samples.pixels["code"].to_numpy()
    forest = RandomForestClassifier(TREES, max_depth=DEPTH, n_jobs=THREADS, random_state=1)
    begin = time.perf_counter()
    forest.fit(samples.reflectance, codes)
    trained = time.perf_counter() - begin
    series = SeriesStore(tile / "series.zarr")
    begin = time.perf_counter()
    for window in split_windows(series.grid.shape, WINDOW):
        pixels = series.read(window).reshape(len(DATES) * len(BANDS), -1).T
        forest.predict_proba(pixels.astype(np.float32)).argmax(axis=1)
    return trained, time.perf_counter() - begin


def kappa_of(path_to_map: Path, tile: Path) -> float:
    """Kappa of a map on the pixels of the test polygons."""
    whole = Window(0, 0, SIDE, SIDE)
    code, split, found = (
        read_band(path, whole) for path in (tile / "code.tif", tile / "split.tif", path_to_map)
    )
    judged = split == TEST
    return float(cohen_kappa_score(code[judged], found[judged]))


def table_gb(work: Path) -> float:
    """Memory of the training pixels as they are read: uint16 channels and what tells the pixel."""
    samples = read_samples(work / "samples.parquet")
    held = samples.reflectance.nbytes + samples.pixels.drop(columns="tile").memory_usage().sum()
    return float(held) / 1e9


def measure(work: Path, tiles: tuple[Path, Path], what: str, seed: int, measured: Runs) -> None:
    """Each of what is compared, once."""
    tile, quarter = tiles
    otb = shutil.which("otbcli_ImageClassifier") is not None
    if what != "predict":
        work_s, _, peak = draw_samples(work, tile)
        note(measured, sample_work_s=work_s, sample_peak_gb=peak)
    if otb:
        table, image = otb_inputs(work, tile)
    if what != "predict":
        work_s, whole, peak = train(work, seed)
        note(measured, train_work_s=work_s, train_s=whole, train_peak_gb=peak)
        if otb:
            note(measured, train_otb_s=train_otb(work, table, seed))
    work_s, whole, peak = classify(work, tile / "series.zarr")
    note(measured, predict_work_s=work_s, predict_s=whole, predict_peak_gb=peak,
         kappa=kappa_of(work / "class.tif", tile))  # fmt: skip
    if otb:
        arguments = ("-in", str(image), "-model", str(work / "otb.rf"), "-ram", "2048",
                     "-out", str(work / "otb_class.tif"), "uint8")  # fmt: skip
        note(measured, predict_otb_s=run_otb("ImageClassifier", *arguments),
             kappa_otb=kappa_of(work / "otb_class.tif", tile))  # fmt: skip
    _, _, peak = classify(work, quarter / "series.zarr")
    note(measured, predict_peak_1024_gb=peak)
    if what != "predict":
        trained, predicted = scikit_learn(work, tile)
        note(measured, train_sklearn_s=trained, predict_sklearn_s=predicted)


def figures_of(measured: Runs, table: float) -> dict[str, Any]:
    """Medians, and the ratios that have a target: each within its run, then the median."""

    def ratio(above: str, below: str) -> dict[str, float]:
        pairs = zip(measured.get(above, []), measured.get(below, []), strict=False)
        found = [one / other for one, other in pairs]
        what, other, _ = above.split("_")
        return {f"{what}_over_{other}": statistics.median(found)} if found else {}

    figures = {name: statistics.median(values) for name, values in measured.items()}
    for what in ("train", "predict"):
        figures |= ratio(f"{what}_otb_s", f"{what}_s") | ratio(f"{what}_sklearn_s", f"{what}_s")
    if "kappa_otb" in figures:
        figures["kappa_less_otb"] = figures["kappa"] - figures["kappa_otb"]
    figures["predict_peak_2048_over_1024"] = (
        figures["predict_peak_gb"] / figures["predict_peak_1024_gb"]
    )
    figures["table_gb"] = table
    if "train_peak_gb" in figures:
        figures["train_peak_over_table"] = figures["train_peak_gb"] / table
    figures["predict_pixels_s"] = SIDE**2 / figures["predict_work_s"]
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("/tmp/fgunet_benchmark"),  # noqa: S108
                        help="where tile and tables are kept")  # fmt: skip
    parser.add_argument("--runs", type=int, default=3, help="runs of each; three or more count")
    parser.add_argument("--only", choices=["all", "predict"], default="all",
                        help="predict: with the forests of an earlier run")  # fmt: skip
    arguments = parser.parse_args()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])
    tiles = tile_folder(arguments.folder), tile_folder(arguments.folder, SIDE // 2)
    work = arguments.folder / "forest"
    work.mkdir(parents=True, exist_ok=True)
    print(f"{len(channel_names(DATES, BANDS))} channels, {PIXELS} pixels", flush=True)
    measured: Runs = {}
    for run in range(arguments.runs):
        print(f"run {run + 1} of {arguments.runs}", flush=True)
        measure(work, tiles, arguments.only, run + 1, measured)
    figures = figures_of(measured, table_gb(work))
    print_figures(figures, TARGETS)
    write_result("forest", figures, measured)


if __name__ == "__main__":
    main()
