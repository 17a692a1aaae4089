"""What the plan of a run of many tiles takes: a dry run, here and through each profile.

The tiles have folders of 70 products by name alone, for a plan opens none; the reference is an
empty file. One plan of each kind a turn: seconds from start to end, and the peak of memory. Then
what one job on a cluster spends before its work starts: it reads the workflow for one target.
"""

import argparse
import itertools
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import yaml
from series import print_figures, write_result
from tile_on_disk import ROOT

PRODUCTS = 70
TARGETS = {f"{kind}_s": "< 30 at 1,100 tiles" for kind in ("here", "slurm", "cluster")}


def names_of_tiles(n: int) -> list[str]:
    """So many tiles that Sentinel-2 has by their names."""
    parts = itertools.product(range(1, 61), "CDEFGHJKLMNPQRSTUVWX", "ABCD")
    return [f"T{zone:02d}{band}{column}A" for zone, band, column in itertools.islice(parts, n)]


def write_world(folder: Path, tiles: list[str]) -> Path:
    """Folders of products, a source, and the configuration of a run on them."""
    for tile, number in itertools.product(tiles, range(PRODUCTS)):
        day = f"2016{1 + number % 12:02d}{1 + number // 12:02d}"
        name = f"SENTINEL2A_{day}-105505-123_L2A_{tile}_D_V1-4"
        (folder / "products" / tile / name).mkdir(parents=True)
    (folder / "source.gpkg").touch()
    config = yaml.safe_load((ROOT / "workflow_config.yaml").read_text(encoding="utf-8"))
    for key in ("simulation", "fgunet"):
        del config[key]
    config["tiles"] = tiles
    config["products"]["folder"] = str(folder / "products")
    source = {"name": "source", "path": str(folder / "source.gpkg"), "field": "code"}
    config["reference"]["sources"] = [source]
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    return path


def plan(config: Path, options: list[str]) -> tuple[float, float]:
    """Seconds and peak memory (MB) of a dry run."""
    command = [
        str(Path(sys.executable).with_name("snakemake")), "--snakefile", str(ROOT / "Snakefile"),
        "--configfile", str(config), "--directory", str(config.parent / "run"),
        "--dry-run", "--quiet", "all", *options,
    ]  # fmt: skip
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(
            f"no plan: {' '.join(command)} ended with {os.waitstatus_to_exitcode(status)}"
        )
    return time.perf_counter() - begin, usage.ru_maxrss / 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiles", type=int, default=1100)
    parser.add_argument("--runs", type=int, default=3, help="runs of each; three or more count")
    arguments = parser.parse_args()
    tiles = names_of_tiles(arguments.tiles)
    kinds = {
        "here": [],
        "slurm": ["--profile", str(ROOT / "profiles" / "slurm")],
        "cluster": ["--profile", str(ROOT / "profiles" / "cluster")],
        "one_job": ["--allowed-rules", "tile_grid", "--", f"results/grids/{tiles[0]}.json"],
    }
    runs: dict[str, list[float]] = {f"{k}_{unit}": [] for k in kinds for unit in ("s", "mb")}
    with tempfile.TemporaryDirectory() as folder:
        config = write_world(Path(folder), tiles)
        for _ in range(arguments.runs):
            for kind, options in kinds.items():
                seconds, megabytes = plan(config, options)
                runs[f"{kind}_s"].append(seconds)
                runs[f"{kind}_mb"].append(megabytes)
    figures = {name: float(np.median(values)) for name, values in runs.items()}
    print_figures(figures, TARGETS)
    write_result("plan", figures, runs)


if __name__ == "__main__":
    main()
