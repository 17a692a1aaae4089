"""Draw the sheet of a tile and its gaps, and note what the report tells of it."""

from collections.abc import Sequence
from datetime import datetime

from fgunet.files import write_json
from fgunet.logs import log_to
from fgunet.nomenclature import read_nomenclature
from fgunet.report import overview
from fgunet.report.gap_maps import gap_maps
from fgunet.report.gaps import measure_gaps
from fgunet.report.sheets import Sheet, tile_sheet
from fgunet.report.style import forest_named, save_figure
from fgunet.series.store import SeriesStore


def main(
    *,
    tile: str,
    methods: Sequence[str],
    nomenclature: str,
    path_to_series: str,
    path_to_code: str,
    path_to_split: str,
    paths_to_maps: Sequence[str],
    paths_to_confidences: Sequence[str],
    path_to_sheet: str,
    path_to_gaps: str,
    path_to_facts: str,
) -> None:
    series = SeriesStore(path_to_series)
    grid, step = series.grid, overview.overview_step(series.grid.shape)
    picture = overview.series_picture(series, step)
    width, height = (side * grid.resolution[0] / 1000 for side in grid.shape[::-1])
    maps = [overview.read_overview(path, step, mode=True) for path in paths_to_maps]
    confidences = [overview.read_overview(path, step) for path in paths_to_confidences]
    subtitle = f"{grid.crs}, {width:.4g} × {height:.4g} km"
    sheet = Sheet(
        tile=tile,
        subtitle=subtitle,
        image=picture.colours,
        image_title=f"{datetime.strptime(picture.date, '%Y%m%d'):%Y-%m-%d}, {picture.bands}",
        reference=overview.read_overview(path_to_code, step),
        split=overview.read_overview(path_to_split, step),
        maps=dict(zip(methods, maps, strict=True)),
        confidences=dict(zip(methods, confidences, strict=True)),
        width_m=1000 * width,
    )
    save_figure(tile_sheet(sheet, read_nomenclature(nomenclature)), path_to_sheet, dpi=150)
    gaps = measure_gaps(series.read_counts, grid.shape, len(series.dates), step)
    max_gap_days = series.provenance["max_gap_days"]
    save_figure(gap_maps(tile, subtitle, gaps, max_gap_days, 1000 * width), path_to_gaps, dpi=150)
    facts = {"grid": grid.to_dict(), "gaps": gaps.figures, "max_gap_days": max_gap_days}
    write_json(path_to_facts, {"tile": tile, **facts})


if __name__ == "__main__":
    log_to(snakemake.log[0], snakemake.wildcards.tile)
    with forest_named(snakemake.params.classifier):
        main(
            tile=snakemake.wildcards.tile,
            methods=snakemake.params.methods,
            nomenclature=snakemake.input.nomenclature,
            path_to_series=snakemake.input.series,
            path_to_code=snakemake.input.code,
            path_to_split=snakemake.input.split,
            paths_to_maps=snakemake.input.maps,
            paths_to_confidences=snakemake.input.confidences,
            path_to_sheet=snakemake.output.sheet,
            path_to_gaps=snakemake.output.gaps,
            path_to_facts=snakemake.output.facts,
        )
