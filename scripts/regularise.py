"""Pass a majority filter and a sieve over a class map."""

from collections.abc import Sequence
from pathlib import Path

from fgunet.logs import log_to
from fgunet.mapping.deliverables import create_class_map
from fgunet.mapping.mosaic_tiles import common_tags
from fgunet.mapping.regularisation import regularise
from fgunet.nomenclature import read_nomenclature
from fgunet.rasters import read_grid

WINDOW = 2048


def main(
    *,
    majority_radius: int,
    minimum_area_m2: float,
    protect: Sequence[int],
    path_to_class: str,
    nomenclature: str,
    path_to_filtered: str,
) -> None:
    grid, classes = read_grid(path_to_class), read_nomenclature(nomenclature)
    done = {
        "majority_radius": str(majority_radius),
        "minimum_area_m2": str(minimum_area_m2),
        "protected": ",".join(map(str, protect)) or "none",
    }
    tags = common_tags([path_to_class]) | done
    parts = regularise(
        path_to_class,
        majority_radius=majority_radius,
        minimum_area_m2=minimum_area_m2,
        protect=protect,
        core=WINDOW,
        scratch=Path(path_to_filtered).parent,
    )
    with create_class_map(path_to_filtered, grid, classes, tags) as write:
        for part in parts:
            write(*part)


if __name__ == "__main__":
    log_to(snakemake.log[0], " ".join(snakemake.wildcards))
    for raw, filtered in zip(snakemake.input.maps, snakemake.output.maps, strict=True):
        main(
            **snakemake.params.filters,
            path_to_class=raw,
            nomenclature=snakemake.input.nomenclature,
            path_to_filtered=filtered,
        )
