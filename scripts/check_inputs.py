"""Note that a run can start: tiles have acquisitions, the classifier of pixels can be made.

The split reference is an input of the rule.
"""

import logging
from collections.abc import Mapping
from typing import Any

from fgunet.files import read_json, write_json
from fgunet.forest.classifiers import ForestSettings, make_classifier
from fgunet.logs import log_to


def main(
    *,
    paths_to_acquisitions: list[str],
    forest: Mapping[str, Any] | None,
    path_to_checked: str,
) -> None:
    if forest is not None:
        make_classifier(ForestSettings(**forest), seed=0)
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
        forest=snakemake.params.forest,
        path_to_checked=snakemake.output[0],
    )
