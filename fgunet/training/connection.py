"""What Horovod connects workers by: MPI, where it was built with it, or its own Gloo."""

import mmap
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from fgunet.training.launch import HOROVODRUN

GLOO, MPI = "Gloo", "MPI"


def connection_of(launcher: str, environ: Mapping[str, str]) -> str:
    """What connects the workers of a launcher; known before any of them is started.

    Parameters
    ----------
    launcher : str
        Who starts them, as in `fgunet.training.launch.Launch`.
    environ : mapping of str to str
        Environment variables of the workers. Horovod's own ``HOROVOD_CONTROLLER=gloo`` keeps one
        that was built with MPI from using it.

    Returns
    -------
    str
        `MPI` or `GLOO`. horovodrun is always asked for Gloo.
    """
    if launcher == HOROVODRUN or environ.get("HOROVOD_CONTROLLER", "").lower() == "gloo":
        return GLOO
    return MPI if horovod_has_mpi() else GLOO


def horovod_has_mpi() -> bool:
    """Whether the installed Horovod was built with MPI.

    Horovod tells it too, but only after TensorFlow is imported, which takes seconds.
    """
    found = find_spec("horovod")
    if found is None or found.origin is None:
        return False
    return any(map(_calls_mpi, Path(found.origin).parent.glob("tensorflow/mpi_lib.*.so")))


def _calls_mpi(library: Path) -> bool:
    with library.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as code:
        return code.find(b"MPI_Init_thread") >= 0
