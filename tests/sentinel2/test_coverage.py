"""How much of an acquisition shows the ground."""

import csv
from pathlib import Path

import numpy as np
import pytest

from fgunet.errors import ProductError
from fgunet.sentinel2 import coverage
from fgunet.sentinel2.acquisition import Request
from fgunet.sentinel2.coverage import cloud_share, holds_data
from fgunet.sentinel2.reading import AcquisitionReader
from fgunet.sentinel2.theia import read_product
from tests.sentinel2.written_acquisitions import NODATA, flags, noise, write_acquisition


def empty(size: int, *pixels: tuple[int, int]) -> np.ndarray:
    """A band without data but in some pixels."""
    values = np.full((size, size), NODATA, np.int16)
    for pixel in pixels:
        values[pixel] = 7
    return values


@pytest.fixture
def small_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coverage, "_SCAN", 4)


@pytest.mark.usefixtures("small_windows")
@pytest.mark.parametrize(
    ("fine", "coarse", "expected"),
    [
        ([], [], False),
        ([(11, 9)], [], False),
        ([], [(5, 5)], False),
        # Data in each band is not enough: a pixel must have it in all of them.
        ([(11, 9)], [(5, 5)], False),
        ([(0, 0)], [(5, 5)], False),
        ([(11, 9), (10, 11)], [(5, 5)], True),
        ([(0, 0)], [(0, 0)], True),
    ],
)
def test_one_pixel_with_data_in_all_bands_is_enough(
    tmp_path: Path,
    fine: list[tuple[int, int]],
    coarse: list[tuple[int, int]],
    expected: bool,
) -> None:
    bands = {"B02": empty(12, *fine), "B11": empty(6, *coarse)}
    assert holds_data(write_acquisition(tmp_path, bands)) is expected


def test_masks_do_not_take_data_away(tmp_path: Path) -> None:
    found = write_acquisition(
        tmp_path, {"B02": empty(4, (1, 1))}, {"CLM": np.full((4, 4), 2, np.uint8)}
    )
    assert holds_data(found)


@pytest.mark.usefixtures("small_windows")
def test_nothing_is_read_that_does_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The coarse band is empty in the first two windows; the third shows a pixel and ends it."""
    bands = {"B02": empty(12, (0, 9)), "B11": empty(6, (0, 4), (5, 5))}
    found = write_acquisition(tmp_path, bands)
    read: list[tuple[str, int]] = []
    really = AcquisitionReader.read_file

    def record(self: AcquisitionReader, path: str, window: object) -> object:
        read.append((Path(path).stem, window.col))  # type: ignore[attr-defined]
        return really(self, path, window)  # type: ignore[arg-type]

    monkeypatch.setattr(AcquisitionReader, "read_file", record)
    assert holds_data(found)
    assert read == [("B11", 0), ("B11", 4), ("B11", 8), ("B02", 8)]


@pytest.mark.usefixtures("small_windows")
def test_the_share_of_clouds_is_counted_over_pixels_with_data(tmp_path: Path) -> None:
    """144 pixels, 4 of them without data; clouds on 4 + 1, shadow on 1, of the 140 others."""
    coarse = noise(6, missing=0)
    coarse[5, 5] = NODATA
    clouds = flags(12, (0, 0), number=2) + flags(12, (11, 11), number=2)
    clouds[4:6, 4:6] = 128
    clouds[7, 7] = 32
    found = write_acquisition(
        tmp_path, {"B02": noise(12, missing=0.5), "B11": coarse}, {"CLM": clouds}
    )
    assert cloud_share(found, ("cloud", "shadow", "nodata")) == pytest.approx(6 / 140)
    assert cloud_share(found, ("cloud",)) == pytest.approx(5 / 140)
    assert cloud_share(found, ("shadow",)) == pytest.approx(1 / 140)
    assert cloud_share(found, ("nodata", "edge")) == 0


def test_clouds_of_a_20_m_mask_and_of_two_masks_are_counted_once(tmp_path: Path) -> None:
    classes = np.full((6, 6), 4, np.uint8)
    classes[0, 0], classes[2, 2], classes[3, 3], classes[4, 4] = 9, 3, 11, 2
    masks = {
        "SCL": classes,
        "CLM": flags(12, (1, 1), (9, 0), number=2),
        "EDG": np.ones((12, 12), np.uint8),
    }
    found = write_acquisition(tmp_path, {"B11": noise(6, missing=0)}, masks)
    assert cloud_share(found, ("cloud", "shadow", "snow", "dark", "edge")) == 9 / 144


def test_without_any_data_there_are_no_clouds(tmp_path: Path) -> None:
    found = write_acquisition(tmp_path, {"B02": empty(4)}, {"CLM": np.full((4, 4), 2, np.uint8)})
    assert cloud_share(found, ("cloud",)) == 0


@pytest.mark.parametrize("of", ["B11", "CLM"])
def test_a_file_that_vanished_is_named(tmp_path: Path, of: str) -> None:
    bands = {"B02": noise(4), "B11": noise(2, missing=0)}
    found = write_acquisition(tmp_path, bands, {"CLM": flags(4)})
    Path({**found.bands, **found.masks}[of]).unlink()
    with pytest.raises(ProductError, match=rf"{of}\.tif cannot be read"):
        cloud_share(found, ("cloud",))
    if of in found.bands:
        with pytest.raises(ProductError, match=rf"{of}\.tif cannot be read"):
            holds_data(found)


def test_real_products_are_as_their_table_says(shared_data: Path) -> None:
    """`products.csv` was made when the products were cropped, by other software."""
    folder = shared_data / "theia_T31UFQ"
    request = Request(("B02", "B03", "B04", "B8A", "B11", "B12"), ("cloud", "shadow", "nodata"))
    with (folder / "products.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 55
    for row in rows:
        found = read_product(folder / "products" / row["product"], request)
        assert holds_data(found) is (float(row["nodata_frac"]) < 1), row
        share = cloud_share(found, request.reasons)
        assert share == pytest.approx(float(row["clm_flagged_frac"]), abs=5.1e-4), row
