"""Make a page of each table, for Snakemake's own report."""

from collections.abc import Sequence

import pandas as pd

from fgunet.files import write_text
from fgunet.logs import log_to
from fgunet.report.table_pages import table_page


def main(
    *,
    titles: Sequence[str],
    paths_to_tables: Sequence[str],
    captions: Sequence[str],
    paths_to_pages: Sequence[str],
) -> None:
    for title, table, caption, page in zip(
        titles, paths_to_tables, captions, paths_to_pages, strict=True
    ):
        html = table_page(pd.read_csv(table), title=title, caption=caption, file=table)
        write_text(page, html)


if __name__ == "__main__":
    log_to(snakemake.log[0])
    main(
        titles=snakemake.params.titles,
        paths_to_tables=snakemake.input.tables,
        captions=snakemake.params.captions,
        paths_to_pages=list(snakemake.output),
    )
