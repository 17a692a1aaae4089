"""Tabulate what the learning of each method took."""

from collections.abc import Sequence

from fgunet.accuracy.learning_time import learning_time
from fgunet.files import read_json, write_csv
from fgunet.logs import log_to


def main(*, paths_to_metadata: Sequence[str], path_to_table: str) -> None:
    table = learning_time(read_json(path) for path in paths_to_metadata)
    write_csv(path_to_table, table)


if __name__ == "__main__":
    log_to(snakemake.log[0])
    main(
        paths_to_metadata=snakemake.input.metadata,
        path_to_table=snakemake.output[0],
    )
