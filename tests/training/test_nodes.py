"""The rule that trains, as a job of two nodes of a real Slurm."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import keras
import numpy as np
import pytest
import yaml

from tests.cluster.local import running_slurm
from tests.cluster.runs import Cluster, user_environment

pytestmark = pytest.mark.cluster

TILES = ("T30TWT", "T31TGK")
PLACES = {
    "series": "series/{tile}.zarr",
    "code": "reference/{tile}_code.tif",
    "split": "reference/{tile}_split.tif",
}
OUT = Path("results/models/fgunet")
BINARIES = str(Path(sys.executable).parent)
ON_TWO_NODES = [
    f"train_fgunet:{setting}"
    for setting in ("mpi=srun", "tasks=2", "nodes=2", "options=--nodes=2 --ntasks=2")
]


@pytest.fixture
def run_with_plan(planned, root):
    """Lay out a run that is about to train, in the present folder: ``(**settings of the plan)``."""

    def lay_out(**settings):
        plan = planned(**settings)
        config = yaml.safe_load((root / "workflow_config.yaml").read_text())
        config |= {"tiles": list(TILES), "comparison": {"equal_labels": False}}
        config["fgunet"]["batch_size"] = plan["batch_size"]
        Path("config.yaml").write_text(yaml.safe_dump(config))
        for name, tile in zip(TILES, plan["tiles"], strict=True):
            for kind, target in PLACES.items():
                path = Path("results", target.format(tile=name))
                path.parent.mkdir(parents=True, exist_ok=True)
                Path(tile[kind]).rename(path)
                tile[kind] = str(path)
        OUT.mkdir(parents=True)
        (OUT / "plan.json").write_text(json.dumps(plan))

    return lay_out


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A Slurm of their own: a job of one node finds room where these tests need both nodes."""
    with running_slurm(tmp_path_factory.mktemp("nodes")) as variables:
        yield Cluster(user_environment(variables))


@pytest.fixture
def train_by_slurm(root, cluster):
    """Start Snakemake with a profile; it submits the training as a job of two nodes."""
    started = []

    def start(profile):
        command = [
            "snakemake", "--snakefile", root / "Snakefile", "--configfile", "config.yaml",
            "--profile", root / "profiles" / profile, "--retries", "0", "--latency-wait", "5",
            "--seconds-between-status-checks", "5",
            "--set-resources", *ON_TWO_NODES, "--set-threads", "train_fgunet=1",
            "--allowed-rules", "train_fgunet", "--", OUT / "model.keras",
        ]  # fmt: skip
        with Path("snakemake.log").open("ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, env=cluster.environment)
        started.append(process)
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:  # the test failed
            states = cluster.ask("sinfo", "--Node", "--format=%N %T %E")
            print(cluster.ask("squeue"), states)  # noqa: T201
            process.kill()
            process.wait(60)
            cluster.ask("scancel", "--user=root")


def train_here(folder, *launcher):
    command = [*launcher, sys.executable, "-m", "fgunet.training", OUT / "plan.json", folder]
    subprocess.run(command, check=True, capture_output=True, timeout=500)


def ended(process):
    """How a process ended; None where it did not within eight minutes."""
    with suppress(subprocess.TimeoutExpired):
        return process.wait(timeout=500)


def told():
    """All that was said of the job, for a test that fails."""
    return "\n".join(path.read_text(errors="replace") for path in Path().rglob("*.log"))


def weights(folder):
    import fgunet.network  # noqa: F401, PLC0415  registers its layers

    model = keras.models.load_model(Path(folder, "model.keras"))
    return np.concatenate([values.ravel() for values in model.get_weights()])


def workers_at_work():
    """Numbers of the processes that train in this folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            words = (path / "cmdline").read_bytes().split(b"\0")
            if b"fgunet.training" in words and b"python" in words[0] and (
                (path / "cwd").readlink() == Path.cwd()
            ):  # fmt: skip
                found.append(int(path.name))
        except OSError:
            continue
    return found


@pytest.mark.parametrize("profile", ["slurm", "cluster"])
def test_two_nodes_give_the_weights_of_one_worker(run_with_plan, train_by_slurm, cluster, profile):
    run_with_plan(epochs=2, patches_per_epoch=8)
    assert ended(train_by_slurm(profile)) == 0, told()
    metadata = json.loads((OUT / "metadata.json").read_text())
    expected = {"workers": 2, "nodes": 2, "launcher": "srun", "connection": "Gloo"}
    assert {key: metadata[key] for key in expected} == expected
    jobs = cluster.ask("scontrol", "--oneliner", "show", "jobs")
    (job,) = [line for line in jobs.splitlines() if str(Path.cwd()) in line]
    assert " NumNodes=2 NumCPUs=2 NumTasks=2 " in job
    memory = int(re.search(r"MinMemoryNode=(\d+)M", job)[1])
    assert 3500 < memory < 5000, "a node has one worker"
    train_here("one")
    np.testing.assert_allclose(weights(OUT), weights("one"), atol=2e-5)


def test_a_worker_that_is_killed_leaves_no_trace_in_the_result(run_with_plan, train_by_slurm):
    run_with_plan(epochs=2, patches_per_epoch=4 * 20)
    process = train_by_slurm("slurm")
    limit = time.monotonic() + 200
    while not (OUT / "checkpoint" / "state.npz").exists():
        assert process.poll() is None, told()
        assert time.monotonic() < limit, told()
        time.sleep(0.05)
    os.kill(workers_at_work()[-1], signal.SIGKILL)
    assert ended(process) not in (0, None), told()
    assert not (OUT / "model.keras").exists(), "the training ended before it could be killed"
    assert ended(train_by_slurm("slurm")) == 0, told()
    assert "going on after step" in told()
    horovodrun = shutil.which("horovodrun", path=BINARIES)
    train_here("whole", horovodrun, "-np", "2", "-H", "localhost:2", "--gloo")
    assert (OUT / "model.keras").read_bytes() == Path("whole/model.keras").read_bytes()
    left = {path.name for path in OUT.iterdir()}
    assert left == {"plan.json", "model.keras", "history.csv", "metadata.json", ".lock"}
