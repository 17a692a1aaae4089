"""Set kappa beside the share of each tile's reference that belongs to the focus group."""

from collections.abc import Sequence

import pandas as pd

from fgunet.accuracy.urban import group_shares, kappa_by_share, slopes
from fgunet.files import read_json, write_csv, write_json
from fgunet.logs import log_to
from fgunet.nomenclature import read_nomenclature


def main(
    *,
    focus_group: str,
    nomenclature: str,
    paths_to_audits: Sequence[str],
    path_to_summary: str,
    path_to_differences: str,
    path_to_table: str,
    path_to_slopes: str,
) -> None:
    codes = read_nomenclature(nomenclature).group(focus_group)
    shares = group_shares((read_json(path) for path in paths_to_audits), codes)
    table = kappa_by_share(shares, pd.read_csv(path_to_summary), pd.read_csv(path_to_differences))
    write_csv(path_to_table, table)
    write_json(path_to_slopes, slopes(table))


if __name__ == "__main__":
    log_to(snakemake.log[0])
    main(
        focus_group=snakemake.params.focus_group,
        nomenclature=snakemake.input.nomenclature,
        paths_to_audits=snakemake.input.audits,
        path_to_summary=snakemake.input.summary,
        path_to_differences=snakemake.input.differences,
        path_to_table=snakemake.output.table,
        path_to_slopes=snakemake.output.slopes,
    )
