import logging

import numpy as np
import pytest

from fgunet.training.checkpoints import (
    Checkpoint,
    Progress,
    read_checkpoint,
    write_checkpoint,
)


@pytest.fixture
def checkpoint():
    arrays = [np.arange(6, dtype=np.float32).reshape(2, 3), np.array(5, dtype=np.int64)]
    progress = Progress(2, {"rate": 0.1}, 1, 0.5, [{"epoch": 1, "loss": None}], 3.5, 2.5)
    return Checkpoint(progress, arrays, [*arrays, *arrays], arrays[:1])


def test_a_checkpoint_survives_its_file(checkpoint, tmp_path):
    write_checkpoint(tmp_path / "state.npz", checkpoint, "abc")
    found = read_checkpoint(tmp_path / "state.npz", "abc")
    assert found.progress == checkpoint.progress
    for name in ("model", "optimizer", "best"):
        for mine, other in zip(getattr(found, name), getattr(checkpoint, name), strict=True):
            np.testing.assert_array_equal(mine, other)
            assert mine.dtype == other.dtype
    assert [path.name for path in tmp_path.iterdir()] == ["state.npz"]


def test_of_another_plan_it_is_discarded_and_said_so(checkpoint, tmp_path, caplog):
    write_checkpoint(tmp_path / "state.npz", checkpoint, "abc")
    with caplog.at_level(logging.WARNING):
        assert read_checkpoint(tmp_path / "state.npz", "xyz") is None
    assert "belongs to another plan (abc, not xyz)" in caplog.text


def test_without_a_file_there_is_none(tmp_path):
    assert read_checkpoint(tmp_path / "state.npz", "abc") is None
