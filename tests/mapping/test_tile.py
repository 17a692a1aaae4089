import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import rasterio

from fgunet.errors import MapError, SeriesError
from fgunet.mapping.decision import Layers
from fgunet.mapping.tile import STUDY_WINDOW, Making, MapPaths, Windowing, map_tile
from fgunet.series.store import SeriesStore
from tests.mapping.predictors import CLASSES, NODATA, ArraySeries, Brightness, make_values

MAKING = Making("fgunet", "abc", "def")
ALL = Layers(margin=True, probabilities="uint8")


def paths_in(folder: Path) -> MapPaths:
    names = "class", "confidence", "margin", "probabilities"
    return MapPaths(*(folder / f"T31TCJ_{name}.tif" for name in names))


def make(folder: Path, windowing: Windowing, predictor=None, layers: Layers = ALL) -> dict:
    values = make_values((90, 70))
    values[:, :, 20:30, 10:50] = NODATA
    return map_tile(
        predictor or Brightness(), ArraySeries(values), CLASSES, paths_in(folder),
        windowing=windowing, layers=layers, making=MAKING,
    )  # fmt: skip


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("whole")
    facts = make(folder, Windowing(3000))
    assert facts == {
        "tile": "T31TCJ", "method": "fgunet", "mapped": 90 * 70 - 10 * 40,
        "ties": facts["ties"], "tie_tolerance": 1e-5, "halo": 2, "needed_halo": 2,
        "temperature": None,
    }  # fmt: skip
    return files_in(folder)


@pytest.mark.parametrize(
    "windowing", [Windowing(3000, core=16), Windowing(3000, core=33), Windowing(101)]
)
def test_windows_and_memory_change_no_byte(
    whole: dict[str, bytes], tmp_path: Path, windowing: Windowing
) -> None:
    make(tmp_path, windowing)
    assert files_in(tmp_path) == whole
    names = "class.tif", "class.tif.aux.xml", "confidence.tif", "margin.tif", "probabilities.tif"
    assert list(whole) == [f"T31TCJ_{name}" for name in names]


def test_memory_decides_how_large_windows_are(tmp_path: Path) -> None:
    series = ArraySeries(np.full((1, 1, 600, 300), 3000, np.uint16))
    largest = {}
    for megabytes in 200, 300:  # of 2000 bytes a pixel, beyond 100 MB: 223 and 316 pixels a side
        predictor = Brightness()
        map_tile(predictor, series, CLASSES, paths_in(tmp_path), windowing=Windowing(megabytes),
                 layers=Layers(), making=MAKING)  # fmt: skip
        largest[megabytes] = max(height for *_, height, _ in predictor.calls)
    # 65,536 pixels are read at a time at least, 256 a side, 252 without the halo: three parts of
    # 200 pixels; 312 without the halo are two of 300, which have a neighbour on one side only.
    assert largest == {200: 204, 300: 302}


def test_memory_does_not_decide_where_rounding_depends_on_the_window(tmp_path: Path) -> None:
    class Rounding(Brightness):
        exact = False

    series = ArraySeries(np.full((1, 1, 1000, 20), 3000, np.uint16))
    for megabytes in 101, 10_000:
        predictor = Rounding()
        map_tile(predictor, series, CLASSES, paths_in(tmp_path), windowing=Windowing(megabytes),
                 layers=Layers(), making=MAKING)  # fmt: skip
        assert [height for *_, height, _ in predictor.calls] == [502, 502]


def test_only_what_is_asked_for_is_written(tmp_path: Path) -> None:
    make(tmp_path, Windowing(3000), layers=Layers())
    names = "class.tif", "class.tif.aux.xml", "confidence.tif"
    assert list(files_in(tmp_path)) == [f"T31TCJ_{name}" for name in names]
    with rasterio.open(tmp_path / "T31TCJ_class.tif") as dataset:
        assert dataset.tags()["model_sha256"] == "abc"


CALIBRATED = Layers(margin=True, probabilities="uint8", temperature=1.6)


def test_a_temperature_changes_all_but_the_class_map(
    whole: dict[str, bytes], tmp_path: Path
) -> None:
    facts = make(tmp_path / "whole", Windowing(3000), layers=CALIBRATED)
    assert facts["temperature"] == 1.6
    found = files_in(tmp_path / "whole")
    assert {name for name in whole if found[name] == whole[name]} == {
        "T31TCJ_class.tif", "T31TCJ_class.tif.aux.xml"
    }  # fmt: skip
    for name in "confidence", "margin", "probabilities":
        with rasterio.open(tmp_path / "whole" / f"T31TCJ_{name}.tif") as dataset:
            assert dataset.tags()["temperature"] == "1.6"
    make(tmp_path / "windows", Windowing(3000, core=16), layers=CALIBRATED)
    assert files_in(tmp_path / "windows") == found


def test_confidence_is_that_of_the_scaled_probabilities(tmp_path: Path) -> None:
    values = make_values((30, 30))
    map_tile(Brightness(), ArraySeries(values), CLASSES, paths_in(tmp_path), making=MAKING,
             windowing=Windowing(3000, core=16), layers=CALIBRATED)  # fmt: skip
    powers = Brightness().predict(values).astype(float) ** (1 / 1.6)
    with rasterio.open(tmp_path / "T31TCJ_confidence.tif") as dataset:
        found = dataset.read(1)
    np.testing.assert_allclose(found, 100 * (powers / powers.sum(0)).max(0), atol=0.5001)


class Failing(Brightness):
    """Ends after some windows."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self._after = after

    def predict(self, series: np.ndarray) -> np.ndarray:
        if len(self.calls) == self._after:
            raise KeyboardInterrupt
        return super().predict(series)


def test_what_was_done_is_not_done_again(whole: dict[str, bytes], tmp_path: Path) -> None:
    windowing = Windowing(3000, core=16)  # 6 x 5 windows, of which none is empty
    with pytest.raises(KeyboardInterrupt):
        make(tmp_path, windowing, Failing(after=11))
    assert [path.name for path in tmp_path.iterdir()] == [".T31TCJ_class.unfinished"]
    predictor = Brightness()
    make(tmp_path, windowing, predictor)
    assert len(predictor.calls) in (19, 20)  # the last one was perhaps not written yet
    assert files_in(tmp_path) == whole


def test_windows_of_another_temperature_are_done_again(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        make(tmp_path, Windowing(3000, core=16), Failing(after=11))
    predictor = Brightness()
    make(tmp_path, Windowing(3000, core=16), predictor, layers=CALIBRATED)
    assert len(predictor.calls) == 30


@pytest.mark.parametrize(("exact", "done_again"), [(True, False), (False, True)])
def test_smaller_windows_are_used_again_only_where_they_give_the_same(
    tmp_path: Path, exact: bool, done_again: bool
) -> None:
    stopping, going_on = Failing(after=11), Brightness()
    stopping.exact = going_on.exact = exact
    with pytest.raises(KeyboardInterrupt):
        make(tmp_path, Windowing(3000, core=16), stopping)
    make(tmp_path, Windowing(3000, core=32), going_on)
    assert (len(going_on.calls) == 9) == done_again  # 3 x 3 windows of 32 pixels


def test_what_was_predicted_is_kept_where_a_map_cannot_be_written(tmp_path: Path) -> None:
    series, blocked = ArraySeries(make_values((90, 70))), tmp_path / "blocked"
    blocked.touch()  # a file where the folder of a map should be
    paths = MapPaths(tmp_path / "class.tif", blocked / "confidence.tif")
    options = {"windowing": Windowing(3000, core=16), "layers": Layers(), "making": MAKING}
    with pytest.raises(OSError, match="blocked"):
        map_tile(Brightness(), series, CLASSES, paths, **options)
    assert [path.name for path in tmp_path.glob("*.tif")] == []
    blocked.unlink()
    predictor = Brightness()
    map_tile(predictor, series, CLASSES, paths, **options)
    assert predictor.calls == []
    assert paths.classes.exists()
    assert paths.confidence.exists()


MAPPING = """
import sys, time
from pathlib import Path
from fgunet.mapping.tile import Windowing
from tests.mapping import test_tile
from tests.mapping.predictors import Brightness

class Slow(Brightness):
    def predict(self, series):
        time.sleep(0.01)
        return super().predict(series)

test_tile.make(Path(sys.argv[1]), Windowing(3000, core=10), Slow())
"""


def test_killed_at_any_moment_it_ends_with_the_same_bytes(
    whole: dict[str, bytes], tmp_path: Path, root: Path
) -> None:
    moments = random.Random(5)  # noqa: S311  when to kill is no secret
    command = [sys.executable, "-c", MAPPING, tmp_path]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    killed = 0
    for _ in range(4):
        job = subprocess.Popen(command, env=environment)
        while job.poll() is None and not list(tmp_path.glob(".T31TCJ_class.unfinished/[0-9]*")):
            time.sleep(0.01)
        time.sleep(moments.uniform(0, 0.5))
        if job.poll() is None:
            job.send_signal(signal.SIGKILL)
            killed += 1
        job.wait()
    assert killed
    subprocess.run(command, env=environment, check=True)
    visible = {n: b for n, b in files_in(tmp_path).items() if not n.startswith(".")}
    assert visible == whole


def test_the_overlap_of_the_study(tmp_path: Path) -> None:
    series = ArraySeries(make_values((40, 1000)))
    predictor = Brightness()
    facts = map_tile(predictor, series, CLASSES, paths_in(tmp_path), layers=Layers(),
                     windowing=Windowing(3000, overlap=16), making=MAKING)  # fmt: skip
    assert (facts["halo"], facts["needed_halo"]) == (16, 2)
    widths = [width for *_, width in predictor.calls]
    assert max(widths) == STUDY_WINDOW == 512
    assert len(widths) == 3  # 1000 pixels, 480 mapped at a time


def test_a_store_cut_short_is_named(tmp_path: Path, write_series) -> None:
    values = make_values((150, 70))
    series = ArraySeries(values)
    write_series(tmp_path / "T31TCJ.zarr", values, tile="T31TCJ", grid=series.grid,
                 dates=series.dates, bands=series.bands)  # fmt: skip
    (shard,) = (path for path in (tmp_path / "T31TCJ.zarr/series/c").rglob("*") if path.is_file())
    shard.write_bytes(shard.read_bytes()[: shard.stat().st_size // 2])
    store = SeriesStore(tmp_path / "T31TCJ.zarr")
    with pytest.raises(SeriesError, match=r"T31TCJ\.zarr/series/c/0/0/0/0"):
        map_tile(Brightness(), store, CLASSES, paths_in(tmp_path), windowing=Windowing(3000),
                 layers=Layers(), making=MAKING)  # fmt: skip
    assert not list(tmp_path.glob("*.tif"))


@pytest.mark.skipif(sys.platform != "linux", reason="mounts a small file system")
def test_a_full_disk(tmp_path: Path) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=48k", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small file system cannot be mounted here (it takes root)")
    try:
        with pytest.raises(MapError, match=r"[Ff]ree"):
            make(folder, Windowing(3000, core=16))
        assert not [path for path in folder.iterdir() if path.suffix == ".tif"]
    finally:
        subprocess.run(["umount", str(folder)], check=True)
