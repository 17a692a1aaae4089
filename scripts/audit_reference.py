"""Audit the reference of the run: what became of the sources, and whether anything leaks."""

from collections.abc import Mapping, Sequence

from fgunet.files import read_json, write_json
from fgunet.logs import log_to
from fgunet.nomenclature import read_nomenclature
from fgunet.rasters import OpenBand, gdal_cache, read_grid
from fgunet.reference.audit import audit_reference
from fgunet.reference.shared_ground import compare_shared_ground
from fgunet.vectors import read_layer

COLUMNS = ["polygon_id", "feature", "code", "source", "split", "tiles"]


def main(
    *,
    path_to_fusion: str,
    path_to_split: str,
    path_to_polygons: str,
    path_to_nomenclature: str,
    paths_to_tiles: Sequence[str],
    paths_to_splits: Mapping[str, str],
    path_to_audit: str,
) -> None:
    grids = {tile: read_grid(path) for tile, path in paths_to_splits.items()}
    bands = {tile: OpenBand(path).read for tile, path in paths_to_splits.items()}
    with gdal_cache():
        shared = compare_shared_ground(grids, bands)
    audit = audit_reference(
        read_layer(path_to_polygons, layer="polygons", columns=COLUMNS),
        fusion=read_json(path_to_fusion),
        split=read_json(path_to_split),
        tiles=[read_json(path) for path in paths_to_tiles],
        shared=shared,
        names=read_nomenclature(path_to_nomenclature).names,
    )
    write_json(path_to_audit, audit)


if __name__ == "__main__":
    log_to(snakemake.log[0])
    main(
        path_to_fusion=snakemake.input.fusion,
        path_to_split=snakemake.input.split,
        path_to_polygons=snakemake.input.polygons,
        path_to_nomenclature=snakemake.input.nomenclature,
        paths_to_tiles=snakemake.input.tiles,
        paths_to_splits=dict(zip(snakemake.params.tiles, snakemake.input.splits, strict=True)),
        path_to_audit=snakemake.output[0],
    )
