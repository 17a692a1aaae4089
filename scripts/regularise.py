"""Pass a majority filter and a sieve over a class map, and count its test pixels then."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fgunet.accuracy.tile_confusion import confuse_tile
from fgunet.files import write_json
from fgunet.logs import log_to
from fgunet.mapping.deliverables import create_class_map
from fgunet.mapping.mosaic_tiles import common_tags
from fgunet.mapping.regularisation import regularise
from fgunet.nomenclature import Nomenclature, read_nomenclature
from fgunet.rasters import read_grid

WINDOW = 2048


def filter_map(
    path_to_class: str,
    path_to_filtered: str,
    classes: Nomenclature,
    *,
    majority_radius: int,
    minimum_area_m2: float,
    protect: Sequence[int],
) -> None:
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
    with create_class_map(path_to_filtered, read_grid(path_to_class), classes, tags) as write:
        for part in parts:
            write(*part)


def main(
    *,
    tile: str,
    method: str,
    filters: Mapping[str, Any],
    path_to_class: str,
    path_to_code: str,
    path_to_polygon: str,
    path_to_split: str,
    nomenclature: str,
    path_to_filtered: str,
    path_to_confusion: str,
) -> None:
    classes = read_nomenclature(nomenclature)
    filter_map(path_to_class, path_to_filtered, classes, **filters)
    confusion = confuse_tile(
        path_to_filtered,
        path_to_code=path_to_code,
        path_to_polygon=path_to_polygon,
        path_to_split=path_to_split,
        tile=tile,
        method=method,
        codes=classes.codes,
    )
    write_json(path_to_confusion, confusion.to_dict())


if __name__ == "__main__":
    log_to(snakemake.log[0], " ".join(snakemake.wildcards))
    for method, raw, filtered, confusion in zip(
        snakemake.params.methods,
        snakemake.input.maps,
        snakemake.output.maps,
        snakemake.output.confusions,
        strict=True,
    ):
        main(
            tile=snakemake.wildcards.tile,
            method=method,
            filters=snakemake.params.filters,
            path_to_class=raw,
            path_to_code=snakemake.input.code,
            path_to_polygon=snakemake.input.polygon,
            path_to_split=snakemake.input.split,
            nomenclature=snakemake.input.nomenclature,
            path_to_filtered=filtered,
            path_to_confusion=confusion,
        )
