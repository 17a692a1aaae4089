"""Real workers under each launcher: they find one another, and the death of one ends the job.

Each test starts the same script once: the workers exchange, then one is killed while the others
wait for it, or compute.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections import namedtuple
from pathlib import Path

import pytest
import tensorflow as tf

from fgunet.errors import TrainingError, WorkerLostError
from fgunet.training.workers import Workers, start_workers

pytest.importorskip("horovod")

SCRIPT = """
    import os, pathlib, signal, sys, time
    import tensorflow as tf
    from fgunet.errors import FgunetError
    from fgunet.files import write_json
    from fgunet.training.workers import start_workers

    folder, victim, pause = pathlib.Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    try:
        workers = start_workers(folder, patience_s=60)
    except FgunetError as error:
        sys.exit(f"{type(error).__name__}: {error}")
    rank = workers.rank
    compiled = tf.function(lambda tensor: workers.sum(tensor, "compiled"), autograph=False)

    def exchange():
        with workers.exchanging():
            return compiled(tf.constant([1.0, rank])).numpy().tolist()

    exchanges = {
        "compiled": exchange,
        "eager": lambda: workers.sum(tf.constant(2.0 ** rank), "eager").numpy().item(),
        "share": lambda: workers.share({"from": rank}),
    }
    found = {"rank": rank, "size": workers.size, "leads": workers.leads}
    found |= {name: call() for name, call in exchanges.items()}
    found["slot"] = os.environ["HOROVOD_LOCAL_RANK"] + os.environ["HOROVOD_CROSS_RANK"]
    write_json(folder / f"found_{rank}.json", found)
    workers.share(None)  # all have written
    if rank == victim:
        (folder / "killed").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(pause)
    told = {}
    for name, call in exchanges.items() if victim >= 0 else ():
        try:
            call()
        except FgunetError as error:
            told[name] = f"{type(error).__name__}: {error}"
            print(told[name], flush=True)
            write_json(folder / f"told_{rank}.json", told)
    sys.exit(bool(told))
"""
NOBODY = -1
LIMIT_S = 30
LAUNCHERS = ("HOROVOD_", "OMPI_", "PMI", "SLURM_")
SBIN = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"

Ended = namedtuple("Ended", "status output found told seconds")


def environment(**more):
    clean = {k: v for k, v in os.environ.items() if not k.startswith(LAUNCHERS)}
    path = f"{Path(sys.executable).parent}:{clean['PATH']}:/usr/sbin"
    return clean | {"PATH": path, "TF_CPP_MIN_LOG_LEVEL": "3"} | more


@pytest.fixture
def launch(tmp_path):
    """Start the script, and wait for the end: by one command, or a worker by each of several."""
    script = tmp_path / "worker.py"
    script.write_text(textwrap.dedent(SCRIPT))

    def run(*commands, victim=NOBODY, pause=0.0, environs=({},)):
        output = tmp_path / "output.txt"
        with output.open("w") as log:
            started = [
                subprocess.Popen(
                    [*command, sys.executable, script, tmp_path, str(victim), str(pause)],
                    env=environment(**environ), stdout=log, stderr=log, start_new_session=True,
                )
                for command, environ in zip(commands, environs, strict=True)
            ]  # fmt: skip
            try:
                status = [process.wait(150) for process in started]
            finally:
                end = time.time()
                for process in started:
                    if process.poll() is None:
                        os.killpg(process.pid, signal.SIGKILL)
        killed = tmp_path / "killed"
        return Ended(
            status=status,
            output=output.read_text(),
            found=[json.loads(p.read_text()) for p in sorted(tmp_path.glob("found_*"))],
            told=[json.loads(p.read_text()) for p in sorted(tmp_path.glob("told_*"))],
            seconds=end - killed.stat().st_mtime if killed.exists() else None,
        )

    return run


def assert_exchanged(ended, slots):
    size = len(slots)
    assert len(ended.found) == size, ended.output
    for rank, found in enumerate(ended.found):
        assert found == {
            "rank": rank,
            "size": size,
            "leads": rank == 0,
            "compiled": [size, sum(range(size))],
            "eager": 2**size - 1,
            "share": {"from": 0},
            "slot": slots[rank],
        }


def assert_ended(ended, message):
    assert all(ended.status), ended.output
    assert ended.seconds < LIMIT_S, ended.output
    assert message in ended.output


def installed(word, *names):
    """A launcher whose version names its maker: all makers call theirs mpirun."""
    for path in filter(None, (shutil.which(name) for name in names)):
        version = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
        if word in version.stdout:
            return path
    pytest.skip(f"{names[0]} of {word} is not installed")


def test_one_worker_alone_needs_no_horovod(monkeypatch, tmp_path):
    for key in [key for key in os.environ if key.startswith(LAUNCHERS)]:
        monkeypatch.delenv(key)
    monkeypatch.setitem(sys.modules, "horovod", None)  # importing it fails
    monkeypatch.setenv("SLURM_PROCID", "0")  # a batch script for two tasks
    monkeypatch.setenv("SLURM_NTASKS", "2")
    workers = start_workers(tmp_path)
    assert (workers.rank, workers.size, workers.leads) == (0, 1, True)
    with workers.exchanging():
        assert workers.sum(3, "x") == 3
    assert workers.share("x") == "x"
    assert list(tmp_path.iterdir()) == []


# What tf.function raised while a worker was killed: as others waited for it, and as it sent.
SHUT_DOWN = "{{function_node __inference_f_18}} Horovod has been shut down. This was caused by"
CUT_OFF = "[/b/third_party/compatible17_gloo/gloo/transport/tcp/pair.cc:589] Read error [::1]:9377"


@pytest.mark.parametrize("message", [SHUT_DOWN, CUT_OFF])
def test_the_errors_of_a_loss_are_told(message):
    with pytest.raises(WorkerLostError, match="worker 1 of 2") as told, Workers(1, 2).exchanging():
        raise tf.errors.UnknownError(None, None, message)
    assert isinstance(told.value, TrainingError)
    assert message in str(told.value.__cause__)


@pytest.mark.parametrize(
    "error",
    [
        tf.errors.UnknownError(None, None, "no algorithm worked"),
        tf.errors.FailedPreconditionError(None, None, "Mismatched allreduce tensor shapes"),
    ],
)
def test_other_errors_stay_what_they_are(error):
    with pytest.raises(type(error)) as told, Workers(1, 2).exchanging():
        raise error
    assert told.value is error


def test_survivors_that_nobody_stops_tell_of_the_loss_when_they_next_exchange(launch):
    hand = {"OMPI_COMM_WORLD_SIZE": "3", "PMIX_NAMESPACE": "hand.1"}
    environs = [{"OMPI_COMM_WORLD_RANK": str(rank), **hand} for rank in range(3)]
    ended = launch([], [], [], victim=0, pause=2, environs=environs)
    assert_exchanged(ended, ["00", "10", "20"])
    assert_ended(ended, "WorkerLostError")
    assert ended.status == [-signal.SIGKILL, 1, 1]
    assert [told.keys() for told in ended.told] == [{"compiled", "eager", "share"}] * 2
    for rank, told in enumerate(ended.told, start=1):
        for message in told.values():
            assert f"a worker was lost: worker {rank} of 3" in message
            assert "goes on from its last checkpoint" in message


def test_horovodrun(launch):
    horovodrun = shutil.which("horovodrun", path=environment()["PATH"])
    ended = launch([horovodrun, "-np", "2", "-H", "localhost:2", "--gloo"], victim=1)
    assert_exchanged(ended, ["00", "10"])
    assert_ended(ended, "Process name: 1\nExit code: 137")


def test_mpirun(launch):
    mpirun = installed("Open MPI", "mpirun", "mpirun.openmpi")
    # Open MPI starts no more workers than there are cores, and none as root, unless told.
    told = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    told["OMPI_MCA_rmaps_base_oversubscribe"] = "1"
    ended = launch([mpirun, "-np", "2"], victim=0, environs=[told])
    assert_exchanged(ended, ["00", "10"])
    assert_ended(ended, "process rank 0 with PID 0 on node")


def test_srun(launch, slurm):
    srun = ["srun", "-N2", "-n2", "--kill-on-bad-exit=1", "--mem-per-cpu=2000"]
    ended = launch(srun, victim=1, environs=[slurm])
    assert_exchanged(ended, ["00", "10"])  # two nodes of Slurm, but one host
    assert_ended(ended, "task 1: Killed")


def test_only_a_step_of_srun_has_several_workers(slurm, tmp_path):
    say = (
        f"{sys.executable} -c 'import os; from fgunet.training.launch import launch_of; "
        "print(launch_of(os.environ))'"
    )
    command = f"{say}; srun -n1 {say}; srun -n2 {say}"
    subprocess.run(
        ["sbatch", "--wait", "-n2", "-o", tmp_path / "output.txt", "--wrap", command],
        env=environment(**slurm), timeout=100, check=True,
    )  # fmt: skip
    lines = (tmp_path / "output.txt").read_text().splitlines()
    batch, alone, *step = [line for line in lines if line.startswith("Launch(")]
    assert batch == "Launch(rank=0, size=1, launcher='', name='', nodes=0)"
    assert "rank=0, size=1, " in alone
    names = {line.split("name=")[1] for line in step}
    assert len(names) == 1
    assert sorted(line.split(", launcher")[0] for line in step) == [
        "Launch(rank=0, size=2",
        "Launch(rank=1, size=2",
    ]


@pytest.fixture
def two_hosts(tmp_path):
    """Commands that run another on two hosts, with a network between them."""
    if os.geteuid() != 0 or shutil.which("ip", path=SBIN) is None:
        pytest.skip("two hosts on one machine need root and `ip`")
    names = [f"fgunet{os.getpid()}-{number}" for number in range(2)]
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.1 localhost\n10.99.0.1 left\n10.99.0.2 right\n")

    def ip(*words):
        return subprocess.run(["ip", *words], env=environment(), check=False).returncode == 0

    try:
        if not all(ip("netns", "add", name) for name in names):
            pytest.skip("this machine makes no network namespaces")
        ends = ["veth0", "netns", names[0], "type", "veth", "peer", "name", "veth1"]
        assert ip("link", "add", *ends, "netns", names[1])
        for number, name in enumerate(names):
            assert ip("-n", name, "addr", "add", f"10.99.0.{number + 1}/24", "dev", f"veth{number}")
            assert ip("-n", name, "link", "set", f"veth{number}", "up")
            assert ip("-n", name, "link", "set", "lo", "up")
        own = f'hostname "$0" && mount --bind {hosts} /etc/hosts && exec "$@"'
        yield [
            ["ip", "netns", "exec", name, "unshare", "-u", "-m", "sh", "-c", own, host]
            for name, host in zip(names, ("left", "right"), strict=True)
        ]
    finally:
        for name in names:
            ip("netns", "del", name)


def test_workers_on_two_hosts(launch, two_hosts):
    hand = {"PMI_SIZE": "2", "PMI_JOBID": "hand.2"}
    environs = [{"PMI_RANK": str(rank), **hand} for rank in range(2)]
    ended = launch(*two_hosts, environs=environs)
    assert ended.status == [0, 0], ended.output
    assert_exchanged(ended, ["00", "01"])
