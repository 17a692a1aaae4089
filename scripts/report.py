"""Write the report of the run: one HTML page."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from fgunet.files import read_json, write_text
from fgunet.logs import log_to
from fgunet.nomenclature import read_nomenclature
from fgunet.report.background import software_versions
from fgunet.report.page import ReportInputs, render_report
from fgunet.report.style import forest_named


def main(
    *,
    configuration: Mapping[str, Any],
    nomenclature: str,
    methods: Sequence[str],
    sheets: int,
    path_to_summary: str,
    path_to_classes: str,
    path_to_comparison: str,
    path_to_labels: str | None,
    path_to_regularisation: str | None,
    path_to_regularisation_comparison: str | None,
    path_to_regularised: str | None,
    path_to_learning_time: str,
    paths_to_overlap: Sequence[str],
    paths_to_overlap_pairs: Sequence[str],
    paths_to_mappings: Sequence[str],
    path_to_window_effect: str | None,
    path_to_audit: str,
    paths_to_metadata: Sequence[str],
    paths_to_acquisitions: Sequence[str],
    paths_to_facts: Sequence[str],
    paths_to_truth: Sequence[str],
    paths_to_figures: Sequence[str],
    paths_to_sheets: Sequence[str],
    paths_to_gaps: Sequence[str],
    path_to_report: str,
) -> None:
    documents = [read_json(path) for path in paths_to_metadata]
    metadata = dict(zip(methods, documents, strict=True))
    inputs = ReportInputs(
        title=configuration["title"],
        methods=methods,
        nomenclature=read_nomenclature(nomenclature),
        focus_group=configuration["accuracy"]["focus_group"],
        configuration=configuration,
        summary=pd.read_csv(path_to_summary),
        classes=pd.read_csv(path_to_classes),
        comparison=read_json(path_to_comparison),
        labels=_table(path_to_labels),
        regularisation=_table(path_to_regularisation),
        regularisation_comparison=_document(path_to_regularisation_comparison),
        regularised=_table(path_to_regularised),
        learning_time=pd.read_csv(path_to_learning_time),
        agreement=_tables(methods, paths_to_overlap),
        agreement_pairs=_tables(methods, paths_to_overlap_pairs),
        mappings=[read_json(path) for path in paths_to_mappings],
        window_effect=_document(path_to_window_effect) or [],
        acquisitions=[read_json(path) for path in paths_to_acquisitions],
        facts=[read_json(path) for path in paths_to_facts],
        metadata=metadata,
        audit=read_json(path_to_audit),
        truth=[read_json(path) for path in paths_to_truth],
        figures=_pictures(paths_to_figures),
        sheets=_pictures(paths_to_sheets),
        gap_maps=_pictures(paths_to_gaps),
        most_sheets=sheets,
        versions=software_versions(metadata),
    )
    write_text(path_to_report, render_report(inputs))


def _table(path: str | None) -> pd.DataFrame:
    return pd.read_csv(path) if path else pd.DataFrame()


def _tables(methods: Sequence[str], paths: Sequence[str]) -> dict[str, pd.DataFrame]:
    return {method: pd.read_csv(path) for method, path in zip(methods, paths, strict=True)}


def _document(path: str | None) -> Any:
    return read_json(path) if path else {}


def _pictures(paths: Sequence[str]) -> dict[str, tuple[str, bytes]]:
    return {Path(path).stem: (Path(path).suffix[1:], Path(path).read_bytes()) for path in paths}


if __name__ == "__main__":
    log_to(snakemake.log[0])
    with forest_named(snakemake.params.classifier):
        main(
            configuration=snakemake.params.configuration,
            nomenclature=snakemake.input.nomenclature,
            methods=snakemake.params.methods,
            sheets=snakemake.params.sheets,
            path_to_summary=snakemake.input.summary,
            path_to_classes=snakemake.input.classes,
            path_to_comparison=snakemake.input.comparison,
            path_to_labels=snakemake.input.get("labels"),
            path_to_regularisation=snakemake.input.get("regularisation"),
            path_to_regularisation_comparison=snakemake.input.get("regularisation_comparison"),
            path_to_regularised=snakemake.input.get("regularised"),
            path_to_learning_time=snakemake.input.learning_time,
            paths_to_overlap=snakemake.input.overlap,
            paths_to_overlap_pairs=snakemake.input.overlap_pairs,
            paths_to_mappings=snakemake.input.mappings,
            path_to_window_effect=snakemake.input.get("window_effect"),
            path_to_audit=snakemake.input.audit,
            paths_to_metadata=snakemake.input.metadata,
            paths_to_acquisitions=snakemake.input.acquisitions,
            paths_to_facts=snakemake.input.facts,
            paths_to_truth=snakemake.input.get("truth", []),
            paths_to_figures=snakemake.input.figures,
            paths_to_sheets=snakemake.input.sheets,
            paths_to_gaps=snakemake.input.gaps,
            path_to_report=snakemake.output[0],
        )
