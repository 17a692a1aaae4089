"""How the training is to be started, as the plan says it."""

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def plan(snakemake: Any, tmp_path: Path, shipped_config: dict[str, Any]) -> Any:
    """Plan the training of batches of 8 with resources set: ``(*settings)``, its output."""
    shipped_config["fgunet"]["batch_size"] = 8

    def make(*settings: str) -> str:
        asked = [f"train_fgunet:{setting}" for setting in settings]
        done = snakemake(
            tmp_path, "--dry-run", "--printshellcmds", "--cores", "16", "--set-threads",
            "train_fgunet=3", *(["--set-resources", *asked] if asked else []),
            "--", "results/models/fgunet/model.keras", config=shipped_config,
        )  # fmt: skip
        return str(done.stdout + done.stderr)

    return make


def test_on_one_node_each_thread_is_a_worker(plan: Any) -> None:
    told = plan()
    assert "training FG-UNET on 2 workers on 1 node, started by horovodrun (Gloo)" in told
    assert "horovodrun -np 2 -H localhost:2 --gloo python -m fgunet.training --threads 1 " in told


def test_srun_starts_the_tasks_of_a_job(plan: Any) -> None:
    told = plan("mpi=srun --mpi=pmix", "tasks=4", "nodes=2")
    assert "training FG-UNET on 4 workers on 2 nodes, started by srun (" in told
    command = "srun --mpi=pmix --nodes=2 --ntasks=4 --cpus-per-task=3 --kill-on-bad-exit=1 python"
    assert f"{command} -m fgunet.training --threads 3 results/models/fgunet/plan.json" in told


def test_mpirun_knows_the_nodes_of_its_job(plan: Any) -> None:
    told = plan("mpi=/opt/mpi/bin/mpirun", "tasks=2")
    assert "2 workers on any number of nodes, started by mpirun (" in told
    assert "/opt/mpi/bin/mpirun -n 2 python -m fgunet.training --threads 3 " in told


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        (["tasks=3"], "the number of workers. It is 3;"),
        ([], "the number of workers. It is not set;"),
    ],
)
def test_tasks_that_cannot_share_a_step_end_before_any_work(
    plan: Any, settings: list[str], found: str
) -> None:
    told = plan("mpi=srun", *settings)
    assert (
        f"ConfigError: train_fgunet: with the resource mpi, the resource tasks is {found}" in told
    )
    assert "by [1, 2, 4, 8]: set tasks to one of these, or change fgunet.batch_size" in told
    assert "Job stats" not in told
