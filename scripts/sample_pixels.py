"""Draw the pixels of a tile that the forest may learn from, and those it is scored on."""

from collections.abc import Mapping
from typing import Any

from fgunet.forest.drawing import TileSource, sample_tile
from fgunet.forest.sampling import Sampling
from fgunet.forest.tables import write_samples
from fgunet.grid import Window
from fgunet.logs import log_to
from fgunet.nomenclature import read_nomenclature
from fgunet.rasters import OpenBand, read_grid, require_same_grid
from fgunet.reference.sides import TRAINING, VALIDATION
from fgunet.series.store import SeriesStore


def main(
    *,
    tile: str,
    path_to_series: str,
    path_to_code: str,
    path_to_polygon: str,
    path_to_split: str,
    nomenclature: str,
    sampling: Mapping[str, Any],
    validation_sampling: Mapping[str, Any],
    seed: int,
    threads: int,
    path_to_samples: str,
    path_to_validation: str,
) -> None:
    series = SeriesStore(path_to_series)
    paths = (path_to_code, path_to_polygon, path_to_split)
    bands = [OpenBand(path) for path in paths]
    known = read_nomenclature(nomenclature)

    def read_reference(window: Window) -> tuple[Any, Any, Any]:
        codes, polygons, splits = (band.read(window) for band in bands)
        known.labels(codes)  # refuses codes of another nomenclature
        return codes, polygons, splits

    source = TileSource(
        tile=tile,
        name=path_to_series,
        series=series,
        chunk=series.chunk,
        read_clear_count=series.read_clear_count,
        reference_grid=require_same_grid((path, read_grid(path)) for path in paths),
        read_reference=read_reference,
    )
    # A pixel has one split, so the two never share one, and the same keys do for both.
    samplings = {TRAINING: Sampling(**sampling), VALIDATION: Sampling(**validation_sampling)}
    samples = sample_tile(source, samplings, seed=seed, threads=threads)
    write_samples(path_to_samples, samples[TRAINING])
    write_samples(path_to_validation, samples[VALIDATION])


if __name__ == "__main__":
    log_to(snakemake.log[0], snakemake.wildcards.tile)
    main(
        tile=snakemake.wildcards.tile,
        path_to_series=snakemake.input.series,
        path_to_code=snakemake.input.code,
        path_to_polygon=snakemake.input.polygon,
        path_to_split=snakemake.input.split,
        nomenclature=snakemake.input.nomenclature,
        sampling=snakemake.params.sampling,
        validation_sampling=snakemake.params.validation_sampling,
        seed=snakemake.params.seed,
        threads=snakemake.threads,
        path_to_samples=snakemake.output.samples,
        path_to_validation=snakemake.output.validation,
    )
