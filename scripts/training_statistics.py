"""Histograms of a tile's training pixels, as results/statistics/{tile}.npz."""

from fgunet.logs import log_to
from fgunet.patches.labels import SplitLabels
from fgunet.patches.statistics import tile_statistics, write_statistics
from fgunet.reference.sides import TRAINING
from fgunet.series.store import SeriesStore


def main(
    *,
    path_to_series: str,
    path_to_code: str,
    path_to_split: str,
    path_to_statistics: str,
) -> None:
    any_code = range(1, 256)  # the statistics do not tell classes apart
    labels = SplitLabels(path_to_code, path_to_split, any_code, TRAINING)
    statistics = tile_statistics(SeriesStore(path_to_series), labels)
    write_statistics(path_to_statistics, statistics)


if __name__ == "__main__":
    log_to(snakemake.log[0], snakemake.wildcards.tile)
    main(
        path_to_series=snakemake.input.series,
        path_to_code=snakemake.input.code,
        path_to_split=snakemake.input.split,
        path_to_statistics=snakemake.output[0],
    )
