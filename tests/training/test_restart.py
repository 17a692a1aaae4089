"""Real processes that are killed at random moments, and asked to stop."""

import csv
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from fgunet.files import read_json

TRAIN = [sys.executable, "-m", "fgunet.training", "plan.json"]
EPOCHS, STEPS = 4, 8
LIMIT_S = 300


def command(folder, workers):
    alone = [*TRAIN, str(folder)]
    if workers == 1:
        return alone
    horovodrun = shutil.which("horovodrun", path=str(Path(sys.executable).parent))
    if horovodrun is None:
        pytest.skip("horovodrun is not installed in this environment")
    return [horovodrun, "-np", str(workers), "-H", f"localhost:{workers}", "--gloo", *alone]


def started(folder, workers=1):
    with Path(f"{folder}.log").open("ab") as log:
        return subprocess.Popen(
            command(folder, workers), stdout=log, stderr=log, start_new_session=True
        )


def said(folder):
    return Path(f"{folder}.log").read_text(encoding="utf-8")


def finish(folder, workers=1):
    process = started(folder, workers)
    assert process.wait(timeout=LIMIT_S) == 0, said(folder)


def kill_all(process):
    """Kill a process and all that it started, as the kernel kills for lack of memory."""
    found = [process.pid]
    for pid in found:
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            found += [int(child) for child in task.read_text().split()]
    for pid in reversed(found):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    process.wait(timeout=30)


def history(folder):
    """The history without what depends on the clock."""
    with Path(folder, "history.csv").open(encoding="utf-8") as file:
        return [
            {k: v for k, v in row.items() if not k.endswith("_s")} for row in csv.DictReader(file)
        ]


def checkpoint_of(folder):
    """Tells one checkpoint from the next: its file, and when it was written."""
    path = Path(folder, "checkpoint/state.npz")
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns


def wait_for_steps(folder, process, seconds):
    """Wait for a checkpoint of this process, then so many seconds more, or until it ends."""
    limit = time.monotonic() + LIMIT_S
    before = checkpoint_of(folder)
    while process.poll() is None and checkpoint_of(folder) in (None, before):
        assert time.monotonic() < limit, said(folder)
        time.sleep(0.01)
    time.sleep(seconds)


@pytest.mark.parametrize("workers", [1, 2])
def test_killed_at_random_it_ends_with_the_same_bytes(planned, workers, tmp_path, monkeypatch):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    planned(epochs=EPOCHS, patches_per_epoch=4 * STEPS, dropout=0.2)
    finish("whole", workers)
    generator = np.random.default_rng(workers)
    kills = 0
    for _ in range(3):
        process = started("killed", workers)
        wait_for_steps("killed", process, seconds=generator.uniform(0, 0.15))
        kills += process.poll() is None
        kill_all(process)
        if Path("killed/metadata.json").exists():
            break
    assert kills
    finish("killed", workers)
    assert Path("killed/model.keras").read_bytes() == Path("whole/model.keras").read_bytes()
    assert history("killed") == history("whole")
    assert len(history("whole")) == EPOCHS
    assert not Path("killed/checkpoint").exists()
    assert not list(temporary.iterdir())


@pytest.mark.parametrize("workers", [1, 2])
def test_asked_to_stop_it_writes_a_checkpoint_and_goes_on(planned, workers):
    # The first checkpoint by itself would come at the end of the first epoch.
    planned(epochs=2, patches_per_epoch=4 * 2000, checkpoint_every=100_000)
    process = started("out", workers)
    limit = time.monotonic() + LIMIT_S
    while "patches (" not in said("out"):  # progress, after the first steps
        assert process.poll() is None, said("out")
        assert time.monotonic() < limit, said("out")
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    code = process.wait(timeout=10)
    assert code != 0
    assert Path("out/checkpoint/state.npz").exists(), said("out")
    if workers == 1:
        assert code == 143
        assert "steps are done and saved in out/checkpoint/state.npz: start again" in said("out")
    again = started("out", workers)
    while "going on after step" not in said("out"):
        assert again.poll() is None, said("out")
        assert time.monotonic() < limit, said("out")
        time.sleep(0.05)
    kill_all(again)


def test_a_plan_that_changed_does_not_take_the_checkpoint(planned):
    planned(epochs=2, patches_per_epoch=4 * 2000)
    process = started("out")
    wait_for_steps("out", process, seconds=0)
    kill_all(process)
    planned(epochs=2, patches_per_epoch=4 * 2000, learning_rate=0.5)
    assert started("out").wait(timeout=LIMIT_S) == 1
    assert "is the checkpoint of another training" in said("out")
    assert "learning_rate: 0.01, now 0.5" in said("out")


def test_without_horovod_one_process_trains(planned):
    # An interpreter that cannot import Horovod, or anything of it.
    Path("horovod.py").write_text("raise ImportError('there is no Horovod here')\n")
    planned(epochs=1)
    done = subprocess.run(
        [*TRAIN, "out"],
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert read_json("out/metadata.json")["workers"] == 1
