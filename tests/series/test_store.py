import pickle
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray
import zarr

from fgunet.errors import GridError, SeriesError
from fgunet.grid import Window
from fgunet.series.labelled import open_as_xarray
from fgunet.series.layout import shard_shape, write_empty
from fgunet.series.shards import ShardFile, pack
from fgunet.series.store import SeriesStore

VALUES = np.random.default_rng(1).integers(0, 65536, (2, 2, 40, 56)).astype(np.uint16)
CLEAR = np.random.default_rng(2).integers(0, 40, (40, 56)).astype(np.uint16)


@pytest.fixture
def path(tmp_path: Path, layout) -> Path:
    write_empty(tmp_path / "T31TCJ.zarr", layout)
    group = zarr.open_group(tmp_path / "T31TCJ.zarr", mode="r+")
    group["series"][:] = VALUES
    group["clear_count"][:] = CLEAR
    return tmp_path / "T31TCJ.zarr"


def test_what_was_written_is_read(path: Path, layout):
    store = SeriesStore(path)
    assert (store.tile, store.dates, store.bands) == (layout.tile, layout.dates, layout.bands)
    assert (store.grid, store.nodata) == (layout.grid, 65535)
    assert store.provenance == layout.provenance
    assert store.chunk == (layout.chunk, layout.chunk)
    for window in (Window(0, 0, 40, 56), Window(3, 5, 9, 22)):
        rows, cols = window.slices
        np.testing.assert_array_equal(store.read(window), VALUES[:, :, rows, cols])
        np.testing.assert_array_equal(store.read_clear_count(window), CLEAR[rows, cols])
        counts = store.read_counts(window)
        np.testing.assert_array_equal(counts["clear_count"], CLEAR[rows, cols])
        assert (counts["longest_gap"] == 65535).all()
        assert (counts["bridged_count"] == 0).all()
    assert store.read(Window(0, 0, 1, 1)).dtype == np.uint16


@pytest.mark.filterwarnings("ignore:Consolidated metadata")
@pytest.mark.parametrize(
    ("changed", "told"),
    [({"scale_factor": 1e-3}, "scale 0.001 and offset 0"), ({"add_offset": -0.1}, "offset -0.1")],
)
def test_numbers_of_another_scale_are_refused(path: Path, changed: dict, told: str):
    zarr.open_group(path, mode="r+")["series"].attrs.update(changed)
    zarr.consolidate_metadata(path, zarr_format=3)
    with pytest.raises(SeriesError, match=rf"T31TCJ\.zarr holds .*{told}.*0.0001.*stack_series"):
        SeriesStore(path)


def test_a_series_made_anew_is_another_one(path: Path, layout):
    before = SeriesStore(path).identity
    assert SeriesStore(path).identity == before
    write_empty(path, layout)
    assert SeriesStore(path).identity != before


def test_the_store_can_be_sent_to_a_worker(path: Path):
    store = pickle.loads(pickle.dumps(SeriesStore(path)))  # noqa: S301
    np.testing.assert_array_equal(store.read(Window(0, 0, 40, 56)), VALUES)


def test_windows_out_of_reach_are_refused(path: Path):
    for window in (Window(0, 0, 41, 56), Window(-1, 0, 2, 2), Window(0, 56, 1, 1)):
        with pytest.raises(GridError, match="40 x 56"):
            SeriesStore(path).read(window)
        with pytest.raises(GridError, match="40 x 56"):
            SeriesStore(path).read_counts(window)


def test_what_is_no_series_is_named(tmp_path: Path):
    with pytest.raises(SeriesError, match=r"no series .*nowhere\.zarr"):
        SeriesStore(tmp_path / "nowhere.zarr")
    with pytest.raises(SeriesError, match="is not a series"):
        SeriesStore(tmp_path)


def test_xarray_gives_labels_and_reads_when_asked(path: Path):
    dataset = open_as_xarray(path)
    assert dataset.series.dims == ("time", "band", "y", "x")
    assert dataset.series.dtype == np.uint16
    assert not dataset.series._in_memory
    chosen = dataset.series.sel(time="2018-01-11", band="B11", x=600015.0, y=5e6 - 25)
    assert int(chosen) == VALUES[1, 1, 2, 1]
    np.testing.assert_array_equal(dataset.clear_count, CLEAR)


@pytest.mark.filterwarnings("error")
def test_any_reader_of_cf_sees_reflectance_and_place(path: Path):
    dataset = xarray.open_zarr(path)
    pixel = dataset.series[1, 0, 3, 4]
    assert float(pixel) == pytest.approx(VALUES[1, 0, 3, 4] * 1e-4, abs=1e-9)
    assert np.isnan(dataset.series.values[VALUES == 65535]).all()
    assert np.isnan(dataset.longest_gap).all()
    assert dataset.series.attrs["grid_mapping"] == "spatial_ref"
    assert dataset.spatial_ref.attrs["crs_wkt"].startswith("PROJCRS")
    assert dataset.spatial_ref.attrs["GeoTransform"].split() == [
        "600000.0", "10.0", "0", "5000000.0", "0", "-10.0",
    ]  # fmt: skip
    assert dataset.x.attrs["standard_name"] == "projection_x_coordinate"
    assert dataset.attrs["Conventions"].startswith("CF-")


@pytest.mark.parametrize(
    ("shape", "block_width", "expected"),
    [
        ((10980, 10980), 128, (1024, 1024)),
        ((10980, 10980), 1024, (1024, 1024)),
        # Strips as wide as the tile: 64 rows of 11008 columns.
        ((10980, 10980), 10980, (64, 11008)),
        ((2048, 2048), 2048, (512, 2048)),
        ((80, 80), 80, (128, 128)),
        ((80, 200), 64, (128, 256)),
    ],
)
def test_shards_follow_the_blocks_of_the_files(shape, block_width, expected):
    assert shard_shape(shape, block_width) == expected


def test_zarr_reads_our_shards_and_writes_the_same(tmp_path: Path, layout):
    """The library is the oracle: its own file of the same pixels has the same bytes."""
    layout = replace(layout, shard=(16, 32))
    for name in ("ours", "theirs"):
        write_empty(tmp_path / name, layout)
    theirs = zarr.open_group(tmp_path / "theirs", mode="r+")["series"]
    theirs[:, :, 32:, 32:] = VALUES[:, :, 32:, 32:]
    chunks = [
        pack(np.ascontiguousarray(VALUES[:, :, 32:40, col : col + 8])) for col in (32, 40, 48)
    ]
    with ShardFile(tmp_path / "ours/series/c/0/0/2/1", (2, 4)) as file:
        file.append(chunks[:2])
        file.append([chunks[2], None])
    ours = zarr.open_group(tmp_path / "ours", mode="r")["series"]
    np.testing.assert_array_equal(ours[:, :, 32:, 32:], VALUES[:, :, 32:, 32:])
    files = [tmp_path / name / "series/c/0/0/2/1" for name in ("ours", "theirs")]
    assert files[0].stat().st_size == files[1].stat().st_size
    packed = {file.read_bytes().count(chunk) for file in files for chunk in chunks}
    assert packed == {1}


def test_a_shard_appears_only_when_it_is_whole(tmp_path: Path):
    with suppress(OSError), ShardFile(tmp_path / "broken", (1, 2)) as file:
        file.append([b"1"])
        raise OSError("no space")
    assert not (tmp_path / "broken").exists()
    with ShardFile(tmp_path / "whole", (1, 2)) as file:
        file.append([b"1"])
        assert not (tmp_path / "whole").exists()
    assert (tmp_path / "whole").exists()
