"""Count the test pixels of a tile by what may matter to accuracy."""

from collections.abc import Mapping
from itertools import chain

import numpy as np
import pandas as pd

from fgunet.accuracy.border import distance_to_border, halo_of
from fgunet.accuracy.context import (
    BORDER,
    CLEAR_DAYS,
    EDGES,
    add_up,
    count_context,
    write_context,
)
from fgunet.grid import split_windows
from fgunet.logs import log_to
from fgunet.nomenclature import NODATA_CODE
from fgunet.rasters import OpenBand, gdal_cache, read_grid, require_same_grid
from fgunet.reference.sides import TEST

WINDOW = 512


def main(
    *,
    tile: str,
    paths_to_classes: Mapping[str, str],
    paths_to_confidences: Mapping[str, str],
    path_to_clear_count: str,
    path_to_code: str,
    path_to_polygon: str,
    path_to_split: str,
    paths_to_contexts: Mapping[str, str],
) -> None:
    maps = {m: (path, paths_to_confidences[m]) for m, path in paths_to_classes.items()}
    shared = (path_to_split, path_to_polygon, path_to_code, path_to_clear_count)
    paths = (*shared, *chain.from_iterable(maps.values()))
    grid = require_same_grid((path, read_grid(path)) for path in paths)
    split, polygons, codes, clear_count = map(OpenBand, shared)
    layers = {method: tuple(map(OpenBand, pair)) for method, pair in maps.items()}
    halo = halo_of(EDGES[BORDER][-2], grid.resolution)
    counted: dict[str, list[pd.DataFrame]] = {method: [] for method in maps}
    with gdal_cache():
        for window in split_windows(grid.shape, WINDOW):
            test = split.read(window) == TEST
            if not test.any():
                continue
            outer = window.expanded(halo, grid.shape)
            inner = window.relative_to(outer).slices
            around = polygons.read(outer)
            border = distance_to_border(around, grid.resolution)[inner]
            code = np.where(test, codes.read(window), NODATA_CODE)
            covariates = {BORDER: border, CLEAR_DAYS: clear_count.read(window)}
            for method, (classes, confidence) in layers.items():
                mapped = classes.read(window), confidence.read(window)
                block = around[inner], code, *mapped, covariates
                counted[method].append(count_context([block], tile=tile))
    for method, path in paths_to_contexts.items():
        write_context(path, add_up(counted[method], tile))


if __name__ == "__main__":
    log_to(snakemake.log[0], snakemake.wildcards.tile)
    methods = snakemake.params.methods
    main(
        tile=snakemake.wildcards.tile,
        paths_to_classes=dict(zip(methods, snakemake.input.maps, strict=True)),
        paths_to_confidences=dict(zip(methods, snakemake.input.confidences, strict=True)),
        path_to_clear_count=snakemake.input.clear_count,
        path_to_code=snakemake.input.code,
        path_to_polygon=snakemake.input.polygon,
        path_to_split=snakemake.input.split,
        paths_to_contexts=dict(zip(methods, snakemake.output, strict=True)),
    )
