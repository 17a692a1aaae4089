"""The files of a product, in a folder or in its archive."""

import zipfile
from pathlib import Path

import pytest

from fgunet.errors import ProductError
from fgunet.sentinel2.contents import Contents, place_in_archive

FILES = {"MTD.xml": b"<a/>", "top/MASKS/x_CLM_R1.tif": b"mask", "top/x_FRE_B2.tif": bytes(99999)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in FILES.items():
        path = tmp_path / "product" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (tmp_path / "product" / "nothing").mkdir()
    return tmp_path / "product"


@pytest.fixture
def archive(folder: Path) -> Path:
    """Written in another order than by name, with entries for folders."""
    path = folder.with_name("product.zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for file in sorted(folder.rglob("*"), reverse=True):
            packed.write(file, file.relative_to(folder))
    return path


@pytest.mark.parametrize("kind", ["folder", "archive"])
def test_a_folder_and_its_archive_have_the_same_files(
    request: pytest.FixtureRequest, kind: str
) -> None:
    contents = Contents(request.getfixturevalue(kind))
    assert contents.is_archive is (kind == "archive")
    assert contents.names == tuple(sorted(FILES))
    assert {name: contents.read_bytes(name) for name in contents.names} == FILES
    assert contents.matching("*.tif") == ["top/MASKS/x_CLM_R1.tif", "top/x_FRE_B2.tif"]
    assert contents.matching("MASKS/*_CLM_R1.tif") == ["top/MASKS/x_CLM_R1.tif"]
    assert contents.matching("top/*.tif") == ["top/x_FRE_B2.tif"]
    assert contents.matching("*.jp2") == []


def test_paths_are_those_that_gdal_opens(
    folder: Path, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Contents(folder).gdal_path("MTD.xml") == f"{folder}/MTD.xml"
    assert Contents(archive).gdal_path("top/x") == f"/vsizip/{archive}/top/x"
    monkeypatch.chdir(archive.parent)
    assert Contents(Path("product.zip")).gdal_path("x") == f"/vsizip/{archive}/x"


def test_linked_folders_belong_to_the_product(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "y.tif").touch()
    (folder / "linked").symlink_to(tmp_path / "elsewhere")
    assert "linked/y.tif" in Contents(folder).names


@pytest.mark.parametrize("kept", [0, 10, 0.5, 0.99])
def test_an_archive_that_was_cut_short_is_refused(archive: Path, kept: float) -> None:
    content = archive.read_bytes()
    archive.write_bytes(content[: kept if isinstance(kept, int) else int(kept * len(content))])
    message = rf"the archive {archive} cannot be read \(.*download the product again"
    with pytest.raises(ProductError, match=message):
        _ = Contents(archive).names
    with pytest.raises(ProductError, match="cannot be read"):
        Contents(archive).read_bytes("MTD.xml")


@pytest.mark.parametrize("kind", ["folder", "archive"])
def test_a_file_that_is_not_there_is_named(request: pytest.FixtureRequest, kind: str) -> None:
    path = request.getfixturevalue(kind)
    with pytest.raises(ProductError, match=rf"other\.xml in {path} cannot be read"):
        Contents(path).read_bytes("other.xml")


def test_a_file_whose_checksum_is_wrong_is_named(archive: Path) -> None:
    content = archive.read_bytes()
    with zipfile.ZipFile(archive) as packed:
        about = packed.getinfo("MTD.xml")
    checksum = about.CRC.to_bytes(4, "little")
    assert content.count(checksum) == 2  # before the file, and in the list at the end
    archive.write_bytes(content.replace(checksum, b"\0\0\0\0"))
    with pytest.raises(ProductError, match=rf"MTD\.xml in {archive} cannot be read \(Bad CRC-32"):
        Contents(archive).read_bytes("MTD.xml")


def test_the_place_in_an_archive() -> None:
    assert place_in_archive("/data/a/B02.tif") is None
    assert place_in_archive("/vsicurl/https://a.org/x.zip/B02.tif") is None
    assert place_in_archive("/vsizip//data/a.zip/top/B02.tif") == ("/data/a.zip", "top/B02.tif")
    assert place_in_archive("/vsizip//data/A.ZIP/B02.tif") == ("/data/A.ZIP", "B02.tif")
    assert place_in_archive("/vsizip//zip.zipped/a.zip/x") == ("/zip.zipped/a.zip", "x")


@pytest.mark.parametrize("above", ["all.zip", "İstanbul"])
@pytest.mark.parametrize("name", ["B02.tif", "top.zip/B02.tif"])
def test_the_archive_is_the_file(tmp_path: Path, above: str, name: str) -> None:
    """A folder above may be named like an archive; and "İ" becomes two letters in lower case."""
    archive = tmp_path / above / "a.zip"
    archive.parent.mkdir()
    archive.touch()
    assert place_in_archive(Contents(archive).gdal_path(name)) == (str(archive), name)
