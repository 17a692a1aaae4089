"""Pipes, links, folders and closed folders where a product, or a file of one, should be."""

import logging
import os
import signal
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from fgunet.errors import MissingAcquisitionError, ProductError
from fgunet.grid import Grid
from fgunet.rasters import write_raster
from fgunet.sentinel2 import families
from fgunet.sentinel2.acquisition import Request
from fgunet.sentinel2.selection import Criteria, Selection, select_acquisitions
from tests.sentinel2 import safe_products

NAME = "SENTINEL2A_20180105-105432-457_L2A_T31TCJ_C_V2-2"
LATER = NAME.replace("20180105", "20180106")
GRID = Grid("EPSG:32631", (10.0, 0.0, 600000.0, 0.0, -10.0, 5e6), 12, 12)
REQUEST = Request(("B02",), ("cloud", "nodata"))


@pytest.fixture(autouse=True)
def _in_time() -> Iterator[None]:
    """A test that waits for a pipe fails."""

    def fail(*_: object) -> None:
        raise TimeoutError("waits for what nobody writes")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every account may enter."""
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        yield Path(place)


@contextmanager
def another_account() -> Iterator[None]:
    """Root reads what is closed to others."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def write(folder: Path, name: str = NAME) -> Path:
    product = folder / name
    write_raster(product / f"{name}_FRE_B2.tif", np.full((12, 12), 1000, np.int16), GRID, None)
    mask = np.zeros((12, 12), np.uint8)
    write_raster(product / "MASKS" / f"{name}_CLM_R1.tif", mask, GRID, None)
    return product


def select(folder: Path, *, strict: bool = True) -> Selection:
    products = families.list_products([str(folder)])["T31TCJ"]
    return select_acquisitions(products, REQUEST, Criteria("20180101", "20181231", strict=strict))


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def a_folder(path: Path) -> None:
    path.mkdir()


def a_link_to_nothing(path: Path) -> None:
    path.symlink_to("nowhere")


def a_link_to_itself(path: Path) -> None:
    path.symlink_to(path.name)


def a_file(path: Path) -> None:
    path.touch()


def a_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as end:
        before = Path.cwd()
        # The path of a socket has 108 bytes at most.
        os.chdir(path.parent)
        try:
            end.bind(path.name)
        finally:
            os.chdir(before)


def a_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


Make = Callable[[Path], None]


@pytest.mark.parametrize("make", [a_pipe, a_folder, a_link_to_nothing, a_socket, a_device])
@pytest.mark.parametrize("end", ["MTD_ALL.xml", "FRE_B2.tif", "CLM_R1.tif"])
def test_what_is_no_file_of_a_product_makes_it_broken(folder: Path, end: str, make: Make) -> None:
    """No metadata at all would do; what is named like them and is none does not."""
    product = write(folder)
    write(folder, LATER)
    place = product / ("MASKS" if end.startswith("CLM") else "") / f"{NAME}_{end}"
    place.unlink(missing_ok=True)
    make(place)
    with pytest.raises(ProductError, match=rf"{end}.* cannot be read"):
        select(folder)
    found = select(folder, strict=False)
    assert [one.product for one in found.kept] == [LATER]
    assert [(one.product, one.reason) for one in found.excluded] == [(NAME, "broken")]


@pytest.mark.parametrize("ending", [".aux.xml", ".msk", ".ovr"])
@pytest.mark.parametrize("image", ["a Theia product", "a SAFE product"])
def test_what_lies_beside_an_image_is_not_opened(folder: Path, image: str, ending: str) -> None:
    if image == "a Theia product":
        band = write(folder) / f"{NAME}_FRE_B2.tif"
    else:
        [band] = safe_products.write_safe(folder).rglob("*_B02_10m.jp2")
    os.mkfifo(f"{band}{ending}")
    [product] = families.list_products([str(folder)])["T31TCJ"]
    selection = select_acquisitions([product], REQUEST, Criteria("20180101", "20221231"))
    assert len(selection.kept) == 1


def test_metadata_beside_an_image_tell_nothing(folder: Path) -> None:
    band = write(folder) / f"{NAME}_FRE_B2.tif"
    Path(f"{band}.aux.xml").write_text(
        '<PAMDataset><PAMRasterBand band="1"><NoDataValue>1000</NoDataValue></PAMRasterBand>'
        "</PAMDataset>"
    )
    assert [one.nodata for one in select(folder).kept] == [-10000]


KINDS: dict[str, list[Make]] = {
    LATER: [a_file, a_pipe, a_link_to_nothing, a_link_to_itself],
    f"{LATER}.zip": [a_pipe, a_link_to_nothing, a_link_to_itself],
    f"{safe_products.NAME}.SAFE": [a_file, a_link_to_nothing],
    f"{safe_products.NAME}.SAFE.zip": [a_pipe, a_link_to_nothing],
}


@pytest.mark.parametrize(
    ("name", "make"), [(name, make) for name, kinds in KINDS.items() for make in kinds]
)
def test_what_is_only_named_like_a_product_is_a_broken_one(
    folder: Path, name: str, make: Make
) -> None:
    write(folder)
    make(folder / name)
    products = families.list_products([str(folder)])["T31TCJ"]
    assert len(products) == 2
    criteria = Criteria("20180101", "20221231")
    kind = "an archive" if name.endswith(".zip") else "a folder"
    with pytest.raises(ProductError, match=rf"{name} is named like a product; expected {kind} \("):
        select_acquisitions(products, REQUEST, criteria)


def test_a_folder_named_like_an_archive_is_looked_into(folder: Path) -> None:
    """Some programs unpack so."""
    write(folder / f"{NAME}.zip")
    assert len(select(folder).kept) == 1


def test_a_closed_folder_among_products_is_told_and_passed_over(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(folder)
    for mode in (0o000, 0o111, 0o444):
        closed = folder / f"lost{mode}"
        closed.mkdir()
        (closed / "a").touch()
        closed.chmod(mode)
    with another_account(), caplog.at_level(logging.WARNING):
        assert len(select(folder).kept) == 1
    assert caplog.text.count("may not be read: products in it are not found") == 3


def test_a_location_in_a_closed_folder_is_not_there(folder: Path) -> None:
    product = write(folder / "closed")
    (folder / "closed").chmod(0)
    with another_account(), pytest.raises(MissingAcquisitionError, match="there is no"):
        families.list_products([str(product)])


@pytest.mark.parametrize("closed", [".", "MASKS"])
def test_a_closed_folder_of_a_product_is_told(folder: Path, closed: str) -> None:
    """It is not taken for one that lacks bands or masks."""
    (write(folder) / closed).chmod(0)
    told = r"cannot be read \(Permission denied\); let the account of the run read"
    with another_account(), pytest.raises(ProductError, match=told):
        select(folder)
