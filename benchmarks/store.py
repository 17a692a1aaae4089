"""Which chunks and which codec a series is best kept in.

A series of 2048 x 2048 pixels, 33 dates and ten bands, stacked from simulated products with their
noise, is written in several layouts: Zarr in chunks of all dates and bands, by itself or in shards
of 1024 x 1024 pixels, and one GeoTIFF of 330 bands with its pixels together, which a user might
take instead. Measured are the seconds to write it, down to the disk; its size; and how fast the
windows of mapping (560 x 560 with their halo) and random patches of training (64 x 64) are read,
warm from the page cache and cold from the disk. For a cold reading the pages of the files are
dropped before each window; the columns "from disk" say how many MB the system then read anew, so
that it can be seen that they were. A virtual machine's disk may still be in its host's memory.

Layouts are measured in turn, on two cores; figures are medians.
"""

import argparse
import os
import resource
import shutil
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import rasterio
import zarr
from numpy.typing import NDArray
from products import SHAPE, THREADS, WORK, listing, series_path, stack
from series import Runs, note, write_result
from zarr.codecs import BloscCodec

from fgunet.grid import Window, split_windows
from fgunet.rasters import rasterio_window
from fgunet.series.store import SeriesStore

SHARD, WINDOW, PATCH = 1024, 560, 64
WINDOWS, PATCHES = 9, 48

Read = Callable[[Window], NDArray[np.uint16]]
Pieces = Iterator[tuple[Window, NDArray[np.uint16]]]


@dataclass(frozen=True)
class ZarrLayout:
    """Chunks of a side, packed by a codec of Blosc with bits shuffled."""

    chunk: int
    codec: Literal["lz4", "zstd"]
    level: int
    sharded: bool = True

    @property
    def name(self) -> str:
        """What the layout is called in the table."""
        kept = "in shards" if self.sharded else "alone"
        return f"{self.chunk} {kept}, {self.codec} {self.level}"

    def write(self, path: Path, source: SeriesStore, pieces: Pieces) -> None:
        """Write all pieces of a series."""
        shape = _shape(source)
        array = zarr.create_array(
            path, shape=shape, dtype="uint16", fill_value=65535,
            chunks=(*shape[:2], self.chunk, self.chunk),
            shards=(*shape[:2], SHARD, SHARD) if self.sharded else None,
            compressors=BloscCodec(
                typesize=2, cname=self.codec, clevel=self.level, shuffle="bitshuffle"
            ),
        )  # fmt: skip
        for window, values in pieces:
            array[:, :, *window.slices] = values

    @contextmanager
    def reader(self, path: Path) -> Iterator[Read]:
        """Open the file for one reading."""
        array = zarr.open_array(path, mode="r")
        yield lambda window: np.asarray(array[:, :, *window.slices])


@dataclass(frozen=True)
class TiffLayout:
    """One GeoTIFF with all dates and bands of a pixel together."""

    block: int = 128
    name: str = "GeoTIFF, 128, zstd 1"

    def write(self, path: Path, source: SeriesStore, pieces: Pieces) -> None:
        """Write all pieces of a series."""
        dates, bands, height, width = _shape(source)
        with rasterio.open(
            path, "w", driver="GTiff", dtype="uint16", count=dates * bands, height=height,
            width=width, crs=source.grid.crs, transform=source.grid.affine,
            interleave="pixel", tiled=True, blockxsize=self.block, blockysize=self.block,
            compress="zstd", zstd_level=1, predictor=2, bigtiff=True, num_threads=THREADS,
        ) as dataset:  # fmt: skip
            for window, values in pieces:
                pixels = values.reshape(dates * bands, *window.shape)
                dataset.write(pixels, window=rasterio_window(window))

    @contextmanager
    def reader(self, path: Path) -> Iterator[Read]:
        """Open the file for one reading; GDAL holds no blocks of an earlier one."""
        with rasterio.open(path, num_threads=THREADS) as dataset:
            yield lambda window: np.asarray(dataset.read(window=rasterio_window(window)))


CODECS: tuple[tuple[Literal["lz4", "zstd"], int], ...] = (("lz4", 5), ("zstd", 1), ("zstd", 3))
Layout = ZarrLayout | TiffLayout
LAYOUTS: tuple[Layout, ...] = (
    *(ZarrLayout(chunk, codec, level)
      for chunk in (64, 128) for codec, level in CODECS),
    ZarrLayout(64, "lz4", 5, sharded=False),
    TiffLayout(),
)  # fmt: skip


def measure(layout: Layout, source: SeriesStore, path: Path, measured: Runs, seed: int) -> None:
    """Write a series in a layout, read it, and take it away."""
    held: list[float] = []
    begin = time.perf_counter()
    layout.write(path, source, _pieces(source, held))
    _for_each_file(path, os.fsync)
    name = partial("{}: {}".format, layout.name)
    size = sum(file.stat().st_size for file in _files(path)) / 1e6
    note(measured, **{name("write_s"): time.perf_counter() - begin - sum(held), name("mb"): size})
    numbers = len(source.dates) * len(source.bands)
    for kind, windows in _windows(seed).items():
        for cold in (False, True):
            if not cold:
                for file in _files(path):
                    file.read_bytes()
            seconds, from_disk = _read(layout, path, windows, cold=cold)
            size = sum(window.height * window.width for window in windows) * numbers * 2 / 1e6
            state = "cold" if cold else "warm"
            note(measured, **{
                name(f"{kind}_{state}_mb_per_s"): size / seconds,
                name(f"{kind}_{state}_per_s"): len(windows) / seconds,
                name(f"{kind}_{state}_mb_from_disk"): from_disk,
            })  # fmt: skip
    _require_same(layout, source, path, _windows(seed)["patches"][0])
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def _shape(source: SeriesStore) -> tuple[int, int, int, int]:
    """Dates, bands, rows and columns of a series."""
    return len(source.dates), len(source.bands), *source.grid.shape


def _pieces(source: SeriesStore, held: list[float]) -> Pieces:
    """The series in the squares of its shards; the time to get them is added to `held`."""
    for window in split_windows(source.grid.shape, SHARD):
        begin = time.perf_counter()
        values = source.read(window)
        held.append(time.perf_counter() - begin)
        yield window, values


def _windows(seed: int) -> dict[str, Sequence[Window]]:
    """Windows in the grid of mapping, and patches anywhere."""
    starts = [round(i * (SHAPE[0] - WINDOW) / (WINDOWS**0.5 - 1)) for i in range(3)]
    places = np.random.default_rng(seed).integers(0, SHAPE[0] - PATCH, (PATCHES, 2))
    return {
        "windows": [Window(row, col, WINDOW, WINDOW) for row in starts for col in starts],
        "patches": [Window(int(row), int(col), PATCH, PATCH) for row, col in places],
    }


def _read(
    layout: Layout, path: Path, windows: Sequence[Window], *, cold: bool
) -> tuple[float, float]:
    """Read windows one by one; seconds, and MB that came from the disk."""
    seconds = from_disk = 0.0
    for window in windows:
        if cold:
            _for_each_file(path, _drop)
        with layout.reader(path) as read:
            blocks = resource.getrusage(resource.RUSAGE_SELF).ru_inblock
            begin = time.perf_counter()
            read(window)
            seconds += time.perf_counter() - begin
            from_disk += (resource.getrusage(resource.RUSAGE_SELF).ru_inblock - blocks) * 512 / 1e6
    return seconds, from_disk


def _drop(file: int) -> None:
    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)


def _files(path: Path) -> list[Path]:
    return [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]


def _for_each_file(path: Path, work: Callable[[int], object]) -> None:
    for name in _files(path):
        file = os.open(name, os.O_RDONLY)
        work(file)
        os.close(file)


def _require_same(layout: Layout, source: SeriesStore, path: Path, window: Window) -> None:
    with layout.reader(path) as read:
        if not np.array_equal(read(window).ravel(), source.read(window).ravel()):
            raise SystemExit(f"{layout.name} does not give back what was written")


def print_table(figures: dict[str, float]) -> None:
    columns = {
        "write_s": "write, s", "mb": "MB", "windows_warm_mb_per_s": "windows MB/s",
        "windows_cold_mb_per_s": "cold", "windows_cold_mb_from_disk": "from disk",
        "patches_warm_per_s": "patches/s", "patches_cold_per_s": "cold",
        "patches_cold_mb_from_disk": "from disk",
    }  # fmt: skip
    print(f"{'layout':<24}" + "".join(f"{title:>14}" for title in columns.values()))
    for layout in LAYOUTS:
        values = (figures[f"{layout.name}: {column}"] for column in columns)
        print(f"{layout.name:<24}" + "".join(f"{value:>14.1f}" for value in values))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=WORK, help="where series are kept")
    parser.add_argument("--runs", type=int, default=3, help="runs of each; three or more count")
    arguments = parser.parse_args()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])
    path = series_path(arguments.folder, SHAPE)
    if not path.exists():
        stack(arguments.folder, SHAPE, listing(arguments.folder, SHAPE))
    measured: Runs = {}
    for run in range(arguments.runs):
        for layout in LAYOUTS:
            target = arguments.folder / f"layout.{'tif' if 'TIFF' in layout.name else 'zarr'}"
            shutil.rmtree(target, ignore_errors=True)
            measure(layout, SeriesStore(path), target, measured, run)
    figures = {name: statistics.median(values) for name, values in measured.items()}
    print_table(figures)
    write_result("store", figures, measured)


if __name__ == "__main__":
    main()
