"""Usable acquisitions of a tile, as results/acquisitions/{tile}.json."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from fgunet.files import write_json
from fgunet.logs import log_to
from fgunet.sentinel2.acquisition import Request
from fgunet.sentinel2.families import count_missing_masks, products_of_tile
from fgunet.sentinel2.masks import chosen_reasons
from fgunet.sentinel2.selection import Criteria, select_acquisitions
from fgunet.sentinel2.stac import Search
from fgunet.sentinel2.tile_grid import require_grid
from fgunet.series.dates import shift_date


def main(
    *,
    tile: str,
    locations: Sequence[str],
    products: Mapping[str, Any],
    dates: Sequence[str],
    margin_days: int,
    minimum_acquisitions: int,
    threads: int,
    path_to_grid: str,
    path_to_acquisitions: str,
) -> None:
    first, last = shift_date(dates[0], -margin_days), shift_date(dates[-1], margin_days)
    search = Search((tile,), first, last, tuple(products["collections"]))
    found = products_of_tile(tile, locations, family=products["family"], search=search)
    reasons = chosen_reasons(products["masks"])
    request = Request(tuple(products["bands"]), reasons, products["reflectance"])
    criteria = Criteria(
        first, last, products["maximum_cloud_share"], minimum_acquisitions, products["strict"]
    )
    selection = select_acquisitions(found, request, criteria, threads=threads)
    require_grid(selection.kept[0], path_to_grid)
    listing = {
        "tile": tile,
        "grid": selection.kept[0].grid.to_dict(),
        "kept": [acquisition.to_dict() for acquisition in selection.kept],
        "cloud_shares": selection.cloud_shares,
        "excluded": [asdict(exclusion) for exclusion in selection.excluded],
        "missing_masks": count_missing_masks(selection.kept, request),
        "undeclared_nodata": sum(not kept.nodata_declared for kept in selection.kept),
        "masks": products["masks"],
    }
    report(listing, selection.count_reasons())
    write_json(path_to_acquisitions, listing)


def report(listing: Mapping[str, Any], reasons: Mapping[str, int]) -> None:
    logging.info("%d products kept", len(listing["kept"]))
    for reason, count in reasons.items():
        logging.info("%d left out: %s", count, reason)
    for kind, count in listing["missing_masks"].items():
        logging.warning("%d kept products have no mask %s", count, kind)
    if listing["undeclared_nodata"]:
        logging.warning(
            "%d kept products do not declare nodata; %s is taken, as their families use it",
            listing["undeclared_nodata"],
            ", ".join(str(number) for number in sorted({a["nodata"] for a in listing["kept"]})),
        )


if __name__ == "__main__":
    log_to(snakemake.log[0], snakemake.wildcards.tile)
    main(
        tile=snakemake.wildcards.tile,
        locations=snakemake.params.locations,
        products=snakemake.params.products,
        dates=snakemake.params.dates,
        margin_days=snakemake.params.margin_days,
        minimum_acquisitions=snakemake.params.minimum_acquisitions,
        threads=snakemake.threads,
        path_to_grid=snakemake.input.grid,
        path_to_acquisitions=snakemake.output[0],
    )
