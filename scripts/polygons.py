"""Write a class map as polygons, after a sieve of small patches."""

from collections.abc import Sequence
from pathlib import Path

from fgunet.files import scratch_beside
from fgunet.logs import log_to
from fgunet.mapping.polygons import SmallPatches, read_strips, write_polygons
from fgunet.mapping.regularisation import pixels_of, regularise
from fgunet.nomenclature import NODATA_CODE, read_nomenclature
from fgunet.rasters import create_raster, gdal_cache, read_grid, require_same_grid
from fgunet.whole import failures_told

WINDOW = 2048


def main(
    *,
    minimum_area_m2: float,
    protect: Sequence[int],
    path_to_class: str,
    path_to_confidence: str,
    nomenclature: str,
    path_to_polygons: str,
) -> None:
    classes, paths = read_nomenclature(nomenclature), (path_to_class, path_to_confidence)
    grid = require_same_grid((path, read_grid(path)) for path in paths)
    small = SmallPatches(pixels_of(minimum_area_m2, grid), protect)
    parts = regularise(
        path_to_class,
        majority_radius=0,
        minimum_area_m2=minimum_area_m2,
        protect=protect,
        core=WINDOW,
        scratch=Path(path_to_polygons).parent,
    )
    with gdal_cache(), scratch_beside(path_to_polygons) as folder:
        sieved = folder / "sieved.tif"
        with (
            failures_told(sieved, grid.height * grid.width),
            create_raster(sieved, grid, "uint8", NODATA_CODE) as write,
        ):
            for part in parts:
                write(*part)
        strips = read_strips(sieved, path_to_confidence, grid)
        write_polygons(path_to_polygons, strips, grid, classes, small)


if __name__ == "__main__":
    log_to(snakemake.log[0], f"{snakemake.wildcards.tile} {snakemake.wildcards.method}")
    main(
        minimum_area_m2=snakemake.params.minimum_area_m2,
        protect=snakemake.params.protect,
        path_to_class=snakemake.input.map,
        path_to_confidence=snakemake.input.confidence,
        nomenclature=snakemake.input.nomenclature,
        path_to_polygons=snakemake.output[0],
    )
