"""A Slurm of two nodes on this machine."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_SCRIPTS = Path(__file__).parent


@contextmanager
def running_slurm(folder: Path) -> Iterator[dict[str, str]]:
    """While the body runs, a Slurm with its state in a folder; the variables that reach it.

    Skips the test where it cannot be had. Several may run: the last one is the one that the steps
    of Snakemake's jobs find.
    """
    path = f"{os.environ['PATH']}{os.pathsep}/usr/sbin"
    missing = [
        name for name in ("slurmctld", "slurmd", "munged", "sbatch")
        if shutil.which(name, path=path) is None
    ]  # fmt: skip
    if missing or os.geteuid() != 0:
        pytest.skip(f"a Slurm needs root, and programs that are missing: {missing or 'none'}")
    started = subprocess.run(
        [_SCRIPTS / "start_slurm.sh", folder],
        capture_output=True, text=True, env={**os.environ, "PATH": path}, check=False,
    )  # fmt: skip
    if started.returncode != 0:
        pytest.fail(f"Slurm did not start: {started.stdout}{started.stderr}")
    try:
        yield {"PATH": path, "SLURM_CONF": str(folder / "slurm.conf")}
    finally:
        subprocess.run([_SCRIPTS / "stop_slurm.sh", folder], check=True)
