"""What connects workers is known before they start, and is what Horovod says afterwards."""

import sys

import pytest

from fgunet.training.connection import connection_of, horovod_has_mpi
from fgunet.training.devices import place_of_gpu, use_gpu


def test_horovod_says_the_same():
    horovod = pytest.importorskip("horovod.tensorflow")
    assert horovod_has_mpi() == horovod.mpi_built()


@pytest.mark.parametrize(("calls", "has_mpi"), [(b"MPI_Init_thread", True), (b"gloo", False)])
def test_built_with_mpi_is_a_horovod_that_calls_it(tmp_path, monkeypatch, calls, has_mpi):
    library = tmp_path / "horovod" / "tensorflow" / "mpi_lib.cpython-311.so"
    library.parent.mkdir(parents=True)
    library.write_bytes(b"\0" + calls + b"\0")
    (tmp_path / "horovod" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "horovod", raising=False)
    assert horovod_has_mpi() == has_mpi
    expected = "MPI" if has_mpi else "Gloo"
    assert connection_of("srun", {}) == connection_of("mpirun", {}) == expected
    assert connection_of("srun", {"HOROVOD_CONTROLLER": "gloo"}) == "Gloo"
    assert connection_of("horovodrun", {}) == "Gloo"


def test_without_horovod_there_is_no_mpi(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.delitem(sys.modules, "horovod", raising=False)
    assert not horovod_has_mpi()


@pytest.mark.parametrize(
    ("seen", "expected"),
    [(4, [0, 1, 2, 3]), (1, [0, 0, 0, 0]), (2, [0, 1, 0, 1])],
)
def test_workers_of_a_node_take_its_gpus_in_turn(seen, expected):
    assert [place_of_gpu(local_rank, seen) for local_rank in range(4)] == expected


def test_without_a_gpu_nothing_is_done():
    tensorflow = pytest.importorskip("tensorflow")
    if tensorflow.config.list_physical_devices("GPU"):
        pytest.skip("this machine has a GPU")
    before = tensorflow.config.get_visible_devices()
    use_gpu(3)
    assert tensorflow.config.get_visible_devices() == before
