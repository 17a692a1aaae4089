"""Draw where the methods differ, and whether that goes with how urban a tile is."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from fgunet.logs import log_to
from fgunet.nomenclature import read_nomenclature
from fgunet.report.comparison_charts import differences, urban_share
from fgunet.report.style import forest_named, save_charts


def main(
    *,
    methods: Sequence[str],
    nomenclature: str,
    focus_group: str | None,
    path_to_differences: str,
    path_to_urban_share: str | None,
    paths_to_figures: Sequence[str],
) -> None:
    drawn, wanted = {}, {Path(path).stem for path in paths_to_figures}
    if "differences" in wanted:
        table = pd.read_csv(path_to_differences)
        drawn["differences"] = differences(table, methods, read_nomenclature(nomenclature))
    if "urban_share" in wanted:
        table = pd.read_csv(path_to_urban_share)
        drawn["urban_share"] = urban_share(table, methods, focus_group)
    save_charts(drawn, paths_to_figures)


if __name__ == "__main__":
    log_to(snakemake.log[0])
    with forest_named(snakemake.params.classifier):
        main(
            methods=snakemake.params.methods,
            nomenclature=snakemake.input.nomenclature,
            focus_group=snakemake.params.focus_group,
            path_to_differences=snakemake.input.differences,
            path_to_urban_share=snakemake.input.get("urban_share"),
            paths_to_figures=list(snakemake.output),
        )
