"""Intervals by polygon of a country's test polygons, and what a user would write instead.

6,000 polygons of 17 classes, 20 pixels each: kappa, overall accuracy and F-scores of 1,000
resamples. Beside it, in turn, a loop with scikit-learn's metrics over the pixels of resampled
polygons, for a few resamples. Both draw whole polygons, class by class.
"""

import argparse
import time

import numpy as np
from numpy.typing import NDArray
from series import print_figures, write_result
from sklearn.metrics import accuracy_score, cohen_kappa_score, f1_score

from fgunet.accuracy.intervals import interval, resample_confusions
from fgunet.accuracy.scores import f_scores, kappa, overall_accuracy

POLYGONS, CLASSES, PIXELS = 6000, 17, 20
SAMPLES, SAMPLES_OF_LOOP = 1000, 10
TARGETS = {"loop_over_ours": "> 100 for each resample"}


def simulate() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Reference class of each polygon, and mapped class of each of its pixels (polygon, pixel)."""
    random = np.random.default_rng(1)
    references = np.sort(random.integers(CLASSES, size=POLYGONS))
    others = random.integers(CLASSES, size=(POLYGONS, PIXELS))
    right = random.random((POLYGONS, PIXELS)) < random.beta(4, 1, size=(POLYGONS, 1))
    return references, np.where(right, references[:, None], others)


def ours(references: NDArray[np.int64], mapped: NDArray[np.int64]) -> float:
    """Seconds a resample."""
    counts = np.stack([np.bincount(row, minlength=CLASSES) for row in mapped])
    begin = time.perf_counter()
    drawn = resample_confusions(references, counts, CLASSES, samples=SAMPLES, seed=0)
    for score in (kappa, overall_accuracy, f_scores):
        interval(score(drawn))
    return (time.perf_counter() - begin) / SAMPLES


def loop(references: NDArray[np.int64], mapped: NDArray[np.int64]) -> float:
    """Seconds a resample."""
    random = np.random.default_rng(0)
    places = [np.flatnonzero(references == label) for label in range(CLASSES)]
    begin = time.perf_counter()
    for _ in range(SAMPLES_OF_LOOP):
        chosen = np.concatenate([random.choice(here, here.size) for here in places])
        truth, found = np.repeat(references[chosen], PIXELS), mapped[chosen].ravel()
        cohen_kappa_score(truth, found)
        accuracy_score(truth, found)
        f1_score(truth, found, average=None, labels=range(CLASSES))
    return (time.perf_counter() - begin) / SAMPLES_OF_LOOP


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="runs of each; three or more count")
    world = simulate()
    runs: dict[str, list[float]] = {"resample_ms": [], "loop_resample_ms": []}
    for _ in range(parser.parse_args().runs):
        runs["resample_ms"].append(1000 * ours(*world))
        runs["loop_resample_ms"].append(1000 * loop(*world))
    figures = {name: float(np.median(values)) for name, values in runs.items()}
    figures["loop_over_ours"] = figures["loop_resample_ms"] / figures["resample_ms"]
    print_figures(figures, TARGETS)
    write_result("accuracy", figures, runs)


if __name__ == "__main__":
    main()
