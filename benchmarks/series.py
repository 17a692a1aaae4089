"""How fast products become a series, and in how much memory.

Stacking 70 acquisitions of ten bands on two cores is compared to merely reading the same files
with rasterio: on two threads, each file opened once and read whole, which is faster than by its
strips. Stacking is what a job of the workflow does, with memory as the rule gives it, in a fresh
process with the machine code of earlier runs on disk. Imports are left out on both sides;
`stack_process_over_read` counts those of stacking. All files are in the page cache.

Interpolation is compared, on one thread and one block, to xarray's ``interpolate_na`` and
``interp`` and to a loop over the dates in NumPy. xarray is given its numbers as it needs them,
NaN under clouds, outside of the time that is measured, and neither counts gaps.

What is compared runs in turn; figures are medians.
"""

import argparse
import os
import platform
import shutil
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import xarray
from numpy.typing import NDArray
from products import (
    ROOT,
    SHAPE,
    THREADS,
    WIDER,
    WORK,
    dates,
    listed,
    listing,
    name_of,
    series_path,
    shipped,
    stack,
)

from fgunet.files import write_json
from fgunet.grid import Window
from fgunet.sentinel2.acquisition import Acquisition
from fgunet.sentinel2.masks import Masking, chosen_reasons
from fgunet.sentinel2.reading import read_block
from fgunet.series.dates import day_numbers
from fgunet.series.interpolation import NODATA, interpolate

BLOCK = Window(768, 640, 256, 256)
TARGETS = {
    "interpolation_over_xarray": ">= 10",
    "interpolation_over_numpy": ">= 3",
    "peak_gb": "< 2.5",
    "peak_4096_over_2048": "0.9 to 1.1",
}

Runs = dict[str, list[float]]
"""What was measured, by figure."""


def read_all(acquisitions: Sequence[Acquisition]) -> tuple[float, float]:
    """Read every file that stacking needs; seconds, and MB of numbers."""
    files = [path for a in acquisitions for path in (*a.bands.values(), *a.masks.values())]

    def read(path: str) -> int:
        with rasterio.open(path) as dataset:
            return int(dataset.read(1).nbytes)

    begin = time.perf_counter()
    with (
        rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR"),
        ThreadPoolExecutor(THREADS) as pool,
    ):
        size = sum(pool.map(read, files))
    return time.perf_counter() - begin, size / 1e6


def measure_stacking(folder: Path, runs: int) -> Runs:
    """Read and stack the tile, and stack the wider one, in turn."""
    shutil.rmtree(folder / "machine_code", ignore_errors=True)
    listings = {shape: listing(folder, shape) for shape in (SHAPE, WIDER)}
    acquisitions = listed(listings[SHAPE])
    # First of all, so that files are in the page cache and machine code is on disk.
    read_all(acquisitions)
    job = stack(folder, SHAPE, listings[SHAPE])
    measured: Runs = {"stack_first_s": [job.whole], "peak_first_gb": [job.peak]}
    for _ in range(runs):
        seconds, size = read_all(acquisitions)
        note(measured, read_s=seconds, read_mb_per_s=size / seconds)
        job = stack(folder, SHAPE, listings[SHAPE])
        note(measured, stack_s=job.seconds, stack_process_s=job.whole,
             stack_mb_per_s=size / job.seconds, peak_gb=job.peak)  # fmt: skip
    for _ in range(runs):
        job = stack(folder, WIDER, listings[WIDER])
        note(measured, stack_4096_s=job.seconds, peak_4096_gb=job.peak)
    shutil.rmtree(series_path(folder, WIDER))
    return measured


def measure_interpolation(path_to_listing: Path, runs: int) -> Runs:
    """Interpolate one block in three ways, in turn; SystemExit where results differ."""
    acquisitions = listed(path_to_listing)
    values, valid = _block(acquisitions, Masking(chosen_reasons(shipped()["products"]["masks"])))
    days, targets = day_numbers([a.date for a in acquisitions]), day_numbers(dates())
    times, regular = (numbers.astype("datetime64[D]").astype("datetime64[ns]")
                      for numbers in (days, targets))  # fmt: skip
    clouded = xarray.DataArray(
        np.where(valid[:, None], values, np.float32(np.nan)),
        {"time": times}, ("time", "band", "y", "x"),
    )  # fmt: skip
    print(f"block {values.shape} to {len(targets)} dates, {1 - valid.mean():.0%} invalid")
    interpolate(values, valid, days, targets, max_gap_days=60)
    measured: Runs = {}
    for _ in range(runs):
        seconds, ours = _timed(
            lambda: interpolate(values, valid, days, targets, max_gap_days=60).series
        )
        note(measured, interpolation_s=seconds)
        seconds, other = _timed(lambda: by_numpy(values, valid, days, targets))
        note(measured, interpolation_numpy_s=seconds)
        _require_same("NumPy", ours, other, valid.sum(axis=0) > 0)
        seconds, other = _timed(lambda: by_xarray(clouded, regular))
        note(measured, interpolation_xarray_s=seconds)
        # xarray leaves a pixel with a single value as it is.
        _require_same("xarray", ours, other, valid.sum(axis=0) > 1)
    return measured


def _block(
    acquisitions: Sequence[Acquisition], masking: Masking
) -> tuple[NDArray[np.uint16], NDArray[np.bool_]]:
    """Reflectance (time, band, y, x) and usable pixels (time, y, x) of a block."""
    bands = shipped()["products"]["bands"]
    read = [read_block(acquisition, bands, masking, BLOCK) for acquisition in acquisitions]
    return np.stack([values for values, _ in read]), np.stack([valid for _, valid in read])


def by_xarray(clouded: xarray.DataArray, regular: NDArray[Any]) -> NDArray[Any]:
    """What a user of xarray writes; (None, None) is how NumPy is told to hold the ends."""
    filled = clouded.interpolate_na(dim="time", method="linear", fill_value=(None, None))
    inside = np.clip(regular, clouded.time.values[0], clouded.time.values[-1])
    result: NDArray[Any] = filled.interp(time=inside).values
    return result


def by_numpy(
    values: NDArray[np.uint16],
    valid: NDArray[np.bool_],
    days: NDArray[np.int64],
    targets: NDArray[np.int64],
) -> NDArray[np.uint16]:
    """What a user of NumPy writes: for each date the valid places around it, and a blend."""
    count, *shape = values.shape
    places = np.arange(count, dtype=np.int32)[:, None, None]
    last = np.maximum.accumulate(np.where(valid, places, -1), axis=0)
    following = np.minimum.accumulate(np.where(valid, places, count)[::-1], axis=0)[::-1]
    result = np.empty((len(targets), *shape), np.uint16)
    flat, size = values.reshape(-1), values[0].size
    inside = np.arange(size, dtype=np.int32).reshape(shape)
    for date, target in enumerate(targets):
        before = np.searchsorted(days, target, side="right") - 1
        after = np.searchsorted(days, target, side="left")
        left = last[before] if before >= 0 else np.full_like(last[0], -1)
        right = following[after] if after < count else np.full_like(last[0], count)
        left, right = np.where(left < 0, right, left), np.where(right == count, left, right)
        left, right = left.clip(0, count - 1), right.clip(0, count - 1)
        share = (target - days[left]) / np.maximum(days[right] - days[left], 1)
        start = flat[left * size + inside].astype(np.float32)
        end = flat[right * size + inside]
        result[date] = np.rint(start + (end - start) * share.astype(np.float32))
    result[:, :, ~valid.any(axis=0)] = NODATA
    return result


def _require_same(
    name: str, ours: NDArray[np.uint16], other: NDArray[Any], where: NDArray[np.bool_]
) -> None:
    """Stop unless both agree to rounding; float32 has 24 bits."""
    difference = np.abs(ours.astype(np.float64) - other)[:, :, where].max()
    limit = 1 if other.dtype == np.uint16 else 0.502
    if difference > limit:
        raise SystemExit(f"{name} differs by {difference}; the comparison would not be fair")
    print(f"agrees with {name}: greatest difference {difference:.4f}")


def _timed(work: Callable[[], NDArray[Any]]) -> tuple[float, NDArray[Any]]:
    begin = time.perf_counter()
    result = work()
    return time.perf_counter() - begin, result


def note(measured: Runs, **values: float) -> None:
    """Add to what was measured."""
    for name, value in values.items():
        measured.setdefault(name, []).append(value)


def figures_of(measured: Runs) -> dict[str, float]:
    """Medians, and the ratios that have a target."""
    figures = {name: statistics.median(values) for name, values in measured.items()}
    ratios = {
        "stack_over_read": ("read_s", "stack_s"),
        "stack_process_over_read": ("read_s", "stack_process_s"),
        "interpolation_over_xarray": ("interpolation_xarray_s", "interpolation_s"),
        "interpolation_over_numpy": ("interpolation_numpy_s", "interpolation_s"),
        "peak_4096_over_2048": ("peak_4096_gb", "peak_gb"),
    }
    return figures | {name: figures[a] / figures[b] for name, (a, b) in ratios.items()}


def print_figures(figures: dict[str, float], targets: dict[str, str]) -> None:
    """Print a table of figures beside what is asked of them."""
    print(f"\n{'figure':<28}{'median':>10}  target")
    for name, value in figures.items():
        print(f"{name:<28}{value:>10.4g}  {targets.get(name, '')}")


def write_result(name: str, figures: dict[str, float], runs: Runs) -> None:
    """Write benchmarks/results/<name>.json."""
    machine = f"{platform.processor() or platform.machine()}, {os.cpu_count()} processors"
    path = ROOT / "benchmarks" / "results" / f"{name}.json"
    write_json(path, {"machine": machine, "figures": figures, "runs": runs})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=WORK, help="where products are kept")
    parser.add_argument("--runs", type=int, default=3, help="runs of each; three or more count")
    arguments = parser.parse_args()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])
    measured = measure_stacking(arguments.folder, arguments.runs)
    measured |= measure_interpolation(arguments.folder / f"{name_of(SHAPE)}.json", arguments.runs)
    figures = figures_of(measured)
    print_figures(figures, TARGETS)
    write_result("series", figures, measured)


if __name__ == "__main__":
    main()
