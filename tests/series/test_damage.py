"""Every byte of a series is looked after: damage is noticed, and the series is removed."""

import logging
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from fgunet.errors import DamagedSeriesError, SeriesError
from fgunet.grid import Window
from fgunet.series.layout import COUNTS
from fgunet.series.stacking import Resources, stack_series
from fgunet.series.store import SeriesStore

WHOLE = Window(0, 0, 40, 56)
SHARD = "series/c/0/0/1/1"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, make_acquisition, make_layout) -> Path:
    """A series of six shards, made of noise with holes."""
    generator = np.random.default_rng(7)
    loaders = [
        (day, make_acquisition(
            generator.integers(0, 10000, (2, 40, 56)), generator.random((40, 56)) < 0.7).load)
        for day in ("20180103", "20180106", "20180112")
    ]  # fmt: skip
    path = tmp_path_factory.mktemp("made") / "T31TCJ.zarr"
    stack_series(
        path, loaders, make_layout(), max_gap_days=5, resources=Resources(1, 2000, 100), made_of={}
    )
    return path


@pytest.fixture
def store(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / made.name))


def read(path: Path) -> list[np.ndarray]:
    series = SeriesStore(path)
    about = (series.dates, series.bands, series.grid, series.provenance)
    counts = series.read_counts(WHOLE)
    return [np.array(repr(about)), series.read(WHOLE), *(counts[name] for name in COUNTS)]


def flip(path: Path, place: int, bit: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1 << bit
    path.write_bytes(content)


def files(path: Path) -> list[Path]:
    return sorted(file for file in path.rglob("*") if file.is_file())


def is_read(file: Path) -> bool:
    """Whether anything of the results comes from a file: pixels, counts and the description."""
    return ("c" in file.parts[1:] and file.parts[0] in ("series", *COUNTS)) or len(file.parts) == 1


def test_a_flipped_bit_anywhere_is_noticed_or_harmless(made: Path, tmp_path: Path):
    expected = read(made)
    places = np.random.default_rng(9)
    for file in files(made):
        name, size = file.relative_to(made), file.stat().st_size
        for place in {0, size - 1, *places.integers(0, size, 6).tolist()}:
            copy = Path(shutil.copytree(made, tmp_path / "T31TCJ.zarr"))
            flip(copy / name, place, int(places.integers(8)))
            if is_read(name):
                with pytest.raises(DamagedSeriesError, match="was removed; start again"):
                    read(copy)
                assert list(tmp_path.iterdir()) == []
            else:
                for found, wanted in zip(read(copy), expected, strict=True):
                    np.testing.assert_array_equal(found, wanted)
                shutil.rmtree(copy)


@pytest.mark.parametrize("name", [SHARD, "clear_count/c/0/0", "zarr.json"])
@pytest.mark.parametrize("how", ["missing", "empty", "cut"])
def test_a_file_that_is_not_whole_is_damage(store: Path, name: str, how: str):
    file = store / name
    content = file.read_bytes()
    file.unlink()
    if how != "missing":
        file.write_bytes(content[: len(content) // 2] if how == "cut" else b"")
    with pytest.raises(DamagedSeriesError, match=rf"{name} is damaged: .*{store} was removed"):
        read(store)
    assert not store.exists()


def test_what_is_right_when_read_again_is_no_damage(store: Path, caplog):
    """As where the memory of a machine, and not its disk, had the wrong bit."""
    expected = read(store)
    file = store / SHARD
    whole = file.read_bytes()
    flip(file, 20, 3)

    class Mending(logging.Handler):
        def emit(self, record):
            file.write_bytes(whole)

    log, mending = logging.getLogger("fgunet.series.store"), Mending()
    log.addHandler(mending)
    try:
        np.testing.assert_array_equal(SeriesStore(store).read(WHOLE), expected[1])
    finally:
        log.removeHandler(mending)
    assert "reading again" in caplog.text


def test_what_cannot_be_read_is_left(store: Path):
    """A folder in a file's place fails to be read, as a file on a broken disk does."""
    (store / SHARD).unlink()
    (store / SHARD).mkdir()
    with pytest.raises(SeriesError, match=r"cannot be read .*left as it is") as caught:
        read(store)
    assert not isinstance(caught.value, DamagedSeriesError)
    assert store.exists()


def test_a_reader_beside_one_that_removes_the_series_says_so(store: Path):
    first, second = SeriesStore(store), SeriesStore(store)
    flip(store / SHARD, 20, 3)
    with pytest.raises(DamagedSeriesError, match="was removed; start again"):
        first.read(WHOLE)
    for _ in range(2):
        with pytest.raises(DamagedSeriesError, match="was removed while it was read"):
            second.read(WHOLE)
    with pytest.raises(SeriesError, match="there is no series"):
        SeriesStore(store)


def test_a_series_made_anew_meanwhile_is_left(made: Path, store: Path):
    """A reader of the damaged one must not remove what has taken its place."""
    old = SeriesStore(store)
    flip(store / SHARD, 20, 3)
    file = store / SHARD

    class Replacing(logging.Handler):
        def emit(self, record):
            shutil.rmtree(store)
            shutil.copytree(made, store)
            flip(file, 20, 3)

    log, replacing = logging.getLogger("fgunet.series.store"), Replacing()
    log.addHandler(replacing)
    try:
        with pytest.raises(DamagedSeriesError):
            old.read(WHOLE)
    finally:
        log.removeHandler(replacing)
    assert store.exists()


def test_a_series_of_other_software_is_left(store: Path):
    (store / "SHA256SUMS").unlink()
    flip(store / SHARD, 20, 3)
    with pytest.raises(DamagedSeriesError, match="remove the series and make it anew"):
        read(store)
    assert store.exists()


def test_the_seal_is_one_that_sha256sum_checks(store: Path):
    check = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    assert subprocess.run(check, cwd=store, check=False).returncode == 0
    flip(store / "zarr.json", 5, 1)
    assert subprocess.run(check, cwd=store, check=False).returncode == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting takes root")
def test_a_damaged_series_that_cannot_be_removed_is_told(store: Path):
    flip(store / SHARD, 20, 3)
    folder = str(store.parent)
    mounted = subprocess.run(["mount", "--bind", folder, folder], check=False)
    if mounted.returncode != 0:
        pytest.skip("a folder cannot be mounted here")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", folder], check=True)
        with pytest.raises(DamagedSeriesError, match=r"cannot be removed from here.*Read-only"):
            read(store)
    finally:
        subprocess.run(["umount", folder], check=True)
    assert store.exists()
