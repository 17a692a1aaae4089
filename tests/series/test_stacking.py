import errno
import logging
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fgunet.errors import ProductError, SeriesError, WriteError
from fgunet.grid import Window
from fgunet.series import stacking, unfinished
from fgunet.series.interpolation import NODATA
from fgunet.series.layout import Layout
from fgunet.series.shards import ShardFile
from fgunet.series.stacking import Resources, stack_series
from fgunet.series.store import SeriesStore
from tests.series.conftest import GRID, Made, contents

WHOLE = Window(0, 0, *GRID.shape)
PLENTY = Resources(threads=1, memory_mb=4000, bytes_per_pixel=100)
# So little that one row of chunks is loaded at once.
LITTLE = Resources(threads=3, memory_mb=1, bytes_per_pixel=100)


def stack(path: Path, loaders, layout: Layout, resources=PLENTY, made_of=None):
    stack_series(
        path,
        [(date, made.load) for date, made in loaders],
        layout,
        max_gap_days=15,
        resources=resources,
        made_of=made_of or {},
    )
    return SeriesStore(path)


def random_loaders():
    random = np.random.default_rng(0)
    return [
        (
            f"201801{day:02}",
            Made(random.integers(0, 9000, (2, *GRID.shape)), random.random(GRID.shape) < 0.5),
        )
        for day in range(1, 28, 3)
    ]


def test_acquisitions_in_any_order_are_interpolated(tmp_path: Path, layout):
    half = np.zeros(GRID.shape, bool)
    half[:, :20] = True
    loaders = [("20180111", Made([200, 20], half)), ("20180101", Made([100, 10], half))]
    store = stack(tmp_path / "s.zarr", loaders, layout)
    series, counts = store.read(WHOLE), store.read_counts(WHOLE)
    assert series[:, :, 39, 19].tolist() == [[140, 14], [200, 20]]
    assert (series[..., 20:] == NODATA).all()
    assert (counts["clear_count"] == 2 * half).all()
    assert (counts["longest_gap"] == np.where(half, 10, NODATA)).all()
    assert (counts["bridged_count"] == 0).all()


def test_a_long_gap_is_counted(tmp_path: Path, layout):
    loaders = [("20180101", Made([100, 10])), ("20180117", Made([200, 20]))]
    counts = stack(tmp_path / "s.zarr", loaders, layout).read_counts(WHOLE)
    assert (counts["longest_gap"] == 16).all()
    assert (counts["bridged_count"] == 2).all()


def test_on_one_day_the_first_valid_acquisition_counts_and_the_day_once(tmp_path: Path, layout):
    west, most = np.zeros(GRID.shape, bool), np.ones(GRID.shape, bool)
    west[:, :30] = True
    most[:, 50:] = False
    loaders = [
        ("20180105", Made([1, 2], west)),
        ("20180105", Made([3, 4], most)),
        ("20180125", Made([5, 6], most)),
    ]
    store = stack(tmp_path / "s.zarr", loaders, layout)
    assert store.read(WHOLE)[0, :, 0, [0, 29, 30, 49, 50]].tolist() == [
        [1, 2],
        [1, 2],
        [3, 4],
        [3, 4],
        [NODATA, NODATA],
    ]
    assert store.read_clear_count(WHOLE)[0, [0, 30, 50]].tolist() == [2, 2, 0]


@pytest.mark.parametrize("shard", [(16, 32), (8, 56), (40, 56), (64, 64)])
def test_bytes_depend_neither_on_threads_nor_on_memory(tmp_path: Path, layout, shard):
    layout = replace(layout, shard=shard)
    one = stack(tmp_path / "a.zarr", random_loaders(), layout)
    stack(tmp_path / "b.zarr", random_loaders(), layout, LITTLE)
    assert contents(tmp_path / "b.zarr") == contents(tmp_path / "a.zarr")
    other = stack(tmp_path / "c.zarr", random_loaders(), replace(layout, shard=(24, 24)))
    np.testing.assert_array_equal(one.read(WHOLE), other.read(WHOLE))
    assert {entry.name for entry in tmp_path.iterdir()} == {"a.zarr", "b.zarr", "c.zarr"}


def test_memory_bounds_what_is_loaded_at_once(tmp_path: Path, layout, caplog):
    loaders = random_loaders()
    with caplog.at_level(logging.WARNING):
        stack(tmp_path / "s.zarr", loaders, layout, LITTLE)
    assert {window.height for window in loaders[0][1].loaded} == {8}
    assert "give the rule stack_series more mem_mb" in caplog.text
    per_chunk_row = 100 * 64 * 1024 / 1e6
    big = replace(layout, chunk=64, shard=(1024, 1024))
    for rows, memory in ((1024, 4000), (128, 450 + 200 + 2.5 * per_chunk_row)):
        assert Resources(1, memory, 100).rows_at_once(big) == rows


class Killed(BaseException):
    """Ends a job without a chance to clean up."""


def test_a_killed_job_goes_on_where_it_was(tmp_path: Path, layout, monkeypatch):
    expected = stack(tmp_path / "whole.zarr", random_loaders(), layout)
    made = []

    class Killing(ShardFile):
        def __init__(self, path, shape):
            if len(made) == 3 * 4:
                raise Killed
            made.append(path)
            super().__init__(path, shape)

    monkeypatch.setattr(stacking, "ShardFile", Killing)
    with pytest.raises(Killed):
        stack(tmp_path / "s.zarr", random_loaders(), layout)
    assert not (tmp_path / "s.zarr").exists()
    monkeypatch.setattr(stacking, "ShardFile", ShardFile)
    loaders = random_loaders()
    stack(tmp_path / "s.zarr", loaders, layout)
    # Four files a shard, three rows of two shards: no finished one is made twice.
    assert len(loaders[0][1].loaded) == 3
    assert contents(tmp_path / "s.zarr") == contents(expected.path)


@pytest.mark.parametrize("change", ["made_of", "layout"])
def test_what_was_begun_of_something_else_is_thrown_away(
    tmp_path: Path, layout, monkeypatch, change
):
    def killed(self, row, col):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(unfinished.Unfinished, "finish", killed)
        with pytest.raises(Killed):
            stack(tmp_path / "s.zarr", [("20180105", Made([9, 9]))], layout, made_of={"of": "x"})
    other = replace(layout, dates=("20180105", "20180112")) if change == "layout" else layout
    made_of = {"of": "y"} if change == "made_of" else {"of": "x"}
    loaders = random_loaders()
    store = stack(tmp_path / "s.zarr", loaders, other, made_of=made_of)
    assert store.dates == other.dates
    assert len(loaders[0][1].loaded) == 6


def test_no_space_left_is_said_and_what_is_done_is_kept(tmp_path: Path, layout, monkeypatch):
    class Full(ShardFile):
        def append(self, chunks):
            if self._path.parent.name == "1":
                raise OSError(errno.ENOSPC, "No space left on device")
            super().append(chunks)

    with monkeypatch.context() as patch:
        patch.setattr(stacking, "ShardFile", Full)
        with pytest.raises(
            WriteError, match=r"s\.zarr cannot be written: No space left .*make room"
        ):
            stack(tmp_path / "s.zarr", random_loaders(), layout)
    assert not (tmp_path / "s.zarr").exists()
    loaders = random_loaders()
    stack(tmp_path / "s.zarr", loaders, layout)
    assert len(loaders[0][1].loaded) == 4


def test_an_error_in_one_acquisition_stops_the_rest(tmp_path: Path, layout):
    calls = []
    lock = threading.Lock()

    class Broken(Made):
        def load(self, window):
            with lock:
                calls.append(window)
            raise ProductError("the file is broken")

    loaders = [(f"201801{day:02}", Broken([1, 2])) for day in range(1, 20)]
    with pytest.raises(ProductError, match="the file is broken"):
        stack(tmp_path / "s.zarr", loaders, layout, Resources(2, 1000, 100))
    assert len(calls) <= 2
    assert not (tmp_path / "s.zarr").exists()


def test_two_processes_do_not_work_on_one_series(tmp_path: Path, layout):
    """The second waits; both end with the same result."""
    gate = threading.Event()

    class Slow(Made):
        def load(self, window):
            gate.wait(10)
            return super().load(window)

    first = threading.Thread(
        target=stack, args=(tmp_path / "s.zarr", [("20180105", Slow([1, 2]))], layout)
    )
    first.start()
    while not (tmp_path / ".s.unfinished" / "made_of.json").exists():
        first.join(0.01)
    quick = Made([1, 2])
    second = threading.Thread(
        target=stack, args=(tmp_path / "s.zarr", [("20180105", quick)], layout)
    )
    second.start()
    second.join(0.3)
    assert quick.loaded == []
    gate.set()
    first.join(20)
    second.join(20)
    assert (SeriesStore(tmp_path / "s.zarr").read(WHOLE)[:, 1] == 2).all()
    assert not (tmp_path / ".s.unfinished").exists()


def test_nothing_to_stack_is_refused(tmp_path: Path, layout):
    with pytest.raises(SeriesError, match="no acquisition"):
        stack_series(tmp_path / "s.zarr", [], layout, max_gap_days=9, resources=PLENTY, made_of={})
