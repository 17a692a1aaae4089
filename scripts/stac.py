"""Describe all maps of the run in a STAC collection."""

from functools import partial
from pathlib import Path

from fgunet import __version__
from fgunet.files import read_json
from fgunet.logs import log_to
from fgunet.mapping.stac.assets import MapFile
from fgunet.mapping.stac.collection import (
    add_documents,
    add_mosaic,
    bbox_of,
    make_collection,
    write_collection,
)
from fgunet.mapping.stac.models import model_id, model_item
from fgunet.mapping.stac.tiles import tile_item
from fgunet.nomenclature import read_nomenclature
from fgunet.report.style import forest_named, method_label


def main(
    *,
    title: str,
    tiles: list[str],
    methods: list[str],
    dates: list[str],
    nomenclature: str,
    paths_to_maps: list[str],
    paths_to_clear_counts: list[str],
    paths_to_sheets: list[str],
    paths_to_mosaics: list[str],
    paths_to_overlaps: list[str],
    paths_to_models: list[str],
    paths_to_metadata: list[str],
    paths_to_styles: list[str],
    path_to_report: str,
    path_to_collection: str,
) -> None:
    folder, known = Path(path_to_collection).parent, read_nomenclature(nomenclature)
    labels = {method: method_label(method) for method in methods}
    describe_tile = partial(
        tile_item, labels=labels, nomenclature=known, dates=dates, version=__version__
    )
    maps = [MapFile.of(path) for path in paths_to_maps]
    items = [
        describe_tile(
            tile,
            [file for file in maps if file.place == tile],
            folder / tile,
            clear_count=clear_count,
            sheet=sheet,
        )
        for tile, clear_count, sheet in zip(
            tiles, paths_to_clear_counts, paths_to_sheets, strict=True
        )
    ]
    describe_model = partial(model_item, nomenclature=known, bbox=bbox_of(items))
    models = [
        describe_model(
            read_json(metadata),
            folder / model_id(method),
            model=model,
            path_to_metadata=metadata,
            label=label,
        )
        for (method, label), model, metadata in zip(
            labels.items(), paths_to_models, paths_to_metadata, strict=True
        )
    ]
    collection = make_collection(title, items, models, known)
    for file in map(MapFile.of, paths_to_mosaics):
        add_mosaic(collection, file, folder, label=labels[file.method], nomenclature=known)
    overlaps = dict(zip(labels.values(), paths_to_overlaps, strict=True))
    add_documents(
        collection, folder, report=path_to_report, overlaps=overlaps, styles=paths_to_styles
    )
    write_collection(collection, folder)


if __name__ == "__main__":
    log_to(snakemake.log[0])
    with forest_named(snakemake.params.classifier):
        main(
            title=snakemake.params.title,
            tiles=snakemake.params.tiles,
            methods=snakemake.params.methods,
            dates=snakemake.params.dates,
            nomenclature=snakemake.input.nomenclature,
            paths_to_maps=list(snakemake.input.maps),
            paths_to_clear_counts=list(snakemake.input.clear_counts),
            paths_to_sheets=list(snakemake.input.sheets),
            paths_to_mosaics=list(snakemake.input.mosaics),
            paths_to_overlaps=list(snakemake.input.overlaps),
            paths_to_models=list(snakemake.input.models),
            paths_to_metadata=list(snakemake.input.metadata),
            paths_to_styles=list(snakemake.input.styles),
            path_to_report=snakemake.input.report,
            path_to_collection=snakemake.output.collection,
        )
