"""The split of a tile that learning uses: training polygons outside of the budget are taken out."""

import logging

import numpy as np

from fgunet.comparison.pool import in_budget, learning_split
from fgunet.comparison.tables import read_table
from fgunet.logs import log_to
from fgunet.rasters import create_raster, read_band, read_grid, require_same_grid
from fgunet.reference.rasterisation import strips
from fgunet.reference.sides import TRAINING


def main(
    *,
    budget: float,
    path_to_polygons: str,
    path_to_polygon: str,
    path_to_split: str,
    path_to_learning_split: str,
) -> None:
    polygons = read_table(path_to_polygons, ["polygon_id", "code", "enters"])
    pool = polygons["polygon_id"].to_numpy()[in_budget(polygons, budget)]
    grid = require_same_grid((path, read_grid(path)) for path in (path_to_split, path_to_polygon))
    before = after = 0
    with create_raster(path_to_learning_split, grid, "uint8", 0) as write:
        for strip in strips(grid.shape):
            split, polygon = read_band(path_to_split, strip), read_band(path_to_polygon, strip)
            learned = learning_split(split, polygon, pool)
            write(strip, learned)
            before += int(np.count_nonzero(split == TRAINING))
            after += int(np.count_nonzero(learned == TRAINING))
    logging.info("%d of %d training pixels may be learned from", after, before)


if __name__ == "__main__":
    log_to(snakemake.log[0], f"{snakemake.wildcards.tile} {snakemake.wildcards.budget}")
    main(
        budget=snakemake.params.share,
        path_to_polygons=snakemake.input.polygons,
        path_to_polygon=snakemake.input.polygon,
        path_to_split=snakemake.input.split,
        path_to_learning_split=snakemake.output[0],
    )
