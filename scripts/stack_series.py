"""A tile's acquisitions on the regular dates, as results/series/{tile}.zarr."""

from collections.abc import Sequence
from functools import partial

from fgunet import __version__
from fgunet.files import read_json
from fgunet.grid import Grid
from fgunet.logs import log_to
from fgunet.sentinel2.acquisition import Acquisition
from fgunet.sentinel2.reading import read_block
from fgunet.series.dates import regular_dates
from fgunet.series.stacking import WINDOW, stack_series


def main(
    *,
    tile: str,
    path_to_acquisitions: str,
    bands: Sequence[str],
    first_date: str,
    n_dates: int,
    step_days: int,
    threads: int,
    path_to_series: str,
    window: int = WINDOW,
) -> None:
    listing = read_json(path_to_acquisitions)
    acquisitions = [Acquisition.from_dict(value) for value in listing["kept"]]
    stack_series(
        path_to_series,
        [(kept.date, partial(read_block, kept, tuple(bands))) for kept in acquisitions],
        tile=tile,
        grid=Grid.from_dict(listing["grid"]),
        dates=regular_dates(first_date, n_dates, step_days),
        bands=bands,
        provenance={
            "library": __version__,
            "products": [kept.product for kept in acquisitions],
            "interpolation": "linear between the nearest valid days, constant beyond them",
        },
        window=window,
        threads=threads,
    )


if __name__ == "__main__":
    log_to(snakemake.log[0], snakemake.wildcards.tile)
    series = snakemake.params.series
    main(
        tile=snakemake.wildcards.tile,
        path_to_acquisitions=snakemake.input.acquisitions,
        bands=snakemake.params.bands,
        first_date=series["first_date"],
        n_dates=series["n_dates"],
        step_days=series["step_days"],
        threads=snakemake.threads,
        path_to_series=snakemake.output[0],
    )
