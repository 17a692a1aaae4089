"""Make the ground of all simulated tiles."""

from pathlib import Path
from typing import Any

from fgunet.files import atomic_path, write_json
from fgunet.logs import Progress, log_to
from fgunet.simulate.catalogue import read_catalogue
from fgunet.simulate.landscape import build_landscape, write_landscape
from fgunet.simulate.sites import group_sites, place_tile


def main(
    *, tiles: dict[str, dict[str, Any]], tile_size: int, seed: int, path_to_world: str
) -> None:
    placements = [place_tile(name, size=tile_size, **where) for name, where in tiles.items()]
    sites = group_sites(placements)
    catalogue = read_catalogue()
    progress = Progress("sites", len(sites))
    with atomic_path(path_to_world) as part:
        for site in sites:
            landscape = build_landscape(site, catalogue, seed=seed)
            write_landscape(Path(part) / site.name, landscape)
            progress.advance()
        write_json(
            Path(part) / "sites.json",
            {tile.name: site.name for site in sites for tile in site.tiles},
        )


if __name__ == "__main__":
    log_to(snakemake.log[0])
    main(
        tiles=snakemake.params.tiles,
        tile_size=snakemake.params.tile_size,
        seed=snakemake.params.seed,
        path_to_world=snakemake.output[0],
    )
