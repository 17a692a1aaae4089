"""Read all reference sources and fuse them into one layer of polygons."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fgunet.files import read_json, write_json
from fgunet.grid import Grid
from fgunet.logs import log_to
from fgunet.nomenclature import read_nomenclature
from fgunet.reference.layer import fused_layer
from fgunet.reference.sources import Source
from fgunet.reference.translation import check_translations, read_translation
from fgunet.vectors import write_layer


def main(
    *,
    sources: Sequence[Mapping[str, Any]],
    crs: str,
    minimum_area_m2: float,
    minimum_share: float,
    path_to_nomenclature: str,
    paths_to_acquisitions: Sequence[str],
    path_to_fused: str,
    path_to_fusion: str,
) -> None:
    codes = read_nomenclature(path_to_nomenclature).codes
    read = [_source(value) for value in sources]
    check_translations({s.table: s.translation for s in read if s.translation is not None}, codes)
    footprints = {
        Path(path).stem: Grid.from_dict(read_json(path)["grid"]).footprint(crs)
        for path in paths_to_acquisitions
    }
    frame, report = fused_layer(
        read,
        footprints,
        crs=crs,
        codes=codes,
        minimum_area=minimum_area_m2,
        minimum_share=minimum_share,
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
        path_to_nomenclature=snakemake.input.nomenclature,
        paths_to_acquisitions=snakemake.input.acquisitions,
        path_to_fused=snakemake.output.fused,
        path_to_fusion=snakemake.output.fusion,
    )
