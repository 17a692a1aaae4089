"""A tile to train on, for the benchmark of training: its series, its labels and their split.

2048 x 2048 pixels, 33 dates x 10 bands, 17 classes: parcels with a season of their class, texture
and noise, so that compression finds what it would find in a real series. Made once (2 GB).
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
GRID = Grid("EPSG:32631", (10.0, 0.0, 300000.0, 0.0, -10.0, 4900020.0), SIDE, SIDE)
DATES = tuple(str(np.datetime64("2016-01-05") + 11 * n).replace("-", "") for n in range(33))
BANDS = ("B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B11", "B12")
CODES = read_nomenclature(ROOT / "tables" / "oso17.yaml").codes
LOW, HIGH = 300.0, 4000.0
"""Percentiles of the channels, about."""


def tile_folder(work: Path) -> Path:
    """Folder with series.zarr, code.tif and split.tif, made if it is not there."""
    folder = work / f"training_{SIDE}"
    if not folder.exists():
        with atomic_path(folder) as part:
            part.mkdir(parents=True)
            _make(part)
    return folder


def _make(folder: Path) -> None:
    generator = np.random.default_rng(7)
    parcel = _parcels(generator)
    label = parcel % len(CODES)
    labelled = parcel % 5 < 2
    split = np.array([1, 1, 1, 1, 1, 1, 3, 3, 3, 2], np.uint8)[(parcel // 5) % 10]
    code = np.where(labelled, np.array(CODES)[label], 0).astype(np.uint8)
    write_raster(folder / "code.tif", code, GRID, 0)
    write_raster(folder / "split.tif", np.where(labelled, split, 0).astype(np.uint8), GRID, 0)
    path = folder / "series.zarr"
    write_empty(path, Layout(TILE, GRID, DATES, BANDS, {}, (SHARD, SHARD)))
    array = zarr.open_group(path, mode="r+", zarr_format=3)["series"]
    level = _levels(generator)
    for row in range(0, SIDE, SHARD):
        for col in range(0, SIDE, SHARD):
            part = slice(row, row + SHARD), slice(col, col + SHARD)
            array[:, :, *part] = _pixels(generator, level, label[part])


def _parcels(generator: np.random.Generator) -> NDArray[np.int64]:
    """Number of the parcel of each pixel: squares of 32 pixels with wavy borders."""
    rows, cols = np.mgrid[:SIDE, :SIDE]
    wave = (6 * np.sin(rows / 17.0 + cols / 31.0)).astype(np.int64)
    number = (rows + wave) // 32 * 70 + (cols + wave) // 32
    number -= number.min()
    shuffled: NDArray[np.int64] = generator.permutation(int(number.max()) + 1)[number]
    return shuffled


def _levels(generator: np.random.Generator) -> NDArray[np.float32]:
    """Mean reflectance x 10000 of each class, date and band."""
    shape = len(CODES), 1, len(BANDS)
    base, swing = generator.uniform(300, 2500, shape), generator.uniform(-0.5, 1.2, shape)
    season = np.linspace(0, 2 * np.pi, len(DATES))[None, :, None]
    season = np.sin(season + generator.uniform(0, 2 * np.pi, (len(CODES), 1, 1)))
    return (base * (1.3 + swing * season)).astype(np.float32)


def _pixels(
    generator: np.random.Generator, level: NDArray[np.float32], label: NDArray[np.int64]
) -> NDArray[np.uint16]:
    texture = generator.normal(1, 0.08, label.shape).astype(np.float32)
    values = np.empty((len(DATES), len(BANDS), *label.shape), np.uint16)
    for date in range(len(DATES)):
        for band in range(len(BANDS)):
            noise = 60 * generator.standard_normal(label.shape, dtype=np.float32)
            values[date, band] = np.clip(level[label, date, band] * texture + noise, 1, 15000)
    return values
