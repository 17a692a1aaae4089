"""Draw accuracy in its context, and how far the maps' confidence can be believed."""

from collections.abc import Sequence

import pandas as pd

from fgunet.logs import log_to
from fgunet.report.context_charts import accuracy_in_context, reliability
from fgunet.report.style import forest_named, save_charts


def main(
    *,
    methods: Sequence[str],
    path_to_table: str,
    path_to_reliability: str,
    path_to_calibration: str,
    paths_to_figures: Sequence[str],
) -> None:
    bins, calibration = pd.read_csv(path_to_reliability), pd.read_csv(path_to_calibration)
    drawn = {
        "accuracy_in_context": accuracy_in_context(pd.read_csv(path_to_table), methods),
        "reliability": reliability(bins, calibration, methods),
    }
    save_charts(drawn, paths_to_figures)


if __name__ == "__main__":
    log_to(snakemake.log[0])
    with forest_named(snakemake.params.classifier):
        main(
            methods=snakemake.params.methods,
            path_to_table=snakemake.input.context,
            path_to_reliability=snakemake.input.reliability,
            path_to_calibration=snakemake.input.calibration,
            paths_to_figures=list(snakemake.output),
        )
