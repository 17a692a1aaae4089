"""The workflow in a folder, as a user starts it; watched, and killed."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

POLL_S = 0.02
"""Time between two looks at what runs: looking takes time, too."""

_RULE = re.compile(r"logs/(\w+)[./]")
_SCRIPT = "/.snakemake/scripts/"


def _hear_sigint() -> None:
    """As on a terminal: what is started in the background does not."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@dataclass(frozen=True)
class Ended:
    """How a Snakemake ended, and what it said."""

    status: int
    said: str


@dataclass(frozen=True)
class Chain:
    """A run in `folder`, which holds its config.yaml.

    What Snakemake says, and temporary files, lie beside the folder under its name and `name`.
    """

    snakefile: Path
    folder: Path
    name: str = "run"

    @property
    def temporary(self) -> Path:
        """Where programs put temporary files."""
        return self.folder.with_name(f"{self.name}.tmp")

    @property
    def _terminal(self) -> Path:
        return self.folder.with_name(f"{self.name}.txt")

    def start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        """Start the command, which is always the same, and do not wait for it."""
        self.temporary.mkdir(exist_ok=True)
        binaries = Path(sys.executable).parent
        command = [
            binaries / "snakemake", "--snakefile", self.snakefile, "--directory", self.folder,
            "--configfile", self.folder / "config.yaml", "--cores", "2", *arguments,
        ]  # fmt: skip
        environment = {
            **os.environ,
            "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
            "TMPDIR": str(self.temporary),
        }
        with self._terminal.open("wb") as terminal:
            return subprocess.Popen(  # no thread runs here
                command, env=environment, stdout=terminal, stderr=terminal,
                preexec_fn=_hear_sigint,  # noqa: PLW1509
            )  # fmt: skip

    def ended(self, started: "subprocess.Popen[bytes]") -> Ended:
        """Wait for it."""
        return Ended(started.wait(), self._terminal.read_text(encoding="utf-8", errors="replace"))

    def run(self, *arguments: str) -> Ended:
        """Start the command and wait for it."""
        return self.ended(self.start(*arguments))

    def finish(self, *arguments: str) -> None:
        """Run the command, which has to end well."""
        done = self.run(*arguments)
        assert done.status == 0, done.said[-6000:]

    def copied(self, folder: Path) -> "Chain":
        """A copy of the run, its files of the same age."""
        shutil.copytree(self.folder, folder, symlinks=True, dirs_exist_ok=True)
        return replace(self, folder=folder)

    def remove(self, *paths: str) -> None:
        """Remove results."""
        for path in paths:
            there = self.folder / path
            if there.is_dir():
                shutil.rmtree(there)
            else:
                there.unlink()

    def usual_times(self) -> dict[str, float]:
        """Seconds that the shortest job of each rule took, by the measurements of the run.

        Where the machine was busy, or halted, only the time of the processors says so; it is
        looked at twice a second.
        """
        folder = self.folder / "results" / "benchmarks"
        times: dict[str, float] = {}
        for path in folder.rglob("*.tsv"):
            rule = path.relative_to(folder).parts[0].removesuffix(".tsv")
            measured = path.read_text(encoding="utf-8").splitlines()[1].split("\t")
            taken = min(float(measured[0]), float(measured[-1]) + 0.3)
            times[rule] = min(times.get(rule, taken), taken)
        return times


class Running:
    """The jobs that run under a Snakemake."""

    def __init__(self, started: "subprocess.Popen[bytes]") -> None:
        self.started = started
        self._rules: dict[psutil.Process, str] = {}

    def jobs(self) -> Iterator[tuple[str, psutil.Process]]:
        """Rule and process of each; its log tells the rule."""
        with suppress(psutil.Error):
            for process in psutil.Process(self.started.pid).children(recursive=True):
                with suppress(psutil.Error, OSError):
                    # What a process is may change once, as it begins.
                    if process not in self._rules and (found := _RULE.search(_command_of(process))):
                        self._rules[process] = found[1]
                    if process in self._rules:
                        yield self._rules[process], process

    def wait_for(self, rule: str) -> psutil.Process:
        """The process of a rule's job, as soon as it runs."""
        while rule not in (jobs := dict(self.jobs())):
            assert self.started.poll() is None, f"Snakemake ended before {rule} ran"
            time.sleep(POLL_S)
        return jobs[rule]


def _command_of(process: psutil.Process) -> str:
    """The command of a job's shell, or the script that its interpreter was given."""
    words = process.cmdline()
    if words[1:2] == ["-c"]:
        return words[2]
    if len(words) == 2 and _SCRIPT in words[1]:
        return Path(words[1]).read_text(encoding="utf-8", errors="replace")
    return ""


def workers_of(job: psutil.Process) -> list[psutil.Process]:
    """The workers of a training."""
    return [
        process
        for process in job.children(recursive=True)
        if process.cmdline()[1:3] == ["-m", "fgunet.training"]
    ]
