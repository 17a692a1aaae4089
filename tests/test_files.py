import errno
import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fgunet.errors import ConfigError, ResultError, WriteError
from fgunet.files import (
    alone_in,
    atomic_path,
    is_part,
    lock,
    read_json,
    remove_folder,
    scratch_beside,
    write_csv,
    write_json,
)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 128 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False).returncode:
        pytest.skip("mounting a small file system takes root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def write_half(target: Path) -> None:
    with atomic_path(target) as part:
        part.write_text("half")
        raise RuntimeError("killed")


def test_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "map.tif"
    target.write_text("old")
    with pytest.raises(RuntimeError, match="killed"):
        write_half(target)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_success_replaces_and_keeps_the_suffix(tmp_path: Path) -> None:
    target = tmp_path / "deeper" / "map.tif"
    with atomic_path(target) as part:
        assert part.suffix == ".tif"
        assert part.parent == target.parent
        part.write_text("whole")
        assert not target.exists()
    assert target.read_text() == "whole"


def test_directories_are_replaced_whole(tmp_path: Path) -> None:
    target = tmp_path / "series.zarr"
    for content in ("first", "second"):
        with atomic_path(target) as part:
            part.mkdir()
            (part / content).write_text(content)
    assert [path.name for path in target.iterdir()] == ["second"]


def test_json_refuses_nan(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", {"kappa": float("nan")})
    assert not list(tmp_path.iterdir())


def test_json_is_stable(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"b": 1, "a": [None, "é"]})
    write_json(tmp_path / "b.json", {"a": [None, "é"], "b": 1})
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert read_json(tmp_path / "a.json") == {"b": 1, "a": [None, "é"]}


@pytest.mark.parametrize("content", ["", '{"tile": "T31', "[" * 100_000, "\xff"])
def test_damaged_json_is_one_clear_error(tmp_path: Path, content: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(content, encoding="latin-1")
    with pytest.raises(
        ResultError, match=rf"{path} is damaged \(.*\): remove it, and the same command"
    ):
        read_json(path)


@pytest.mark.parametrize(
    ("value", "told"), [({"tile": "B"}, "B"), ({}, "unknown"), ([], "unknown")]
)
def test_json_of_another_tile_is_refused(tmp_path: Path, value: object, told: str) -> None:
    write_json(tmp_path / "a.json", value)
    with pytest.raises(ResultError, match=rf"a\.json is of tile {told}, expected A: remove it"):
        read_json(tmp_path / "a.json", tile="A")


TABLE = pd.DataFrame(np.random.default_rng(0).random((2000, 10)))


def as_parquet(path: Path) -> None:
    with atomic_path(path) as part:
        TABLE.rename(columns=str).to_parquet(part)


def as_archive(path: Path) -> None:
    with atomic_path(path) as part, part.open("wb") as file:
        np.savez(file, TABLE.to_numpy())


# NumPy's archive complains once more when it is forgotten.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("write", [as_parquet, as_archive, lambda path: write_csv(path, TABLE)])
def test_a_full_disk_is_one_clear_error(small_disk: Path, write) -> None:
    target = small_disk / "deeper" / "table"
    with pytest.raises(
        WriteError, match=rf"^{target} cannot be written: No space left .* MB are free .* make room"
    ):
        write(target)
    assert list(target.parent.iterdir()) == []


def test_a_disk_that_may_not_be_written_to_is_one_clear_error(small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    target = small_disk / "deeper" / "a.json"
    for write in (
        lambda: write_json(target, {}),
        lambda: scratch_beside(target).__enter__(),
        lambda: alone_in(target.parent).__enter__(),
    ):
        with pytest.raises(
            WriteError, match=r"cannot be written: Read-only file system .*may write"
        ):
            write()


def test_an_error_that_says_nothing_of_the_disk_is_explained(small_disk: Path) -> None:
    """As those of GDAL and image libraries."""

    def fail() -> None:
        with atomic_path(small_disk / "map.tif") as part:
            part.write_bytes(bytes(100_000))
            raise RuntimeError("encoder error -2")

    with pytest.raises(WriteError, match=r"map\.tif cannot be written: No space left") as caught:
        fail()
    assert isinstance(caught.value.__cause__, RuntimeError)
    assert list(small_disk.iterdir()) == []


@pytest.mark.parametrize(
    "error", [FileNotFoundError(errno.ENOENT, "no such file", "input.tif"), ConfigError("bad")]
)
def test_errors_of_other_reasons_stay_what_they_are(tmp_path: Path, error: Exception) -> None:
    with pytest.raises(type(error)) as caught, atomic_path(tmp_path / "map.tif"):
        raise error
    assert caught.value is error
    assert list(tmp_path.iterdir()) == []


def test_what_libraries_put_beside_a_file_goes_with_it(tmp_path: Path) -> None:
    (tmp_path / "other.tif").touch()

    def fail() -> None:
        with atomic_path(tmp_path / "map.gpkg") as part:
            part.touch()
            Path(f"{part}-journal").touch()
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        fail()
    assert list(tmp_path.iterdir()) == [tmp_path / "other.tif"]


def test_a_scratch_folder_is_there_for_the_body_alone(tmp_path: Path) -> None:
    with scratch_beside(tmp_path / "deeper" / "map.tif") as folder:
        (folder / "a").write_text("a")
        assert folder.parent == tmp_path / "deeper"
        assert is_part(folder.name)
    assert list(folder.parent.iterdir()) == []


def test_a_folder_is_removed_whole(tmp_path: Path) -> None:
    folder = tmp_path / "series.zarr"
    (folder / "c").mkdir(parents=True)
    remove_folder(folder)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(FileNotFoundError):
        remove_folder(folder)


def test_names_of_temporary_files(tmp_path: Path) -> None:
    for name in (".a.0123456789ab.part", ".a.b.0123456789ab.part.tif", ".a.0123456789ab.part-wal"):
        assert is_part(name)
    for name in ("a.0123456789ab.part", ".a.part", ".a.0123456789ab.partly", ".T31TCJ.unfinished"):
        assert not is_part(name)


HOLD = """
import sys
from fgunet.files import lock
file = open(sys.argv[1], "w")
assert lock(file)
print("held", flush=True)
sys.stdin.read()
"""


def test_a_lock_is_for_one_process_and_ends_with_it(tmp_path: Path) -> None:
    path = tmp_path / "run.lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    with path.open("w") as file:
        with pytest.raises(BlockingIOError):
            lock(file)
        holder.kill()
        holder.communicate()
        assert lock(file)


def test_a_file_system_without_locks_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """None such can be mounted here: the call fails as it would there."""

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with (tmp_path / "run.lock").open("w") as file:
        assert not lock(file)
    with alone_in(tmp_path):
        pass
    assert "no locks (No locks available)" in caplog.text
