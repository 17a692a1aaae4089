"""Tabulate the accuracy of each method against the polygons that it learned from."""

from collections.abc import Mapping, Sequence

from fgunet.accuracy.confusion import Confusion, pool_methods
from fgunet.comparison.curve import learning_curve
from fgunet.comparison.tables import read_table
from fgunet.files import read_json, write_csv
from fgunet.logs import log_to
from fgunet.nomenclature import read_nomenclature


def main(
    *,
    paths_to_confusions: Mapping[float, Sequence[str]],
    path_to_polygons: str,
    nomenclature: str,
    methods: Sequence[str],
    focus_group: str | None,
    bootstrap_samples: int,
    seed: int,
    path_to_table: str,
) -> None:
    budgets = {}
    for budget, paths in paths_to_confusions.items():
        tiles = [Confusion.from_dict(read_json(path)) for path in paths]
        budgets[budget] = pool_methods(tiles, methods)
    table = learning_curve(
        budgets,
        read_table(path_to_polygons, ["polygon_id", "code", "pixels", "enters"]),
        read_nomenclature(nomenclature),
        focus_group=focus_group,
        samples=bootstrap_samples,
        seed=seed,
    )
    write_csv(path_to_table, table)


if __name__ == "__main__":
    log_to(snakemake.log[0])
    main(
        paths_to_confusions={
            **{float(b): snakemake.input[f"budget_{b}"] for b in snakemake.params.budgets},
            1.0: snakemake.input.whole,
        },
        path_to_polygons=snakemake.input.polygons,
        nomenclature=snakemake.input.nomenclature,
        methods=snakemake.params.methods,
        focus_group=snakemake.params.focus_group,
        bootstrap_samples=snakemake.params.bootstrap_samples,
        seed=snakemake.params.seed,
        path_to_table=snakemake.output[0],
    )
