"""Drawing the samples of a tile: which pixels, and what is read for them."""

import importlib.util
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import zarr

from fgunet.errors import GridError, NomenclatureError, SeriesError
from fgunet.forest.drawing import TileSource, sample_tile
from fgunet.forest.keys import pixel_keys
from fgunet.forest.samples import Samples, merge_samples
from fgunet.forest.sampling import Sampling
from fgunet.forest.tables import read_samples
from fgunet.grid import Grid, Window
from fgunet.rasters import write_raster
from fgunet.reference.sides import TRAINING, VALIDATION
from fgunet.series.layout import Layout, write_empty

DATES, BANDS, NODATA = ("20160105", "20160115"), ("B02", "B8A", "B12"), 65535
SHAPE, CHUNK = (40, 50), (16, 8)
CAP = Sampling("class_cap", 15, 1, None)


def grid_of_shape(shape: tuple[int, int]) -> Grid:
    return Grid("EPSG:32631", (10.0, 0.0, 500000.0, 0.0, -10.0, 4800000.0), *shape)


@dataclass
class World:
    """A tile in memory that remembers what was read of its series."""

    seed: int
    grid: Grid = field(default_factory=lambda: grid_of_shape(SHAPE))
    dates: tuple[str, ...] = DATES
    bands: tuple[str, ...] = BANDS
    nodata: int = NODATA

    def __post_init__(self) -> None:
        random = np.random.default_rng(self.seed)
        self.cube = random.integers(0, 9000, (2, 3, *SHAPE), dtype=np.uint16)
        self.clear = random.integers(1, 30, SHAPE).astype(np.uint16)
        self.clear[random.random(SHAPE) < 0.1] = 0
        self.cube[:, :, self.clear == 0] = NODATA
        self.codes = random.choice(np.array([0, 11, 44, 222], np.uint8), SHAPE)
        self.polygons = random.integers(1, 2**32 - 1, SHAPE, dtype=np.uint32)
        self.splits = random.integers(0, 4, SHAPE, dtype=np.uint8)
        self.reads: list[Window] = []

    def read(self, window: Window) -> np.ndarray:
        self.reads.append(window)
        return self.cube[(..., *window.slices)]

    def read_reference(self, window: Window) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        rows, cols = window.slices
        return tuple(part[rows, cols] for part in (self.codes, self.polygons, self.splits))

    def draw(
        self,
        samplings: dict[int, Sampling],
        *,
        tile: str = "T31TCJ",
        chunk: tuple[int, int] = CHUNK,
        **options: int,
    ) -> dict[int, Samples]:
        source = TileSource(
            tile, "a.zarr", self, chunk, lambda window: self.clear[window.slices],
            self.grid, self.read_reference,
        )  # fmt: skip
        return sample_tile(source, samplings, seed=7, **options)

    def eligible(self, tile: str, split: int) -> list[tuple[int, str, int, int, int]]:
        """Key, tile, row, column and code of each pixel that may be drawn, in plain Python."""
        return [
            (int(pixel_keys(7, tile, [row], [col])[0]), tile, row, col, int(self.codes[row, col]))
            for row in range(SHAPE[0])
            for col in range(SHAPE[1])
            if self.splits[row, col] == split and self.codes[row, col] and self.clear[row, col]
        ]


def identities(samples: Samples) -> list[tuple[int, str, int, int, int]]:
    names = ["key", "tile", "row", "column", "code"]
    return list(zip(*(samples.pixels[name].tolist() for name in names), strict=True))


def of_each_class(pixels: list[tuple[Any, ...]], count: int) -> list[tuple[Any, ...]]:
    seen: Counter[int] = Counter()
    kept = []
    for pixel in sorted(pixels):
        seen[pixel[-1]] += 1
        if seen[pixel[-1]] <= count:
            kept.append(pixel)
    return kept


@pytest.mark.parametrize("count", [1, 20, 10_000])
def test_windows_chunks_and_threads_do_not_matter(count: int) -> None:
    world = World(1)
    expected = of_each_class(world.eligible("T31TCJ", TRAINING), count)
    sampling = Sampling("class_cap", count, 1, None)
    values = set()
    for window, chunk, threads in ((7, (16, 8), 1), (16, (7, 50), 3), (64, (64, 64), 2)):
        options = {"window": window, "chunk": chunk, "threads": threads}
        samples = world.draw({TRAINING: sampling}, **options)[TRAINING]
        assert identities(samples) == expected
        values.add(samples.reflectance.tobytes())
    assert len(values) == 1


def test_merged_tiles_give_the_sample_over_all_tiles() -> None:
    tiles = {"T31TCJ": World(1), "T31TDJ": World(2), "T30TYN": World(3)}
    parts = [world.draw({TRAINING: CAP}, tile=tile)[TRAINING] for tile, world in tiles.items()]
    everything = [p for tile, world in tiles.items() for p in world.eligible(tile, TRAINING)]
    merged = merge_samples(parts, CAP)
    assert identities(merged) == of_each_class(everything, 15)
    for tile, world in tiles.items():
        mine = merged.pixels["tile"] == tile
        rows, cols = (merged.pixels.loc[mine, name].to_numpy() for name in ("row", "column"))
        np.testing.assert_array_equal(
            merged.reflectance[mine], world.cube[:, :, rows, cols].reshape(6, -1).T
        )
        assert (merged.pixels.loc[mine, "polygon_id"] == world.polygons[rows, cols]).all()


def test_each_split_is_drawn_by_its_own_rule() -> None:
    world = World(4)
    proportional = Sampling("proportional", 1, 60, None)
    drawn = world.draw({TRAINING: CAP, VALIDATION: proportional})
    expected = of_each_class(world.eligible("T31TCJ", TRAINING), 15)
    assert identities(drawn[TRAINING]) == expected
    assert identities(drawn[VALIDATION]) == sorted(world.eligible("T31TCJ", VALIDATION))[:60]
    for samples in drawn.values():
        rows, cols = (samples.pixels[name].to_numpy() for name in ("row", "column"))
        np.testing.assert_array_equal(
            samples.reflectance, world.cube[:, :, rows, cols].reshape(6, -1).T
        )


def test_each_chunk_of_a_drawn_pixel_is_read_once_and_no_other() -> None:
    world = World(5)
    samplings = {TRAINING: Sampling("class_cap", 2, 1, None), VALIDATION: CAP}
    drawn = world.draw(samplings, threads=3)
    pixels = pd.concat([samples.pixels for samples in drawn.values()])
    wanted = set(zip(pixels["row"] // CHUNK[0], pixels["column"] // CHUNK[1], strict=True))
    touched = Counter(
        (row, col)
        for window in world.reads
        for row in range(window.row // CHUNK[0], (window.row + window.height - 1) // CHUNK[0] + 1)
        for col in range(window.col // CHUNK[1], (window.col + window.width - 1) // CHUNK[1] + 1)
    )
    assert touched == dict.fromkeys(wanted, 1)


def test_nothing_is_read_where_nothing_is_labelled(caplog) -> None:
    world = World(1)
    world.splits[:] = VALIDATION
    with caplog.at_level(logging.INFO):
        samples = world.draw({TRAINING: CAP})[TRAINING]
    assert (len(samples), world.reads, samples.reflectance.shape) == (0, [], (0, 6))
    assert "0 pixels drawn" in caplog.text


def test_pixels_without_data_are_counted(caplog) -> None:
    world = World(1)
    missing = ((world.splits == TRAINING) & (world.codes > 0) & (world.clear == 0)).sum()
    with caplog.at_level(logging.INFO):
        world.draw({TRAINING: CAP})
    assert missing > 0
    assert f"training: 45 pixels drawn; {missing} labelled pixels have no data" in caplog.text


def test_a_store_that_contradicts_itself_is_refused() -> None:
    world = World(1)
    world.clear[:] = 1
    with pytest.raises(SeriesError, match=r"a\.zarr has no data at row \d+, column \d+"):
        world.draw({TRAINING: Sampling("class_cap", 10_000, 1, None)}, threads=2)


def test_another_grid_is_refused() -> None:
    world = World(1)
    with pytest.raises(GridError, match=r"reference of T31TCJ.*a\.zarr"):
        TileSource(
            "T31TCJ", "a.zarr", world, CHUNK, world.read, grid_of_shape((4, 4)),
            world.read_reference,
        )  # fmt: skip


def test_keys_are_distinct_uniform_and_of_their_tile() -> None:
    rows, cols = np.indices((100, 100))
    keys = pixel_keys(1, "T31TCJ", rows, cols)
    assert np.unique(keys).size == keys.size
    chosen = np.argsort(keys, axis=None)[:5000]
    # A row has 50 of its 100 pixels, give or take five standard deviations.
    per_row = np.bincount(chosen // 100, minlength=100)
    assert abs(per_row - 50).max() < 25
    other = pixel_keys(1, "T31TDJ", rows, cols)
    assert abs(np.corrcoef(keys.ravel().astype(float), other.ravel().astype(float))[0, 1]) < 0.05


@pytest.fixture
def run_script(root: Path, tmp_path: Path) -> Callable[..., None]:
    """The script on a world that is written to files."""
    world = World(6)
    layout = Layout("T31TCJ", world.grid, DATES, BANDS, {}, (32, 64), 16)
    write_empty(tmp_path / "s.zarr", layout)
    group = zarr.open_group(tmp_path / "s.zarr", mode="r+")
    for name, values in (("series", world.cube), ("clear_count", world.clear)):
        group[name][...] = values
    for name, band in (("code", world.codes), ("polygon", world.polygons), ("split", world.splits)):
        write_raster(tmp_path / f"{name}.tif", band, world.grid, 0)
    spec = importlib.util.spec_from_file_location("script", root / "scripts/sample_pixels.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)

    def run(nomenclature: str) -> World:
        paths = {f"path_to_{n}": str(tmp_path / f"{n}.tif") for n in ("code", "polygon", "split")}
        sampling = {"samples_per_class": 15, "samples": 30, "samples_per_polygon": None}
        script.main(
            tile="T31TCJ",
            path_to_series=str(tmp_path / "s.zarr"),
            **paths,
            nomenclature=str(tmp_path / nomenclature),
            sampling={"strategy": "class_cap", **sampling},
            validation_sampling={"strategy": "proportional", **sampling},
            seed=7,
            threads=2,
            path_to_samples=str(tmp_path / "training.parquet"),
            path_to_validation=str(tmp_path / "validation.parquet"),
        )
        return world

    for codes in ((11, 44, 222), (11, 44)):
        classes = "".join(f"- {{code: {c}, name: class {c}, colour: [1, 2, 3]}}\n" for c in codes)
        (tmp_path / f"{len(codes)}.yaml").write_text(f"name: some\nclasses:\n{classes}")
    return run


def test_the_script_writes_both_tables(run_script: Callable[..., World], tmp_path: Path) -> None:
    world = run_script("3.yaml")
    training, validation = (read_samples(tmp_path / f"{name}.parquet")
                            for name in ("training", "validation"))  # fmt: skip
    assert identities(training) == of_each_class(world.eligible("T31TCJ", TRAINING), 15)
    assert identities(validation) == sorted(world.eligible("T31TCJ", VALIDATION))[:30]
    rows, cols = (training.pixels[name].to_numpy() for name in ("row", "column"))
    np.testing.assert_array_equal(
        training.reflectance, world.cube[:, :, rows, cols].reshape(6, -1).T
    )


def test_the_script_refuses_codes_of_another_nomenclature(
    run_script: Callable[..., World], tmp_path: Path
) -> None:
    with pytest.raises(NomenclatureError, match="222"):
        run_script("2.yaml")
    assert not (tmp_path / "training.parquet").exists()
