"""Note that every tile has its acquisitions; the split reference is an input of the rule."""

import logging
from collections.abc import Mapping

from fgunet.files import read_json, write_json
from fgunet.logs import log_to


def main(*, paths_to_acquisitions: Mapping[str, str], path_to_checked: str) -> None:
    kept = {
        tile: len(read_json(path, tile=tile)["kept"])
        for tile, path in paths_to_acquisitions.items()
    }
    write_json(path_to_checked, {"acquisitions": kept})
    logging.info("%d tiles have their acquisitions, and every class its polygons", len(kept))


if __name__ == "__main__":
    log_to(snakemake.log[0])
    main(
        paths_to_acquisitions=dict(
            zip(snakemake.params.tiles, snakemake.input.acquisitions, strict=True)
        ),
        path_to_checked=snakemake.output[0],
    )
