"""Write, as JSON, all of each planned job: ``planned_jobs.py SNAKEFILE CONFIG EXPRESSION ...``.

The expressions are those of ``--set-resources``. To be run in a process of its own: reading a
workflow changes the process that does it.
"""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from snakemake.api import SnakemakeApi
from snakemake.cli import parse_set_resources
from snakemake.settings.enums import Quietness
from snakemake.settings.types import ConfigSettings, OutputSettings, ResourceSettings


def planned_jobs(snakefile: Path, config: Path, expressions: list[str]) -> list[dict[str, Any]]:
    """All that Snakemake knows of the jobs of a plan, in the order of their rules and tiles."""
    quiet = OutputSettings(dryrun=True, quiet={Quietness.ALL})
    with TemporaryDirectory() as folder, SnakemakeApi(quiet) as api:
        loaded = api.workflow(
            ResourceSettings(cores=16, overwrite_resources=parse_set_resources(expressions)),
            config_settings=ConfigSettings(configfiles=[config]),
            snakefile=snakefile,
            workdir=Path(folder),
        )
        loaded.dag().execute_workflow(executor="dryrun")
        dag = loaded._workflow.dag
        return sorted((facts_of(job, dag) for job in dag.jobs), key=repr)


def facts_of(job: Any, dag: Any) -> dict[str, Any]:
    return {
        "rule": job.rule.name,
        "wildcards": str(job.wildcards),
        "after": sorted(f"{other.rule.name} {other.wildcards}" for other in dag.dependencies[job]),
        "files": [list(map(str, files)) for files in (job.input, job.output, job.log)],
        "temporary": sorted(str(file) for file in job.output if "temp" in file.flags),
        "benchmark": str(job.benchmark),
        "params": {name: repr(value) for name, value in job.params.items()},
        "resources": {name: str(value) for name, value in sorted(job.resources.items())},
        "message": job.message,
        "missing": sorted(map(str, dag.reason(job).missing_output)),
        "updated": sorted(map(str, dag.reason(job).updated_input_run)),
    }


if __name__ == "__main__":
    snakefile, config, *expressions = sys.argv[1:]
    sys.stdout.write(json.dumps(planned_jobs(Path(snakefile), Path(config), expressions)))
