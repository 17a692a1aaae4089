"""Write the tables of the report that no other rule writes, as CSV files of plain numbers."""

from collections.abc import Mapping, Sequence

import pandas as pd

from fgunet.files import read_json, write_csv
from fgunet.logs import log_to
from fgunet.nomenclature import read_nomenclature
from fgunet.report.data_tables import data_tables
from fgunet.report.left_out import left_out_table
from fgunet.report.model_tables import model_table, truth_table
from fgunet.report.reference_tables import reference_tables
from fgunet.report.study_tables import study_tables
from fgunet.report.style import forest_named


def main(
    *,
    tiles: Sequence[str],
    nomenclature: str,
    paths_to_acquisitions: Sequence[str],
    paths_to_facts: Sequence[str],
    path_to_audit: str,
    paths_to_metadata: Mapping[str, str],
    path_to_summary: str,
    path_to_classes: str,
    path_to_comparison: str,
    path_to_learning_time: str,
    path_to_labels: str | None,
    paths_to_truth: Sequence[str],
    paths_to_tables: Mapping[str, str],
) -> None:
    land_cover, audit = read_nomenclature(nomenclature), read_json(path_to_audit)
    summary, classes = pd.read_csv(path_to_summary), pd.read_csv(path_to_classes)
    facts = [read_json(path) for path in paths_to_facts]
    metadata = {method: read_json(path) for method, path in paths_to_metadata.items()}
    tables = {
        **study_tables(summary, classes, pd.read_csv(path_to_learning_time), metadata),
        "models": model_table(metadata, list(metadata)),
        "truth": truth_table(map(read_json, paths_to_truth)),
        **data_tables(map(read_json, paths_to_acquisitions), facts, tiles),
        **reference_tables(audit, land_cover),
    }
    tables["left_out"] = left_out_table(
        products=tables["products"],
        losses=tables["sources_left_out"],
        audit=audit,
        summary=summary,
        classes=classes,
        comparison=read_json(path_to_comparison),
        labels=pd.read_csv(path_to_labels) if path_to_labels else pd.DataFrame(),
        facts=facts,
    )
    for name, path in paths_to_tables.items():
        write_csv(path, tables[name])


if __name__ == "__main__":
    log_to(snakemake.log[0])
    methods = snakemake.params.methods
    with forest_named(snakemake.params.classifier):
        main(
            tiles=snakemake.params.tiles,
            nomenclature=snakemake.input.nomenclature,
            paths_to_acquisitions=snakemake.input.acquisitions,
            paths_to_facts=snakemake.input.facts,
            path_to_audit=snakemake.input.audit,
            paths_to_metadata=dict(zip(methods, snakemake.input.metadata, strict=True)),
            path_to_summary=snakemake.input.summary,
            path_to_classes=snakemake.input.classes,
            path_to_comparison=snakemake.input.comparison,
            path_to_learning_time=snakemake.input.learning_time,
            path_to_labels=snakemake.input.get("labels"),
            paths_to_truth=snakemake.input.truth,
            paths_to_tables=dict(snakemake.output.items()),
        )
