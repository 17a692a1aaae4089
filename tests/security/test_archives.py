"""Archives that want more than to hand over their images."""

import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fgunet.errors import ProductError
from fgunet.grid import Grid
from fgunet.rasters import write_raster
from fgunet.sentinel2.acquisition import Request
from fgunet.sentinel2.contents import LARGEST_METADATA, Contents
from fgunet.sentinel2.integrity import require_whole
from fgunet.sentinel2.product_grid import ten_metre_grid
from fgunet.sentinel2.theia import read_product
from fgunet.sentinel2.unpacking import unpacked
from tests.sentinel2.written_acquisitions import flags, noise, write_acquisition

NAME = "SENTINEL2A_20180105-105432-457_L2A_T31TCJ_C_V2-2"
BAND, MASK = f"{NAME}_FRE_B2.tif", f"{NAME}_CLM_R1.tif"
GRID = Grid("EPSG:32631", (10.0, 0.0, 600000.0, 0.0, -10.0, 5e6), 12, 12)
REQUEST = Request(("B02",), ("cloud",))
LINK = 0o120777 << 16

Write = Callable[..., Path]


@pytest.fixture
def images(tmp_path: Path) -> dict[str, Path]:
    """A band and a mask, by the names of a product's files."""
    write_raster(tmp_path / BAND, np.full((12, 12), 1000, np.int16), GRID, None)
    write_raster(tmp_path / MASK, np.zeros((12, 12), np.uint8), GRID, None)
    return {name: tmp_path / name for name in (BAND, MASK)}


@pytest.fixture
def archive(tmp_path: Path, images: dict[str, Path]) -> Write:
    """Write a product's archive: ``archive(names)``, the member that each image becomes."""

    def write(names: dict[str, str], **more: bytes) -> Path:
        path = tmp_path / "in" / f"{NAME}.zip"
        path.parent.mkdir()
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
            for image, name in names.items():
                # Not as `write` would mend it.
                packed.writestr(name, images[image].read_bytes())
            for name, content in more.items():
                packed.writestr(name, content)
        return path

    return write


def unpack(path: Path, scratch: Path) -> list[Path]:
    """What lies in the scratch folder while a product's archive is read."""
    with unpacked([read_product(path, REQUEST)], scratch):
        return sorted(found for found in scratch.rglob("*") if found.is_file())


@pytest.mark.parametrize(
    "name",
    [
        "../../escaped",
        "a/../../escaped",
        "/escaped",
        "..\\escaped",
        "C:\\escaped",
        "a\nb",
        "a\x1b[2J",
    ],
)
@pytest.mark.parametrize("asked_for", [True, False])
def test_members_that_lead_out_are_refused(archive: Write, name: str, asked_for: bool) -> None:
    if asked_for:
        path = archive({BAND: f"{name}/{BAND}", MASK: MASK})
    else:
        path = archive({BAND: BAND, MASK: MASK}, **{name: b"x"})
    with pytest.raises(ProductError, match=r"leads out of it .*take it away"):
        read_product(path, REQUEST)


@pytest.mark.parametrize("above", ["$(touch pwned)/", "-rf *;/", "a'b\"c`d/"])
def test_members_land_in_their_folder_whatever_they_are_called(
    archive: Write, tmp_path: Path, above: str
) -> None:
    before = set(tmp_path.rglob("*"))
    path = archive({BAND: above + BAND, MASK: f"{NAME}/MASKS/{MASK}"})
    scratch = tmp_path / "out" / "scratch"
    found = unpack(path, scratch)
    assert len(found) == 2
    assert {one.parent for one in found} == {scratch / NAME}
    assert set(tmp_path.rglob("*")) - before == {path.parent, path, scratch.parent}


@pytest.mark.parametrize("product", ["../../escaped", "/escaped", "..", "a/b", ""])
def test_a_product_that_is_named_like_a_path_is_refused(
    archive: Write, tmp_path: Path, product: str
) -> None:
    packed = read_product(archive({BAND: BAND, MASK: MASK}), REQUEST)
    with (
        pytest.raises(ProductError, match="named like a path"),
        unpacked([replace(packed, product=product)], tmp_path / "scratch"),
    ):
        pytest.fail("the work must not begin")
    assert not (tmp_path / "scratch").exists()


@pytest.mark.parametrize("name", [f"{NAME}/{BAND}", f"{NAME}/notes.txt"])
def test_a_name_that_stands_twice_is_refused(archive: Write, name: str) -> None:
    path = archive({BAND: f"{NAME}/{BAND}", MASK: f"{NAME}/{MASK}"}, **{f"{NAME}/notes.txt": b"x"})
    with (
        zipfile.ZipFile(path, "a") as packed,
        pytest.warns(UserWarning, match="Duplicate name"),
    ):
        packed.writestr(name, b"another")
    with pytest.raises(ProductError, match=rf"{path} has the file '{name}' twice; .* take it away"):
        read_product(path, REQUEST)


@pytest.mark.parametrize("name", [f"{NAME}//{BAND}", f"{NAME}/./{BAND}", f"{NAME}/{BAND}/"])
def test_a_name_that_is_spelt_in_two_ways_stands_twice(archive: Write, name: str) -> None:
    path = archive({BAND: f"{NAME}/{BAND}", MASK: f"{NAME}/{MASK}"}, **{name: b""})
    with pytest.raises(ProductError, match=rf"the file '{name.removesuffix('/')}' twice"):
        read_product(path, REQUEST)


def test_a_folder_may_stand_twice(archive: Write) -> None:
    path = archive({BAND: f"{NAME}/{BAND}", MASK: f"{NAME}/{MASK}"}, **{f"{NAME}/": b""})
    with (
        zipfile.ZipFile(path, "a") as packed,
        pytest.warns(UserWarning, match="Duplicate name"),
    ):
        packed.writestr(f"{NAME}/", b"")
    assert read_product(path, REQUEST).product == NAME


def test_a_link_is_no_image(archive: Write, tmp_path: Path, images: dict[str, Path]) -> None:
    path = archive({MASK: MASK})
    link = zipfile.ZipInfo(BAND)
    link.create_system, link.external_attr = 3, LINK
    with zipfile.ZipFile(path, "a") as packed:
        packed.writestr(link, str(images[BAND]))
    with pytest.raises(ProductError, match=f"{BAND} cannot be read"):
        read_product(path, REQUEST)


def test_a_member_that_would_fill_the_disk_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    plain = write_acquisition(tmp_path, {"B02": noise(32)}, {"CLM": flags(32, (3, 3))})
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("B02.tif", Path(plain.bands["B02"]).read_bytes() + bytes(20 << 20))
    assert bomb.stat().st_size < 1 << 16
    hostile = replace(plain, bands={"B02": f"/vsizip/{bomb}/B02.tif"})
    with (
        pytest.raises(ProductError, match=r"an image of 32 x 32 pixels has .* at most"),
        unpacked([hostile], tmp_path / "scratch"),
    ):
        pytest.fail("the work must not begin")
    assert not (tmp_path / "scratch").exists()
    with pytest.raises(ProductError, match=r"an image of 32 x 32 pixels has .* at most"):
        require_whole(hostile)


def test_an_image_larger_than_a_tile_is_refused(tmp_path: Path) -> None:
    huge = Grid("EPSG:32631", GRID.transform, 10, 10981)
    write_raster(tmp_path / "B02.tif", np.zeros(huge.shape, np.int16), huge, None)
    with pytest.raises(ProductError, match=r"10 x 10981 pixels; a tile of Sentinel-2 has 10980"):
        ten_metre_grid("huge", {"B02": str(tmp_path / "B02.tif")}, {})


@pytest.mark.parametrize("packed", [True, False])
def test_metadata_that_would_fill_the_memory_are_not_read(tmp_path: Path, packed: bool) -> None:
    content = bytes(LARGEST_METADATA + 1)
    path = tmp_path / "product"
    if packed:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("MTD.xml", content)
    else:
        path.mkdir()
        (path / "MTD.xml").write_bytes(content)
    with pytest.raises(ProductError, match=f"has more than {LARGEST_METADATA} bytes"):
        Contents(path).read_bytes("MTD.xml")


def test_an_encrypted_member_is_refused(archive: Write) -> None:
    path = archive({BAND: BAND, MASK: MASK}, **{f"{NAME}_MTD_ALL.xml": b"<a/>"})
    content = bytearray(path.read_bytes())
    for signature, at in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        place = content.find(signature)
        while place >= 0:
            content[place + at] |= 1
            place = content.find(signature, place + 4)
    path.write_bytes(content)
    with pytest.raises(ProductError, match=r"MTD_ALL\.xml .*encrypted"):
        read_product(path, REQUEST)


def test_a_folder_in_the_place_of_metadata_is_refused(archive: Write) -> None:
    """They do not pass for absent: the scale would be guessed."""
    path = archive({BAND: BAND, MASK: MASK}, **{f"{NAME}_MTD_ALL.xml/": b""})
    with pytest.raises(ProductError, match=r"MTD_ALL\.xml in .* cannot be read"):
        read_product(path, REQUEST)


def test_folders_linked_in_a_ring_are_listed_once(tmp_path: Path) -> None:
    product = tmp_path / "product"
    (product / "MASKS").mkdir(parents=True)
    (product / "MASKS" / "a.tif").touch()
    for number in range(3):
        (product / f"again{number}").symlink_to(product)
    assert Contents(product).names == ("MASKS/a.tif",)


def test_members_that_are_not_asked_for_are_not_unpacked(archive: Write, tmp_path: Path) -> None:
    more = {"cron.d/evil": b"x", f"{NAME}_FRE_B3.tif": b"not asked for"}
    path = archive({BAND: BAND, MASK: MASK}, **more)
    assert len(unpack(path, tmp_path / "scratch")) == 2
