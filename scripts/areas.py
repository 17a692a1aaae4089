"""Estimate the area of each class and the accuracy of each map from a sample."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fgunet.accuracy.areas import summarise
from fgunet.accuracy.drawing import count_by_row
from fgunet.accuracy.labelled import labelled_sample
from fgunet.accuracy.points import DESIGN, codes_at, keeps_areas, require_inside
from fgunet.files import write_csv, write_json
from fgunet.grid import split_windows
from fgunet.logs import log_to
from fgunet.nomenclature import Nomenclature, read_nomenclature
from fgunet.rasters import OpenBand, gdal_cache, read_grid
from fgunet.vectors import read_layer

WINDOW = 1024


def main(
    *,
    methods: Sequence[str],
    paths_to_classes: Sequence[str],
    path_to_labelled: str,
    field: str,
    nomenclature: str,
    path_to_areas: str,
    path_to_summary: str,
) -> None:
    classes = read_nomenclature(nomenclature)
    points = read_layer(path_to_labelled, columns=[*DESIGN, field])
    labelled = labelled_sample(points, classes.codes, field=field)
    maps = {}
    for method, path in zip(methods, paths_to_classes, strict=True):
        codes, inside = codes_at(path, points[labelled.kept])
        require_inside(inside, path_to_labelled, path)
        maps[method] = codes, _pixels(path, classes)
    table, summary = summarise(labelled.sample, maps, classes)
    write_csv(path_to_areas, table)
    crs = read_grid(paths_to_classes[0]).crs
    about = {"drawn": labelled.drawn, "unlabelled": labelled.unlabelled}
    write_json(path_to_summary, summary | about | {"crs": crs, "keeps_areas": keeps_areas(crs)})


def _pixels(path: str, classes: Nomenclature) -> NDArray[np.int64]:
    """Pixels of each class of a map."""
    grid, band = read_grid(path), OpenBand(path)
    with gdal_cache():
        blocks = ((window, band.read(window)) for window in split_windows(grid.shape, WINDOW))
        pixels: NDArray[np.int64] = count_by_row(blocks, grid.height, classes).sum(axis=0)
    return pixels


if __name__ == "__main__":
    log_to(snakemake.log[0])
    main(
        methods=snakemake.params.methods,
        paths_to_classes=snakemake.input.maps,
        path_to_labelled=snakemake.input.labelled,
        field=snakemake.params.field,
        nomenclature=snakemake.input.nomenclature,
        path_to_areas=snakemake.output.areas,
        path_to_summary=snakemake.output.summary,
    )
