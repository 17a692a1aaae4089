"""Histograms of a tile's training pixels, as results/statistics/{tile}.npz."""

from fgunet.logs import log_to
from fgunet.patches.labels import SplitLabels, require_one_grid
from fgunet.patches.statistics import tile_statistics, write_statistics
from fgunet.rasters import read_grid
from fgunet.reference.sides import TRAINING
from fgunet.series.store import SeriesStore


def main(
    *,
    path_to_series: str,
    path_to_code: str,
    path_to_split: str,
    path_to_statistics: str,
) -> None:
    series = SeriesStore(path_to_series)
    for path in (path_to_code, path_to_split):
        require_one_grid(series.tile, (path_to_series, series.grid), (path, read_grid(path)))
    any_code = range(1, 256)  # the statistics do not tell classes apart
    labels = SplitLabels(path_to_code, path_to_split, any_code, TRAINING)
    write_statistics(path_to_statistics, tile_statistics(series, labels))


if __name__ == "__main__":
    log_to(snakemake.log[0], snakemake.wildcards.tile)
    main(
        path_to_series=snakemake.input.series,
        path_to_code=snakemake.input.code,
        path_to_split=snakemake.input.split,
        path_to_statistics=snakemake.output[0],
    )
