import pickle
from pathlib import Path

import numpy as np
import pytest
import xarray

from fgunet.errors import GridError, SeriesError
from fgunet.grid import Grid, Window, split_windows
from fgunet.series.labelled import open_as_xarray
from fgunet.series.store import SeriesStore, create_series

GRID = Grid("EPSG:32631", (10.0, 0.0, 600000.0, 0.0, -10.0, 5e6), 20, 28)
CHUNK = 8
ABOUT = {
    "tile": "T31TCJ",
    "grid": GRID,
    "dates": ("20180101", "20180111", "20180121"),
    "bands": ("B02", "B11"),
    "provenance": {"products": ["a", "b"]},
    "chunk": CHUNK,
}
VALUES = np.random.default_rng(1).integers(0, 65536, (3, 2, *GRID.shape)).astype(np.uint16)
CLEAR = np.random.default_rng(2).integers(0, 40, GRID.shape).astype(np.uint16)


def write_all(path: Path, windows) -> Path:
    with create_series(path, **ABOUT) as write:
        for window in windows:
            rows, cols = window.slices
            write(window, VALUES[:, :, rows, cols], CLEAR[rows, cols])
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_all(tmp_path / "T31TCJ.zarr", split_windows(GRID.shape, CHUNK))


def contents(path: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()
    }


def test_what_was_written_is_read(path: Path):
    store = SeriesStore(path)
    assert (store.tile, store.dates, store.bands) == ("T31TCJ", ABOUT["dates"], ABOUT["bands"])
    assert (store.grid, store.nodata) == (GRID, 65535)
    assert store.provenance == ABOUT["provenance"]
    for window in (Window(0, 0, *GRID.shape), Window(3, 5, 9, 22)):
        rows, cols = window.slices
        np.testing.assert_array_equal(store.read(window), VALUES[:, :, rows, cols])
        np.testing.assert_array_equal(store.read_clear_count(window), CLEAR[rows, cols])
    assert store.read(Window(0, 0, 1, 1)).dtype == np.uint16


def test_the_store_can_be_sent_to_a_worker(path: Path):
    store = pickle.loads(pickle.dumps(SeriesStore(path)))  # noqa: S301
    np.testing.assert_array_equal(store.read(Window(0, 0, *GRID.shape)), VALUES)


def test_bytes_do_not_depend_on_the_order_or_size_of_windows(path: Path, tmp_path: Path):
    windows = list(split_windows(GRID.shape, 2 * CHUNK))[::-1]
    assert contents(write_all(tmp_path / "again.zarr", windows)) == contents(path)


def test_windows_out_of_reach_are_refused(path: Path):
    for window in (Window(0, 0, 21, 28), Window(-1, 0, 2, 2), Window(0, 28, 1, 1)):
        with pytest.raises(GridError, match="20 x 28"):
            SeriesStore(path).read(window)


def test_a_failed_write_leaves_the_former_series(path: Path):
    before = contents(path)
    with pytest.raises(SeriesError, match="64 pixels were written of 560"):
        write_all(path, [Window(0, 0, 8, 8)])
    assert contents(path) == before
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("window", "shape", "message"),
    [
        (Window(0, 4, 8, 8), (3, 2, 8, 8), "whole chunks of 8"),
        (Window(0, 0, 8, 9), (3, 2, 8, 9), "whole chunks of 8"),
        (Window(0, 0, 8, 8), (3, 2, 8, 7), "do not fit"),
    ],
)
def test_windows_that_do_not_fit_are_refused(tmp_path: Path, window, shape, message):
    block = np.zeros(shape, np.uint16)
    with (
        pytest.raises(SeriesError, match=message),
        create_series(tmp_path / "s.zarr", **ABOUT) as write,
    ):
        write(window, block, block[0, 0])


def test_what_is_no_series_is_named(tmp_path: Path):
    with pytest.raises(SeriesError, match=r"no series .*nowhere\.zarr"):
        SeriesStore(tmp_path / "nowhere.zarr")
    with pytest.raises(SeriesError, match="is not a series"):
        SeriesStore(tmp_path)


def test_xarray_gives_labels_and_reads_when_asked(path: Path):
    dataset = open_as_xarray(path)
    assert isinstance(dataset, xarray.Dataset)
    assert dataset.series.dims == ("time", "band", "y", "x")
    assert dataset.series.dtype == np.uint16
    assert not dataset.series._in_memory
    chosen = dataset.series.sel(time="2018-01-11", band="B11", x=600015.0, y=5e6 - 25)
    assert int(chosen) == VALUES[1, 1, 2, 1]
    np.testing.assert_array_equal(dataset.clear_count, CLEAR)
    assert dataset.attrs["crs"] == "EPSG:32631"
