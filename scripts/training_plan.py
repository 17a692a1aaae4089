"""The plan of the network's training, as results/models/fgunet/plan.json."""

from collections.abc import Sequence
from typing import Any

from fgunet.logs import log_to
from fgunet.nomenclature import read_nomenclature
from fgunet.training.plan import TilePaths, write_plan
from fgunet.training.planning import make_plan


def main(
    *,
    tiles: Sequence[str],
    seed: int,
    settings: dict[str, Any],
    path_to_nomenclature: str,
    paths_to_series: Sequence[str],
    paths_to_code: Sequence[str],
    paths_to_split: Sequence[str],
    paths_to_statistics: Sequence[str],
    path_to_plan: str,
) -> None:
    columns = tiles, paths_to_series, paths_to_code, paths_to_split
    plan = make_plan(
        tiles=[TilePaths(*row) for row in zip(*columns, strict=True)],
        paths_to_statistics=paths_to_statistics,
        nomenclature=read_nomenclature(path_to_nomenclature),
        seed=seed,
        **settings,
    )
    write_plan(path_to_plan, plan)


if __name__ == "__main__":
    log_to(snakemake.log[0])
    main(
        tiles=snakemake.params.tiles,
        seed=snakemake.params.seed,
        settings=snakemake.params.settings,
        path_to_nomenclature=snakemake.input.nomenclature,
        paths_to_series=snakemake.input.series,
        paths_to_code=snakemake.input.codes,
        paths_to_split=snakemake.input.splits,
        paths_to_statistics=snakemake.input.statistics,
        path_to_plan=snakemake.output[0],
    )
