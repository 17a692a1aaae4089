"""Which training pixels the patches of the network's training showed, by polygon."""

from collections.abc import Sequence

from fgunet.comparison.replay import seen_in_training
from fgunet.comparison.tables import write_table
from fgunet.files import read_json
from fgunet.logs import log_to
from fgunet.rasters import gdal_cache
from fgunet.training.plan import read_plan


def main(
    *,
    path_to_plan: str,
    path_to_metadata: str,
    paths_to_polygon: Sequence[str],
    path_to_seen: str,
) -> None:
    with gdal_cache():
        seen = seen_in_training(
            read_plan(path_to_plan), read_json(path_to_metadata), paths_to_polygon
        )
    write_table(path_to_seen, seen)


if __name__ == "__main__":
    log_to(snakemake.log[0])
    main(
        path_to_plan=snakemake.input.plan,
        path_to_metadata=snakemake.input.metadata,
        paths_to_polygon=snakemake.input.polygons,
        path_to_seen=snakemake.output[0],
    )
