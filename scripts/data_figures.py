"""Draw what the run was made of: acquisitions, the reference, and where the tiles lie."""

from collections.abc import Mapping, Sequence

from fgunet.files import read_json
from fgunet.grid import Grid
from fgunet.logs import log_to
from fgunet.nomenclature import read_nomenclature
from fgunet.report import data_charts, reference_charts
from fgunet.report.location import MOST_THUMBNAILS, location_map
from fgunet.report.overview import overview_step, read_overview
from fgunet.report.style import evenly_chosen, save_charts

THUMBNAIL = 200


def main(
    *,
    nomenclature: str,
    dates: Sequence[str],
    mosaic_crs: str,
    path_to_audit: str,
    paths_to_acquisitions: Sequence[str],
    paths_to_facts: Sequence[str],
    paths_to_maps: Mapping[str, str],
    paths_to_figures: Sequence[str],
) -> None:
    classes = read_nomenclature(nomenclature)
    facts = {fact["tile"]: fact for fact in map(read_json, paths_to_facts)}
    grids = {tile: Grid.from_dict(fact["grid"]) for tile, fact in facts.items()}
    thumbnails = {
        tile: read_overview(
            paths_to_maps[tile], overview_step(grids[tile].shape, THUMBNAIL), mode=True
        )
        for tile in evenly_chosen(sorted(facts), MOST_THUMBNAILS)
    }
    footprints = {tile: grid.footprint(mosaic_crs) for tile, grid in grids.items()}
    listings = [read_json(path) for path in paths_to_acquisitions]
    clear = {tile: fact["gaps"]["clear_days"] for tile, fact in facts.items()}
    audit = read_json(path_to_audit)
    counts, options = audit["counts"], audit["split"]["options"]
    asked = {share: options[share] for share in ("test_share", "validation_share")}
    drawn = {
        "acquisitions": data_charts.acquisition_calendar(listings, dates),
        "clear_dates": data_charts.clear_dates(clear),
        "reference_polygons": reference_charts.reference_polygons(counts["rows"], classes),
        "split_shares": reference_charts.split_shares(counts, classes, **asked),
        "test_distances": reference_charts.nearest_training(audit["distances"]),
        "location": location_map(footprints, thumbnails, classes, mosaic_crs),
    }
    save_charts(drawn, paths_to_figures)


if __name__ == "__main__":
    log_to(snakemake.log[0])
    main(
        nomenclature=snakemake.input.nomenclature,
        dates=snakemake.params.dates,
        mosaic_crs=snakemake.params.mosaic_crs,
        path_to_audit=snakemake.input.audit,
        paths_to_acquisitions=snakemake.input.acquisitions,
        paths_to_facts=snakemake.input.facts,
        paths_to_maps=dict(zip(snakemake.params.tiles, snakemake.input.maps, strict=True)),
        paths_to_figures=list(snakemake.output),
    )
