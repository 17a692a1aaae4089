"""Both scripts of the room on real products, undisturbed and killed."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import rasterio

from fgunet.errors import WriteError
from fgunet.files import read_json
from fgunet.grid import Window
from fgunet.series.dates import regular_dates
from fgunet.series.store import SeriesStore
from tests.series.conftest import contents

BANDS = ["B02", "B03", "B04", "B8A", "B11", "B12"]
DATES = regular_dates("20151209", 33, 22)
CLEAR = "20160508"
MASKS = {
    **dict.fromkeys(("cloud", "shadow", "edge", "saturation", "nodata", "dark", "snow"), True),
    "dilation_m": 0,
}
WHOLE = Window(0, 0, 80, 80)


def script(root: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, root / "scripts" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def listing(root: Path, shared_data: Path, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("listing")
    path, path_to_grid = folder / "T31UFQ.json", folder / "grid.json"
    asked = {
        "family": "auto",
        "collections": ["sentinel-2-l2a"],
        "reflectance": "FRE",
        "bands": BANDS,
    }
    about = {"tile": "T31UFQ", "locations": [str(shared_data / "theia_T31UFQ")]}
    period = DATES[0], DATES[-1]
    script(root, "tile_grid").main(**about, **asked, dates=period, path_to_grid=str(path_to_grid))
    script(root, "list_acquisitions").main(
        **about,
        products={
            **asked,
            "masks": MASKS,
            "maximum_cloud_share": 1,
            "strict": True,
        },
        dates=DATES,
        margin_days=30,
        minimum_acquisitions=10,
        threads=2,
        path_to_grid=str(path_to_grid),
        path_to_acquisitions=str(path),
    )
    return path


def arguments(listing: Path, target: Path, **others) -> dict:
    return {
        "tile": "T31UFQ",
        "path_to_acquisitions": str(listing),
        "bands": BANDS,
        "dates": DATES,
        "max_gap_days": 60,
        "threads": 1,
        "memory_mb": 2000,
        "path_to_series": str(target),
        **others,
    }


def test_a_real_tile_is_listed(listing: Path):
    found = read_json(listing)
    assert (len(found["kept"]), len(found["excluded"])) == (29, 26)
    assert found["missing_masks"] == {"EDG": 29, "SAT_R1": 29, "SAT_R2": 29}
    assert found["undeclared_nodata"] == 29
    assert {row["reason"] for row in found["excluded"]} == {"entirely without data"}


def test_a_real_tile_is_stacked(root: Path, shared_data: Path, listing: Path, tmp_path: Path):
    stack = script(root, "stack_series").main
    stack(**arguments(listing, tmp_path / "1.zarr"))
    stack(**arguments(listing, tmp_path / "2.zarr", threads=2, memory_mb=700))
    assert contents(tmp_path / "1.zarr") == contents(tmp_path / "2.zarr")
    store = SeriesStore(tmp_path / "1.zarr")
    series = store.read(WHOLE)
    assert series.shape == (33, 6, 80, 80)
    assert store.read_clear_count(WHOLE).min() >= 8
    # Forest in summer: near infrared far above red, everywhere but in clearings.
    summer = store.dates.index("20160624")
    near_infrared, red = (series[summer, BANDS.index(band)] for band in ("B8A", "B04"))
    assert np.median(near_infrared / np.maximum(red, 1.0)) > 4


def test_values_of_a_file_stand_in_the_series(
    root: Path, shared_data: Path, listing: Path, tmp_path: Path
):
    """On the day of an acquisition, a clear pixel has the number that its file holds."""
    dates = [CLEAR, "20160707"]
    script(root, "stack_series").main(**arguments(listing, tmp_path / "s.zarr", dates=dates))
    product = next((shared_data / "theia_T31UFQ" / "products").glob(f"*_{CLEAR}-*"))
    with rasterio.open(next(product.glob("*_FRE_B4.tif"))) as dataset:
        red = dataset.read(1)
    with rasterio.open(next((product / "MASKS").glob("*_CLM_R2.tif"))) as dataset:
        clear = (dataset.read(1) == 0).repeat(2, axis=0).repeat(2, axis=1)
    series = SeriesStore(tmp_path / "s.zarr").read(WHOLE)
    known = clear & (red > 0)
    assert known.sum() > 3000
    np.testing.assert_array_equal(series[0, BANDS.index("B04")][known], red[known])


def start(root: Path, listing: Path, target: Path) -> "subprocess.Popen[bytes]":
    code = (
        "import json, sys\n"
        "import fgunet.series.layout as layout\n"
        "import fgunet.series.stacking as stacking\n"
        # Small shards, so that there is something to be killed between.
        "whole = layout.shard_shape\n"
        "layout.shard_shape = lambda shape, width: (64, 64)\n"
        "import stack_series\n"
        "stack_series.main(**json.loads(sys.argv[1]))\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, json.dumps(arguments(listing, target))],
        env={**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{root / 'scripts'}"},
        stderr=subprocess.PIPE,
    )


def test_killed_at_any_moment_it_ends_with_the_same_bytes(
    root: Path, listing: Path, tmp_path: Path
):
    """Five kills at random moments of a run, each gone on with."""
    begun = time.monotonic()
    assert start(root, listing, tmp_path / "whole.zarr").wait(120) == 0
    lasts = time.monotonic() - begun
    expected = contents(tmp_path / "whole.zarr")
    moments = np.random.default_rng(2018)
    killed = 0
    while killed < 5:
        process = start(root, listing, tmp_path / "s.zarr")
        try:
            process.wait(lasts * moments.uniform(0.2, 1))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait(10)
            killed += 1
    again = start(root, listing, tmp_path / "s.zarr")
    assert again.wait(120) == 0, again.stderr.read().decode()
    assert contents(tmp_path / "s.zarr") == expected
    assert {path.name for path in tmp_path.iterdir()} == {"whole.zarr", "s.zarr"}


@pytest.fixture
def small_disk(tmp_path: Path):
    """A file system of 1 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if (
        os.geteuid() != 0
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], check=False
        ).returncode
    ):
        pytest.skip("mounting a small file system needs root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_said_and_the_work_goes_on_when_there_is_space(
    root: Path, listing: Path, small_disk: Path, tmp_path: Path
):
    stack = script(root, "stack_series").main
    with pytest.raises(WriteError, match=r"s\.zarr cannot be written: No space left .*make room"):
        stack(**arguments(listing, small_disk / "s.zarr"))
    assert not (small_disk / "s.zarr").exists()
    subprocess.run(["mount", "-o", "remount,size=50m", str(small_disk)], check=True)
    stack(**arguments(listing, small_disk / "s.zarr"))
    stack(**arguments(listing, tmp_path / "s.zarr"))
    assert contents(small_disk / "s.zarr") == contents(tmp_path / "s.zarr")
    assert {path.name for path in small_disk.iterdir()} == {"s.zarr"}
