"""Count the test pixels of a tile by reference class, mapped class and polygon."""

from collections.abc import Iterator

import numpy as np

from fgunet.accuracy.confusion import Block, confuse
from fgunet.files import write_json
from fgunet.grid import split_windows
from fgunet.logs import log_to
from fgunet.nomenclature import NODATA_CODE, read_nomenclature
from fgunet.rasters import read_band, read_grid, require_same_grid
from fgunet.reference.sides import TEST

WINDOW = 2048


def main(
    *,
    tile: str,
    method: str,
    path_to_class: str,
    path_to_code: str,
    path_to_polygon: str,
    path_to_split: str,
    nomenclature: str,
    path_to_confusion: str,
) -> None:
    paths = (path_to_class, path_to_code, path_to_polygon, path_to_split)
    grid = require_same_grid((path, read_grid(path)) for path in paths)

    def blocks() -> Iterator[Block]:
        for window in split_windows(grid.shape, WINDOW):
            mapped, code, polygon, split = (read_band(path, window) for path in paths)
            yield polygon, np.where(split == TEST, code, NODATA_CODE), mapped

    codes = read_nomenclature(nomenclature).codes
    confusion = confuse(blocks(), tile=tile, method=method, codes=codes)
    write_json(path_to_confusion, confusion.to_dict())


if __name__ == "__main__":
    log_to(snakemake.log[0], snakemake.wildcards.tile)
    maps = zip(snakemake.params.methods, snakemake.input.maps, snakemake.output, strict=True)
    for method, path_to_class, path_to_confusion in maps:
        main(
            tile=snakemake.wildcards.tile,
            method=method,
            path_to_class=path_to_class,
            path_to_code=snakemake.input.code,
            path_to_polygon=snakemake.input.polygon,
            path_to_split=snakemake.input.split,
            nomenclature=snakemake.input.nomenclature,
            path_to_confusion=path_to_confusion,
        )
