import resource
import subprocess
import sys

import numpy as np
import pytest

from fgunet.errors import TrainingError
from fgunet.training.checkpoints import (
    Checkpoint,
    Progress,
    read_checkpoint,
    write_checkpoint,
)


@pytest.fixture
def checkpoint():
    arrays = [np.arange(6, dtype=np.float32).reshape(2, 3), np.array(5, dtype=np.int64)]
    progress = Progress(
        steps=2,
        loss_sum=1 / 3,
        weight_sum=0.1,
        schedule={"rate": 0.1},
        best_epoch=1,
        best_score=0.5,
        history=[{"epoch": 1, "loss": None}],
        wall_s=3.5,
        cpu_s=2.5,
    )
    return Checkpoint(progress, arrays, [*arrays, *arrays], arrays[:1])


def test_a_checkpoint_survives_its_file(checkpoint, make_plan, tmp_path):
    write_checkpoint(tmp_path / "state.npz", checkpoint, make_plan())
    found = read_checkpoint(tmp_path / "state.npz", make_plan())
    assert found.progress == checkpoint.progress
    for name in ("model", "optimizer", "best"):
        for mine, other in zip(getattr(found, name), getattr(checkpoint, name), strict=True):
            np.testing.assert_array_equal(mine, other)
            assert mine.dtype == other.dtype
    assert [path.name for path in tmp_path.iterdir()] == ["state.npz"]


def test_of_another_plan_it_is_refused_with_what_differs(checkpoint, make_plan, tmp_path):
    path = tmp_path / "state.npz"
    write_checkpoint(path, checkpoint, make_plan())
    before = path.read_bytes()
    with pytest.raises(TrainingError) as told:
        read_checkpoint(path, make_plan(learning_rate=0.5, dropout=0.0))
    lines = str(told.value).splitlines()
    assert lines[0].startswith(f"{path} is the checkpoint of another training, 2 steps long")
    assert lines[1:3] == ["  dropout: 0.2, now 0.0", "  learning_rate: 0.01, now 0.5"]
    assert "remove the file to begin anew" in lines[3]
    assert len(lines) == 4
    assert path.read_bytes() == before


def test_what_does_not_change_the_result_may_change(checkpoint, make_plan, tmp_path):
    write_checkpoint(tmp_path / "state.npz", checkpoint, make_plan())
    other = make_plan(checkpoint_every=7, tensorboard=True, portion=3)
    assert read_checkpoint(tmp_path / "state.npz", other).progress.steps == 2


def test_without_a_file_there_is_none(make_plan, tmp_path):
    assert read_checkpoint(tmp_path / "state.npz", make_plan()) is None


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut short"])
def test_what_is_no_checkpoint(make_plan, tmp_path, content):
    path = tmp_path / "state.npz"
    path.write_bytes(content)
    with pytest.raises(TrainingError, match=r"is not a checkpoint of this version.*remove it"):
        read_checkpoint(path, make_plan())


def test_an_archive_of_something_else(make_plan, tmp_path):
    np.savez(tmp_path / "state.npz", values=np.ones(3))
    with pytest.raises(TrainingError, match="is not a checkpoint of this version"):
        read_checkpoint(tmp_path / "state.npz", make_plan())


def test_a_file_that_may_not_grow_leaves_the_one_before(checkpoint, make_plan, tmp_path):
    # The kernel refuses to write more than the limit, as a full disk does.
    path = tmp_path / "state.npz"
    write_checkpoint(path, checkpoint, make_plan())
    before = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    checkpoint.model = [np.zeros(100_000)]
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        with pytest.raises(TrainingError, match=r"cannot be written: .*the one before is kept"):
            write_checkpoint(path, checkpoint, make_plan())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["state.npz"]


def mounted(folder, size):
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    return done.returncode == 0


@pytest.mark.skipif(sys.platform != "linux", reason="mounts a small file system")
def test_a_full_disk(checkpoint, make_plan, tmp_path):
    folder = tmp_path / "small"
    folder.mkdir()
    if not mounted(folder, "256k"):
        pytest.skip("a small file system cannot be mounted here (it takes root)")
    try:
        write_checkpoint(folder / "state.npz", checkpoint, make_plan())
        checkpoint.model = [np.zeros(100_000)]
        with pytest.raises(TrainingError, match=r"No space left on device\. It may take 1 MB"):
            write_checkpoint(folder / "state.npz", checkpoint, make_plan())
        assert read_checkpoint(folder / "state.npz", make_plan()).progress.steps == 2
    finally:
        subprocess.run(["umount", str(folder)], check=True)
