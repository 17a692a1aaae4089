"""What a full tile and the published training cost, extrapolated from a part.

Runs the workflow on one simulated tile of 1024 x 1024 pixels with the network at its published
width, and scales the seconds of each job: those of tiles by pixels to 10980 x 10980, those of
training by patches to the published 500,000. Start-up times are scaled too, so the figures err
on the long side. Memory is not scaled: it is bounded by windows.
"""

import csv
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
RESULT = ROOT / "benchmarks" / "results" / "full_size.json"
TILE, SIDE, FULL_SIDE = "T31TEL", 1024, 10980
PATCHES, VALIDATION_PATCHES, PUBLISHED_PATCHES = 64, 8, 500_000
BY_TILE = (
    "list_acquisitions", "stack_series", "rasterise_reference", "training_statistics",
    "sample_pixels", "classify_fgunet", "classify_forest",
)  # fmt: skip


def configuration() -> dict[str, Any]:
    """The shipped configuration on one larger tile, with the published network."""
    config: dict[str, Any] = yaml.safe_load((ROOT / "workflow_config.yaml").read_text())
    config["tiles"] = [TILE]
    config["simulation"]["tile_size"] = SIDE
    config["split"]["leave_out_scarce"] = True
    config["fgunet"] = {
        "epochs": 1,
        "patches_per_epoch": PATCHES,
        "validation_patches": VALIDATION_PATCHES,
    }
    return config


def run(folder: Path) -> None:
    (folder / "config.yaml").write_text(yaml.safe_dump(configuration()))
    binaries = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(
        ["snakemake", "--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder),
         "--configfile", str(folder / "config.yaml"), "--cores", "2"],
        check=True, env={**os.environ, "PATH": binaries},
    )  # fmt: skip


def measured(path: Path) -> tuple[float, float]:
    """Seconds and peak memory (MB) of a job."""
    with path.open() as lines:
        row = next(csv.DictReader(lines, delimiter="\t"))
    return float(row["s"]), float(row["max_rss"])


def seconds_of_training(folder: Path) -> float:
    """Seconds of the one epoch, without start-up."""
    with (folder / "results/models/fgunet/history.csv").open() as lines:
        return float(next(csv.DictReader(lines))["wall_s"])


def main() -> None:
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run(folder)
        benchmarks = folder / "results" / "benchmarks"
        print(f"\n{'job':<22}{'seconds':>9}{'full tile, minutes':>20}{'peak memory, MB':>17}")
        for rule in BY_TILE:
            seconds, memory = measured(benchmarks / rule / f"{TILE}.tsv")
            minutes = seconds * (FULL_SIDE / SIDE) ** 2 / 60
            figures |= {f"{rule}_full_tile_minutes": minutes, f"{rule}_memory_mb": memory}
            print(f"{rule:<22}{seconds:>9.1f}{minutes:>20.0f}{memory:>17.0f}")
        _, memory = measured(benchmarks / "train_fgunet.tsv")
        rate = PATCHES / seconds_of_training(folder)
        hours = PUBLISHED_PATCHES / rate / 3600
        figures |= {
            "training_patches_per_s": rate,
            "published_training_hours": hours,
            "training_memory_mb": memory,
        }
        print(f"training, two workers: {rate:.2f} patches/s; 500,000 patches: {hours:.0f} hours; "
              f"{memory:.0f} MB together")  # fmt: skip
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    machine = f"{platform.processor() or platform.machine()}, {os.cpu_count()} processors"
    RESULT.write_text(json.dumps({"machine": machine, "figures": figures, "runs": 1}, indent=1))


if __name__ == "__main__":
    main()
