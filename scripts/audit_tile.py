"""Hold the rasters of a tile against the layer, and see what training patches can show."""

from fgunet.files import write_json
from fgunet.grid import Window
from fgunet.logs import Progress, log_to
from fgunet.rasters import OpenBand, gdal_cache, read_grid, require_same_grid
from fgunet.reference.pixels import PixelAudit
from fgunet.reference.rasterisation import strips
from fgunet.reference.reach import within_reach
from fgunet.reference.sides import TRAINING
from fgunet.reference.tiles import polygons_on

COLUMNS = ["polygon_id", "code", "source", "area_ha", "split", "tiles"]


def main(
    *,
    tile: str,
    patch_size: int,
    jitter: int,
    path_to_polygons: str,
    path_to_code: str,
    path_to_polygon: str,
    path_to_split: str,
    path_to_audit: str,
) -> None:
    paths = path_to_code, path_to_polygon, path_to_split
    grid = require_same_grid((path, read_grid(path)) for path in paths)
    code, polygon, split = (OpenBand(path) for path in paths)
    audit = PixelAudit(polygons_on(grid, path_to_polygons, COLUMNS), tile, grid)

    def training(window: Window):
        return split.read(window) == TRAINING

    windows = list(strips(grid.shape))
    progress = Progress("strips", len(windows))
    with gdal_cache():
        for window in windows:
            reached = within_reach(training, window, grid.shape, size=patch_size, jitter=jitter)
            bands = (band.read(window) for band in (code, polygon, split))
            audit.look(window, *bands, reached)
            progress.advance()
    found = {**audit.result(), "patch_size": patch_size, "jitter": jitter}
    write_json(path_to_audit, found)


if __name__ == "__main__":
    log_to(snakemake.log[0], snakemake.wildcards.tile)
    main(
        tile=snakemake.wildcards.tile,
        patch_size=snakemake.params.patch_size,
        jitter=snakemake.params.jitter,
        path_to_polygons=snakemake.input.polygons,
        path_to_code=snakemake.input.code,
        path_to_polygon=snakemake.input.polygon,
        path_to_split=snakemake.input.split,
        path_to_audit=snakemake.output[0],
    )
