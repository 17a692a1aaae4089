"""How fast the network maps, how near the machine's limit, and how much memory it takes.

FG-UNET at its published size and a series of 2048 x 2048 pixels x 330 channels
(`tile_on_disk.py`), on two cores. In turn, in one run:

- the job of the workflow, from the series to finished maps of classes and confidence, in float32
  and in bfloat16: `bf16_over_f32`;
- Keras's ``model.predict`` of the network as it is commonly written, on the same windows, which lie
  in its memory, normalised; it reads and writes nothing (`plain_prediction.py`):
  `over_keras_predict`, `memory_over_keras`;
- the machine's own product of large float32 matrices: `fraction_of_peak` counts the operations of
  the network as published (3.34 million a pixel) for all pixels of the windows, halos included;
  `fraction_of_peak_mapped` for the pixels of the map alone.

Then the job in bfloat16 on 512, 1024, 2048 and 4096 pixels a side, for memory and growth:
`minutes_per_tile` is extrapolated to 10980 x 10980 pixels, by the pixels that its windows read,
from the two largest. Seconds are of the job without its imports. The weights are random: the work
does not depend on them. `precision.py` compares both precisions on a trained network.
"""

import argparse
import json
import math
import os
import re
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
from jobs import run_job
from series import Runs, note, print_figures, write_result
from tile_on_disk import BANDS, CODES, DATES, HIGH, LOW, ROOT, SIDE, tile_folder

from fgunet.files import write_json
from fgunet.mapping.network_predictor import NetworkPredictor
from fgunet.mapping.tile import SAME_PIXELS
from fgunet.mapping.windows import MappingWindow, core_within, plan_windows
from fgunet.network import build_fgunet
from fgunet.nomenclature import read_nomenclature
from fgunet.series.interpolation import NODATA

NOMENCLATURE = ROOT / "tables" / "oso17.yaml"
THREADS, MEMORY_MB, FULL_SIDE, FLOP = 2, 3000, 10980, 3.34e6
SIDES = (512, 1024, 2048, 4096)
PEAK = re.compile(r"(f32|bf16)_peak_gb|peak_\d+_gb")
TARGETS = {
    "over_keras_predict": ">= 1",
    "memory_over_keras": "<= 0.25",
    "fraction_of_peak": ">= 0.70",
    "bf16_over_f32": ">= 1.6",
    "minutes_per_tile": "30, 25 is the aim",
    "minutes_per_tile_f32": "",
    "peak_gb": "< 3",
    "growth_exponent": "about 1",
}


def make_model(work: Path) -> NetworkPredictor:
    """Write a network with random weights and its metadata, as a training does."""
    keras.utils.set_random_seed(3)
    model = build_fgunet(n_groups=11, dates_per_group=3, n_bands=len(BANDS), n_classes=len(CODES))
    shape = len(DATES), len(BANDS)
    metadata = {
        "nomenclature": read_nomenclature(NOMENCLATURE).name,
        "codes": list(CODES),
        "dates": list(DATES),
        "bands": list(BANDS),
        "low": np.full(shape, LOW).tolist(),
        "high": np.full(shape, HIGH).tolist(),
        "nodata": NODATA,
    }
    model.save(work / "model.keras")
    write_json(work / "metadata.json", metadata)
    return NetworkPredictor(model, metadata, dates=DATES, bands=BANDS, nodata=NODATA)


def classify(work: Path, tile: Path, precision: str) -> tuple[float, float, float]:
    """Seconds of the job, of its process, and its peak in GB."""
    return run_job(
        "classify_fgunet",
        path_to_series=tile / "series.zarr",
        path_to_model=work / "model.keras",
        path_to_metadata=work / "metadata.json",
        nomenclature=NOMENCLATURE,
        precision=precision,
        windows={},
        layers={},
        calibrated=False,
        memory_mb=MEMORY_MB,
        threads=THREADS,
        path_to_class=work / "class.tif",
        path_to_confidence=work / "confidence.tif",
        path_to_margin=None,
        path_to_probabilities=None,
        path_to_facts=work / "mapping.json",
    )


def plain_prediction(shapes: list[tuple[int, int]]) -> list[float]:
    """Seconds and peak in GB of Keras, and GFLOP/s of the machine's matrix product."""
    command = [sys.executable, str(ROOT / "benchmarks" / "plain_prediction.py"), json.dumps(shapes)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    figures: list[float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def windows_of(side: int, pixels: float) -> list[MappingWindow]:
    core = core_within((side, side), pixels=pixels, halo=24, stride=4)
    return plan_windows((side, side), core=core, halo=24, stride=4)


def pixels_read(windows: list[MappingWindow]) -> int:
    return sum(math.prod(window.read.shape) for window in windows)


def measure(work: Path, runs: int, pixels: float, measured: Runs) -> None:
    """The job in both precisions, and Keras, in turn."""
    tile, windows = tile_folder(work, SIDE), windows_of(SIDE, pixels)
    for _ in range(runs):
        seconds, process, peak = classify(work, tile, "float32")
        note(measured, f32_s=seconds, f32_process_s=process, f32_peak_gb=peak)
        seconds, process, peak = classify(work, tile, "bfloat16")
        note(measured, bf16_s=seconds, bf16_process_s=process, bf16_peak_gb=peak)
        seconds, peak, product = plain_prediction([window.read.shape for window in windows])
        note(measured, keras_s=seconds, keras_peak_gb=peak, matrix_gflops=product)


def measure_growth(work: Path, measured: Runs) -> None:
    for side in SIDES:
        seconds, _, peak = classify(work, tile_folder(work, side), "bfloat16")
        note(measured, **{f"bf16_{side}_s": seconds, f"peak_{side}_gb": peak})


def medians(measured: Runs) -> dict[str, Any]:
    return {name: statistics.median(values) for name, values in measured.items()}


def figures_of(measured: Runs, pixels: float) -> dict[str, Any]:
    """Medians, ratios within a run, and projections."""
    figures = medians(measured)
    read = pixels_read(windows_of(SIDE, pixels))

    def ratios(above: str, below: str, factor: float = 1.0) -> list[float]:
        return [factor * a / b for a, b in zip(measured[above], measured[below], strict=True)]

    within_runs = {
        "over_keras_predict": ratios("keras_s", "f32_s"),
        "memory_over_keras": ratios("f32_peak_gb", "keras_peak_gb"),
        "bf16_over_f32": ratios("f32_s", "bf16_s"),
    }
    figures |= medians(within_runs)
    reached = FLOP / figures["f32_s"] / figures["matrix_gflops"] / 1e9
    figures["fraction_of_peak"] = read * reached
    figures["fraction_of_peak_mapped"] = SIDE**2 * reached
    figures["minutes_per_tile_f32"] = (
        figures["f32_s"] / read * pixels_read(windows_of(FULL_SIDE, pixels)) / 60
    )
    if "bf16_4096_s" in figures:
        figures |= _growth(figures)
    return figures


def _growth(figures: dict[str, Any]) -> dict[str, float]:
    seconds = [figures[f"bf16_{side}_s"] for side in SIDES]
    reads = [pixels_read(windows_of(side, SAME_PIXELS)) for side in (*SIDES, FULL_SIDE)]
    a_pixel = (seconds[-1] - seconds[-2]) / (reads[-2] - reads[-3])
    whole = seconds[-1] + a_pixel * (reads[-1] - reads[-2])
    return {
        "minutes_per_tile": whole / 60,
        "growth_exponent": math.log(seconds[-1] / seconds[-2]) / math.log(4),
        "peak_gb": max(figures[name] for name in figures if PEAK.fullmatch(name)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("/tmp/fgunet_benchmark"))  # noqa: S108
    parser.add_argument("--runs", type=int, default=3, help="runs of each; three or more count")
    parser.add_argument("--only", choices=["comparison"], help="without growth")
    arguments = parser.parse_args()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])
    work = arguments.folder
    work.mkdir(parents=True, exist_ok=True)
    pixels = make_model(work).memory.pixels(MEMORY_MB)
    measured: Runs = {}
    measure(work, arguments.runs, pixels, measured)
    if not arguments.only:
        measure_growth(work, measured)
    figures = figures_of(measured, pixels)
    print_figures(figures, TARGETS)
    write_result("mapping", figures, measured)


if __name__ == "__main__":
    main()
