"""Draw the five reference databases of the simulated world."""

from pathlib import Path

from fgunet.files import read_json
from fgunet.logs import log_to
from fgunet.simulate.catalogue import read_catalogue
from fgunet.simulate.databases import draw_databases
from fgunet.simulate.landscape import read_landscape
from fgunet.vectors import write_layers


def main(
    *,
    seed: int,
    path_to_world: str,
    path_to_clc: str,
    path_to_urban_atlas: str,
    path_to_rpg: str,
    path_to_bdtopo: str,
    path_to_rgi: str,
) -> None:
    names = sorted(set(read_json(Path(path_to_world) / "sites.json").values()))
    sites = ((name, read_landscape(Path(path_to_world) / name)) for name in names)
    databases = draw_databases(sites, read_catalogue(), seed=seed)
    paths = {
        "clc": path_to_clc,
        "urban_atlas": path_to_urban_atlas,
        "rpg": path_to_rpg,
        "bdtopo": path_to_bdtopo,
        "rgi": path_to_rgi,
    }
    for database, layers in databases.items():
        write_layers(paths[database], layers)


if __name__ == "__main__":
    log_to(snakemake.log[0])
    main(
        seed=snakemake.params.seed,
        path_to_world=snakemake.input.world,
        path_to_clc=snakemake.output.clc,
        path_to_urban_atlas=snakemake.output.urban_atlas,
        path_to_rpg=snakemake.output.rpg,
        path_to_bdtopo=snakemake.output.bdtopo,
        path_to_rgi=snakemake.output.rgi,
    )
