"""How workers that mpirun or srun started find one another, before Horovod connects them.

Horovod's Gloo asks a small server, the rendezvous, where the other workers are. horovodrun
starts one; mpirun and srun know nothing of it. So worker 0 starts one here, and tells the others
through files in a folder that all of them see: each worker writes its host, worker 0 reads all
hosts, starts the server and writes where it is.
"""

import ipaddress
import os
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fgunet.errors import TrainingError
from fgunet.files import read_json, write_json
from fgunet.training.launch import Launch

_POLL_S = 0.2


@dataclass(frozen=True)
class Slot:
    """Where a worker runs, in Horovod's words: each is an environment variable HOROVOD_….

    Attributes
    ----------
    hostname : str
        Its host.
    rank, size : int
        Its number among all workers, and how many there are.
    local_rank, local_size : int
        The same among the workers of its host.
    cross_rank, cross_size : int
        The same among the workers of all hosts that have its local rank.
    """

    hostname: str
    rank: int
    size: int
    local_rank: int
    local_size: int
    cross_rank: int
    cross_size: int


def slots_of(hosts: Sequence[str]) -> list[Slot]:
    """Slots of all workers.

    Parameters
    ----------
    hosts : sequence of str
        Host of each worker, by rank; a host's workers may stand anywhere.

    Returns
    -------
    list of Slot
        By rank.
    """
    counts, seen = Counter(hosts), Counter[str]()
    slots = []
    for rank, host in enumerate(hosts):
        local_rank = seen[host]
        seen[host] += 1
        peers = [other for other, count in counts.items() if count > local_rank]
        slots.append(
            Slot(
                hostname=host,
                rank=rank,
                size=len(hosts),
                local_rank=local_rank,
                local_size=counts[host],
                cross_rank=peers.index(host),
                cross_size=len(peers),
            )
        )
    return slots


def place_of(folder: str | os.PathLike[str], launch: Launch) -> Path:
    """Where in a folder the workers of a launch meet, and those of no other.

    Raises
    ------
    TrainingError
        If the launch has no name that they could know it by.
    """
    if not launch.name:
        raise TrainingError(
            f"this {launch.launcher} gives its workers no name of their launch, by which they "
            "would find one another; start them with Open MPI's mpirun, srun or horovodrun, or "
            "build Horovod with this MPI"
        )
    return Path(folder) / f".workers-{launch.name}"


def own_address() -> str:
    """IPv4 address that the name of this host stands for; Gloo listens there.

    Horovod 0.28.1 connects its process sets, and so all it does, through the host's name: it
    does not hand HOROVOD_GLOO_IFACE on to them (gloo_context.cc, InitializeForProcessSet), and it
    crashes where the name stands for nothing.

    Returns
    -------
    str

    Raises
    ------
    TrainingError
        If it stands for none.
    """
    host = socket.gethostname()
    try:
        return socket.gethostbyname(host)
    except OSError as error:
        raise TrainingError(
            f"the name of this host, {host}, stands for no address ({error}), and Horovod "
            "connects its workers through it; enter it in /etc/hosts or in the DNS"
        ) from error


@contextmanager
def meeting(
    place: Path, launch: Launch, serve: Callable[[Sequence[Slot]], int], *, patience_s: float
) -> Iterator[dict[str, str]]:
    """Wait for the other workers; what Horovod must be told of them, as environment variables.

    The body connects the workers; after it the files of the meeting are removed.

    Parameters
    ----------
    place : Path
        A folder for this alone, that all workers see; made where it is missing. Named after the
        launch, it cannot hold what a launch that was killed left behind.
    launch : Launch
        The place of this worker.
    serve : callable
        Starts a rendezvous server for all slots, and gives its port; called by worker 0.
    patience_s : float
        How long to wait for the others, in seconds.

    Yields
    ------
    dict of str to str

    Raises
    ------
    TrainingError
        If the others do not come in time, or hosts cannot reach one another by their names.
    """
    word = place / f"{launch.rank}.json"
    own = {"host": socket.gethostname(), "address": own_address()}
    try:
        if launch.rank:
            write_json(word, own)
            told = _words(place, [0], launch, patience_s)[0]
        else:
            # However late the others are: once it connects, Gloo waits for 30 s at most.
            others = _words(place, range(1, launch.size), launch, patience_s)
            hosts = _reachable([own, *others])
            told = {**own, "hosts": hosts, "port": serve(slots_of(hosts))}
            write_json(word, told)
        yield _variables(slots_of(told["hosts"])[launch.rank], told["address"], told["port"])
    finally:
        word.unlink(missing_ok=True)
        with suppress(OSError):  # the last one succeeds
            place.rmdir()


def _words(place: Path, ranks: Sequence[int], launch: Launch, patience_s: float) -> list[Any]:
    """What the workers of some ranks wrote, as soon as all of them did."""
    end = time.monotonic() + patience_s
    while missing := [rank for rank in ranks if not (place / f"{rank}.json").exists()]:
        if time.monotonic() > end:
            raise TrainingError(
                f"worker {launch.rank} of {launch.size} (started by {launch.launcher} on "
                f"{socket.gethostname()}) waited {patience_s:.0f} s in {place} for word of "
                f"worker {', '.join(map(str, missing))}, and none came; give all workers the same "
                "output folder, on a file system that all their hosts share, see in their "
                "messages why they did not start, and start all of them again"
            )
        time.sleep(_POLL_S)
        # A client of NFS may believe for half a minute that a file is not there; it looks again
        # into a folder that it has itself touched.
        with suppress(FileNotFoundError):
            os.utime(place)
    return [read_json(place / f"{rank}.json") for rank in ranks]


def _reachable(words: Sequence[Mapping[str, str]]) -> list[str]:
    """Hosts of all workers, by rank, if they can reach one another."""
    hosts = [word["host"] for word in words]
    loopback = {
        f"{word['host']} ({word['address']})"
        for word in words
        if ipaddress.ip_address(word["address"]).is_loopback
    }
    if loopback and len(set(hosts)) > 1:
        raise TrainingError(
            "on these hosts their own name stands for an address that no other host can reach: "
            f"{', '.join(sorted(loopback))}; Horovod connects its workers through it: let it stand "
            "for the host's address in the network, in /etc/hosts or in the DNS"
        )
    return hosts


def _variables(slot: Slot, address: str, port: int) -> dict[str, str]:
    return {
        **{f"HOROVOD_{name.upper()}": str(value) for name, value in asdict(slot).items()},
        "HOROVOD_CONTROLLER": "gloo",
        "HOROVOD_CPU_OPERATIONS": "gloo",
        "HOROVOD_GLOO_RENDEZVOUS_ADDR": address,
        "HOROVOD_GLOO_RENDEZVOUS_PORT": str(port),
    }
