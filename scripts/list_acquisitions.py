"""Usable acquisitions of a tile, as results/acquisitions/{tile}.json."""

import logging
from collections.abc import Sequence

from fgunet.files import write_json
from fgunet.logs import log_to
from fgunet.sentinel2.families import count_missing_masks, find_acquisitions
from fgunet.sentinel2.selection import select_acquisitions
from fgunet.series.dates import regular_dates, shift_date


def main(
    *,
    tile: str,
    path_to_products: str,
    family: str,
    reflectance: str,
    bands: Sequence[str],
    first_date: str,
    n_dates: int,
    step_days: int,
    margin_days: int,
    minimum_acquisitions: int,
    path_to_acquisitions: str,
) -> None:
    found = find_acquisitions(
        path_to_products, family=family, tile=tile, reflectance=reflectance, bands=bands
    )
    dates = regular_dates(first_date, n_dates, step_days)
    selection = select_acquisitions(
        found,
        first_date=shift_date(dates[0], -margin_days),
        last_date=shift_date(dates[-1], margin_days),
        minimum=minimum_acquisitions,
    )
    missing_masks = count_missing_masks(selection.kept)
    logging.info("%d products found, %d kept", len(found), len(selection.kept))
    for reason, count in selection.count_reasons().items():
        logging.info("%d left out: %s", count, reason)
    for kind, count in missing_masks.items():
        logging.warning("%d kept products have no mask %s", count, kind)
    listing = {
        "tile": tile,
        "grid": selection.kept[0].grid.to_dict(),
        "kept": [acquisition.to_dict() for acquisition in selection.kept],
        "excluded": [{"product": name, "reason": reason} for name, reason in selection.excluded],
        "missing_masks": missing_masks,
    }
    write_json(path_to_acquisitions, listing)


if __name__ == "__main__":
    log_to(snakemake.log[0], snakemake.wildcards.tile)
    main(
        tile=snakemake.wildcards.tile,
        path_to_products=snakemake.params.folder,
        family=snakemake.params.family,
        reflectance=snakemake.params.reflectance,
        bands=snakemake.params.bands,
        path_to_acquisitions=snakemake.output[0],
        **snakemake.params.series,
    )
