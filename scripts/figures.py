"""Draw the figures of the run."""

from collections.abc import Mapping, Sequence

import pandas as pd

from fgunet.accuracy.confusion import Confusion
from fgunet.files import read_json
from fgunet.grid import Grid
from fgunet.logs import log_to
from fgunet.nomenclature import read_nomenclature
from fgunet.report import accuracy_charts, data_charts
from fgunet.report.location import MOST_THUMBNAILS, location_map
from fgunet.report.overview import overview_step, read_overview
from fgunet.report.style import evenly_chosen, save_figure
from fgunet.report.training_charts import training_history
from fgunet.series.dates import regular_dates


def main(
    *,
    methods: Sequence[str],
    nomenclature: str,
    focus_group: str | None,
    dates: tuple[str, int, int],
    mosaic_crs: str,
    path_to_summary: str,
    path_to_classes: str,
    paths_to_pooled: Sequence[str],
    path_to_audit: str,
    paths_to_acquisitions: Sequence[str],
    paths_to_facts: Sequence[str],
    paths_to_maps: Mapping[str, str],
    path_to_history: str | None,
    paths_to_figures: Mapping[str, str],
) -> None:
    classes = read_nomenclature(nomenclature)
    matrices = {c.method: c.matrix for c in (_confusion(path) for path in paths_to_pooled)}
    facts = {fact["tile"]: fact for fact in (read_json(path) for path in paths_to_facts)}
    grids = {tile: Grid.from_dict(fact["grid"]) for tile, fact in facts.items()}
    thumbnails = {
        tile: read_overview(paths_to_maps[tile], overview_step(grids[tile].shape, 200), mode=True)
        for tile in evenly_chosen(sorted(facts), MOST_THUMBNAILS)
    }
    drawn = {
        "kappa_by_tile": accuracy_charts.kappa_by_tile(pd.read_csv(path_to_summary), methods),
        "f_by_class": accuracy_charts.f_by_class(
            pd.read_csv(path_to_classes), methods, classes, focus_group
        ),
        "confusion_matrices": accuracy_charts.confusion_matrices(matrices, classes),
        "acquisitions": data_charts.acquisition_calendar(
            [read_json(path) for path in paths_to_acquisitions], regular_dates(*dates)
        ),
        "clear_dates": data_charts.clear_dates({t: f["clear_dates"] for t, f in facts.items()}),
        "reference_polygons": data_charts.reference_polygons(
            read_json(path_to_audit)["counts"]["rows"], classes
        ),
        "location": location_map(
            {tile: grid.footprint(mosaic_crs) for tile, grid in grids.items()},
            thumbnails,
            classes,
            mosaic_crs,
        ),
    }
    if path_to_history:
        drawn["training_history"] = training_history(pd.read_csv(path_to_history))
    for name, path in paths_to_figures.items():
        save_figure(drawn[name], path)


def _confusion(path: str) -> Confusion:
    return Confusion.from_dict(read_json(path))


if __name__ == "__main__":
    log_to(snakemake.log[0])
    main(
        methods=snakemake.params.methods,
        nomenclature=snakemake.input.nomenclature,
        focus_group=snakemake.params.focus_group,
        dates=snakemake.params.dates,
        mosaic_crs=snakemake.params.mosaic_crs,
        path_to_summary=snakemake.input.summary,
        path_to_classes=snakemake.input.classes,
        paths_to_pooled=snakemake.input.pooled,
        path_to_audit=snakemake.input.audit,
        paths_to_acquisitions=snakemake.input.acquisitions,
        paths_to_facts=snakemake.input.facts,
        paths_to_maps=dict(zip(snakemake.params.tiles, snakemake.input.maps, strict=True)),
        path_to_history=snakemake.input.get("history"),
        paths_to_figures=dict(snakemake.output.items()),
    )
