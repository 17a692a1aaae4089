"""The answers that rules/planning.smk keeps: with them a plan is the same as without."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import pytest
import yaml

Plan = Callable[..., list[dict[str, Any]]]

# Of resources that look at wildcards or files, no answer holds for another job.
OF_ONE_TILE = "tile_sheet:mem_mb=1000 if wildcards.tile == 'T30TWT' else 2000"
OF_FILES = "scores:runtime=len(input)"


@pytest.fixture(scope="module")
def slow_snakefile(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workflow without rules/planning.smk."""
    folder = tmp_path_factory.mktemp("slow")
    shutil.copytree(root / "rules", folder / "rules")
    (folder / "rules" / "planning.smk").write_text("")
    for name in ("Snakefile", "fgunet", "scripts", "tables", "envs", "profiles"):
        (folder / name).symlink_to(root / name)
    shutil.copy(root / "workflow_config.yaml", folder)
    return folder / "Snakefile"


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """All jobs of a plan: ``plan(snakefile, config, *expressions)``."""

    def run(snakefile: Path, config: dict[str, Any], *expressions: str) -> list[dict[str, Any]]:
        path = tmp_path / "config.yaml"
        path.write_text(yaml.safe_dump(config, sort_keys=False))
        script = Path(__file__).with_name("planned_jobs.py")
        done = subprocess.run(
            [sys.executable, script, snakefile, path, *expressions],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        # Tables are those of the workflow's folder, as seen from the run, a temporary folder.
        place = os.path.relpath(snakefile.parent, Path(gettempdir(), "run"))
        return json.loads(done.stdout.replace(place, "FOLDER"))

    return run


def test_a_plan_is_the_same_with_and_without_kept_answers(
    root: Path, plan: Plan, slow_snakefile: Path, shipped_config: dict[str, Any]
) -> None:
    shipped_config["comparison"]["learning_curve"] = [0.25, 0.5]
    shipped_config["mapping"].update(polygon_minimum_m2=500, probabilities="uint8")
    asked = shipped_config, OF_ONE_TILE, OF_FILES
    jobs, expected = plan(root / "Snakefile", *asked), plan(slow_snakefile, *asked)
    assert len(jobs) > 400
    assert jobs == expected


def test_resources_that_look_at_tiles_or_files_are_asked_for_each_job(
    root: Path, plan: Plan, shipped_config: dict[str, Any]
) -> None:
    jobs = plan(root / "Snakefile", shipped_config, OF_ONE_TILE, OF_FILES)
    sheets = {job["wildcards"]: job["resources"] for job in jobs if job["rule"] == "tile_sheet"}
    assert sheets.pop("T30TWT")["mem_mb"] == "1000"
    assert {resources["mem_mb"] for resources in sheets.values()} == {"2000"}
    (scores,) = (job for job in jobs if job["rule"] == "scores")
    assert scores["resources"]["runtime"] == str(len(scores["files"][0]))
