"""Runs of the workflow on this machine and through a profile."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROFILES = ("slurm", "cluster")
# A node of the tests; how often the tests ask for the state of jobs.
NODE = ["--cores", "2", "--resources", "mem_mb=16000", "--latency-wait", "20"]
LIMIT_S = 1200
THREADS = ["--set-threads", "train_fgunet=2"]
IMPATIENT = {
    "slurm": ["--slurm-init-seconds-before-status-checks", "1"],
    "cluster": ["--seconds-between-status-checks", "1"],
}


@dataclass(frozen=True)
class Cluster:
    """A Slurm, reached by variables of the environment."""

    environment: dict[str, str]

    def ask(self, *command: str) -> str:
        """What a command of Slurm answers."""
        return subprocess.run(
            command, capture_output=True, text=True, check=True, env=self.environment
        ).stdout

    def jobs(self, folder: Path, *states: str) -> dict[str, str]:
        """Numbers and names of the jobs of a folder, also of those that have ended."""
        wanted = f"--states={','.join(states or ('all',))}"
        lines = self.ask("squeue", "--noheader", wanted, "--format=%i|%j|%Z").splitlines()
        fields = (line.split("|") for line in lines)
        return {number: name for number, name, place in fields if place == str(folder)}

    def jobs_as_they_run(self, *folders: Path) -> Iterator[str]:
        """The number of a job of each folder, as soon as it runs."""
        deadline = time.monotonic() + 120
        waiting = list(folders)
        while waiting:
            assert time.monotonic() < deadline, f"no job of {waiting} ran within two minutes"
            for folder in list(waiting):
                if running := self.jobs(folder, "RUNNING"):
                    waiting.remove(folder)
                    yield min(running)
            time.sleep(0.1)

    @contextmanager
    def away(self) -> Iterator[None]:
        """While the body runs, nothing answers for the cluster; its jobs run on."""
        self.ask("scontrol", "shutdown", "slurmctld")
        try:
            while (
                subprocess.run(["scontrol", "ping"], env=self.environment, check=False).returncode
                == 0
            ):
                time.sleep(0.1)
            yield
        finally:
            self.ask("slurmctld")

    def wait_for_a_running_job(self, folder: Path) -> str:
        """The number of a job of a folder, once it runs."""
        return next(self.jobs_as_they_run(folder))


def start(
    folder: Path, arguments: Iterable[str], environment: dict[str, str]
) -> "subprocess.Popen[str]":
    """Start Snakemake with the configuration in a folder; what it says is kept in run.log there."""
    # From elsewhere, as users do: nothing may hang on where it is started.
    command = ["snakemake", "--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder)]
    with (folder / "run.log").open("w") as said:
        return subprocess.Popen(
            [*command, "--configfile", str(folder / "config.yaml"), *NODE, *arguments],
            cwd=folder.parent, env=environment, text=True, stdout=said, stderr=said,
        )  # fmt: skip


def through(profile: str) -> list[str]:
    """The options of a run through a profile."""
    return ["--profile", str(ROOT / "profiles" / profile), *IMPATIENT[profile]]


def end(run: "subprocess.Popen[str]", folder: Path) -> str:
    """What a run said, once it has ended well."""
    code = run.wait(LIMIT_S)
    said = (folder / "run.log").read_text()
    assert code == 0, said[-6000:]
    return said


@dataclass(frozen=True)
class Runs:
    """Runs of the same configuration, in folders of their names."""

    folder: Path
    started: "dict[str, subprocess.Popen[str]]"

    def finished(self, name: str) -> Path:
        """The folder of a run, once it has ended well."""
        end(self.started[name], self.folder / name)
        return self.folder / name


def user_environment(slurm: dict[str, str]) -> dict[str, str]:
    """The environment of a user who has activated .venv, on a machine with Slurm."""
    binaries = str(Path(sys.executable).parent)
    return {**os.environ, **slurm, "PATH": os.pathsep.join([binaries, slurm["PATH"]])}


def copy_run(run: Path, folder: Path) -> Path:
    """A copy of a finished run."""
    shutil.copytree(run, folder, symlinks=True)
    return folder


def files_below(folder: Path) -> dict[str, Path]:
    """All files below a folder, hidden ones too, by their path in it."""
    return {str(p.relative_to(folder)): p for p in sorted(folder.rglob("*")) if p.is_file()}
