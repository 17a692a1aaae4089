"""Which launcher started a worker, from what each launcher really writes into the environment."""

import pytest

from fgunet.errors import TrainingError
from fgunet.training.launch import Launch, launch_of

HOROVODRUN = {"HOROVOD_RANK": "2", "HOROVOD_SIZE": "3"}
OPEN_MPI = {
    "OMPI_COMM_WORLD_RANK": "1",
    "OMPI_COMM_WORLD_SIZE": "4",
    "PMIX_NAMESPACE": "prterun-node7-1234@1",
    "PMIX_RANK": "1",
}
MPICH = {"PMI_RANK": "0", "PMI_SIZE": "2", "PMI_FD": "6"}
# As Slurm 22.05 sets them: for the one process of a batch script, and for a task of srun in it.
BATCH = {
    "SLURM_JOB_ID": "12",
    "SLURM_PROCID": "0",
    "SLURM_JOB_NUM_NODES": "2",
    "SLURM_LOCALID": "0",
    "SLURM_NTASKS": "2",
    "SLURM_NPROCS": "2",
}
STEP = BATCH | {
    "SLURM_PROCID": "1",
    "SLURM_STEP_ID": "3",
    "SLURM_STEP_NUM_TASKS": "2",
    "SLURM_STEP_NUM_NODES": "2",
    "SLURM_STEP_LAUNCHER_PORT": "40861",
}


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, Launch()),
        (HOROVODRUN, Launch(2, 3, "horovodrun")),
        (OPEN_MPI, Launch(1, 4, "mpirun", "prterun-node7-1234_1")),
        (MPICH | {"PMI_JOBID": "12.0"}, Launch(0, 2, "mpirun", "12.0")),
        (BATCH, Launch()),
        (MPICH, Launch(0, 2, "mpirun")),
        (STEP, Launch(1, 2, "srun", "12.3.40861", nodes=2)),
    ],
)
def test_each_launcher_is_known_by_its_variables(environ, expected):
    assert launch_of({"PATH": "/usr/bin", **environ}) == expected


@pytest.mark.parametrize(
    ("environ", "launcher"),
    [
        (STEP | HOROVODRUN, "horovodrun"),
        (STEP | OPEN_MPI | HOROVODRUN, "horovodrun"),
        (STEP | OPEN_MPI, "mpirun"),
        (BATCH | OPEN_MPI, "mpirun"),
        (STEP | MPICH | {"PMI_JOBID": "1"}, "mpirun"),
    ],
)
def test_the_innermost_launcher_counts(environ, launcher):
    assert launch_of(environ).launcher == launcher


def test_launches_that_follow_one_another_have_names_of_their_own():
    queued_again = {"SLURM_STEP_LAUNCHER_PORT": "41327"}
    again = [{"SLURM_STEP_ID": "4"}, {"SLURM_JOB_ID": "13"}, queued_again]
    names = {launch_of(STEP | changed).name for changed in [{}, *again]}
    assert len(names) == 4


@pytest.mark.parametrize(("rank", "size"), [("2", "2"), ("-1", "2"), ("one", "2"), ("0", "")])
def test_a_rank_that_is_none_is_refused(rank, size):
    with pytest.raises(TrainingError, match=f"PMI_RANK={rank} and PMI_SIZE={size} .* unset them"):
        launch_of({"PMI_RANK": rank, "PMI_SIZE": size})
