"""Score and compare the methods on their maps as they are and after the majority filter."""

from collections.abc import Sequence

from fgunet.accuracy.comparison import compare_first_two
from fgunet.accuracy.confusion import Confusion, pool_methods
from fgunet.accuracy.regularisation import MAJORITY, NONE, regularisation_table
from fgunet.files import read_json, write_csv, write_json
from fgunet.logs import log_to
from fgunet.nomenclature import read_nomenclature


def main(
    *,
    paths_to_raw: Sequence[str],
    path_to_raw_comparison: str,
    paths_to_majority: Sequence[str],
    nomenclature: str,
    methods: Sequence[str],
    radius: int,
    focus_group: str | None,
    bootstrap_samples: int,
    seed: int,
    path_to_table: str,
    path_to_comparison: str,
) -> None:
    classes = read_nomenclature(nomenclature)
    raw, filtered = (
        [Confusion.from_dict(read_json(path)) for path in paths]
        for paths in (paths_to_raw, paths_to_majority)
    )
    pooled = {
        NONE: raw,
        MAJORITY: pool_methods(filtered, methods),
    }
    table = regularisation_table(
        pooled, classes, focus_group=focus_group, samples=bootstrap_samples, seed=seed
    )
    write_csv(path_to_table, table)
    group = classes.group(focus_group) if focus_group else ()
    after = compare_first_two(pooled[MAJORITY], group=group, samples=bootstrap_samples, seed=seed)
    comparisons = {NONE: read_json(path_to_raw_comparison), MAJORITY: after}
    write_json(path_to_comparison, {"majority_radius": radius, "comparisons": comparisons})


if __name__ == "__main__":
    log_to(snakemake.log[0])
    main(
        paths_to_raw=snakemake.input.raw,
        path_to_raw_comparison=snakemake.input.raw_comparison,
        paths_to_majority=snakemake.input.majority,
        nomenclature=snakemake.input.nomenclature,
        methods=snakemake.params.methods,
        radius=snakemake.params.radius,
        focus_group=snakemake.params.focus_group,
        bootstrap_samples=snakemake.params.bootstrap_samples,
        seed=snakemake.params.seed,
        path_to_table=snakemake.output.table,
        path_to_comparison=snakemake.output.comparison,
    )
