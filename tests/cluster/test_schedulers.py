"""The lines for PBS and LSF of docs/cluster.md, with stand-ins for their commands.

A stand-in writes down its arguments, runs the job at once, and answers as the real command does.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from .runs import ROOT

pytestmark = pytest.mark.cluster

WORKFLOW = """
rule made:
    output: "made.txt"
    threads: 3
    resources: mem_mb=lambda wildcards, attempt: 700 * attempt, runtime=90
    shell: "test -e failed_once || {{ touch failed_once; exit 1; }}; echo made > {output}"
"""
SUBMIT = """#!/bin/bash
echo "$*" >> arguments.txt
number=$(wc -l < arguments.txt)
"${@: -1}" > /dev/null 2>&1
echo $? > status-$number
echo "%s"
"""
STANDINS = {
    "PBS": {
        "qsub": SUBMIT % "$number.server1",
        "qstat": '#!/bin/bash\necho "    Exit_status = $(cat status-${3%%.*})"',
        "asked": [
            r"-l select=1:ncpus=3:mem=700mb -l walltime=00:90:00 \S+",
            r"-l select=1:ncpus=3:mem=1400mb -l walltime=00:90:00 \S+",
        ],
    },
    "LSF": {
        "bsub": SUBMIT % "Job <$number> is submitted to queue <normal2>.",
        "bjobs": "#!/bin/bash\n[ $(cat status-$4) = 0 ] && echo DONE || echo EXIT",
        "asked": [
            r"-n 3 -R span\[hosts=1\] -M 700MB -W 90 -o logs/cluster/%J.log \S+",
            r"-n 3 -R span\[hosts=1\] -M 1400MB -W 90 -o logs/cluster/%J.log \S+",
        ],
    },
}


def documented(scheduler: str) -> dict[str, str]:
    """The entries of the profile that docs/cluster.md gives for a scheduler."""
    text = (ROOT / "docs" / "cluster.md").read_text(encoding="utf-8")
    found = re.search(rf"^{scheduler}\b.*?^```\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    assert found, f"no lines for {scheduler}"
    return yaml.safe_load(found[1])


def write_profile(folder: Path, entries: dict[str, str]) -> Path:
    shipped = yaml.safe_load((ROOT / "profiles" / "cluster" / "config.yaml").read_text())
    assert entries.keys() <= shipped.keys()
    folder.mkdir()
    quick = {"seconds-between-status-checks": 1, "latency-wait": 5}
    (folder / "config.yaml").write_text(yaml.safe_dump({**shipped, **entries, **quick}))
    return folder


@pytest.mark.parametrize("scheduler", STANDINS)
def test_a_job_asks_for_what_it_needs_and_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheduler: str
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    commands = dict(STANDINS[scheduler])
    asked = commands.pop("asked")
    for name, text in commands.items():
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    binaries = [str(programs), str(Path(sys.executable).parent)]
    monkeypatch.setenv("PATH", ":".join(binaries), prepend=":")
    profile = write_profile(tmp_path / "profile", documented(scheduler))
    (tmp_path / "Snakefile").write_text(WORKFLOW)
    # As from the README: the profile by a relative path, the results elsewhere.
    done = subprocess.run(
        ["snakemake", "--profile", profile.name, "--directory", "elsewhere"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    run = tmp_path / "elsewhere"
    assert (run / "made.txt").read_text() == "made\n"
    lines = (run / "arguments.txt").read_text().splitlines()
    assert len(lines) == 2
    for line, pattern in zip(lines, asked, strict=True):
        assert re.search(rf"{pattern}$", line), line
