"""The grid that all products of a tile share, as results/grids/{tile}.json."""

from collections.abc import Sequence

from fgunet.files import write_json
from fgunet.logs import log_to
from fgunet.sentinel2.acquisition import Request
from fgunet.sentinel2.families import products_of_tile
from fgunet.sentinel2.stac import Search
from fgunet.sentinel2.tile_grid import find_grid


def main(
    *,
    tile: str,
    locations: Sequence[str],
    dates: Sequence[str],
    family: str,
    collections: Sequence[str],
    bands: Sequence[str],
    reflectance: str,
    path_to_grid: str,
) -> None:
    search = Search((tile,), *dates, tuple(collections))
    products = products_of_tile(tile, locations, family=family, search=search)
    grid = find_grid(products, Request(tuple(bands), (), reflectance))
    write_json(path_to_grid, {"tile": tile, "grid": grid.to_dict()})


if __name__ == "__main__":
    log_to(snakemake.log[0], snakemake.wildcards.tile)
    main(
        tile=snakemake.wildcards.tile,
        path_to_grid=snakemake.output[0],
        **snakemake.params.search,
    )
