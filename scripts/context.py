"""Count the test pixels of a tile by what may matter to accuracy."""

from collections.abc import Iterator

import numpy as np

from fgunet.accuracy.border import distance_to_border, halo_of
from fgunet.accuracy.context import BORDER, CLEAR_DAYS, EDGES, Block, count_context, write_context
from fgunet.grid import split_windows
from fgunet.logs import log_to
from fgunet.nomenclature import NODATA_CODE
from fgunet.rasters import OpenBand, gdal_cache, read_grid, require_same_grid
from fgunet.reference.sides import TEST

WINDOW = 512


def main(
    *,
    tile: str,
    path_to_class: str,
    path_to_confidence: str,
    path_to_clear_count: str,
    path_to_code: str,
    path_to_polygon: str,
    path_to_split: str,
    path_to_context: str,
) -> None:
    paths = (path_to_class, path_to_confidence, path_to_clear_count, path_to_code)
    grid = require_same_grid(
        (path, read_grid(path)) for path in (*paths, path_to_polygon, path_to_split)
    )
    layers = [OpenBand(path) for path in paths]
    polygons, split = OpenBand(path_to_polygon), OpenBand(path_to_split)
    halo = halo_of(EDGES[BORDER][-2], grid.resolution)

    def blocks() -> Iterator[Block]:
        for window in split_windows(grid.shape, WINDOW):
            test = split.read(window) == TEST
            if not test.any():
                continue
            outer = window.expanded(halo, grid.shape)
            inner = window.relative_to(outer).slices
            around = polygons.read(outer)
            border = distance_to_border(around, grid.resolution)[inner]
            mapped, confidence, clear, code = (layer.read(window) for layer in layers)
            code = np.where(test, code, NODATA_CODE)
            yield around[inner], code, mapped, confidence, {BORDER: border, CLEAR_DAYS: clear}

    with gdal_cache():
        write_context(path_to_context, count_context(blocks(), tile=tile))


if __name__ == "__main__":
    log_to(snakemake.log[0], f"{snakemake.wildcards.tile} {snakemake.wildcards.method}")
    main(
        tile=snakemake.wildcards.tile,
        path_to_class=snakemake.input.map,
        path_to_confidence=snakemake.input.confidence,
        path_to_clear_count=snakemake.input.clear_count,
        path_to_code=snakemake.input.code,
        path_to_polygon=snakemake.input.polygon,
        path_to_split=snakemake.input.split,
        path_to_context=snakemake.output[0],
    )
