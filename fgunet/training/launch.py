"""Who started this worker, and as which of how many: read from the environment."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from fgunet.errors import TrainingError


@dataclass(frozen=True)
class Launch:
    """The place of this worker in what a launcher started; by default it is alone.

    Attributes
    ----------
    rank, size : int
        Number of this worker, and how many there are.
    launcher : str
        Who started them; "" where nobody did.
    name : str
        What all workers of this launch, and no others, can be told by; "" where the launcher
        says nothing of the kind.
    nodes : int
        On how many nodes it started them; 0 where it does not say.
    """

    rank: int = 0
    size: int = 1
    launcher: str = ""
    name: str = ""
    nodes: int = 0


@dataclass(frozen=True)
class _Launcher:
    """The variables by which a launcher tells a worker its place.

    It counts if rank and size are set.
    """

    name: str
    rank: str
    size: str
    identity: tuple[str, ...] = ()
    nodes: str = ""


HOROVODRUN = "horovodrun"
# In the order in which they count: mpirun may run inside a step of Slurm, horovodrun inside both.
# Slurm also sets SLURM_PROCID and SLURM_NTASKS in a batch script, which runs once and has no
# other workers; SLURM_STEP_NUM_TASKS is set in steps of srun alone.
_LAUNCHERS = (
    _Launcher(HOROVODRUN, "HOROVOD_RANK", "HOROVOD_SIZE"),
    _Launcher("mpirun", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", ("PMIX_NAMESPACE",)),
    _Launcher("mpirun", "PMI_RANK", "PMI_SIZE", ("PMI_JOBID",)),
    _Launcher(
        "srun",
        "SLURM_PROCID",
        "SLURM_STEP_NUM_TASKS",
        # A job that is queued again has its steps numbered from 0 again: the port of its srun tells
        # them apart.
        ("SLURM_JOB_ID", "SLURM_STEP_ID", "SLURM_STEP_LAUNCHER_PORT"),
        "SLURM_STEP_NUM_NODES",
    ),
)


def launch_of(environ: Mapping[str, str]) -> Launch:
    """The place that horovodrun, Open MPI, MPICH (PMI) or a step of Slurm gave this process.

    Parameters
    ----------
    environ : mapping of str to str
        Environment variables of the process.

    Returns
    -------
    Launch
        Alone where no launcher started it, or the launcher started it alone.

    Raises
    ------
    TrainingError
        If a launcher's variables are no rank and size.
    """
    for launcher in _LAUNCHERS:
        if launcher.rank in environ and launcher.size in environ:
            return _launch(launcher, environ)
    return Launch()


def _launch(launcher: _Launcher, environ: Mapping[str, str]) -> Launch:
    found = environ[launcher.rank], environ[launcher.size]
    if not all(word.isdecimal() for word in found) or int(found[0]) >= int(found[1]):
        raise TrainingError(
            f"{launcher.rank}={found[0]} and {launcher.size}={found[1]} in the environment are "
            f"not the number of a worker, from 0, and how many there are; {launcher.name} sets "
            "both: unset them to train on this process alone"
        )
    identity = [environ[key] for key in launcher.identity if key in environ]
    return Launch(
        rank=int(found[0]),
        size=int(found[1]),
        launcher=launcher.name,
        # It becomes part of a file name; PMIX_NAMESPACE may hold a user, a host and a "@".
        name=re.sub(r"[^\w.-]", "_", ".".join(identity)),
        nodes=int(environ.get(launcher.nodes, 0)),
    )
