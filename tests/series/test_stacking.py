import threading
from pathlib import Path

import numpy as np
import pytest

from fgunet.errors import ProductError, SeriesError
from fgunet.grid import Grid, Window
from fgunet.series.interpolation import NODATA
from fgunet.series.stacking import stack_series
from fgunet.series.store import SeriesStore

GRID = Grid("EPSG:32631", (10.0, 0.0, 600000.0, 0.0, -10.0, 5e6), 40, 56)
WHOLE = Window(0, 0, *GRID.shape)
ABOUT = {
    "tile": "T31TCJ",
    "grid": GRID,
    "dates": ("20180105", "20180111"),
    "bands": ("B02", "B11"),
    "provenance": {},
    "window": 16,
    "chunk": 8,
}


def reader(values, valid=True):
    """A reader of constant values (one a band), or of an array, valid where `valid`."""
    block = np.broadcast_to(np.asarray(values, np.uint16).reshape(2, 1, 1), (2, *GRID.shape))
    usable = np.broadcast_to(np.asarray(valid), GRID.shape)

    def read(window):
        rows, cols = window.slices
        return block[:, rows, cols], usable[rows, cols]

    return read


def contents(path: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()
    }


def test_acquisitions_in_any_order_are_interpolated(tmp_path: Path):
    half = np.zeros(GRID.shape, bool)
    half[:, :20] = True
    readers = [("20180111", reader([200, 20], half)), ("20180101", reader([100, 10], half))]
    stack_series(tmp_path / "s.zarr", readers, **ABOUT)
    store = SeriesStore(tmp_path / "s.zarr")
    series = store.read(WHOLE)
    assert series[:, :, 39, 19].tolist() == [[140, 14], [200, 20]]
    assert (series[..., 20:] == NODATA).all()
    assert (store.read_clear_count(WHOLE) == 2 * half).all()


def test_on_one_day_the_first_valid_acquisition_counts_and_the_day_once(tmp_path: Path):
    west, most = np.zeros(GRID.shape, bool), np.ones(GRID.shape, bool)
    west[:, :30] = True
    most[:, 50:] = False
    readers = [
        ("20180105", reader([1, 2], west)),
        ("20180105", reader([3, 4], most)),
        ("20180125", reader([5, 6], most)),
    ]
    stack_series(tmp_path / "s.zarr", readers, **ABOUT)
    store = SeriesStore(tmp_path / "s.zarr")
    assert store.read(WHOLE)[0, :, 0, [0, 29, 30, 49, 50]].tolist() == [
        [1, 2],
        [1, 2],
        [3, 4],
        [3, 4],
        [NODATA, NODATA],
    ]
    assert store.read_clear_count(WHOLE)[0, [0, 30, 50]].tolist() == [2, 2, 0]


def test_bytes_depend_neither_on_threads_nor_on_windows(tmp_path: Path):
    random = np.random.default_rng(0)
    readers = [
        (f"201801{day:02}", reader(random.integers(0, 9000, 2), random.random(GRID.shape) < 0.5))
        for day in range(1, 28, 3)
    ]
    stack_series(tmp_path / "a.zarr", readers, **ABOUT)
    stack_series(tmp_path / "b.zarr", readers, **ABOUT, threads=4)
    stack_series(tmp_path / "c.zarr", readers, **{**ABOUT, "window": 64}, threads=2)
    expected = contents(tmp_path / "a.zarr")
    assert contents(tmp_path / "b.zarr") == expected
    assert contents(tmp_path / "c.zarr") == expected


def test_an_error_in_one_window_stops_the_rest_and_leaves_nothing(tmp_path: Path):
    calls = []
    lock = threading.Lock()

    def broken(window: Window):
        with lock:
            calls.append(window)
        raise ProductError("the file is broken")

    with pytest.raises(ProductError, match="the file is broken"):
        stack_series(tmp_path / "s.zarr", [("20180101", broken)], **ABOUT, threads=2)
    assert len(calls) <= 2
    assert list(tmp_path.iterdir()) == []


def test_senseless_calls_are_refused(tmp_path: Path):
    with pytest.raises(SeriesError, match="no acquisition"):
        stack_series(tmp_path / "s.zarr", [], **ABOUT)
    with pytest.raises(SeriesError, match="no multiple of chunks of 8"):
        stack_series(tmp_path / "s.zarr", [("20180101", reader([1, 2]))], **{**ABOUT, "window": 12})
