"""Draw the area of each class, as mapped and as estimated."""

from collections.abc import Sequence

import pandas as pd

from fgunet.logs import log_to
from fgunet.nomenclature import read_nomenclature
from fgunet.report.area_charts import class_areas
from fgunet.report.style import forest_named, save_charts


def main(
    *,
    path_to_areas: str,
    methods: Sequence[str],
    nomenclature: str,
    paths_to_figures: Sequence[str],
) -> None:
    chart = class_areas(pd.read_csv(path_to_areas), methods, read_nomenclature(nomenclature))
    save_charts({"areas": chart}, paths_to_figures)


if __name__ == "__main__":
    log_to(snakemake.log[0])
    with forest_named(snakemake.params.classifier):
        main(
            path_to_areas=snakemake.input.areas,
            methods=snakemake.params.methods,
            nomenclature=snakemake.input.nomenclature,
            paths_to_figures=list(snakemake.output),
        )
