"""What killed runs leave is cleared, and nothing else; with real processes and jobs."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from fgunet.leftovers import (
    RUN_VARIABLE,
    cancel_jobs,
    clear,
    end_processes,
    remove_parts,
    run_name,
)

Orphan = Callable[..., int]
# Starts a process, says its number, and ends before it: so it is nobody's child here.
LAUNCHER = """
import subprocess, sys
subprocess.Popen([sys.executable, "-c", sys.argv[1]])
"""
PROCESS = """
import os, signal, subprocess, sys, time
{code}
print(os.getpid(), flush=True)
time.sleep(300)
"""


@pytest.fixture
def orphan() -> Iterator[Orphan]:
    """Start a process of a run that was killed: ``orphan(folder, code)``, its number."""
    started: list[int] = []

    def start(folder: Path, code: str = "") -> int:
        launched = subprocess.Popen(
            [sys.executable, "-c", LAUNCHER, PROCESS.format(code=code)],
            env={**os.environ, RUN_VARIABLE: run_name(folder)}, text=True,
            stdout=subprocess.PIPE,
        )  # fmt: skip
        assert launched.stdout is not None
        started.append(int(launched.stdout.readline()))
        launched.wait()
        return started[-1]

    yield start
    for number in started:
        with suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)


def is_alive(number: int) -> bool:
    try:
        return psutil.Process(number).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def two_runs(tmp_path: Path) -> tuple[Path, Path]:
    for name in ("run", "run2"):
        (tmp_path / name).mkdir()
    return tmp_path / "run", tmp_path / "run2"


def test_processes_of_the_run_end_and_of_no_other(
    two_runs: tuple[Path, Path], orphan: Orphan, caplog: pytest.LogCaptureFixture
) -> None:
    here, there = two_runs
    own = [orphan(here), orphan(here)]
    other = orphan(there)
    child = subprocess.Popen(["sleep", "300"], env={**os.environ, RUN_VARIABLE: run_name(here)})
    try:
        assert sorted(end_processes(here)) == sorted(own)
        assert not any(map(is_alive, own))
        assert is_alive(other)
        assert child.poll() is None, "what this process has started is no leftover"
        assert all(str(number) in caplog.text for number in own)
        assert end_processes(here) == []
    finally:
        child.kill()
        child.wait()


def test_a_run_is_known_through_a_link(two_runs: tuple[Path, Path], orphan: Orphan) -> None:
    here, there = two_runs
    (there / "link").symlink_to(here)
    number = orphan(there / "link")
    assert end_processes(here) == [number]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can start a process of another user")
def test_processes_of_another_user_are_left(tmp_path: Path) -> None:
    started = subprocess.run(
        ["sh", "-c", "sleep 300 >/dev/null 2>&1 & echo $!"],
        env={**os.environ, RUN_VARIABLE: run_name(tmp_path)},
        user=65534, cwd="/", capture_output=True, text=True, check=True,
    )  # fmt: skip
    number = int(started.stdout)
    try:
        assert end_processes(tmp_path) == []
        assert is_alive(number)
    finally:
        os.kill(number, signal.SIGKILL)


def test_the_process_that_clears_and_its_parents_are_left(tmp_path: Path) -> None:
    """A run may be started from a shell that bears the mark of an earlier one."""
    code = f"from fgunet.leftovers import end_processes; print(end_processes({str(tmp_path)!r}))"
    done = subprocess.run(
        ["sh", "-c", '"$@"; echo the shell goes on', "sh", sys.executable, "-c", code],
        env={**os.environ, RUN_VARIABLE: run_name(tmp_path)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "[]\nthe shell goes on\n"


def test_a_process_is_asked_before_it_is_killed(tmp_path: Path, orphan: Orphan) -> None:
    """As a training that writes its checkpoint, and one that hears nothing."""
    saves = f"""
def save(*_):
    time.sleep(0.5)
    open({str(tmp_path / "checkpoint")!r}, "w").close()
    sys.exit()
signal.signal(signal.SIGTERM, save)
"""
    deaf = "signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    numbers = [orphan(tmp_path, saves), orphan(tmp_path, deaf)]
    assert sorted(end_processes(tmp_path, grace_s=3)) == sorted(numbers)
    assert (tmp_path / "checkpoint").exists()
    assert not any(map(is_alive, numbers))


def test_a_halted_process_ends_without_a_kill(tmp_path: Path, orphan: Orphan) -> None:
    number = orphan(tmp_path)
    os.kill(number, signal.SIGSTOP)
    begun = time.monotonic()
    assert end_processes(tmp_path, grace_s=60) == [number]
    assert not is_alive(number)
    assert time.monotonic() - begun < 60, "the grace was not waited for"


@pytest.mark.parametrize("delay_s", [0.47, 0.48, 0.49, 0.5])
def test_a_process_whose_memory_is_being_freed_has_not_ended(
    tmp_path: Path, orphan: Orphan, delay_s: float
) -> None:
    """It has no environment any more, and still its files; seen at the time of the second look."""
    leaves = f"""
held = b"x" * (1 << 29)
def leave(*_):
    time.sleep({delay_s})
    os._exit(0)
signal.signal(signal.SIGTERM, leave)
"""
    number = orphan(tmp_path, leaves)
    assert end_processes(tmp_path) == [number]
    assert not is_alive(number)


def test_what_is_started_meanwhile_ends_too(tmp_path: Path, orphan: Orphan) -> None:
    """As the next job of a Snakemake that was killed in part."""
    starts = """
def start(*_):
    subprocess.Popen(["sleep", "300"])
    os._exit(0)
signal.signal(signal.SIGTERM, start)
"""
    number = orphan(tmp_path, starts)
    ended = end_processes(tmp_path)
    assert ended[0] == number
    assert len(ended) == 2
    assert not any(map(is_alive, ended))


def killed_while(folder: Path, body: str) -> None:
    """Run `body` in a process that is killed at its end."""
    code = f"import os, signal\nfrom pathlib import Path\nfrom fgunet.files import *\n{body}"
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, check=False)
    assert done.returncode == -signal.SIGKILL


def test_temporary_files_of_killed_jobs_are_removed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kill = "os.kill(os.getpid(), signal.SIGKILL)"
    killed_while(tmp_path, f"""
with atomic_path("results/maps/T31TCJ_class.tif") as part:
    part.write_text("half")
    Path(f"{{part}}.ovr.tmp").write_text("of GDAL")
    Path(f"{{part}}-journal").write_text("of SQLite")
    {kill}""")  # fmt: skip
    killed_while(tmp_path, f"""
with atomic_path("simulated/products/T31TCJ") as part:
    part.mkdir()
    (part / "half").write_text("half")
    {kill}""")  # fmt: skip
    killed_while(tmp_path, f"""
with scratch_beside("results/maps/T31TCJ_regularised.tif") as folder:
    (folder / "filtered.tif").write_text("half")
    {kill}""")  # fmt: skip
    (tmp_path / "results/models/.workers-7.0").mkdir(parents=True)
    (tmp_path / "results/models/.workers-7.0/0.json").write_text("{}")
    stays = [
        "results/maps/T31TDJ_class.tif",
        "results/maps/.T31TCJ_class.unfinished/0_0.npz",
        "results/models/fgunet/checkpoint/checkpoint.npz",
        "results/series/T31TCJ.unpacked/product/1234abcd_B2.tif",
        "results/maps/notes.part",
        "results/maps/.notes.part.txt",
    ]
    for name in stays:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("whole")
    removed = remove_parts([tmp_path / "results", tmp_path / "simulated", tmp_path / "nowhere"])
    assert len(removed) == 6
    found = {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()}
    assert found == set(stays)
    assert "removed 6 temporary files" in caplog.text
    assert remove_parts([tmp_path]) == []


def test_whole_folders_are_not_looked_into(tmp_path: Path) -> None:
    whole = tmp_path / "results/series/T31TCJ.zarr"
    whole.mkdir(parents=True)
    (whole / ".snakemake_timestamp").touch()
    inside = whole / ".a.0123456789ab.part"
    inside.touch()
    assert remove_parts([tmp_path]) == []
    (whole / ".snakemake_timestamp").unlink()
    assert remove_parts([tmp_path]) == [inside]


def test_links_are_not_followed(two_runs: tuple[Path, Path]) -> None:
    here, there = two_runs
    elsewhere = there / ".a.0123456789ab.part"
    elsewhere.touch()
    (here / "link").symlink_to(there)
    (here / ".b.0123456789ab.part").symlink_to(there)
    assert remove_parts([here]) == [here / ".b.0123456789ab.part"]
    assert elsewhere.exists()


def test_clear_removes_files_after_what_writes_them_has_ended(
    tmp_path: Path, orphan: Orphan
) -> None:
    part = tmp_path / "results" / ".a.0123456789ab.part.tif"
    part.parent.mkdir()
    writes = f"""
def write(*_):
    time.sleep(0.5)
    open({str(part)!r}, "w").close()
    sys.exit()
signal.signal(signal.SIGTERM, write)
"""
    number = orphan(tmp_path, writes)
    clear(tmp_path, [tmp_path / "results"])
    assert not is_alive(number)
    assert list(part.parent.iterdir()) == []


def test_clear_removes_the_copies_of_scripts(tmp_path: Path) -> None:
    snakemake = tmp_path / ".snakemake"
    (snakemake / "scripts").mkdir(parents=True)
    (snakemake / "scripts" / "tmpk2_9x.stack_series.py").touch()
    (snakemake / "tmp.ab1_9x").mkdir()
    (snakemake / "tmp.ab1_9x" / "snakejob.split_reference.7.sh").touch()
    (snakemake / "run.lock").touch()
    clear(tmp_path, [])
    assert sorted(path.name for path in snakemake.rglob("*")) == ["run.lock", "scripts"]


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("slurm_load_jobs error: Unable to contact slurm controller (connect failure)", True),
        # What 22.05 says where no configuration is.
        ("squeue: fatal: Could not establish a configuration source", False),
    ],
)
def test_a_queue_that_does_not_answer_is_told(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    message: str,
    told: bool,
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    squeue = tmp_path / "squeue"
    squeue.write_text(f"#!/bin/sh\necho '{message}' >&2\nexit 1\n")
    squeue.chmod(0o755)
    assert cancel_jobs(tmp_path) == []
    assert (message in caplog.text) is told


@pytest.mark.cluster
def test_jobs_of_the_run_are_cancelled_and_of_no_other(
    two_runs: tuple[Path, Path], slurm: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in slurm.items():
        monkeypatch.setenv(name, value)
    here, there = two_runs

    def submit(folder: Path, name: str, *options: str) -> str:
        command = ["sbatch", "--parsable", f"--job-name={name}", "--mem=10", "--output=/dev/null",
                   *options, "--wrap=sleep 300"]  # fmt: skip
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    leftovers = [
        submit(here, "fgunet_1f0c"),
        submit(here, "fgunet-stack_series"),
        submit(here, "fgunet-waits", "--hold"),
    ]
    own = submit(here, "fgunet-driver")
    others = [submit(there, "fgunet_1f0d"), submit(here, "another"), own]
    monkeypatch.setenv("SLURM_JOB_ID", own)
    try:
        assert cancel_jobs(here) == sorted(leftovers)
        listed = subprocess.run(
            ["squeue", "--noheader", "--format=%A"], capture_output=True, text=True, check=True
        )
        assert set(others) <= set(listed.stdout.split())
        assert not set(leftovers) & set(listed.stdout.split())
        assert cancel_jobs(here) == []
    finally:
        subprocess.run(["scancel", *others], check=True)
        time.sleep(1)
