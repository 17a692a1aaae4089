"""Write the report of the run: one HTML page."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from fgunet.files import read_json, write_text
from fgunet.logs import log_to
from fgunet.nomenclature import read_nomenclature
from fgunet.report.page import ReportInputs, render_report
from fgunet.report.style import evenly_chosen, forest_named


def main(
    *,
    configuration: Mapping[str, Any],
    nomenclature: str,
    methods: Sequence[str],
    most_tiles: int,
    paths_to_tables: Mapping[str, str],
    paths_to_documents: Mapping[str, str],
    paths_to_overlap: Sequence[str],
    paths_to_overlap_pairs: Sequence[str],
    paths_to_mappings: Sequence[str],
    paths_to_metadata: Sequence[str],
    paths_to_acquisitions: Sequence[str],
    paths_to_facts: Sequence[str],
    paths_to_truth: Sequence[str],
    paths_to_figures: Sequence[str],
    paths_to_views: Sequence[str],
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
        agreement=_tables(methods, paths_to_overlap),
        agreement_pairs=_tables(methods, paths_to_overlap_pairs),
        mappings=[read_json(path) for path in paths_to_mappings],
        acquisitions=[read_json(path) for path in paths_to_acquisitions],
        facts=[read_json(path) for path in paths_to_facts],
        metadata=metadata,
        truth=[read_json(path) for path in paths_to_truth],
        figures=_pictures(paths_to_figures),
        views=[read_json(path) for path in evenly_chosen(sorted(paths_to_views), most_tiles)],
        gap_maps=_pictures(evenly_chosen(sorted(paths_to_gaps), most_tiles)),
        **{name: pd.read_csv(path) for name, path in paths_to_tables.items()},
        **{name: read_json(path) for name, path in paths_to_documents.items()},
    )
    write_text(path_to_report, render_report(inputs))


def _tables(methods: Sequence[str], paths: Sequence[str]) -> dict[str, pd.DataFrame]:
    return {method: pd.read_csv(path) for method, path in zip(methods, paths, strict=True)}


def _pictures(paths: Sequence[str]) -> dict[str, tuple[str, bytes]]:
    return {Path(path).stem: (Path(path).suffix[1:], Path(path).read_bytes()) for path in paths}


if __name__ == "__main__":
    log_to(snakemake.log[0])
    # Inputs of one file each are named as the page names them.
    single = {name: path for name, path in snakemake.input.items() if isinstance(path, str)}
    with forest_named(snakemake.params.classifier):
        main(
            configuration=snakemake.params.configuration,
            nomenclature=snakemake.input.nomenclature,
            methods=snakemake.params.methods,
            most_tiles=snakemake.params.most_tiles,
            paths_to_tables={n: path for n, path in single.items() if path.endswith(".csv")},
            paths_to_documents={n: path for n, path in single.items() if path.endswith(".json")},
            paths_to_overlap=snakemake.input.overlap,
            paths_to_overlap_pairs=snakemake.input.overlap_pairs,
            paths_to_mappings=snakemake.input.mappings,
            paths_to_metadata=snakemake.input.metadata,
            paths_to_acquisitions=snakemake.input.acquisitions,
            paths_to_facts=snakemake.input.facts,
            paths_to_truth=snakemake.input.get("truth", []),
            paths_to_figures=snakemake.input.figures,
            paths_to_views=snakemake.input.views,
            paths_to_gaps=snakemake.input.gaps,
            path_to_report=snakemake.output[0],
        )
