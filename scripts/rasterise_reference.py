"""Burn the split polygons onto the grid of a tile: code, polygon number, split."""

import logging

import numpy as np

from fgunet.files import read_json
from fgunet.grid import Grid
from fgunet.logs import Progress, log_to
from fgunet.rasters import create_raster, gdal_cache
from fgunet.reference.rasterisation import Rasteriser, strips
from fgunet.reference.sides import SPLIT_CODES
from fgunet.reference.tiles import polygons_on

COLUMNS = ["polygon_id", "code", "split"]


def main(
    *,
    tile: str,
    path_to_polygons: str,
    path_to_grid: str,
    path_to_code: str,
    path_to_polygon: str,
    path_to_split: str,
) -> None:
    grid = Grid.from_dict(read_json(path_to_grid, tile=tile)["grid"])
    frame = polygons_on(grid, path_to_polygons, COLUMNS)
    split = frame["split"].map(SPLIT_CODES).to_numpy(dtype=np.uint8)
    geometry, code, number = (frame[c].to_numpy() for c in ("geometry", "code", "polygon_id"))
    rasteriser = Rasteriser(geometry, code, number, split, grid)
    windows = list(strips(grid.shape))
    progress, labelled = Progress("strips", len(windows)), 0
    with (
        gdal_cache(),
        create_raster(path_to_code, grid, "uint8", 0) as write_code,
        create_raster(path_to_polygon, grid, "uint32", 0) as write_polygon,
        create_raster(path_to_split, grid, "uint8", 0) as write_split,
    ):
        for window in windows:
            codes, numbers, splits = rasteriser.burn(window)
            write_code(window, codes)
            write_polygon(window, numbers)
            write_split(window, splits)
            labelled += int(np.count_nonzero(codes))
            progress.advance()
    level = logging.INFO if labelled else logging.WARNING
    logging.log(level, "%s: %d labelled pixels of %d polygons", tile, labelled, len(frame))


if __name__ == "__main__":
    log_to(snakemake.log[0], snakemake.wildcards.tile)
    main(
        tile=snakemake.wildcards.tile,
        path_to_polygons=snakemake.input.polygons,
        path_to_grid=snakemake.input.grid,
        path_to_code=snakemake.output.code,
        path_to_polygon=snakemake.output.polygon,
        path_to_split=snakemake.output.split,
    )
