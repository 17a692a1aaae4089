"""Draw the sheet of a tile and its gaps, and note what the report shows and tells of it."""

from collections.abc import Mapping
from functools import partial

from fgunet.files import write_json
from fgunet.logs import log_to
from fgunet.nomenclature import read_nomenclature
from fgunet.rasters import OpenBand
from fgunet.report import overview
from fgunet.report.detail import tile_views
from fgunet.report.gap_maps import gap_maps
from fgunet.report.gaps import measure_gaps
from fgunet.report.sheets import Sheet, tile_sheet
from fgunet.report.style import forest_named, save_figure
from fgunet.report.viewer import overview_layers
from fgunet.report.wording import day
from fgunet.series.store import SeriesStore


def main(
    *,
    tile: str,
    nomenclature: str,
    path_to_series: str,
    path_to_code: str,
    path_to_split: str,
    paths_to_maps: Mapping[str, str],
    paths_to_regularised: Mapping[str, str],
    paths_to_confidences: Mapping[str, str],
    path_to_sheet: str,
    path_to_view: str,
    path_to_gaps: str,
    path_to_facts: str,
) -> None:
    series = SeriesStore(path_to_series)
    grid, step = series.grid, overview.overview_step(series.grid.shape)
    picture = overview.series_picture(series, step)
    width, height = (side * grid.resolution[0] / 1000 for side in grid.shape[::-1])
    subtitle = f"{grid.crs}, {width:.4g} × {height:.4g} km"
    sheet = Sheet(
        tile=tile,
        subtitle=subtitle,
        image=picture.colours,
        image_title=f"{day(picture.date)}, {picture.bands}",
        reference=overview.read_overview(path_to_code, step),
        split=overview.read_overview(path_to_split, step),
        maps=overview.read_overviews(paths_to_maps, step, mode=True),
        confidences=overview.read_overviews(paths_to_confidences, step),
        width_m=1000 * width,
    )
    save_figure(tile_sheet(sheet, read_nomenclature(nomenclature)), path_to_sheet, dpi=150)
    paths = (paths_to_maps, paths_to_regularised, path_to_code, paths_to_confidences)
    read = partial(overview_layers, *paths)
    views = tile_views(tile, series, picture, read, OpenBand(path_to_code).read, step=step)
    write_json(path_to_view, views)
    gaps = measure_gaps(series.read_counts, grid.shape, len(series.dates), step)
    max_gap_days = series.provenance["max_gap_days"]
    save_figure(gap_maps(tile, subtitle, gaps, max_gap_days, 1000 * width), path_to_gaps, dpi=150)
    facts = {"grid": grid.to_dict(), "gaps": gaps.figures, "max_gap_days": max_gap_days}
    write_json(path_to_facts, {"tile": tile, **facts})


if __name__ == "__main__":
    log_to(snakemake.log[0], snakemake.wildcards.tile)
    methods, regularised = snakemake.params.methods, snakemake.params.regularised
    with forest_named(snakemake.params.classifier):
        main(
            tile=snakemake.wildcards.tile,
            nomenclature=snakemake.input.nomenclature,
            path_to_series=snakemake.input.series,
            path_to_code=snakemake.input.code,
            path_to_split=snakemake.input.split,
            paths_to_maps=dict(zip(methods, snakemake.input.maps, strict=True)),
            paths_to_regularised=dict(zip(regularised, snakemake.input.regularised, strict=True)),
            paths_to_confidences=dict(zip(methods, snakemake.input.confidences, strict=True)),
            path_to_sheet=snakemake.output.sheet,
            path_to_view=snakemake.output.view,
            path_to_gaps=snakemake.output.gaps,
            path_to_facts=snakemake.output.facts,
        )
