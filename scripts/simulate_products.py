"""Make the Theia products and the truth of one simulated tile."""

from pathlib import Path
from typing import Any

from fgunet.files import atomic_path, read_json
from fgunet.logs import Progress, log_to
from fgunet.nomenclature import NODATA_CODE
from fgunet.rasters import write_raster
from fgunet.simulate.calendar import plan_passes
from fgunet.simulate.catalogue import read_catalogue
from fgunet.simulate.landscape import read_landscape
from fgunet.simulate.products import make_products
from fgunet.simulate.scene import view_landscape
from fgunet.simulate.sites import place_tile
from fgunet.simulate.theia import write_product


def main(
    *,
    tile: str,
    placement: dict[str, Any],
    tile_size: int,
    acquisitions: dict[str, Any],
    seed: int,
    path_to_world: str,
    path_to_products: str,
    path_to_truth: str,
) -> None:
    catalogue = read_catalogue()
    site = read_json(Path(path_to_world) / "sites.json")[tile]
    ground = read_landscape(Path(path_to_world) / site)
    grid = place_tile(tile, size=tile_size, **placement).grid
    scene = view_landscape(ground, grid, catalogue, seed=seed, region=site)
    passes = plan_passes(seed=seed, site=site, tile=tile, **acquisitions)
    products = make_products(
        scene, passes, catalogue, tile=tile, site=site, ground=ground.grid, kind=ground.kind,
        seed=seed,
    )  # fmt: skip
    progress = Progress("products", sum(len(look.versions) for look in passes))
    with atomic_path(path_to_products) as part:
        for product in products:
            write_product(part, product)
            progress.advance()
    write_raster(path_to_truth, scene.code, grid, NODATA_CODE)


if __name__ == "__main__":
    log_to(snakemake.log[0], snakemake.wildcards.tile)
    main(
        tile=snakemake.wildcards.tile,
        placement=snakemake.params.placement,
        tile_size=snakemake.params.tile_size,
        acquisitions=snakemake.params.acquisitions,
        seed=snakemake.params.seed,
        path_to_world=snakemake.input.world,
        path_to_products=snakemake.output.products,
        path_to_truth=snakemake.output.truth,
    )
