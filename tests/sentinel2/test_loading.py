"""What reading many acquisitions at once takes."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.env import getenv

from fgunet.grid import Window
from fgunet.sentinel2.acquisition import Acquisition
from fgunet.sentinel2.bands import BANDS
from fgunet.sentinel2.loading import block_width, gdal_for_blocks, loaded_bytes_per_pixel
from fgunet.sentinel2.masks import REASONS, Masking
from fgunet.sentinel2.reading import AcquisitionReader
from tests.sentinel2.written_acquisitions import flags, noise, write_acquisition

LIMITED = """
import resource
from types import SimpleNamespace
from fgunet.sentinel2.loading import may_stay_open
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
one = SimpleNamespace(bands=dict.fromkeys("abc"), masks=dict.fromkeys("de"))
print(may_stay_open([one] * {count}), *resource.getrlimit(resource.RLIMIT_NOFILE))
"""


pytestmark = pytest.mark.filterwarnings("ignore:Dataset has no geotransform")


@pytest.fixture
def small(tmp_path: Path) -> Acquisition:
    return write_acquisition(tmp_path, {"B02": noise(4), "B11": noise(2)}, {"CLM": flags(4)})


def test_memory_of_a_pixel(small: Acquisition) -> None:
    """2 bytes in the pixels of the band; usable pixels of 10 m and 20 m: 1.25 bytes."""
    assert loaded_bytes_per_pixel([small], ("B02",)) == 2 + 1.25
    assert loaded_bytes_per_pixel([small], ("B11",)) == 0.5 + 1.25
    assert loaded_bytes_per_pixel([small] * 30, tuple(BANDS)) == 30 * (4 * 2 + 6 * 0.5 + 1.25)
    assert loaded_bytes_per_pixel([], tuple(BANDS)) == 0


def test_a_loaded_block_is_as_large_as_was_told(tmp_path: Path) -> None:
    """Of a window that is large enough for the pixels around it not to count."""
    side = 400
    bands = {"B02": noise(side), "B03": noise(side), "B11": noise(side // 2)}
    found = write_acquisition(tmp_path, bands, {"CLM": flags(side)})
    with AcquisitionReader(found, tuple(bands), Masking(REASONS, 20)) as reader:
        arrays = []
        for held in vars(reader.load(Window(0, 0, side, side))).values():
            for one in held if isinstance(held, list) else [held]:
                value = one[0].bits if isinstance(one, tuple) else one
                if isinstance(value, np.ndarray):
                    arrays.append(value.nbytes)
    assert sum(arrays) == side * side * loaded_bytes_per_pixel([found], tuple(bands))


def test_the_width_of_blocks_is_that_of_the_finest_band(tmp_path: Path, small: Acquisition) -> None:
    assert block_width(small) == 128
    for name, size, width in (("B02", 640, 256), ("B11", 320, 64)):
        with rasterio.open(
            tmp_path / name, "w", driver="GTiff", width=size, height=size, count=1, dtype="int16",
            tiled=True, blockxsize=width, blockysize=width, sparse_ok=True,
        ):  # fmt: skip
            pass
    grid = replace(small.grid, height=640, width=640)
    bands = {name: str(tmp_path / name) for name in ("B11", "B02")}
    assert block_width(replace(small, grid=grid, bands=bands)) == 256
    coarse = {"B11": bands["B11"]}
    assert block_width(replace(small, grid=grid, bands=coarse)) == 2 * 64


def test_settings_hold_within_and_no_longer() -> None:
    with rasterio.Env():
        with gdal_for_blocks():
            assert getenv()["GDAL_DISABLE_READDIR_ON_OPEN"] == "EMPTY_DIR"
            assert getenv()["GDAL_CACHEMAX"] == 64 * 2**20
        assert "GDAL_CACHEMAX" not in getenv()


@pytest.mark.parametrize(
    ("soft", "hard", "count", "expected"),
    [
        # 5 files each and 200 of the process.
        (256, 1024, 10, "True 256 1024"),
        (256, 1024, 12, "True 260 1024"),
        (256, 1024, 100, "True 700 1024"),
        (256, 700, 100, "True 700 700"),
        (256, 699, 100, "False 256 699"),
        (256, 256, 12, "False 256 256"),
    ],
)
def test_files_stay_open_where_the_system_allows_it(
    root: Path, soft: int, hard: int, count: int, expected: str
) -> None:
    code = LIMITED.format(soft=soft, hard=hard, count=count)
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=root,
        timeout=60,
        check=True,
    )
    assert done.stdout.split() == expected.split()
