"""What a run has made: every file's bytes, but for the times that it took."""

import csv
import hashlib
import io
import json
from pathlib import Path

# Columns of tables, and facts of models, that tell times.
_TIMES = {"wall_s", "cpu_s", "patches_per_s", "samples_per_s", "one_cpu_h", "wall_h"}
# Measurements, and the pages that show them.
_MEASURED = (
    "results/benchmarks/",
    "results/tables/rules.",
    "results/tables/learning_time.html",
    "results/tables/study_methods.html",
    "results/report.html",
)
# Files in the STAC collection that tell times, and so are longer or shorter.
_OF_SOME_SIZE = {"report", "metadata"}
# Its files are Snakemake's own, and new with each start.
_SNAKEMAKE = ".snakemake"


def results_of(folder: Path) -> dict[str, str]:
    """All files and folders below that of a run, the logs too, each with a hash of what it says.

    Left out of the hashes are logs, `_MEASURED`, the fields `_TIMES` of tables and metadata,
    and the sizes that the STAC collection gives of files that tell times.
    """
    names = {
        str(path.relative_to(folder)): path
        for top in sorted(folder.iterdir())
        if top.name != _SNAKEMAKE
        for path in (top, *top.rglob("*"))
    }
    return {name: _hash(name, path) for name, path in names.items()}


def _hash(name: str, path: Path) -> str:
    # Snakemake's mark of a finished folder is empty; a lock file too.
    if path.is_dir() or name.startswith(("logs/", *_MEASURED)):
        return ""
    return hashlib.sha256(_without_times(path)).hexdigest()


def _without_times(path: Path) -> bytes:
    content = path.read_bytes()
    if path.name == "metadata.json":
        facts = json.loads(content)
        content = json.dumps({k: v for k, v in facts.items() if k not in _TIMES}).encode()
    elif path.suffix == ".json" and b'"assets"' in content:
        facts = json.loads(content)
        for asset in _OF_SOME_SIZE & facts["assets"].keys():
            del facts["assets"][asset]["file:size"]
        content = json.dumps(facts).encode()
    elif path.suffix == ".csv" and any(time in content.decode() for time in _TIMES):
        rows = list(csv.DictReader(io.StringIO(content.decode())))
        content = repr([{k: v for k, v in row.items() if k not in _TIMES} for row in rows]).encode()
    return content


def difference(found: dict[str, str], expected: dict[str, str]) -> dict[str, list[str]]:
    """Files that are missing, are there and should not be, or are not the same."""
    told = {
        "missing": sorted(expected.keys() - found.keys()),
        "left": sorted(found.keys() - expected.keys()),
        "other": sorted(n for n in expected.keys() & found.keys() if found[n] != expected[n]),
    }
    return {what: names for what, names in told.items() if names}
