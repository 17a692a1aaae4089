"""A tile to learn from, for the benchmarks: its series, its labels, their polygons and split.

2048 x 2048 pixels, 33 dates x 10 bands, 17 classes: parcels with a season of their class that each
has in its own way, texture and noise, so that compression finds what it would find in a real
series, and classes are about as hard to tell apart. Made once (2 GB).
"""

from pathlib import Path

import numpy as np
import zarr
from numpy.typing import NDArray

from fgunet.files import atomic_path
from fgunet.grid import Grid
from fgunet.nomenclature import read_nomenclature
from fgunet.rasters import write_raster
from fgunet.series.layout import Layout, write_empty

ROOT = Path(__file__).resolve().parents[1]
TILE, SIDE, SHARD = "T31TCJ", 2048, 1024
DATES = tuple(str(np.datetime64("2016-01-05") + 11 * n).replace("-", "") for n in range(33))
BANDS = ("B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B11", "B12")
CODES = read_nomenclature(ROOT / "tables" / "oso17.yaml").codes
LOW, HIGH = 300.0, 4000.0
"""Percentiles of the channels, about."""


def tile_folder(work: Path, side: int = SIDE) -> Path:
    """Folder with series.zarr, code.tif, polygon.tif and split.tif, made if it is not there."""
    folder = work / f"parcels_{side}"
    if not folder.exists():
        with atomic_path(folder) as part:
            part.mkdir(parents=True)
            _make(part, side)
    return folder


def _make(folder: Path, side: int) -> None:
    generator = np.random.default_rng(7)
    grid = Grid("EPSG:32631", (10.0, 0.0, 300000.0, 0.0, -10.0, 4900020.0), side, side)
    parcel = _parcels(generator, side)
    label = parcel % len(CODES)
    labelled = parcel % 5 < 2
    split = np.array([1, 1, 1, 1, 1, 1, 3, 3, 3, 2], np.uint8)[(parcel // 5) % 10]
    code = np.where(labelled, np.array(CODES)[label], 0).astype(np.uint8)
    write_raster(folder / "code.tif", code, grid, 0)
    polygon = np.where(labelled, parcel + 1, 0).astype(np.uint32)
    write_raster(folder / "polygon.tif", polygon, grid, 0)
    write_raster(folder / "split.tif", np.where(labelled, split, 0).astype(np.uint8), grid, 0)
    path = folder / "series.zarr"
    write_empty(path, Layout(TILE, grid, DATES, BANDS, {}, (SHARD, SHARD)))
    group = zarr.open_group(path, mode="r+", zarr_format=3)
    group["clear_count"][:] = 12
    array = group["series"]
    level = _levels(generator, np.arange(parcel.max() + 1) % len(CODES))
    for row in range(0, side, SHARD):
        for col in range(0, side, SHARD):
            part = slice(row, row + SHARD), slice(col, col + SHARD)
            array[:, :, *part] = _pixels(generator, level, parcel[part])


def _parcels(generator: np.random.Generator, side: int) -> NDArray[np.int64]:
    """Number of the parcel of each pixel: squares of 32 pixels with wavy borders."""
    rows, cols = np.mgrid[:side, :side]
    wave = (6 * np.sin(rows / 17.0 + cols / 31.0)).astype(np.int64)
    number = (rows + wave) // 32 * 70 + (cols + wave) // 32
    number -= number.min()
    shuffled: NDArray[np.int64] = generator.permutation(int(number.max()) + 1)[number]
    return shuffled


def _levels(generator: np.random.Generator, classes: NDArray[np.int64]) -> NDArray[np.float32]:
    """Mean reflectance x 10000 of each parcel, date and band."""
    shape = len(CODES), 1, len(BANDS)
    base, swing = generator.uniform(300, 2500, shape), generator.uniform(-0.5, 1.2, shape)
    peak = generator.uniform(0, 2 * np.pi, (len(CODES), 1, 1))
    # Sown later, less dense, on darker soil than others of the class.
    own = len(classes), 1, 1
    later, denser = generator.normal(0, 1.2, own), generator.normal(1, 0.6, own)
    brighter = generator.lognormal(0, 0.45, (len(classes), 1, len(BANDS)))
    season = np.linspace(0, 2 * np.pi, len(DATES))[None, :, None]
    season = denser * np.sin(season + peak[classes] + later)
    level = base[classes] * brighter * (1.3 + swing[classes] * season)
    return level.astype(np.float32)


def _pixels(
    generator: np.random.Generator, level: NDArray[np.float32], parcel: NDArray[np.int64]
) -> NDArray[np.uint16]:
    # A tenth of the pixels are mixed with something else: a hedge, a barn, a bare patch.
    other = generator.integers(0, len(level), parcel.shape)
    share = generator.random(parcel.shape, dtype=np.float32)
    share[generator.random(parcel.shape) > 0.1] = 0
    texture = generator.normal(1, 0.12, parcel.shape).astype(np.float32)
    values = np.empty((len(DATES), len(BANDS), *parcel.shape), np.uint16)
    for date in range(len(DATES)):
        for band in range(len(BANDS)):
            here, there = (level[number, date, band] for number in (parcel, other))
            noise = 100 * generator.standard_normal(parcel.shape, dtype=np.float32)
            mean = (here + share * (there - here)) * texture
            values[date, band] = np.clip(mean + noise, 1, 15000)
    return values
