"""Write how many days each pixel of a tile was clear, as a map."""

from fgunet import __version__
from fgunet.grid import split_windows
from fgunet.logs import log_to
from fgunet.mapping.deliverables import create_clear_count
from fgunet.mapping.tags import clear_count_tags
from fgunet.series.store import SeriesStore

WINDOW = 2048


def main(*, path_to_series: str, path_to_clear_count: str) -> None:
    series = SeriesStore(path_to_series)
    tags = clear_count_tags(tile=series.tile, dates=series.dates, version=__version__)
    with create_clear_count(path_to_clear_count, series.grid, tags) as write:
        for window in split_windows(series.grid.shape, WINDOW):
            write(window, series.read_clear_count(window))


if __name__ == "__main__":
    log_to(snakemake.log[0], snakemake.wildcards.tile)
    main(
        path_to_series=snakemake.input.series,
        path_to_clear_count=snakemake.output[0],
    )
