"""Score the regularised maps over all tiles."""

from collections.abc import Sequence

from fgunet.accuracy.confusion import Confusion, pool_methods
from fgunet.accuracy.tables import tabulate
from fgunet.files import read_json, write_csv
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
    path_to_scores: str,
) -> None:
    confusions = [Confusion.from_dict(read_json(path)) for path in paths_to_confusions]
    scores, _ = tabulate(
        pool_methods(confusions, methods),
        read_nomenclature(nomenclature),
        focus_group=focus_group,
        samples=bootstrap_samples,
        seed=seed,
    )
    write_csv(path_to_scores, scores)


if __name__ == "__main__":
    log_to(snakemake.log[0])
    main(
        paths_to_confusions=snakemake.input.confusions,
        nomenclature=snakemake.input.nomenclature,
        methods=snakemake.params.methods,
        focus_group=snakemake.params.focus_group,
        bootstrap_samples=snakemake.params.bootstrap_samples,
        seed=snakemake.params.seed,
        path_to_scores=snakemake.output[0],
    )
