"""Read all reference sources and fuse them into one layer of polygons."""

from collections.abc import Mapping, Sequence
from typing import Any

from fgunet.files import write_json
from fgunet.logs import log_to
from fgunet.nomenclature import read_nomenclature
from fgunet.reference.layer import fused_layer
from fgunet.reference.sources import Source
from fgunet.reference.tiles import read_footprints
from fgunet.reference.translation import check_fed, check_translations, read_translation
from fgunet.vectors import write_layer


def main(
    *,
    sources: Sequence[Mapping[str, Any]],
    crs: str,
    minimum_area_m2: float,
    minimum_share: float,
    square_m: float,
    leave_out_scarce: bool,
    merge: Mapping[str, int],
    threads: int,
    path_to_nomenclature: str,
    paths_to_grids: Sequence[str],
    path_to_fused: str,
    path_to_fusion: str,
) -> None:
    names = read_nomenclature(path_to_nomenclature).names
    read = [_source(value) for value in sources]
    check_translations({s.table: s.translation for s in read if s.translation}, list(names))
    if not leave_out_scarce:
        check_fed({c: name for c, name in names.items() if str(c) not in merge}, read)
    frame, report = fused_layer(
        read,
        read_footprints(paths_to_grids, crs),
        crs=crs,
        codes=list(names),
        minimum_area=minimum_area_m2,
        minimum_share=minimum_share,
        square_m=square_m,
        threads=threads,
    )
    write_layer(path_to_fused, frame)
    write_json(path_to_fusion, report)


def _source(value: Mapping[str, Any]) -> Source:
    given = {key: item for key, item in value.items() if item is not None}
    table = given.pop("translation", "")
    translation = read_translation(table) if table else None
    ignored = tuple(given.pop("ignore_codes", ()))
    return Source(**given, translation=translation, ignore_codes=ignored, table=table)


if __name__ == "__main__":
    log_to(snakemake.log[0])
    main(
        sources=snakemake.params.sources,
        crs=snakemake.params.crs,
        minimum_area_m2=snakemake.params.minimum_area_m2,
        minimum_share=snakemake.params.minimum_share,
        square_m=snakemake.params.square_m,
        leave_out_scarce=snakemake.params.leave_out_scarce,
        merge=snakemake.params.merge,
        threads=snakemake.threads,
        path_to_nomenclature=snakemake.input.nomenclature,
        paths_to_grids=snakemake.input.grids,
        path_to_fused=snakemake.output.fused,
        path_to_fusion=snakemake.output.fusion,
    )
