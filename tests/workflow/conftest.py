"""Running the workflow as a user does."""

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


@pytest.fixture
def shipped_config(root: Path) -> dict[str, Any]:
    """The shipped configuration, to change at will."""
    return yaml.safe_load((root / "workflow_config.yaml").read_text(encoding="utf-8"))
