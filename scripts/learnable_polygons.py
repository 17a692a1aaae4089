"""Choose the training polygons that the methods may learn from, and at which budget each enters."""

from collections.abc import Sequence

from fgunet.comparison.pool import choose_pool
from fgunet.comparison.tables import read_table, write_table
from fgunet.comparison.tally import merge
from fgunet.logs import log_to
from fgunet.vectors import read_layer

COLUMNS = ["polygon_id", "feature", "code"]
COUNTS = ["pixels", "usable"]


def main(
    *,
    path_to_layer: str,
    paths_to_labels: Sequence[str],
    equal_labels: bool,
    seed: int,
    path_to_polygons: str,
) -> None:
    layer = read_layer(path_to_layer, columns=COLUMNS, where="split = 'training'")
    tiles = [read_table(path, ["polygon_id", "code", *COUNTS]) for path in paths_to_labels]
    counts = merge(tiles, COUNTS)
    polygons = choose_pool(layer, counts, equal_labels=equal_labels, seed=seed)
    write_table(path_to_polygons, polygons)


if __name__ == "__main__":
    log_to(snakemake.log[0])
    main(
        path_to_layer=snakemake.input.layer,
        paths_to_labels=snakemake.input.labels,
        equal_labels=snakemake.params.equal_labels,
        seed=snakemake.params.seed,
        path_to_polygons=snakemake.output[0],
    )
