"""Pass a majority filter over a class map."""

from functools import partial

from fgunet.logs import log_to
from fgunet.mapping.deliverables import create_class_map
from fgunet.mapping.regularisation import regularise
from fgunet.nomenclature import read_nomenclature
from fgunet.rasters import read_band, read_grid

WINDOW = 2048


def main(*, radius: int, path_to_class: str, nomenclature: str, path_to_majority: str) -> None:
    grid, classes = read_grid(path_to_class), read_nomenclature(nomenclature)
    read = partial(read_band, path_to_class)
    tags = {"majority_radius": str(radius)}
    with create_class_map(path_to_majority, grid, classes, tags) as write:
        for part in regularise(read, grid.shape, radius=radius, core=WINDOW):
            write(*part)


if __name__ == "__main__":
    log_to(snakemake.log[0], f"{snakemake.wildcards.tile} {snakemake.wildcards.method}")
    main(
        radius=snakemake.params.radius,
        path_to_class=snakemake.input.map,
        nomenclature=snakemake.input.nomenclature,
        path_to_majority=snakemake.output[0],
    )
