"""How fast sources become a reference, and in how much memory.

Simulated sources (`parcels.py`) over eleven full-size tiles are fused, split and rasterised by
the scripts of the workflow, each in a fresh process, on two cores: two tiles are rasterised at a
time, as with `snakemake --cores 2`. The peak is that of the largest process, or of the two
largest tiles together. How the fusion grows is fitted to its seconds with 62,500, 250,000 and a
million parcels.

On 62,500 parcels the fusion is compared to what a user of geopandas writes: each source in turn
less the union of those before it, by `overlay`. That does less: it leaves polygons of one source
overlapping, gives no numbers that last, and counts no contradictions. Both read the same files.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import yaml
from parcels import CRS, ROOT, SOURCES, TILES, WORK, described, sources_folder
from series import Runs, note, print_figures, write_result

PARCELS = (62_500, 250_000, 1_000_000)
THREADS = 2
NOMENCLATURE = str(ROOT / "tables" / "oso17.yaml")
TARGETS = {"minutes_1m": "< 20", "peak_gb": "< 6", "growth_exponent": "<= 1.15"}

# The peak of the process itself is that of /proc: ru_maxrss counts what its parent had, too.
CHILD = """
import importlib, json, pathlib, re, sys, time
script = importlib.import_module(sys.argv[1])
begin = time.perf_counter()
getattr(script, sys.argv[2])(**json.loads(sys.argv[3]))
seconds = time.perf_counter() - begin
own = re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())
print(seconds, int(own[1]) * 1024 / 1e9)
"""


class Job(NamedTuple):
    """Seconds of a job without and with the start of its process, and peak memory in GB."""

    seconds: float
    whole: float
    peak: float


def in_fresh_process(module: str, function: str = "main", **values: Any) -> Job:
    """Call a function of a script or benchmark in a process of its own."""
    folders = [ROOT / "scripts", ROOT / "benchmarks", ROOT]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, folders))}
    begin = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", CHILD, module, function, json.dumps(values)],
        check=True, env=environment, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    whole = time.perf_counter() - begin
    seconds, peak = map(float, re.findall(r"\S+", done.stdout)[-2:])
    return Job(seconds, whole, peak)


def settings() -> dict[str, Any]:
    """Sections "reference" and "split", and the seed, of the shipped configuration."""
    config: dict[str, Any] = yaml.safe_load((ROOT / "workflow_config.yaml").read_text())
    return config


def fuse(folder: Path) -> Job:
    """Fuse the sources in a folder as the workflow does it."""
    shipped = settings()
    return in_fresh_process(
        "fuse_reference",
        sources=described(folder),
        crs=CRS,
        minimum_area_m2=shipped["reference"]["minimum_area_m2"],
        minimum_share=shipped["reference"]["minimum_share"],
        square_m=shipped["split"]["square_m"],
        leave_out_scarce=True,
        merge={},
        threads=THREADS,
        path_to_nomenclature=NOMENCLATURE,
        paths_to_grids=[str(folder / f"{tile}.json") for tile in TILES],
        path_to_fused=str(folder / "fused.gpkg"),
        path_to_fusion=str(folder / "fusion.json"),
    )


def split(folder: Path) -> Job:
    """Split the fused polygons of a folder as the workflow does it."""
    shipped = settings()
    return in_fresh_process(
        "split_reference",
        **shipped["split"] | {"leave_out_scarce": True},
        seed=shipped["seed"],
        paths_to_grids=[str(folder / f"{tile}.json") for tile in TILES],
        path_to_fused=str(folder / "fused.gpkg"),
        path_to_nomenclature=NOMENCLATURE,
        path_to_polygons=str(folder / "polygons.gpkg"),
        path_to_split=str(folder / "split.json"),
    )


def rasterise(folder: Path, tile: str) -> Job:
    """Rasterise a tile as the workflow does it."""
    names = ("code", "polygon", "split")
    return in_fresh_process(
        "rasterise_reference",
        tile=tile,
        path_to_polygons=str(folder / "polygons.gpkg"),
        path_to_grid=str(folder / f"{tile}.json"),
        **{f"path_to_{name}": str(folder / f"{tile}_{name}.tif") for name in names},
    )


def measure_full(folder: Path, measured: Runs) -> None:
    """Fuse, split and rasterise a million parcels."""
    sources = sources_folder(folder, PARCELS[-1])
    fused = fuse(sources)
    parted = split(sources)
    begin = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        tiles = list(pool.map(lambda tile: rasterise(sources, tile), TILES))
    seconds = time.perf_counter() - begin
    together = sum(sorted(tile.peak for tile in tiles)[-THREADS:])
    note(
        measured,
        minutes_1m=(fused.whole + parted.whole + seconds) / 60,
        peak_gb=max(fused.peak, parted.peak, together),
        fuse_minutes=fused.whole / 60,
        split_minutes=parted.whole / 60,
        rasterise_minutes=seconds / 60,
        fuse_peak_gb=fused.peak,
        split_peak_gb=parted.peak,
        rasterise_peak_gb=max(tile.peak for tile in tiles),
        **{f"fuse_{PARCELS[-1]}_s": fused.seconds},
    )


def measure_growth(folder: Path, measured: Runs) -> None:
    """Fuse ever more parcels, but for the million that `measure_full` has fused."""
    missing = PARCELS[:-1] if f"fuse_{PARCELS[-1]}_s" in measured else PARCELS
    for parcels in missing:
        note(measured, **{f"fuse_{parcels}_s": fuse(sources_folder(folder, parcels)).seconds})


def measure_comparison(folder: Path, measured: Runs) -> None:
    """Fuse few parcels, and overlay them with geopandas, in turn."""
    sources = sources_folder(folder, PARCELS[0])
    job = in_fresh_process("reference", "by_geopandas", folder=str(sources))
    note(measured, geopandas_s=job.seconds, geopandas_peak_gb=job.peak)
    note(measured, fuse_beside_geopandas_s=fuse(sources).seconds)


def by_geopandas(folder: str) -> None:
    """What a user of geopandas writes; all lies in the tiles, so nothing is left out."""
    fused: list[gpd.GeoDataFrame] = []
    for source in SOURCES:
        frame = gpd.read_file(Path(folder) / f"{source['name']}.gpkg").to_crs(CRS)
        if "buffer_field" in source:
            width = frame[source["buffer_field"]]
            frame = frame.set_geometry(frame.buffer(width / 2, cap_style="flat"))
        for before in fused:
            frame = gpd.overlay(frame, before[["geometry"]], how="difference")
        fused.append(frame)
    joined = pd.concat(fused)
    joined[joined.area > 400].to_file(Path(folder) / "geopandas.gpkg")


def figures_of(measured: Runs) -> dict[str, float]:
    """Medians, the growth, and the comparison."""
    figures = {name: float(np.median(values)) for name, values in measured.items()}
    seconds = [figures.get(f"fuse_{parcels}_s") for parcels in PARCELS]
    if all(seconds):
        slope, _ = np.polyfit(np.log(PARCELS), np.log(np.array(seconds, dtype=float)), 1)
        figures["growth_exponent"] = float(slope)
    if "geopandas_s" in figures:
        ratio = figures["geopandas_s"] / figures["fuse_beside_geopandas_s"]
        figures["fuse_over_geopandas"] = ratio
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=WORK, help="where sources are kept")
    parser.add_argument("--runs", type=int, default=3, help="runs of each; three or more count")
    parser.add_argument("--only", choices=["full", "growth", "comparison"], help="one part alone")
    arguments = parser.parse_args()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])
    parts = {"full": measure_full, "growth": measure_growth, "comparison": measure_comparison}
    measured: Runs = {}
    for run in range(arguments.runs):
        print(f"run {run + 1} of {arguments.runs}")
        for name, measure in parts.items():
            if arguments.only in (None, name):
                measure(arguments.folder, measured)
    figures = figures_of(measured)
    print_figures(figures, TARGETS)
    if arguments.only is None:
        write_result("reference", figures, measured)


if __name__ == "__main__":
    main()
