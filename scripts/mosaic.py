"""Join the maps of all tiles into one."""

from fgunet.files import write_json
from fgunet.logs import log_to
from fgunet.mapping.mosaic import mosaic_tiles
from fgunet.nomenclature import read_nomenclature


def main(
    *,
    paths_to_classes: list[str],
    paths_to_confidences: list[str],
    nomenclature: str,
    crs: str,
    resolution: float,
    path_to_mosaic: str,
    path_to_overlap: str,
) -> None:
    overlap = mosaic_tiles(
        list(zip(paths_to_classes, paths_to_confidences, strict=True)),
        read_nomenclature(nomenclature),
        path_to_mosaic,
        crs=crs,
        resolution=resolution,
    )
    write_json(path_to_overlap, overlap)


if __name__ == "__main__":
    log_to(snakemake.log[0], snakemake.wildcards.method)
    main(
        paths_to_classes=list(snakemake.input.maps),
        paths_to_confidences=list(snakemake.input.confidences),
        nomenclature=snakemake.input.nomenclature,
        crs=snakemake.params.crs,
        resolution=snakemake.params.resolution,
        path_to_mosaic=snakemake.output.map,
        path_to_overlap=snakemake.output.overlap,
    )
