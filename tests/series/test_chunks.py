"""Reading chunk by chunk; the zarr library is the oracle."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from zarr.codecs import BloscCodec, Crc32cCodec, ZstdCodec

from fgunet.errors import SeriesError
from fgunet.grid import Grid, Window
from fgunet.series.chunks import ChunkReader
from fgunet.series.layout import Layout, write_empty
from fgunet.series.store import SeriesStore

SHAPE = (40, 56)
WHOLE = Window(0, 0, *SHAPE)
GRID = Grid("EPSG:32631", (10.0, 0.0, 600000.0, 0.0, -10.0, 5e6), *SHAPE)
LAYOUT = Layout("T31TCJ", GRID, ("20180105", "20180111"), ("B02", "B11"), {}, (16, 32), 8)
VALUES = np.random.default_rng(1).integers(0, 65536, (2, 2, *SHAPE)).astype(np.uint16)
SHARD = "series/c/0/0/1/1"


def written(path: Path, layout: Layout = LAYOUT, values=VALUES) -> Path:
    write_empty(path, layout)
    zarr.open_group(path, mode="r+", zarr_format=3)["series"][:] = values
    return path


def inside(length: int) -> st.SearchStrategy[tuple[int, int]]:
    """Start and length of a stretch."""
    ends = st.tuples(st.integers(0, length), st.integers(0, length))
    return ends.map(sorted).filter(lambda pair: pair[0] < pair[1]).map(
        lambda pair: (pair[0], pair[1] - pair[0])
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("chunks")


@settings(max_examples=80)
@given(
    rows=inside(SHAPE[0]),
    cols=inside(SHAPE[1]),
    chunk=st.sampled_from([8, 20, 64]),
    shard=st.sampled_from([(1, 1), (1, 4), (2, 1), (3, 2), (9, 9)]),
)
def test_any_window_of_any_shards_is_what_zarr_reads(folder, rows, cols, chunk, shard):
    path = folder / f"{chunk}_{shard}"
    if not path.exists():
        shard = (shard[0] * chunk, shard[1] * chunk)
        written(path, replace(LAYOUT, chunk=chunk, shard=shard))
    window = Window(rows[0], cols[0], rows[1], cols[1])
    array = zarr.open_group(path, mode="r")["series"]
    reader = ChunkReader.of(path / "series", array)
    found = reader.read(window)
    np.testing.assert_array_equal(found, array[:, :, *window.slices])
    np.testing.assert_array_equal(found, VALUES[:, :, *window.slices])
    assert (found.dtype, found.flags.c_contiguous) == (np.uint16, True)


def test_what_no_file_holds_is_filled(tmp_path):
    """zarr leaves out chunks, and shards, that hold nothing but the fill value."""
    values = VALUES.copy()
    values[:, :, 16:24, 32:40] = 65535  # a chunk
    values[:, :, 32:, :32] = 65535  # a shard
    path = written(tmp_path / "s.zarr", values=values)
    assert not (path / "series/c/0/0/2/0").exists()
    np.testing.assert_array_equal(SeriesStore(path).read(WHOLE), values)


def test_each_read_gives_an_array_of_its_own(tmp_path):
    store = SeriesStore(written(tmp_path / "s.zarr"))
    first = store.read(WHOLE)
    first[:] = 0
    np.testing.assert_array_equal(store.read(WHOLE), VALUES)


def test_threads_read_at_once(tmp_path):
    store = SeriesStore(written(tmp_path / "s.zarr"))
    generator = np.random.default_rng(3)
    corners = generator.integers(0, (30, 46), size=(400, 2)).tolist()
    windows = [Window(row, col, 10, 10) for row, col in corners]
    with ThreadPoolExecutor(4) as pool:
        for window, found in zip(windows, pool.map(store.read, windows), strict=True):
            np.testing.assert_array_equal(found, VALUES[:, :, *window.slices])


def test_a_replaced_file_is_read_anew(tmp_path):
    store = SeriesStore(written(tmp_path / "s.zarr"))
    store.read(WHOLE)
    other = written(tmp_path / "other.zarr", values=VALUES // 256)
    (other / SHARD).replace(store.path / SHARD)
    found = store.read(Window(20, 40, 5, 5))
    np.testing.assert_array_equal(found, VALUES[:, :, 20:25, 40:45] // 256)


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_no_file_stays_open(tmp_path):
    store = SeriesStore(written(tmp_path / "s.zarr"))
    before = open_files()
    store.read(WHOLE)
    (store.path / SHARD).write_bytes(b"nothing")
    with pytest.raises(SeriesError):
        store.read(WHOLE)
    assert open_files() == before


@pytest.mark.filterwarnings("ignore:Consolidated metadata")
@pytest.mark.parametrize(
    "how",
    [
        {"compressors": (ZstdCodec(),)},
        {"compressors": None},
        {"compressors": (BloscCodec(typesize=2),)},
        {"compressors": (BloscCodec(typesize=2), ZstdCodec())},
        {"shards": None},
        {"dtype": "uint32"},
        {"chunks": (1, 2, 8, 8)},
        {"chunks": (1, 2, 8, 8), "shards": (1, 2, 16, 32)},
    ],
)
def test_another_layout_is_left_to_zarr(tmp_path, how):
    path = written(tmp_path / "s.zarr")
    group = zarr.open_group(path, mode="r+")
    given = {"shape": VALUES.shape, "chunks": (2, 2, 8, 8), "shards": (2, 2, 16, 32)}
    array = group.create_array("series", overwrite=True, **{"dtype": "uint16", **given, **how})
    array[:] = VALUES
    assert ChunkReader.of(path / "series", array) is None
    zarr.consolidate_metadata(path)
    store = SeriesStore(path)
    np.testing.assert_array_equal(store.read(Window(3, 5, 9, 22)), VALUES[:, :, 3:12, 5:27])


@pytest.mark.parametrize("cname", ["lz4", "zstd", "blosclz"])
def test_blosc_says_itself_how_it_packed(tmp_path, cname):
    packing = BloscCodec(cname=cname, shuffle="shuffle"), Crc32cCodec()
    array = zarr.create_array(
        tmp_path / "a", shape=VALUES.shape, dtype="uint16", chunks=(2, 2, 8, 8),
        shards=(2, 2, 16, 32), compressors=packing,
    )  # fmt: skip
    array[:] = VALUES
    np.testing.assert_array_equal(ChunkReader.of(tmp_path / "a", array).read(WHOLE), VALUES)


def flipped(content: bytes, place: int) -> bytes:
    """The same bytes but for one bit."""
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def test_a_damaged_file_is_named(tmp_path):
    path = written(tmp_path / "s.zarr")
    shard = path / SHARD
    whole = shard.read_bytes()
    index = np.frombuffer(whole[-132:-4], "<u8").reshape(8, 2)
    start = int(index[0, 0])  # the chunk that holds row 16, column 32
    for damage, message in (
        (flipped(whole, len(whole) - 1), "index of its chunks"),
        (whole[:50], "index of its chunks"),
        (b"", "index of its chunks"),
        (whole[:start] + bytes(16) + whole[start + 16 :], "chunk 0"),
        (flipped(whole, start + 4), "chunk 0 .*not what was written"),
    ):
        shard.write_bytes(damage)
        with pytest.raises(SeriesError, match=rf"{SHARD} is damaged: .*{message}.*stack_series"):
            SeriesStore(path).read(Window(16, 32, 1, 1))
    shard.write_bytes(whole)
    np.testing.assert_array_equal(SeriesStore(path).read(WHOLE), VALUES)


def test_a_reader_can_be_sent_to_a_worker(tmp_path):
    store = SeriesStore(written(tmp_path / "s.zarr"))
    store.read(WHOLE)
    sent = pickle.loads(pickle.dumps(store))  # noqa: S301
    assert isinstance(sent._readers["series"], ChunkReader)
    np.testing.assert_array_equal(sent.read(WHOLE), VALUES)
