"""Write, as JSON, what each job of a run asks for: ``asked_resources.py SNAKEFILE CONFIG ATTEMPT``.

To be run in a process of its own: reading a workflow changes the process that does it.
"""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from snakemake.api import SnakemakeApi
from snakemake.settings.enums import Quietness
from snakemake.settings.types import (
    ConfigSettings,
    DAGSettings,
    ExecutionSettings,
    OutputSettings,
    ResourceSettings,
)


def asked_resources(snakefile: Path, config: Path, attempt: int) -> dict[str, Any]:
    """What each job asks for, by its benchmark file, and how much of it is for Snakemake (MB)."""
    quiet = OutputSettings(dryrun=True, quiet={Quietness.ALL})
    with TemporaryDirectory() as folder, SnakemakeApi(quiet) as api:
        loaded = api.workflow(
            ResourceSettings(cores=16),
            config_settings=ConfigSettings(configfiles=[config]),
            snakefile=snakefile,
            workdir=Path(folder),
        )
        loaded.dag(DAGSettings(forceall=True)).execute_workflow(
            executor="dryrun", execution_settings=ExecutionSettings(attempt=attempt)
        )
        jobs = {
            str(job.benchmark): {
                "rule": job.rule.name,
                "mem_mb": job.resources.mem_mb,
                "runtime": job.resources.runtime,
            }
            for job in loaded._workflow.dag.jobs
            if job.benchmark
        }
        return {"jobs": jobs, "snakemake_mb": loaded._workflow.globals["SNAKEMAKE_MB"]}


if __name__ == "__main__":
    snakefile, config, attempt = sys.argv[1:]
    sys.stdout.write(json.dumps(asked_resources(Path(snakefile), Path(config), int(attempt))))
