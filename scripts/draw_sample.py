"""Draw points of each class of a map, for a person to say what is there."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from fgunet.accuracy.drawing import allocate, count_by_row, draw_pixels
from fgunet.accuracy.points import points_frame, refuse_filled_in, strata_table
from fgunet.files import file_sha256, write_json
from fgunet.grid import Window, split_windows
from fgunet.logs import log_to
from fgunet.nomenclature import read_nomenclature
from fgunet.rasters import OpenBand, gdal_cache, read_grid
from fgunet.vectors import write_layer

WINDOW = 1024


def main(
    *,
    path_to_class: str,
    nomenclature: str,
    size: int,
    minimum_per_class: int,
    seed: int,
    path_to_points: str,
    path_to_strata: str,
) -> None:
    refuse_filled_in(path_to_points)
    grid, band = read_grid(path_to_class), OpenBand(path_to_class)
    classes = read_nomenclature(nomenclature)

    def blocks() -> Iterator[tuple[Window, NDArray[np.uint8]]]:
        for window in split_windows(grid.shape, WINDOW):
            yield window, band.read(window)

    def read_row(row: int) -> NDArray[np.uint8]:
        return band.read(Window(row, 0, 1, grid.width))[0]

    # Room for the blocks that the rows of one row of blocks share.
    with gdal_cache(256):
        counts = count_by_row(blocks(), grid.height, classes)
        pixels = counts.sum(axis=0)
        points = allocate(pixels, size=size, minimum=minimum_per_class)
        drawn = draw_pixels(counts, points, classes.codes, read_row, seed=seed)
    frame, numbers = points_frame(grid, *drawn, pixels, seed=seed)
    write_layer(path_to_points, frame)
    write_json(
        path_to_strata,
        {
            "map": path_to_class,
            "map_sha256": file_sha256(path_to_class),
            "crs": grid.crs,
            "seed": seed,
            "strata": strata_table(classes, numbers, pixels, points, frame["pixel_m2"].iloc[0]),
        },
    )


if __name__ == "__main__":
    log_to(snakemake.log[0])
    main(
        path_to_class=snakemake.input.map,
        nomenclature=snakemake.input.nomenclature,
        size=snakemake.params.size,
        minimum_per_class=snakemake.params.minimum_per_class,
        seed=snakemake.params.seed,
        path_to_points=snakemake.output.points,
        path_to_strata=snakemake.output.strata,
    )
