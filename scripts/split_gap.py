"""Set the scores of this run beside those of a run with the other way to split."""

from collections.abc import Mapping

import pandas as pd

from fgunet.accuracy.split_gap import JudgedRun, split_gap
from fgunet.files import read_json, write_csv
from fgunet.logs import log_to


def main(
    *,
    folder: str,
    paths_to_this: Mapping[str, str],
    paths_to_other: Mapping[str, str],
    path_to_gap: str,
) -> None:
    runs = [
        JudgedRun(
            where,
            read_json(paths["audit"])["split"]["options"]["mode"],
            pd.read_csv(paths["summary"]),
            pd.read_csv(paths["classes"]),
        )
        for where, paths in ((".", paths_to_this), (folder, paths_to_other))
    ]
    write_csv(path_to_gap, split_gap(*runs))


if __name__ == "__main__":
    log_to(snakemake.log[0])
    names = ("summary", "classes", "audit")
    main(
        folder=snakemake.params.folder,
        paths_to_this={name: snakemake.input[name] for name in names},
        paths_to_other={name: snakemake.input[f"other_{name}"] for name in names},
        path_to_gap=snakemake.output[0],
    )
