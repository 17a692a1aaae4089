"""How fast the full network trains, in how much memory, and how long the published job would take.

Trainings are real ones, ``python -m fgunet.training`` on a tile on disk (`tile_on_disk.py`): the
network of the study, patches of 64 pixels, 16 a step, dropout 0.2, patches read, normalised and
turned on the fly, a validation after each epoch, checkpoints. The first epoch also builds the
graph; the second is measured. Compared in turn, in one run:

- ``model.fit`` of Keras on the same network built the obvious way, fed from memory
  (`plain_keras.py`), without reading, validation or checkpoints: `over_keras_fit`;
- the machine's single-precision matrix product through TensorFlow on the same threads, for 41
  GFLOP a patch: `fraction_of_peak`;
- two workers of one thread under Horovod, and one of two threads: `horovod_efficiency`;
- the patches alone, read by two threads: `pipeline_over_step`.

`times_less_than_3300h` is the published 500,000 patches on one worker of one thread (with a
validation patch for ten patches, as the study's size has it) against the 3,300 hours that were
reported for one processor.
"""

import argparse
import csv
import os
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from series import Runs, note, print_figures, write_result
from tile_on_disk import BANDS, CODES, DATES, HIGH, LOW, ROOT, TILE, tile_folder

from fgunet.training.plan import TilePaths, TrainingPlan, write_plan
from fgunet.training.prefetch import prefetched
from fgunet.training.sources import open_patches

BATCH, THREADS, GFLOP = 16, 2, 41.0
PUBLISHED_PATCHES, PUBLISHED_HOURS = 500_000, 3300
TARGETS = {
    "over_keras_fit": ">= 1.4",
    "fraction_of_peak": ">= 0.60",
    "pipeline_over_step": ">= 10",
    "horovod_efficiency": ">= 0.90",
    "peak_gb": "< 3",
    "times_less_than_3300h": ">= 36",
    "times_less_than_3300h_bf16": ">= 58 is the aim",
}
# A worker is as quick as its threads: a large product, best of a few.
PEAK = """
import sys, time
import tensorflow as tf
tf.config.threading.set_intra_op_parallelism_threads(int(sys.argv[1]))
tf.config.threading.set_inter_op_parallelism_threads(1)
one = tf.random.normal((4096, 4096))
product = tf.function(lambda: tf.matmul(one, one))
product()
best = 1e9
for _ in range(5):
    begin = time.perf_counter()
    product().numpy()
    best = min(best, time.perf_counter() - begin)
print(2 * 4096**3 / best / 1e9)
"""


def plan_of(tile: Path, steps: int, precision: str) -> TrainingPlan:
    """The training of the study, cut to two epochs of a few steps."""
    bounds = [((value,) * len(BANDS),) * len(DATES) for value in (LOW, HIGH)]
    paths = (str(tile / name) for name in ("series.zarr", "code.tif", "split.tif"))
    return TrainingPlan(
        nomenclature="oso17",
        codes=CODES,
        tiles=(TilePaths(TILE, *paths),),
        dates=DATES,
        bands=BANDS,
        nodata=65535,
        low=bounds[0],
        high=bounds[1],
        class_weights=(1.0,) * len(CODES),
        dates_per_group=3,
        width=32,
        dropout=0.2,
        precision=precision,
        patch_size=64,
        jitter=21,
        avoid_test_context=False,
        epochs=2,
        patches_per_epoch=steps * BATCH,
        batch_size=BATCH,
        portion=2,
        learning_rate=2e-4,
        warmup_epochs=0,
        plateau_factor=0.2,
        plateau_patience=3,
        minimum_learning_rate=1e-5,
        validation_patches=max(1, steps * BATCH // 10),
        select_on="validation",
        select_by="kappa",
        checkpoint_every=2,
        tensorboard=False,
        seed=1,
    )


def environment(threads: int) -> dict[str, str]:
    binaries = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": binaries, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "2",
            "OMP_NUM_THREADS": str(threads)}  # fmt: skip


def output_of(command: list[str], threads: int) -> str:
    done = subprocess.run(
        command, env=environment(threads), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def training(
    work: Path, steps: int, *, precision: str = "float32", workers: int = 1, threads: int = THREADS
) -> tuple[float, float, float]:
    """Train two epochs; patches/s of the second without and with its validation, and peak GB."""
    write_plan(work / "plan.json", plan_of(tile_folder(work), steps, precision))
    folder = work / "trained"
    launcher = ["horovodrun", "-np", str(workers), "-H", f"localhost:{workers}", "--gloo"]
    said = output_of(
        [*(launcher if workers > 1 else []), sys.executable, "-m", "fgunet.training",
         str(work / "plan.json"), str(folder), "--threads", str(threads)],
        threads,
    )  # fmt: skip
    with (folder / "history.csv").open(encoding="utf-8") as lines:
        row = list(csv.DictReader(lines))[-1]
    peak = max(float(found) for found in re.findall(r"peak memory ([\d.]+) GB", said))
    return float(row["patches_per_s"]), steps * BATCH / float(row["wall_s"]), peak


def pipeline(work: Path, batches: int = 24) -> float:
    """Patches/s of the input alone, on two threads, once what it keeps is warm."""
    source, _ = open_patches(plan_of(tile_folder(work), 1, "float32"))
    shares = [range(n * BATCH, (n + 1) * BATCH) for n in range(batches + 2)]
    made = prefetched(source.batch, shares, depth=THREADS + 1, threads=THREADS)
    for _ in range(2):
        next(made)
    begin = time.perf_counter()
    count = sum(len(images) for images, _ in made)
    return count / (time.perf_counter() - begin)


def measure(work: Path, steps: int, measured: Runs) -> None:
    """Each of what is compared, once."""
    for threads in (1, THREADS):
        said = output_of([sys.executable, "-c", PEAK, str(threads)], threads)
        note(measured, **{f"peak_gflop_s_{threads}": float(said.split()[-1])})
    plain = [sys.executable, str(ROOT / "benchmarks" / "plain_keras.py"), "--steps", str(steps)]
    rate, peak = map(float, output_of(plain, THREADS).split()[-2:])
    note(measured, keras_fit_patches_s=rate, keras_fit_peak_gb=peak)
    rate, _, peak = training(work, steps)
    note(measured, patches_s=rate, peak_gb=peak)
    rate, _, peak = training(work, steps, workers=2, threads=1)
    note(measured, horovod_patches_s=rate, horovod_peak_gb=peak)
    rate, _, peak = training(work, steps, precision="bfloat16")
    note(measured, patches_s_bf16=rate, peak_gb_bf16=peak)
    for name, precision in (("", "float32"), ("_bf16", "bfloat16")):
        _, rate, _ = training(work, steps, precision=precision, threads=1)
        note(measured, **{f"patches_s_one_thread{name}": rate})
    note(measured, pipeline_patches_s=pipeline(work))


def figures_of(measured: Runs) -> dict[str, Any]:
    """Medians, and the ratios that have a target: each within its run, then the median."""

    def ratio(above: str, below: str, factor: float = 1.0) -> float:
        pairs = zip(measured[above], measured[below], strict=True)
        return statistics.median(factor * one / other for one, other in pairs)

    hours = PUBLISHED_HOURS * 3600 / PUBLISHED_PATCHES
    ones = ("patches_s_one_thread", "patches_s_one_thread_bf16")
    return {
        **{name: statistics.median(values) for name, values in measured.items()},
        "over_keras_fit": ratio("patches_s", "keras_fit_patches_s"),
        "over_keras_fit_bf16": ratio("patches_s_bf16", "keras_fit_patches_s"),
        "fraction_of_peak": ratio("patches_s", f"peak_gflop_s_{THREADS}", GFLOP),
        "fraction_of_peak_bf16": ratio("patches_s_bf16", f"peak_gflop_s_{THREADS}", GFLOP),
        "pipeline_over_step": ratio("pipeline_patches_s", "patches_s"),
        "pipeline_over_step_bf16": ratio("pipeline_patches_s", "patches_s_bf16"),
        "horovod_efficiency": ratio("horovod_patches_s", "patches_s"),
        "times_less_than_3300h": hours * statistics.median(measured[ones[0]]),
        "times_less_than_3300h_bf16": hours * statistics.median(measured[ones[1]]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("/tmp/fgunet_benchmark"),  # noqa: S108
                        help="where the tile is kept")  # fmt: skip
    parser.add_argument("--runs", type=int, default=3, help="runs of each; three or more count")
    parser.add_argument("--steps", type=int, default=6, help="steps of the measured epoch")
    arguments = parser.parse_args()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])
    arguments.folder.mkdir(parents=True, exist_ok=True)
    measured: Runs = {}
    for run in range(arguments.runs):
        print(f"run {run + 1} of {arguments.runs}", flush=True)
        measure(arguments.folder, arguments.steps, measured)
    figures = figures_of(measured)
    print_figures(figures, TARGETS)
    write_result("training", figures, measured)


if __name__ == "__main__":
    main()
