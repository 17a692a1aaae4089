"""A tile's acquisitions on the regular dates, as results/series/{tile}.zarr."""

from collections.abc import Sequence
from pathlib import Path

from fgunet import __version__
from fgunet.files import read_json
from fgunet.grid import Grid
from fgunet.logs import log_to
from fgunet.sentinel2.acquisition import Acquisition
from fgunet.sentinel2.integrity import require_checksums
from fgunet.sentinel2.loading import (
    block_width,
    gdal_for_blocks,
    loaded_bytes_per_pixel,
    may_stay_open,
)
from fgunet.sentinel2.masks import Masking, chosen_reasons
from fgunet.sentinel2.reading import AcquisitionReader
from fgunet.sentinel2.stamps import stamps
from fgunet.sentinel2.unpacking import unpacked
from fgunet.series.layout import Layout, shard_shape
from fgunet.series.stacking import Resources, stack_series


def main(
    *,
    tile: str,
    path_to_acquisitions: str,
    bands: Sequence[str],
    dates: Sequence[str],
    max_gap_days: int,
    threads: int,
    memory_mb: float,
    path_to_series: str,
) -> None:
    listing = read_json(path_to_acquisitions, tile=tile)
    kept = [Acquisition.from_dict(value) for value in listing["kept"]]
    masking = Masking(chosen_reasons(listing["masks"]), listing["masks"]["dilation_m"])
    grid = Grid.from_dict(listing["grid"])
    provenance = {
        "library": __version__,
        "products": [{"name": a.product, "version": a.version, "baseline": a.baseline}
                     for a in kept],
        "masks": listing["masks"],
        "interpolation": "linear between the nearest valid days, constant beyond them",
        "max_gap_days": max_gap_days,
    }  # fmt: skip
    layout = Layout(
        tile, grid, tuple(dates), tuple(bands), provenance,
        shard_shape(grid.shape, block_width(kept[0])),
    )  # fmt: skip
    require_checksums(kept, threads=threads)
    scratch = Path(path_to_series).with_suffix(".unpacked")
    with gdal_for_blocks(), unpacked(kept, scratch, threads=threads) as ready:
        stay = may_stay_open(ready)
        readers = [AcquisitionReader(a, bands, masking, stay_open=stay) for a in ready]
        stack_series(
            path_to_series,
            [(a.date, reader.load) for a, reader in zip(ready, readers, strict=True)],
            layout,
            max_gap_days=max_gap_days,
            resources=Resources(threads, memory_mb, loaded_bytes_per_pixel(kept, bands)),
            made_of={"acquisitions": listing, "files": [stamps(a) for a in kept]},
        )


if __name__ == "__main__":
    log_to(snakemake.log[0], snakemake.wildcards.tile)
    main(
        tile=snakemake.wildcards.tile,
        path_to_acquisitions=snakemake.input.acquisitions,
        bands=snakemake.params.bands,
        dates=snakemake.params.dates,
        max_gap_days=snakemake.params.max_gap_days,
        threads=snakemake.threads,
        memory_mb=snakemake.params.memory_mb,
        path_to_series=snakemake.output[0],
    )
