"""Runs that are killed, stopped or started twice: the same command ends with the same bytes."""

import hashlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from fgunet.leftovers import RUN_VARIABLE, run_name

pytestmark = pytest.mark.faults

TILE = "T31TGK"
SERIES = f"results/series/{TILE}.zarr"
STATISTICS = f"results/statistics/{TILE}.npz"
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(scope="module")
def start(root: Path, user_environment: dict[str, str]) -> Start:
    """Start a run of one small tile: ``start(folder)``."""

    def run(folder: Path, *arguments: str) -> "subprocess.Popen[str]":
        config = yaml.safe_load((root / "workflow_config.yaml").read_text(encoding="utf-8"))
        config["tiles"] = [TILE]
        config["simulation"]["tile_size"] = 64
        config["split"]["leave_out_scarce"] = True
        config["fgunet"]["patch_size"] = 32
        path = folder / "config.yaml"
        path.write_text(yaml.safe_dump(config, sort_keys=False))
        return subprocess.Popen(
            ["snakemake", "--snakefile", str(root / "Snakefile"), "--directory", str(folder),
             "--configfile", str(path), "--cores", "2", *(arguments or [STATISTICS])],
            env=user_environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    return run


def ended(run: "subprocess.Popen[str]") -> tuple[int, str]:
    """Exit status and words of a run."""
    said, _ = run.communicate(timeout=300)
    return run.returncode, said


def results(folder: Path) -> dict[str, str]:
    """SHA-256 of every file that jobs have written, but for what holds their times."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for top in ("results", "simulated")
        for path in (folder / top).rglob("*")
        if path.is_file() and "benchmarks" not in path.parts
    }


@pytest.fixture(scope="module")
def begun(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What comes before the series, made once."""
    folder = tmp_path_factory.mktemp("begun")
    status, said = ended(start(folder, "results/inputs_checked.json"))
    assert status == 0, said
    return folder


@pytest.fixture(scope="module")
def undisturbed(
    start: Start, begun: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    folder = copied(begun, tmp_path_factory.mktemp("undisturbed"))
    status, said = ended(start(folder))
    assert status == 0, said
    return results(folder)


@pytest.fixture
def folder(begun: Path, tmp_path: Path) -> Path:
    return copied(begun, tmp_path)


def copied(begun: Path, folder: Path) -> Path:
    """A copy with the times of its files, by which Snakemake judges."""
    subprocess.run(["cp", "-a", f"{begun}/.", str(folder)], check=True)
    return folder


def job_of(folder: Path, script: str) -> psutil.Process:
    """The process of a job, as soon as it runs."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        for process in psutil.process_iter():
            try:
                marked = process.environ().get(RUN_VARIABLE) == run_name(folder)
                if marked and any(script in word for word in process.cmdline()[1:]):
                    return process
            except psutil.Error:
                continue
        time.sleep(0.05)
    pytest.fail(f"no job of {script} was started in {folder}")


def test_children_of_a_killed_run_are_ended_by_the_next(
    start: Start, folder: Path, undisturbed: dict[str, str]
) -> None:
    killed = start(folder)
    job = job_of(folder, "stack_series")
    job.suspend()  # so that it cannot end by itself
    killed.kill()
    killed.wait()
    (folder / "results/series/.T31TGK.0123456789ab.part.zarr").mkdir(parents=True, exist_ok=True)
    status, said = ended(start(folder))
    assert status == 0, said
    assert re.search(rf"ended what a killed run had left at work .*\({job.pid}\)", said)
    assert "removed 1 temporary files" in said
    assert not job.is_running()
    assert results(folder) == undisturbed


def test_of_two_runs_in_one_folder_one_is_refused(
    start: Start, folder: Path, undisturbed: dict[str, str]
) -> None:
    runs = [ended(run) for run in [start(folder), start(folder)]]
    assert sorted(status for status, _ in runs) == [0, 1], runs
    for status, said in runs:
        assert ("another run is at work" in said) == (status == 1)
        assert "Traceback" not in said
    assert results(folder) == undisturbed


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_asked_to_stop_goes_on_later(
    start: Start, folder: Path, undisturbed: dict[str, str], number: signal.Signals
) -> None:
    stopped = start(folder)
    job_of(folder, "stack_series")
    stopped.send_signal(number)
    status, said = ended(stopped)
    assert status != 0, said
    assert not (folder / STATISTICS).exists()
    status, said = ended(start(folder))
    assert status == 0, said
    assert "left at work" not in said, "Snakemake waits for its jobs"
    assert results(folder) == undisturbed


def test_a_dry_run_beside_a_run_disturbs_nothing(
    start: Start, folder: Path, undisturbed: dict[str, str]
) -> None:
    run = start(folder)
    job = job_of(folder, "stack_series")
    job.suspend()
    dry, _ = ended(start(folder, STATISTICS, "--dry-run"))
    assert dry == 0
    assert job.is_running()
    job.resume()
    status, said = ended(run)
    assert status == 0, said
    assert results(folder) == undisturbed


def test_a_flipped_bit_in_a_series_is_noticed_and_mended(
    start: Start, folder: Path, undisturbed: dict[str, str]
) -> None:
    assert ended(start(folder))[0] == 0
    shard = folder / SERIES / "series/c/0/0/0/0"
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    times = shard.stat()
    shard.write_bytes(content)
    os.utime(shard, ns=(times.st_atime_ns, times.st_mtime_ns))
    (folder / STATISTICS).unlink()
    status, said = ended(start(folder))
    assert status == 1
    assert re.search(rf"{SERIES}.* is damaged: chunk .* was removed; start again", said)
    assert not (folder / SERIES).exists()
    status, said = ended(start(folder))
    assert status == 0, said
    assert results(folder) == undisturbed


def mounted_read_only(folder: Path, change: Any) -> None:
    for options in (["--bind", str(folder), str(folder)], ["-o", "remount,ro,bind", str(folder)]):
        subprocess.run(["mount", *options], check=True)
    try:
        change()
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting takes root")
def test_results_that_cannot_be_written_are_told(
    start: Start, folder: Path, undisturbed: dict[str, str]
) -> None:
    def refused() -> None:
        status, said = ended(start(folder))
        assert status == 1
        assert re.search(r"WriteError: .*cannot be written: Read-only file system", said)

    mounted_read_only(folder / "results", refused)
    assert ended(start(folder))[0] == 0
    assert results(folder) == undisturbed
