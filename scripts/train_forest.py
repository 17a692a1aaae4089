"""Train the Random Forest, or what is in its place, on the pixels of all tiles."""

from collections.abc import Mapping, Sequence
from typing import Any

from fgunet.forest.archive import save_forest
from fgunet.forest.classifiers import ForestSettings
from fgunet.forest.samples import merge_samples
from fgunet.forest.sampling import Sampling
from fgunet.forest.tables import read_samples
from fgunet.forest.training import train_forest
from fgunet.logs import log_to
from fgunet.nomenclature import read_nomenclature


def main(
    *,
    paths_to_samples: Sequence[str],
    paths_to_validation: Sequence[str],
    nomenclature: str,
    sampling: Mapping[str, Any],
    validation_sampling: Mapping[str, Any],
    settings: Mapping[str, Any],
    seed: int,
    threads: int,
    path_to_forest: str,
    path_to_metadata: str,
) -> None:
    parts = (read_samples(path) for path in paths_to_validation)
    validation = merge_samples(parts, Sampling(**validation_sampling))
    forest = train_forest(
        merge_samples((read_samples(path) for path in paths_to_samples), Sampling(**sampling)),
        read_nomenclature(nomenclature),
        ForestSettings(**settings),
        validation=validation,
        seed=seed,
        threads=threads,
    )
    save_forest(forest, path_to_forest, path_to_metadata)


if __name__ == "__main__":
    log_to(snakemake.log[0])
    main(
        paths_to_samples=snakemake.input.samples,
        paths_to_validation=snakemake.input.validation,
        nomenclature=snakemake.input.nomenclature,
        sampling=snakemake.params.sampling,
        validation_sampling=snakemake.params.validation_sampling,
        settings=snakemake.params.settings,
        seed=snakemake.params.seed,
        threads=snakemake.threads,
        path_to_forest=snakemake.output.forest,
        path_to_metadata=snakemake.output.metadata,
    )
