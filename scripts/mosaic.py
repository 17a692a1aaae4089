"""Join the maps of all tiles into one, and tell where tiles overlap how often they agree."""

from collections.abc import Sequence

from fgunet.accuracy.agreement import agreement_by_class, agreement_by_pair
from fgunet.files import write_csv
from fgunet.logs import log_to
from fgunet.mapping.mosaic import mosaic_tiles
from fgunet.mapping.mosaic_tiles import TileMaps
from fgunet.nomenclature import read_nomenclature


def main(
    *,
    tiles: Sequence[str],
    paths_to_classes: Sequence[str],
    paths_to_confidences: Sequence[str],
    nomenclature: str,
    crs: str,
    resolution: float,
    path_to_class: str,
    path_to_confidence: str | None,
    path_to_overlap: str | None,
    path_to_pairs: str | None,
) -> None:
    classes = read_nomenclature(nomenclature)
    maps = zip(tiles, paths_to_classes, paths_to_confidences, strict=True)
    overlap = mosaic_tiles(
        [TileMaps(*each) for each in maps],
        classes,
        path_to_class,
        path_to_confidence,
        crs=crs,
        resolution=resolution,
    )
    for path, table in (
        (path_to_overlap, agreement_by_class(overlap.pairs, classes)),
        (path_to_pairs, agreement_by_pair(overlap.pairs)),
    ):
        if path:
            write_csv(path, table)


if __name__ == "__main__":
    log_to(snakemake.log[0], snakemake.wildcards.method)
    main(
        tiles=snakemake.params.tiles,
        paths_to_classes=snakemake.input.maps,
        paths_to_confidences=snakemake.input.confidences,
        nomenclature=snakemake.input.nomenclature,
        crs=snakemake.params.crs,
        resolution=snakemake.params.resolution,
        path_to_class=snakemake.output.map,
        path_to_confidence=snakemake.output.get("confidence"),
        path_to_overlap=snakemake.output.get("overlap"),
        path_to_pairs=snakemake.output.get("pairs"),
    )
