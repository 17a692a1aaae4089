"""Accuracy by what may matter to it, and how far the maps' confidence can be believed."""

from collections.abc import Mapping, Sequence

import pandas as pd

from fgunet.accuracy.context import (
    BORDER,
    CLEAR_DAYS,
    CONFIDENCE,
    TRAINING_DISTANCE,
    by_training_distance,
    read_context,
)
from fgunet.accuracy.context_tables import context_table, reliability_table
from fgunet.files import write_csv
from fgunet.logs import log_to


def main(
    *,
    paths_to_contexts: Mapping[str, Sequence[str]],
    path_to_distances: str,
    bootstrap_samples: int,
    seed: int,
    path_to_table: str,
    path_to_changes: str,
    path_to_reliability: str,
    path_to_calibration: str,
) -> None:
    distances = pd.read_parquet(path_to_distances)
    drawing = {"samples": bootstrap_samples, "seed": seed}
    tables, changes, reliability, calibration = [], [], [], []
    for covariate in (BORDER, CLEAR_DAYS, TRAINING_DISTANCE):
        # All pixels have a distance to the border: by it, whole polygons are counted.
        read_by = BORDER if covariate == TRAINING_DISTANCE else covariate
        counts = {m: read_context(paths, read_by) for m, paths in paths_to_contexts.items()}
        if covariate == TRAINING_DISTANCE:
            counts = {m: by_training_distance(of, distances) for m, of in counts.items()}
        table, change = context_table(counts, covariate, **drawing)
        tables.append(table)
        changes.append(change)
    for method, paths in paths_to_contexts.items():
        bins, whole = reliability_table(read_context(paths, CONFIDENCE), method, **drawing)
        reliability.append(bins)
        calibration.append(pd.DataFrame([whole]))
    found = {
        path_to_table: tables,
        path_to_changes: changes,
        path_to_reliability: reliability,
        path_to_calibration: calibration,
    }
    for path, parts in found.items():
        write_csv(path, pd.concat(parts))


if __name__ == "__main__":
    log_to(snakemake.log[0])
    main(
        paths_to_contexts={m: snakemake.input.get(m) for m in snakemake.params.methods},
        path_to_distances=snakemake.input.distances,
        bootstrap_samples=snakemake.params.bootstrap_samples,
        seed=snakemake.params.seed,
        path_to_table=snakemake.output.context,
        path_to_changes=snakemake.output.context_changes,
        path_to_reliability=snakemake.output.reliability,
        path_to_calibration=snakemake.output.calibration,
    )
