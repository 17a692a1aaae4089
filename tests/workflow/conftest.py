"""Running the workflow as a user does."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def user_environment() -> dict[str, str]:
    """The environment of a user who has activated .venv."""
    binaries = str(Path(sys.executable).parent)
    return {**os.environ, "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}"}


@pytest.fixture(scope="session")
def snakemake(root: Path, user_environment: dict[str, str]) -> Run:
    """Call ``snakemake(folder, *arguments, config=None)``; results land in `folder`."""

    def run(
        folder: Path, *arguments: str, config: dict[str, Any] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        command = ["snakemake", "--snakefile", str(root / "Snakefile"), "--directory", str(folder)]
        if config is not None:
            path = folder / "config.yaml"
            path.write_text(yaml.safe_dump(config, sort_keys=False))
            command += ["--configfile", str(path)]
        return subprocess.run(
            [*command, *arguments],
            capture_output=True,
            text=True,
            env=user_environment,
            check=False,
        )

    return run


Asked = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def asked(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Asked:
    """What Snakemake lets the jobs of a run ask for: ``asked(config, attempt=1)``."""
    path = tmp_path_factory.mktemp("asked") / "config.yaml"

    def ask(config: dict[str, Any], attempt: int = 1) -> dict[str, Any]:
        path.write_text(yaml.safe_dump(config, sort_keys=False))
        command = [Path(__file__).with_name("asked_resources.py"), root / "Snakefile", path]
        done = subprocess.run(
            [sys.executable, *command, str(attempt)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return ask


@pytest.fixture
def shipped_config(root: Path) -> dict[str, Any]:
    """The shipped configuration, to change at will."""
    return yaml.safe_load((root / "workflow_config.yaml").read_text(encoding="utf-8"))
