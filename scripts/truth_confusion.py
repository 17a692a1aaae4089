"""Count all pixels of a simulated tile by true class and mapped class."""

import numpy as np

from fgunet.accuracy.confusion import count_confusion, count_unmapped
from fgunet.files import write_json
from fgunet.grid import split_windows
from fgunet.logs import log_to
from fgunet.nomenclature import read_nomenclature
from fgunet.rasters import read_band, read_grid, require_same_grid

WINDOW = 2048


def main(
    *,
    tile: str,
    method: str,
    path_to_class: str,
    path_to_truth: str,
    nomenclature: str,
    path_to_confusion: str,
) -> None:
    paths = path_to_truth, path_to_class
    grid = require_same_grid((path, read_grid(path)) for path in paths)
    codes = read_nomenclature(nomenclature).codes
    confusion = np.zeros((len(codes), len(codes)), dtype=np.int64)
    unmapped = 0
    for window in split_windows(grid.shape, WINDOW):
        truth, mapped = (read_band(path, window) for path in paths)
        confusion += count_confusion(truth, mapped, codes)
        unmapped += count_unmapped(truth, mapped)
    write_json(
        path_to_confusion,
        {
            "tile": tile,
            "method": method,
            "codes": list(codes),
            "confusion": confusion.tolist(),
            "unmapped": unmapped,
        },
    )


if __name__ == "__main__":
    log_to(snakemake.log[0], f"{snakemake.wildcards.tile} {snakemake.wildcards.method}")
    main(
        tile=snakemake.wildcards.tile,
        method=snakemake.wildcards.method,
        path_to_class=snakemake.input.map,
        path_to_truth=snakemake.input.truth,
        nomenclature=snakemake.input.nomenclature,
        path_to_confusion=snakemake.output[0],
    )
