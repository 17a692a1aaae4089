"""The workers that train together: Horovod, or one process alone."""

import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from fgunet.errors import TrainingError, WorkerLostError
from fgunet.training.connection import MPI, connection_of
from fgunet.training.launch import HOROVODRUN, Launch, launch_of
from fgunet.training.rendezvous import Slot, meeting, own_address, place_of


def _same(value: Any) -> Any:
    return value


def _alone(tensor: tf.Tensor, name: str) -> tf.Tensor:
    return tensor


@dataclass(frozen=True)
class Workers:
    """What a worker must know of the others; by default it is alone.

    Attributes
    ----------
    rank, size : int
        Number of this worker, and how many there are.
    sum : callable
        ``sum(tensor, name)`` over all workers; every worker must call it, in the same order,
        under the same name. May stand in a `tf.function`: then call that one under `exchanging`.
    share : callable
        Any picklable value of worker 0, given to all.
    local_rank : int
        Number of this worker among those of its host.
    nodes : int
        How many nodes they run on.
    launcher, connection : str
        Who started them, and what connects them; "" for one alone.

    Both callables raise WorkerLostError if another worker is lost.
    """

    rank: int = 0
    size: int = 1
    sum: Callable[[tf.Tensor, str], tf.Tensor] = _alone
    share: Callable[[Any], Any] = _same
    local_rank: int = 0
    nodes: int = 1
    launcher: str = ""
    connection: str = ""

    @property
    def leads(self) -> bool:
        """Whether this is worker 0, the one that writes."""
        return self.rank == 0

    def portions(self, count: int, size: int) -> list[range]:
        """Portions of so many samples that fall to this worker; they are shared out whole.

        So what is computed of a portion does not depend on the number of workers.
        """
        firsts = range(0, count, size)[self.rank :: self.size]
        return [range(first, min(first + size, count)) for first in firsts]

    @contextmanager
    def exchanging(self) -> Iterator[None]:
        """While the body runs compiled calls of `sum`: say so if another worker is lost.

        Raises
        ------
        WorkerLostError
            If it is; every exchange after that fails too.
        """
        with _loss_told(self.rank, self.size):
            yield


def start_workers(folder: str | os.PathLike[str] = ".", *, patience_s: float = 300) -> Workers:
    """Join the workers that horovodrun, mpirun or srun started; alone where none did.

    Parameters
    ----------
    folder : path
        A folder that all workers see; those of mpirun and srun find one another through it, unless
        MPI connects them.
    patience_s : float
        How long to wait there for the others to start, in seconds.

    Returns
    -------
    Workers

    Raises
    ------
    TrainingError
        If the others do not come in time, hosts cannot reach one another by their names, or MPI
        does not know of the launcher.
    """
    launch = launch_of(os.environ)
    return Workers() if launch.size == 1 else _horovod(launch, folder, patience_s)


def _horovod(launch: Launch, folder: str | os.PathLike[str], patience_s: float) -> Workers:
    # One worker alone needs no Horovod.
    import horovod.tensorflow as hvd  # noqa: PLC0415
    from horovod.runner.http.http_server import RendezvousServer  # noqa: PLC0415

    def serve(slots: Sequence[Slot]) -> int:
        server = RendezvousServer()
        port = int(server.start())
        server.init(slots)
        return port

    def total(tensor: tf.Tensor, name: str) -> tf.Tensor:
        with _loss_told(launch.rank, launch.size):
            return hvd.allreduce(tensor, op=hvd.Sum, name=name)

    def share(value: Any) -> Any:
        with _loss_told(launch.rank, launch.size):
            return hvd.broadcast_object(value, root_rank=0, name="share")

    # Workers ask one another for work at each cycle; at Horovod's 1 ms that takes a tenth of them.
    os.environ.setdefault("HOROVOD_CYCLE_TIME", "5")
    connection = connection_of(launch.launcher, os.environ)
    if connection == MPI:
        hvd.init()
        _refuse_other_size(launch, hvd.size())
    elif launch.launcher == HOROVODRUN:
        own_address()  # says what is wrong where Horovod would crash
        hvd.init()
    else:
        place = place_of(folder, launch)
        with meeting(place, launch, serve, patience_s=patience_s) as variables:
            os.environ.update(variables)
            hvd.init()
    return Workers(
        hvd.rank(),
        launch.size,
        total,
        share,
        local_rank=hvd.local_rank(),
        # Worker 0, which writes it down, has a counterpart on each host.
        nodes=launch.nodes or hvd.cross_size(),
        launcher=launch.launcher,
        connection=connection,
    )


def _refuse_other_size(launch: Launch, size: int) -> None:
    if size != launch.size:
        raise TrainingError(
            f"{launch.launcher} started {launch.size} workers, but MPI, which this Horovod was "
            f"built with, connected {size} of them; start them with the mpirun of that MPI, give "
            "srun the --mpi that it wants (srun --mpi=list names them), or set "
            "HOROVOD_CONTROLLER=gloo to do without MPI"
        )


@contextmanager
def _loss_told(rank: int, size: int) -> Iterator[None]:
    try:
        yield
    except (tf.errors.UnknownError, tf.errors.AbortedError) as error:
        # A tensor that waited fails as "Horovod has been shut down", one that was on its way with
        # the error of the transport, which begins with a path within Gloo's source.
        if not any(sign in str(error) for sign in ("Horovod", "gloo/")):
            raise
        raise WorkerLostError(
            f"a worker was lost: worker {rank} of {size}, on {socket.gethostname()}, no longer "
            "reaches all the others; the message of the one that ended first, or of the launcher, "
            "says why (killed, for lack of memory perhaps?). Started again, the training goes on "
            "from its last checkpoint"
        ) from error
