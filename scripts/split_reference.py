"""Split the fused polygons into training, validation and test, once for all tiles."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from fgunet.files import write_json
from fgunet.logs import log_to
from fgunet.nomenclature import read_nomenclature
from fgunet.reference.sides import SplitOptions
from fgunet.reference.split import split_layer
from fgunet.reference.tiles import read_footprints
from fgunet.vectors import read_layer, write_layer

COLUMNS = ["polygon_id", "feature", "code", "source", "area_ha", "tiles", "square"]


def main(
    *,
    merge: Mapping[str, int],
    paths_to_grids: Sequence[str],
    path_to_fused: str,
    path_to_nomenclature: str,
    path_to_polygons: str,
    path_to_split: str,
    **settings: Any,
) -> None:
    names = read_nomenclature(path_to_nomenclature).names
    options = SplitOptions(merge={int(k): v for k, v in merge.items()}, **settings)
    frame = read_layer(path_to_fused, columns=COLUMNS)
    footprints = read_footprints(paths_to_grids, frame.crs)
    polygons, report = split_layer(frame, options, names=names, footprints=footprints)
    for row in report["left_out"]:
        logging.warning(
            "class %(code)d (%(name)s) is left out: %(polygons)d polygons are too few", row
        )
    for row in report["merged"]:
        logging.warning("class %(code)d (%(name)s) joins %(into)d (%(into_name)s)", row)
    write_layer(path_to_polygons, polygons, layer="polygons")
    write_json(path_to_split, report)


if __name__ == "__main__":
    log_to(snakemake.log[0])
    main(
        **snakemake.params.settings,
        paths_to_grids=snakemake.input.grids,
        path_to_fused=snakemake.input.fused,
        path_to_nomenclature=snakemake.input.nomenclature,
        path_to_polygons=snakemake.output.polygons,
        path_to_split=snakemake.output.split,
    )
