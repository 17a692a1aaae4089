"""Archives of Theia, read as they were delivered."""

import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fgunet.errors import ProductError
from fgunet.grid import Window
from fgunet.sentinel2.acquisition import Request
from fgunet.sentinel2.masks import Masking
from fgunet.sentinel2.reading import read_block
from fgunet.sentinel2.theia import read_product, recognise

WriteProduct = Callable[..., Path]
NAME = "SENTINEL2A_20180105-105432-457_L2A_T31TCJ_C_V2-2"
UNVERSIONED = NAME.removesuffix("_V2-2")
REQUEST = Request(("B02", "B11"), ("cloud", "nodata"))
ROOT = "Muscate_Metadata_Document"
METADATA = f"<{ROOT}>{'<EMPTY/>' * 99}</{ROOT}>"


def pack(
    product: Path,
    name: str = NAME,
    *,
    top: str = NAME,
    compression: int = zipfile.ZIP_DEFLATED,
) -> Path:
    """Pack a product's folder beside it, under the folder `top` ("" for none)."""
    archive = product.with_name(f"{name}.zip")
    with zipfile.ZipFile(archive, "w", compression) as packed:
        for file in sorted(path for path in product.rglob("*") if path.is_file()):
            packed.write(file, Path(top, file.relative_to(product)))
    return archive


def damage(archive: Path, ending: str) -> None:
    """Overwrite the packed bytes of a file in an archive."""
    with zipfile.ZipFile(archive) as packed:
        [about] = [one for one in packed.infolist() if one.filename.endswith(ending)]
    content = bytearray(archive.read_bytes())
    # The local header: 30 bytes, then the name and what is extra.
    start = about.header_offset
    start += 30 + sum(
        int.from_bytes(content[start + at : start + at + 2], "little") for at in (26, 28)
    )
    content[start : start + about.compress_size] = b"\xff" * about.compress_size
    archive.write_bytes(content)


@pytest.mark.parametrize("name", [NAME, UNVERSIONED])
def test_archives_are_recognised_by_name_alone(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"{name}.zip"
    path.touch()
    found = recognise(path)
    assert found is not None
    [product] = found
    assert (product.name, product.family, product.tile, product.date, product.path) == (
        name, "theia", "T31TCJ", "20180105", str(path),
    )  # fmt: skip


def test_a_folder_named_like_an_archive_is_none(tmp_path: Path) -> None:
    (tmp_path / f"{NAME}.zip").mkdir()
    assert recognise(tmp_path / f"{NAME}.zip") is None


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize(
    ("name", "top"),
    [(NAME, NAME), (UNVERSIONED, NAME), (NAME, "")],
    ids=["", "unversioned", "flat"],
)
def test_an_archive_is_described_and_read_in_place(
    write_product: WriteProduct, compression: int, name: str, top: str
) -> None:
    random = np.random.default_rng(0)
    bands = {"B02": random.integers(0, 9000, (12, 12)).astype(np.int16)}
    folder = write_product(bands=bands, metadata=METADATA)
    archive = pack(folder, name, top=top, compression=compression)
    found, unpacked = read_product(archive, REQUEST), read_product(folder, REQUEST)
    inside = f"/vsizip/{archive}{top and f'/{top}'}"
    assert found.bands == {
        "B02": f"{inside}/{NAME}_FRE_B2.tif",
        "B11": f"{inside}/{NAME}_FRE_B11.tif",
    }
    assert found.masks == {"CLM": f"{inside}/MASKS/{NAME}_CLM_R1.tif"}
    assert replace(found, bands=unpacked.bands, masks=unpacked.masks) == unpacked
    block, valid = read_block(found, ("B02",), Masking(REQUEST.reasons), Window(0, 0, 12, 12))
    np.testing.assert_array_equal(block[0], bands["B02"])
    assert valid.all()


def test_an_archive_that_was_cut_short_is_refused(write_product: WriteProduct) -> None:
    archive = pack(write_product())
    archive.write_bytes(archive.read_bytes()[:-200])
    with pytest.raises(ProductError, match=rf"the archive {archive} cannot be read .*download the"):
        read_product(archive, REQUEST)


def test_an_emptied_archive_is_refused(tmp_path: Path) -> None:
    """Some who unpack them leave them so, to know what they have downloaded."""
    for name, message in ((NAME, "it has none, nor any other"), (UNVERSIONED, "holds no folder")):
        archive = tmp_path / f"{name}.zip"
        zipfile.ZipFile(archive, "w").close()
        with pytest.raises(ProductError, match=message):
            read_product(archive, REQUEST)


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("file", ["FRE_B2.tif", "CLM_R1.tif"])
def test_a_damaged_image_is_named(write_product: WriteProduct, file: str, compression: int) -> None:
    archive = pack(write_product(), compression=compression)
    damage(archive, file)
    with pytest.raises(ProductError, match=rf"/vsizip/{archive}/.*{file} cannot be read"):
        read_product(archive, REQUEST)


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_damaged_metadata_are_named(write_product: WriteProduct, compression: int) -> None:
    archive = pack(write_product(metadata=METADATA), compression=compression)
    damage(archive, "MTD_ALL.xml")
    with pytest.raises(ProductError, match=r"_MTD_ALL\.xml in .*\.zip cannot be read"):
        read_product(archive, REQUEST)


def test_an_archive_of_another_product_is_refused(write_product: WriteProduct) -> None:
    folder = write_product()
    other = NAME.replace("T31TCJ", "T31TDJ")
    with pytest.raises(
        ProductError, match=rf"is of product {NAME} by its name, but .* of {other};"
    ):
        read_product(pack(folder, other), REQUEST)
    with pytest.raises(
        ProductError, match=rf"is of product {other} by its name, but .* of {NAME};"
    ):
        read_product(pack(folder, top=other), REQUEST)


@pytest.mark.parametrize(
    "top", [NAME.replace("T31TCJ", "T31TDJ"), NAME.replace("_C_", "_D_"), "data"]
)
def test_the_folder_in_an_archive_without_version_must_be_the_products(
    write_product: WriteProduct, top: str
) -> None:
    archive = pack(write_product(), UNVERSIONED, top=top)
    with pytest.raises(
        ProductError, match=rf"zip holds {top}; expected the one folder {UNVERSIONED}_V and"
    ):
        read_product(archive, REQUEST)


def test_two_versions_in_an_archive_are_refused(write_product: WriteProduct) -> None:
    archive = pack(write_product(), UNVERSIONED)
    later = NAME.replace("V2-2", "V2-3")
    with zipfile.ZipFile(archive, "a") as packed:
        packed.writestr(f"{later}/{later}_FRE_B2.tif", b"")
    with pytest.raises(ProductError, match=rf"holds {NAME}, {later}; expected the one folder"):
        read_product(archive, REQUEST)
