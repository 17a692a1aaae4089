"""Draw the pixels of a tile that the forest may learn from."""

from typing import Any

from fgunet.forest.samples import sample_tile
from fgunet.forest.tables import write_samples
from fgunet.grid import Window
from fgunet.logs import log_to
from fgunet.nomenclature import read_nomenclature
from fgunet.rasters import read_band, read_grid, require_same_grid
from fgunet.series.store import SeriesStore


def main(
    *,
    tile: str,
    path_to_series: str,
    path_to_code: str,
    path_to_polygon: str,
    path_to_split: str,
    samples_per_class: int,
    seed: int,
    nomenclature: str,
    path_to_samples: str,
) -> None:
    paths = (path_to_code, path_to_polygon, path_to_split)

    def read_reference(window: Window) -> tuple[Any, Any, Any]:
        codes, polygons, splits = (read_band(path, window) for path in paths)
        known.labels(codes)  # refuses codes of another nomenclature
        return codes, polygons, splits

    known = read_nomenclature(nomenclature)
    samples = sample_tile(
        tile,
        SeriesStore(path_to_series),
        require_same_grid((path, read_grid(path)) for path in paths),
        read_reference,
        samples_per_class=samples_per_class,
        seed=seed,
    )
    write_samples(path_to_samples, samples)


if __name__ == "__main__":
    log_to(snakemake.log[0], snakemake.wildcards.tile)
    main(
        tile=snakemake.wildcards.tile,
        path_to_series=snakemake.input.series,
        path_to_code=snakemake.input.code,
        path_to_polygon=snakemake.input.polygon,
        path_to_split=snakemake.input.split,
        samples_per_class=snakemake.params.samples_per_class,
        seed=snakemake.params.seed,
        nomenclature=snakemake.input.nomenclature,
        path_to_samples=snakemake.output[0],
    )
