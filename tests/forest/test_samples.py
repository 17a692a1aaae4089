from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fgunet.errors import GridError, ModelError
from fgunet.forest.keys import pixel_keys
from fgunet.forest.samples import Samples, channel_names, keep_smallest, merge_samples, sample_tile
from fgunet.forest.tables import read_samples, write_samples
from fgunet.grid import Grid, Window

DATES, BANDS, NODATA = ("20160105", "20160115"), ("B02", "B8A", "B12"), 65535
SHAPE = (40, 50)


@dataclass
class MemorySeries:
    grid: Grid
    cube: np.ndarray
    dates: tuple[str, ...] = DATES
    bands: tuple[str, ...] = BANDS
    nodata: int = NODATA
    reads: int = 0

    def read(self, window: Window) -> np.ndarray:
        self.reads += 1
        return self.cube[(..., *window.slices)]


def grid_of_shape(shape: tuple[int, int]) -> Grid:
    return Grid("EPSG:32631", (10.0, 0.0, 500000.0, 0.0, -10.0, 4800000.0), *shape)


def world(seed: int, shape: tuple[int, int] = SHAPE) -> tuple[MemorySeries, list[np.ndarray]]:
    random = np.random.default_rng(seed)
    values = random.integers(0, 9000, (2, 3, *shape), dtype=np.uint16)
    values[:, :, random.random(shape) < 0.1] = NODATA
    codes = random.choice(np.array([0, 11, 44, 222], np.uint8), shape)
    polygons = random.integers(1, 2**32 - 1, shape, dtype=np.uint32)
    splits = random.integers(0, 4, shape, dtype=np.uint8)
    return MemorySeries(grid_of_shape(shape), values), [codes, polygons, splits]


def draw(tile: str, seed: int, count: int, window: int = 16) -> Samples:
    series, reference = world(seed)
    return sample_tile(
        tile,
        series,
        series.grid,
        lambda place: tuple(part[place.slices] for part in reference),
        samples_per_class=count,
        seed=7,
        window=window,
    )


def brute_force(tiles: dict[str, int], count: int) -> set[tuple[str, int, int, int]]:
    """All eligible pixels, sorted by key in plain Python."""
    rows: dict[int, list[tuple[int, str, int, int]]] = {}
    for tile, seed in tiles.items():
        series, (codes, _, splits) = world(seed)
        for row in range(SHAPE[0]):
            for col in range(SHAPE[1]):
                valid = series.cube[0, 0, row, col] != NODATA
                if splits[row, col] == 1 and codes[row, col] and valid:
                    key = int(pixel_keys(7, tile, [row], [col])[0])
                    rows.setdefault(int(codes[row, col]), []).append((key, tile, row, col))
    return {
        (tile, row, col, code)
        for code, found in rows.items()
        for _, tile, row, col in sorted(found)[:count]
    }


def identities(samples: Samples) -> set[tuple[str, int, int, int]]:
    frame = samples.frame
    return set(zip(frame["tile"], frame["row"], frame["column"], frame["code"], strict=True))


@pytest.mark.parametrize("count", [1, 20, 10_000])
def test_sample_is_the_brute_force_one_whatever_the_windows(count: int) -> None:
    expected = brute_force({"T31TCJ": 1}, count)
    for window in (7, 16, 64):
        samples = draw("T31TCJ", 1, count, window)
        assert identities(samples) == expected
        pd.testing.assert_frame_equal(samples.frame, draw("T31TCJ", 1, count).frame)


def test_merged_tiles_give_the_sample_over_all_tiles() -> None:
    parts = [draw("T31TCJ", 1, 15), draw("T31TDJ", 2, 15), draw("T30TYN", 3, 15)]
    expected = brute_force({"T31TCJ": 1, "T31TDJ": 2, "T30TYN": 3}, 15)
    merged = merge_samples(parts, 15)
    assert identities(merged) == expected
    assert merged.counts() == {11: 15, 44: 15, 222: 15}
    again = merge_samples([merge_samples(parts[:0:-1], 15), parts[0]], 15)
    pd.testing.assert_frame_equal(merged.frame, again.frame)


def test_values_and_polygons_are_those_of_the_pixel() -> None:
    series, (codes, polygons, _) = world(4)
    samples = draw("T31TCJ", 4, 5)
    rows, cols = samples.frame["row"].to_numpy(), samples.frame["column"].to_numpy()
    expected = series.cube[:, :, rows, cols].reshape(6, -1).T
    np.testing.assert_array_equal(samples.reflectance, expected)
    assert (samples.frame["polygon_id"].to_numpy() == polygons[rows, cols]).all()
    assert (samples.frame["code"].to_numpy() == codes[rows, cols]).all()
    assert (samples.reflectance != NODATA).all()


def test_series_is_not_read_where_nothing_is_labelled() -> None:
    series, (codes, polygons, splits) = world(1)
    splits[:, :] = 0
    splits[3, 4], codes[3, 4], series.cube[:, :, 3, 4] = 1, 11, 5
    samples = sample_tile(
        "T31TCJ",
        series,
        series.grid,
        lambda place: (codes[place.slices], polygons[place.slices], splits[place.slices]),
        samples_per_class=5,
        seed=7,
        window=16,
    )
    assert identities(samples) == {("T31TCJ", 3, 4, 11)}
    assert series.reads == 1


def test_sample_is_uniform() -> None:
    rows, cols = np.indices((100, 100))
    keys = pixel_keys(1, "T31TCJ", rows, cols)
    assert np.unique(keys).size == keys.size
    chosen = np.argsort(keys, axis=None)[:5000]
    # A row has 50 of its 100 pixels, give or take five standard deviations.
    per_row = np.bincount(chosen // 100, minlength=100)
    assert abs(per_row - 50).max() < 25
    other = pixel_keys(1, "T31TDJ", rows, cols)
    assert abs(np.corrcoef(keys.ravel().astype(float), other.ravel().astype(float))[0, 1]) < 0.05


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 1000)), max_size=60), st.integers(1, 5))
def test_keeping_the_smallest_of_parts_is_keeping_them_of_all(
    pixels: list[tuple[int, int]], count: int
) -> None:
    frame = pd.DataFrame(
        {
            "tile": "a",
            "row": range(len(pixels)),
            "column": 0,
            "code": [code for code, _ in pixels],
            "key": [key for _, key in pixels],
        }
    )
    half = len(frame) // 2
    parts = [keep_smallest(part, count) for part in (frame[half:], frame[:half])]
    merged = keep_smallest(pd.concat(parts), count)
    pd.testing.assert_frame_equal(merged, keep_smallest(frame, count), check_dtype=False)


def test_table_round_trip_and_same_bytes(tmp_path) -> None:
    samples = draw("T31TCJ", 1, 10)
    for name in ("a", "b"):
        write_samples(tmp_path / f"{name}.parquet", samples)
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    read = read_samples(tmp_path / "a.parquet")
    pd.testing.assert_frame_equal(read.frame, samples.frame)
    assert (read.dates, read.bands) == (DATES, BANDS)
    assert channel_names(DATES, BANDS)[3] == "20160115_B02"


def test_table_without_pixels_keeps_its_channels(tmp_path) -> None:
    full = draw("T31TCJ", 1, 10)
    write_samples(tmp_path / "a.parquet", Samples(full.frame[:0], DATES, BANDS))
    merged = merge_samples([read_samples(tmp_path / "a.parquet"), full], 10)
    assert identities(merged) == identities(full)
    np.testing.assert_array_equal(merged.reflectance, full.reflectance)


def test_errors(tmp_path) -> None:
    series, _ = world(1)
    with pytest.raises(ModelError, match="at least 1"):
        draw("T31TCJ", 1, 0)
    with pytest.raises(GridError, match="T31TCJ"):
        sample_tile("T31TCJ", series, grid_of_shape((4, 4)), None, samples_per_class=1, seed=1)
    with pytest.raises(ModelError, match="at least one tile"):
        merge_samples([], 5)
    one = draw("T31TCJ", 1, 5)
    with pytest.raises(ModelError, match="differ in their channels"):
        merge_samples([one, Samples(one.frame, DATES[::-1], BANDS)], 5)
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(ModelError, match="not a table of pixel samples"):
        read_samples(tmp_path / "a.parquet")
