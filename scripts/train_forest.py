"""Train the Random Forest on the pixels of all tiles."""

from fgunet.forest.archive import save_forest
from fgunet.forest.model import train_forest
from fgunet.forest.samples import merge_samples
from fgunet.forest.tables import read_samples
from fgunet.logs import log_to
from fgunet.nomenclature import read_nomenclature


def main(
    *,
    paths_to_samples: list[str],
    nomenclature: str,
    trees: int,
    depth: int,
    samples_per_class: int,
    seed: int,
    threads: int,
    path_to_forest: str,
    path_to_metadata: str,
) -> None:
    parts = [read_samples(path) for path in paths_to_samples]
    forest = train_forest(
        merge_samples(parts, samples_per_class),
        read_nomenclature(nomenclature),
        trees=trees,
        depth=depth,
        samples_per_class=samples_per_class,
        seed=seed,
        threads=threads,
    )
    save_forest(forest, path_to_forest, path_to_metadata)


if __name__ == "__main__":
    log_to(snakemake.log[0])
    main(
        paths_to_samples=list(snakemake.input.samples),
        nomenclature=snakemake.input.nomenclature,
        trees=snakemake.params.trees,
        depth=snakemake.params.depth,
        samples_per_class=snakemake.params.samples_per_class,
        seed=snakemake.params.seed,
        threads=snakemake.threads,
        path_to_forest=snakemake.output.forest,
        path_to_metadata=snakemake.output.metadata,
    )
