"""Tabulate what each method learned from."""

from collections.abc import Mapping

from fgunet.comparison.labels import label_table
from fgunet.comparison.tables import read_table
from fgunet.files import write_csv
from fgunet.logs import log_to
from fgunet.nomenclature import read_nomenclature


def main(
    *,
    path_to_polygons: str,
    paths_to_seen: Mapping[str, str],
    nomenclature: str,
    path_to_table: str,
) -> None:
    columns = ["polygon_id", "code", "pixels"]
    table = label_table(
        read_table(path_to_polygons, [*columns, "enters"]),
        {method: read_table(path, [*columns, "shown"]) for method, path in paths_to_seen.items()},
        read_nomenclature(nomenclature),
    )
    write_csv(path_to_table, table)


if __name__ == "__main__":
    log_to(snakemake.log[0])
    main(
        path_to_polygons=snakemake.input.polygons,
        paths_to_seen=dict(zip(snakemake.params.methods, snakemake.input.seen, strict=True)),
        nomenclature=snakemake.input.nomenclature,
        path_to_table=snakemake.output[0],
    )
