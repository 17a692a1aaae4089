"""Score the maps by tile, pooled and by class, and compare the first two methods likewise."""

from collections.abc import Sequence

from fgunet.accuracy.comparison import compare_first_two
from fgunet.accuracy.confusion import Confusion, pool_methods
from fgunet.accuracy.differences import difference_table
from fgunet.accuracy.tables import confusion_table, tabulate
from fgunet.files import read_json, write_csv, write_json
from fgunet.logs import log_to
from fgunet.nomenclature import read_nomenclature


def main(
    *,
    paths_to_confusions: Sequence[str],
    nomenclature: str,
    methods: Sequence[str],
    focus_group: str | None,
    bootstrap_samples: int,
    seed: int,
    paths_to_pooled: Sequence[str],
    paths_to_matrices: Sequence[str],
    path_to_summary: str,
    path_to_classes: str,
    path_to_comparison: str,
    path_to_differences: str,
) -> None:
    classes = read_nomenclature(nomenclature)
    confusions = [Confusion.from_dict(read_json(path)) for path in paths_to_confusions]
    pooled = pool_methods(confusions, methods)
    for path, confusion in zip(paths_to_pooled, pooled, strict=True):
        write_json(path, confusion.to_dict())
    drawing = {"samples": bootstrap_samples, "seed": seed}
    tables = tabulate([*pooled, *confusions], classes, focus_group=focus_group, **drawing)
    group = classes.group(focus_group) if focus_group else ()
    comparison = compare_first_two(pooled, group=group, **drawing)
    write_json(path_to_comparison, comparison)
    differences = difference_table(comparison, confusions, classes, **drawing)
    matrices = (confusion_table(confusion.matrix, classes) for confusion in pooled)
    paths = path_to_summary, path_to_classes, path_to_differences, *paths_to_matrices
    for path, table in zip(paths, (*tables, differences, *matrices), strict=True):
        write_csv(path, table)


if __name__ == "__main__":
    log_to(snakemake.log[0])
    main(
        paths_to_confusions=snakemake.input.confusions,
        nomenclature=snakemake.input.nomenclature,
        methods=snakemake.params.methods,
        focus_group=snakemake.params.focus_group,
        bootstrap_samples=snakemake.params.bootstrap_samples,
        seed=snakemake.params.seed,
        paths_to_pooled=snakemake.output.pooled,
        paths_to_matrices=snakemake.output.matrices,
        path_to_summary=snakemake.output.summary,
        path_to_classes=snakemake.output.classes,
        path_to_comparison=snakemake.output.comparison,
        path_to_differences=snakemake.output.differences,
    )
