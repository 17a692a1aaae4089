"""Packed files are unpacked once, and only where they must be."""

import errno
import os
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio

from fgunet.errors import ProductError
from fgunet.grid import Window
from fgunet.sentinel2.acquisition import Acquisition
from fgunet.sentinel2.masks import Masking
from fgunet.sentinel2.reading import read_block
from fgunet.sentinel2.unpacking import unpacked
from tests.sentinel2.written_acquisitions import flags, noise, write_acquisition

MASKING = Masking(("cloud", "nodata"))
WHOLE = Window(0, 0, 32, 32)


def pack(
    acquisition: Acquisition, archive: Path, compression: int = zipfile.ZIP_DEFLATED
) -> Acquisition:
    """The same acquisition in an archive."""
    files = acquisition.bands | acquisition.masks
    with zipfile.ZipFile(archive, "w", compression) as packed:
        for name, path in files.items():
            packed.write(path, f"top/{name}.tif")
    return replace(
        acquisition,
        bands={name: f"/vsizip/{archive}/top/{name}.tif" for name in acquisition.bands},
        masks={name: f"/vsizip/{archive}/top/{name}.tif" for name in acquisition.masks},
    )


@pytest.fixture
def plain(tmp_path: Path) -> Acquisition:
    bands = {"B02": noise(32), "B11": noise(16, 1)}
    return write_acquisition(tmp_path, bands, {"CLM": flags(32, (3, 3))})


@pytest.fixture
def packed(tmp_path: Path, plain: Acquisition) -> Acquisition:
    return pack(plain, tmp_path / "a.zip")


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    return tmp_path / "scratch" / "T31TCJ"


def files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("threads", [1, 3])
def test_packed_files_are_unpacked_and_the_folder_is_removed(
    plain: Acquisition, packed: Acquisition, scratch: Path, threads: int
) -> None:
    acquisitions = [replace(packed, product="one"), plain, replace(packed, product="two")]
    with unpacked(acquisitions, scratch, threads=threads) as ready:
        assert [one.product for one in ready] == ["one", "product", "two"]
        assert len(files_in(scratch)) == 6
        for given, found in zip(acquisitions, ready, strict=True):
            assert replace(found, bands=given.bands, masks=given.masks) == given
            assert [*found.bands, *found.masks] == ["B02", "B11", "CLM"]
            for name, path in (found.bands | found.masks).items():
                original = (plain.bands | plain.masks)[name]
                assert Path(path).read_bytes() == Path(original).read_bytes()
            block, valid = read_block(found, ("B02", "B11"), MASKING, WHOLE)
            expected, usable = read_block(plain, ("B02", "B11"), MASKING, WHOLE)
            np.testing.assert_array_equal(block, expected)
            np.testing.assert_array_equal(valid, usable)
        assert ready[1] == plain
    assert not scratch.exists()


def test_what_lies_unpacked_in_an_archive_is_read_in_place(
    tmp_path: Path, plain: Acquisition, scratch: Path
) -> None:
    stored = pack(plain, tmp_path / "stored.zip", zipfile.ZIP_STORED)
    with unpacked([stored], scratch) as ready:
        assert ready == [stored]
        assert not scratch.exists()
    block, _ = read_block(stored, ("B02",), MASKING, WHOLE)
    np.testing.assert_array_equal(block, read_block(plain, ("B02",), MASKING, WHOLE)[0])


def test_what_is_far_is_left_where_it_is(plain: Acquisition, scratch: Path) -> None:
    far = replace(plain, bands={"B02": "/vsicurl/https://somewhere.org/a.zip/B02.tif"})
    with unpacked([far], scratch) as ready:
        assert ready == [far]


def test_files_are_kept_for_the_next_time_if_the_work_fails(
    packed: Acquisition, scratch: Path
) -> None:
    with pytest.raises(RuntimeError, match="killed"), unpacked([packed], scratch):
        raise RuntimeError("killed")
    left = {path: path.stat().st_mtime_ns for path in files_in(scratch)}
    assert len(left) == 3
    with unpacked([packed], scratch):
        assert {path: path.stat().st_mtime_ns for path in files_in(scratch)} == left
    assert not scratch.exists()


def leave_behind(packed: Acquisition, scratch: Path) -> Path:
    """What a killed process leaves; gives the file of B02."""
    with pytest.raises(RuntimeError, match="killed"), unpacked([packed], scratch):
        raise RuntimeError("killed")
    [path] = [path for path in files_in(scratch) if path.name.endswith("B02.tif")]
    return path


def test_a_file_that_is_not_whole_is_unpacked_again(
    plain: Acquisition, packed: Acquisition, scratch: Path
) -> None:
    path = leave_behind(packed, scratch)
    whole = path.read_bytes()
    path.with_name(f".{path.stem}.0123456789ab.part.tif").write_bytes(whole[:100])
    path.write_bytes(whole[:-1])
    with unpacked([packed], scratch) as ready:
        assert ready[0].bands["B02"] == str(path)
        assert path.read_bytes() == whole == Path(plain.bands["B02"]).read_bytes()
    assert not scratch.exists()


def test_a_file_of_an_archive_that_was_replaced_is_not_used(
    plain: Acquisition, packed: Acquisition, scratch: Path
) -> None:
    """A product that was delivered anew: same names, same sizes, other pixels."""
    left = leave_behind(packed, scratch)
    size = left.stat().st_size
    with rasterio.open(plain.bands["B02"], "r+") as dataset:
        stored = dataset.read(1)
        stored[5, 5] += 1
        dataset.write(stored, 1)
    os.truncate(plain.bands["B02"], size)
    pack(plain, Path(packed.bands["B02"].removeprefix("/vsizip/")).parents[1])
    with unpacked([packed], scratch) as ready:
        assert Path(ready[0].bands["B02"]).stat().st_size == size
        assert Path(ready[0].bands["B02"]).read_bytes() == Path(plain.bands["B02"]).read_bytes()


def test_files_of_one_name_in_other_folders_are_kept_apart(
    tmp_path: Path, plain: Acquisition, scratch: Path
) -> None:
    archive = tmp_path / "folders.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, path in plain.bands.items():
            packed.write(path, f"{name}/image.tif")
    bands = {name: f"/vsizip/{archive}/{name}/image.tif" for name in plain.bands}
    with unpacked([replace(plain, bands=bands)], scratch) as ready:
        for name, path in ready[0].bands.items():
            assert Path(path).read_bytes() == Path(plain.bands[name]).read_bytes()


def test_a_wrong_checksum_is_named_and_nothing_half_is_left(
    packed: Acquisition, scratch: Path
) -> None:
    archive = Path(packed.bands["B02"].removeprefix("/vsizip/")).parents[1]
    with zipfile.ZipFile(archive) as content:
        checksum = content.getinfo("top/B11.tif").CRC.to_bytes(4, "little")
    archive.write_bytes(archive.read_bytes().replace(checksum, b"\0\0\0\0"))
    message = rf"top/B11\.tif in {archive} cannot be unpacked \(Bad CRC-32.*download the product"
    with pytest.raises(ProductError, match=message), unpacked([packed], scratch):
        pytest.fail("the work must not begin")
    assert [path.name.split("_")[1] for path in files_in(scratch)] == ["B02.tif"]


def test_what_is_not_packed_is_held_against_its_checksum(
    tmp_path: Path, plain: Acquisition, scratch: Path
) -> None:
    """GDAL reads it without a word."""
    archive = tmp_path / "stored.zip"
    stored = pack(plain, archive, zipfile.ZIP_STORED)
    with zipfile.ZipFile(archive) as content:
        about = content.getinfo("top/B11.tif")
    with archive.open("r+b") as content:
        content.seek(about.header_offset + 30 + len(about.filename) + about.file_size - 100)
        content.write(bytes(50))
    read_block(stored, ("B02", "B11"), MASKING, WHOLE)
    message = rf"top/B11\.tif in {archive} cannot be unpacked \(Bad CRC-32.*download the product"
    with pytest.raises(ProductError, match=message), unpacked([stored], scratch):
        pytest.fail("the work must not begin")
    assert not scratch.exists()


@pytest.mark.parametrize("kept", [0.0, 0.4, 0.95])
def test_an_archive_that_was_cut_short_is_named(
    packed: Acquisition, scratch: Path, kept: float
) -> None:
    archive = Path(packed.bands["B02"].removeprefix("/vsizip/")).parents[1]
    os.truncate(archive, int(archive.stat().st_size * kept))
    with (
        pytest.raises(ProductError, match=rf"top/B02\.tif in {archive} cannot be unpacked"),
        unpacked([packed], scratch),
    ):
        pytest.fail("the work must not begin")


def test_damaged_and_vanished_files_are_named(packed: Acquisition, scratch: Path) -> None:
    archive = Path(packed.bands["B02"].removeprefix("/vsizip/")).parents[1]
    content = bytearray(archive.read_bytes())
    content[200:600] = b"\xff" * 400
    archive.write_bytes(content)
    with (
        pytest.raises(ProductError, match=r"top/B02\.tif in .* cannot be unpacked"),
        unpacked([packed], scratch),
    ):
        pytest.fail("the work must not begin")
    archive.unlink()
    with (
        pytest.raises(ProductError, match=rf"top/B02\.tif in {archive} cannot be unpacked"),
        unpacked([packed], scratch),
    ):
        pytest.fail("the work must not begin")
    other = pack(packed_plain(packed), archive)
    gone = replace(other, masks={"CLM": f"/vsizip/{archive}/top/gone.tif"})
    with (
        pytest.raises(ProductError, match=r"top/gone\.tif in .* cannot be unpacked"),
        unpacked([gone], scratch),
    ):
        pytest.fail("the work must not begin")


def packed_plain(packed: Acquisition) -> Acquisition:
    """The acquisition that was packed, which still lies beside the archive."""
    folder = Path(packed.bands["B02"].removeprefix("/vsizip/")).parents[2] / "product"
    return replace(
        packed,
        bands={name: str(folder / f"{name}.tif") for name in packed.bands},
        masks={name: str(folder / f"{name}.tif") for name in packed.masks},
    )


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS])
def test_a_full_device_is_no_fault_of_the_product(
    packed: Acquisition, scratch: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(shutil, "copyfileobj", fail)
    with pytest.raises(OSError, match=os.strerror(number)) as error, unpacked([packed], scratch):
        pytest.fail("the work must not begin")
    assert not isinstance(error.value, ProductError)
    assert files_in(scratch) == []
