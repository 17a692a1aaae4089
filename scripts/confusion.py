"""Count the test pixels of a tile by reference class, mapped class and polygon."""

from fgunet.accuracy.tile_confusion import confuse_tile
from fgunet.files import write_json
from fgunet.logs import log_to
from fgunet.nomenclature import read_nomenclature


def main(
    *,
    tile: str,
    method: str,
    path_to_class: str,
    path_to_code: str,
    path_to_polygon: str,
    path_to_split: str,
    nomenclature: str,
    path_to_confusion: str,
) -> None:
    confusion = confuse_tile(
        path_to_class,
        path_to_code=path_to_code,
        path_to_polygon=path_to_polygon,
        path_to_split=path_to_split,
        tile=tile,
        method=method,
        codes=read_nomenclature(nomenclature).codes,
    )
    write_json(path_to_confusion, confusion.to_dict())


if __name__ == "__main__":
    log_to(snakemake.log[0], snakemake.wildcards.tile)
    maps = zip(snakemake.params.methods, snakemake.input.maps, snakemake.output, strict=True)
    for method, path_to_class, path_to_confusion in maps:
        main(
            tile=snakemake.wildcards.tile,
            method=method,
            path_to_class=path_to_class,
            path_to_code=snakemake.input.code,
            path_to_polygon=snakemake.input.polygon,
            path_to_split=snakemake.input.split,
            nomenclature=snakemake.input.nomenclature,
            path_to_confusion=path_to_confusion,
        )
