"""Workers find one another through a folder."""

import json
import re
import socket
import threading
import time
from dataclasses import asdict

import pytest

from fgunet.errors import TrainingError
from fgunet.training.launch import Launch
from fgunet.training.rendezvous import Slot, meeting, own_address, place_of, slots_of


@pytest.mark.parametrize("counts", [(1,), (3,), (1, 1), (2, 2), (3, 1, 2), (1, 4)])
def test_slots_are_those_of_horovod(counts):
    hosts = pytest.importorskip("horovod.runner.common.util.hosts")
    given = [hosts.HostInfo(f"node{number}", count) for number, count in enumerate(counts)]
    expected = hosts.get_host_assignments(given, sum(counts))
    ours = slots_of([host.hostname for host in given for _ in range(host.slots)])
    assert [asdict(slot) for slot in ours] == [asdict(slot) for slot in expected]


def test_workers_may_be_dealt_out_to_the_hosts_in_turn():
    assert slots_of(["a", "b", "a"]) == [
        Slot("a", 0, 3, local_rank=0, local_size=2, cross_rank=0, cross_size=2),
        Slot("b", 1, 3, local_rank=0, local_size=1, cross_rank=1, cross_size=2),
        Slot("a", 2, 3, local_rank=1, local_size=2, cross_rank=0, cross_size=1),
    ]


def test_launches_meet_apart(tmp_path):
    names = "12.3.40861", "12.3.41327"
    places = [place_of(tmp_path, Launch(0, 2, "srun", name)) for name in names]
    assert len(set(places)) == 2
    assert {place.parent for place in places} == {tmp_path}


def test_a_launch_without_name_has_no_place_to_meet(tmp_path):
    with pytest.raises(TrainingError, match="this mpirun gives its workers no name"):
        place_of(tmp_path, Launch(0, 2, "mpirun"))


def test_all_workers_learn_where_the_server_is(tmp_path):
    place = tmp_path / "results" / ".workers-7.0"
    found, together = {}, threading.Barrier(3)

    def serve(slots):
        assert [slot.rank for slot in slots] == [0, 1, 2]
        return 4711

    def work(rank):
        time.sleep(0.3 * (2 - rank))  # worker 0 comes last
        with meeting(place, Launch(rank, 3, "srun"), serve, patience_s=20) as variables:
            found[rank] = variables
            together.wait(20)

    threads = [threading.Thread(target=work, args=(rank,)) for rank in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found[1] == {
        "HOROVOD_HOSTNAME": socket.gethostname(),
        "HOROVOD_RANK": "1",
        "HOROVOD_SIZE": "3",
        "HOROVOD_LOCAL_RANK": "1",
        "HOROVOD_LOCAL_SIZE": "3",
        "HOROVOD_CROSS_RANK": "0",
        "HOROVOD_CROSS_SIZE": "1",
        "HOROVOD_CONTROLLER": "gloo",
        "HOROVOD_CPU_OPERATIONS": "gloo",
        "HOROVOD_GLOO_RENDEZVOUS_ADDR": own_address(),
        "HOROVOD_GLOO_RENDEZVOUS_PORT": "4711",
    }
    assert [found[rank]["HOROVOD_LOCAL_RANK"] for rank in range(3)] == ["0", "1", "2"]
    assert list(place.parent.iterdir()) == [], "the meeting leaves nothing behind"


@pytest.mark.parametrize(("rank", "missing"), [(0, "worker 2"), (1, "worker 0")])
def test_a_worker_that_never_comes_is_named(tmp_path, rank, missing):
    place = tmp_path / ".workers-8.0"
    place.mkdir()
    (place / "1.json").write_text(json.dumps({"host": "vm", "address": "127.0.0.1"}))
    waited = f"waited 1 s in {re.escape(str(place))} for word of {missing}, and none came; .*same"
    with (
        pytest.raises(TrainingError, match=f"worker {rank} of 3 .*by srun.* {waited}"),
        meeting(place, Launch(rank, 3, "srun"), len, patience_s=1),
    ):
        pass


def test_hosts_that_cannot_reach_one_another_are_named(tmp_path):
    # Debian enters a host's own name as 127.0.1.1 in its /etc/hosts.
    (tmp_path / "1.json").write_text(json.dumps({"host": "other", "address": "127.0.1.1"}))
    with (
        pytest.raises(TrainingError, match=r"other \(127\.0\.1\.1\).*/etc/hosts"),
        meeting(tmp_path, Launch(0, 2, "mpirun"), len, patience_s=5),
    ):
        pass
