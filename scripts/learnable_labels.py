"""Count the training pixels of a tile by polygon, and those that both methods can use."""

import logging
from collections.abc import Iterator

import numpy as np

from fgunet.comparison.tables import write_table
from fgunet.comparison.tally import Block, tally
from fgunet.logs import log_to
from fgunet.patches.avoidance import Avoidance
from fgunet.patches.framing import Frame
from fgunet.patches.labels import SplitGround
from fgunet.rasters import read_band, read_grid, require_same_grid
from fgunet.reference.rasterisation import strips
from fgunet.reference.sides import TEST, TRAINING
from fgunet.series.store import SeriesStore


def main(
    *,
    path_to_series: str,
    path_to_code: str,
    path_to_polygon: str,
    path_to_split: str,
    patch_size: int,
    jitter: int,
    avoid_test_context: bool,
    path_to_labels: str,
) -> None:
    series, paths = SeriesStore(path_to_series), (path_to_code, path_to_polygon, path_to_split)
    shape = require_same_grid(
        [(path_to_series, series.grid), *((path, read_grid(path)) for path in paths)]
    ).shape
    avoidance = None
    if avoid_test_context:
        ground = SplitGround(path_to_split, TEST)
        avoidance = Avoidance(ground.read, shape, Frame(patch_size, jitter))

    def blocks() -> Iterator[Block]:
        for strip in strips(shape):
            code, polygon, split = (read_band(path, strip) for path in paths)
            usable = series.read_clear_count(strip) > 0
            if avoidance is not None:
                usable &= avoidance.drawable(strip)
            chosen = split == TRAINING
            counts = {"pixels": np.ones(chosen.sum(), bool), "usable": usable[chosen]}
            yield polygon[chosen], code[chosen], counts

    table = tally(blocks(), ["pixels", "usable"])
    write_table(path_to_labels, table)
    pixels, usable = table[["pixels", "usable"]].sum()
    logging.info(
        "%d training polygons with %d pixels, %d of them usable by both methods",
        len(table),
        pixels,
        usable,
    )


if __name__ == "__main__":
    log_to(snakemake.log[0], snakemake.wildcards.tile)
    main(
        path_to_series=snakemake.input.series,
        path_to_code=snakemake.input.code,
        path_to_polygon=snakemake.input.polygon,
        path_to_split=snakemake.input.split,
        patch_size=snakemake.params.patch_size,
        jitter=snakemake.params.jitter,
        avoid_test_context=snakemake.params.avoid_test_context,
        path_to_labels=snakemake.output[0],
    )
