"""Tell what the run was made with, and what the jobs of each rule took."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fgunet.files import file_sha256, read_json, write_csv
from fgunet.logs import log_to
from fgunet.report.background import software_versions
from fgunet.report.job_costs import read_jobs, rule_costs
from fgunet.report.provenance import configuration_sha256, provenance_table


def main(
    *,
    configuration: Mapping[str, Any],
    rules: Sequence[str],
    nomenclature: str,
    paths_to_models: Mapping[str, str],
    paths_to_metadata: Mapping[str, str],
    paths_to_series: Mapping[str, str],
    path_to_polygons: str,
    path_to_benchmarks: str,
    path_to_made_with: str,
    path_to_costs: str,
) -> None:
    jobs = read_jobs(path_to_benchmarks, paths_to_series.keys())
    costs = rule_costs(jobs.table, rules)
    files = {
        ("nomenclature", Path(nomenclature).name): nomenclature,
        ("reference", Path(path_to_polygons).name): path_to_polygons,
        **{("model", method): path for method, path in paths_to_models.items()},
        **{("series", tile): f"{path}/zarr.json" for tile, path in paths_to_series.items()},
    }
    documents = {method: read_json(path) for method, path in paths_to_metadata.items()}
    made_with = provenance_table(
        versions=software_versions(documents),
        configuration=configuration_sha256(configuration),
        files={key: file_sha256(path) for key, path in files.items()},
        jobs_left_out={
            "because they cannot be read": len(jobs.unreadable),
            "because their rule is not in this workflow": len(jobs.table) - costs["jobs"].sum(),
        },
    )
    for path, table in ((path_to_made_with, made_with), (path_to_costs, costs)):
        write_csv(path, table)


if __name__ == "__main__":
    log_to(snakemake.log[0])
    methods = snakemake.params.methods
    main(
        configuration=snakemake.params.configuration,
        rules=snakemake.params.rules,
        nomenclature=snakemake.input.nomenclature,
        paths_to_models=dict(zip(methods, snakemake.input.models, strict=True)),
        paths_to_metadata=dict(zip(methods, snakemake.input.metadata, strict=True)),
        paths_to_series=dict(zip(snakemake.params.tiles, snakemake.input.series, strict=True)),
        path_to_polygons=snakemake.input.polygons,
        path_to_benchmarks=snakemake.params.benchmarks,
        path_to_made_with=snakemake.output.made_with,
        path_to_costs=snakemake.output.costs,
    )
