"""Write, as JSON, the outputs that Snakemake's own report shows: ``reported_outputs.py SNAKEFILE``.

To be run in a process of its own: reading a workflow changes the process that does it.
"""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from snakemake.api import SnakemakeApi
from snakemake.settings.types import ConfigSettings, OutputSettings, ResourceSettings


def reported_outputs(snakefile: Path, configfiles: list[Path]) -> list[dict[str, Any]]:
    """Rule, path and report flag of each such output."""
    with TemporaryDirectory() as folder, SnakemakeApi(OutputSettings()) as api:
        loaded = api.workflow(
            ResourceSettings(cores=1),
            config_settings=ConfigSettings(configfiles=configfiles),
            snakefile=snakefile,
            workdir=Path(folder),
        )
        return [
            {
                "rule": rule.name,
                "path": str(output),
                "caption": flag.caption and flag.caption.get_path_or_uri(secret_free=True),
                "category": flag.category,
                "subcategory": flag.subcategory,
                "labels": flag.labels,
            }
            for rule in loaded._workflow.rules
            for output in rule.output
            if (flag := output.flags.get("report"))
        ]


if __name__ == "__main__":
    snakefile, *configfiles = map(Path, sys.argv[1:])
    sys.stdout.write(json.dumps(reported_outputs(snakefile, configfiles)))
