"""Blocks of an acquisition on its 10 m grid."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
import rasterio.warp
from hypothesis import given, settings
from hypothesis import strategies as st

from fgunet.errors import GridError, ProductError
from fgunet.grid import Window
from fgunet.sentinel2.acquisition import Acquisition, Request
from fgunet.sentinel2.coverage import cloud_share
from fgunet.sentinel2.masks import REASONS, Masking
from fgunet.sentinel2.reading import AcquisitionReader, read_block
from fgunet.sentinel2.theia import read_product, recognise
from tests.sentinel2.written_acquisitions import NODATA, flags, noise, write_acquisition

WriteProduct = Callable[..., Path]
WHOLE = Window(0, 0, 12, 12)
EVERYTHING = Masking(REASONS)
REAL_BANDS = ("B02", "B03", "B04", "B8A", "B11", "B12")
SIDE = 32
"""Side of the acquisitions that dilation is tried on, in 10 m pixels."""


def described(path: Path, *bands: str) -> Acquisition:
    return read_product(path, Request(bands or ("B02", "B11"), REASONS))


def windows(side: int) -> st.SearchStrategy[Window]:
    spans = st.tuples(st.integers(0, side - 1), st.integers(0, side - 1)).map(sorted)
    return st.builds(
        lambda rows, cols: Window(rows[0], cols[0], rows[1] - rows[0] + 1, cols[1] - cols[0] + 1),
        spans,
        spans,
    )


def cloudy(folder: Path) -> Acquisition:
    """Noise in bands of both sizes, and masks of both sizes with something at edges and inside."""
    bands = {"B02": noise(SIDE), "B11": noise(SIDE // 2, 1)}
    masks = {
        "CLM": flags(SIDE, (0, 13), (17, 9), (31, 30), number=2),
        "SCL": flags(SIDE // 2, (3, 3), (12, 0), number=9),
        "EDG": flags(SIDE, (5, 30), (20, 21)),
    }
    masks["SCL"][masks["SCL"] == 0] = 4
    return write_acquisition(folder, bands, masks)


# Reflectance


def test_reflectance_is_clipped_and_nodata_is_not_valid(write_product: WriteProduct) -> None:
    fine = np.full((12, 12), 500, np.int16)
    fine[0, :3] = NODATA, -30, 0
    found = described(write_product(bands={"B02": fine}))
    block, valid = read_block(found, ("B02",), EVERYTHING, WHOLE)
    assert block.dtype == np.uint16
    assert block[0, 0, :4].tolist() == [0, 0, 0, 500]
    assert valid[0, :4].tolist() == [False, True, True, True]
    assert valid.sum() == 143


def test_bands_come_in_the_order_asked(write_product: WriteProduct) -> None:
    coarse = np.full((6, 6), 7, np.int16)
    found = described(write_product(bands={"B11": coarse}))
    block, _ = read_block(found, ("B11", "B02"), EVERYTHING, WHOLE)
    assert block[:, 5, 5].tolist() == [7, 1000]


def test_scale_and_offset_give_reflectance_by_ten_thousand(write_product: WriteProduct) -> None:
    """An offset of -1000 stored steps, as products of another origin carry it."""
    found = described(write_product(value=2345))
    block, _ = read_block(replace(found, offset=-0.1), ("B02", "B11"), EVERYTHING, WHOLE)
    assert np.unique(block).tolist() == [1345]
    block, _ = read_block(replace(found, scale=2e-4), ("B02", "B11"), EVERYTHING, WHOLE)
    assert np.unique(block).tolist() == [4690]


def test_nodata_stands_for_itself_before_scale_and_offset(tmp_path: Path) -> None:
    """Stored 0 is nodata; a stored number that comes to 0 by the offset is data."""
    stored = np.array([[0, 1000], [1001, 900]], np.uint16)
    found = replace(write_acquisition(tmp_path, {"B02": stored}, nodata=0), offset=-0.1)
    block, valid = read_block(found, ("B02",), EVERYTHING, Window(0, 0, 2, 2))
    assert valid.tolist() == [[False, True], [True, True]]
    assert block[0].tolist() == [[0, 0], [1, 0]]


def test_numbers_above_the_range_of_a_series_are_clipped(tmp_path: Path) -> None:
    stored = np.array([[65535, 65534]], np.uint16).repeat(2, axis=0)
    found = write_acquisition(tmp_path, {"B02": stored})
    block, valid = read_block(found, ("B02",), EVERYTHING, Window(0, 0, 2, 2))
    assert np.unique(block).tolist() == [65534]
    assert valid.all()


# Valid pixels


def test_a_pixel_is_valid_where_all_bands_have_data(tmp_path: Path) -> None:
    fine, coarse = np.full((4, 4), 5, np.int16), np.full((2, 2), 5, np.int16)
    fine[0, 0] = coarse[1, 1] = NODATA
    found = write_acquisition(tmp_path, {"B02": fine, "B11": coarse})
    for bands, missing in (
        (("B02", "B11"), 5),
        (("B11", "B02"), 5),
        (("B02",), 1),
        (("B11",), 4),
    ):
        _, valid = read_block(found, bands, EVERYTHING, Window(0, 0, 4, 4))
        assert (~valid).sum() == missing, bands


def test_nodata_may_be_switched_off(tmp_path: Path) -> None:
    fine, coarse = np.full((4, 4), 5, np.int16), np.full((2, 2), 9, np.int16)
    fine[0, 0] = coarse[1, 1] = NODATA
    found = write_acquisition(tmp_path, {"B02": fine, "B11": coarse})
    others = tuple(reason for reason in REASONS if reason != "nodata")
    block, valid = read_block(found, ("B02", "B11"), Masking(others), Window(0, 0, 4, 4))
    assert valid.all()
    assert (block[0, 0, 0], block[1, 3, 3], block[1, 0, 0]) == (0, 0, 9)


def test_masks_of_both_resolutions_rule_pixels_out(write_product: WriteProduct) -> None:
    masks = {"CLM_R2": flags(6, (5, 5), number=16), "EDG_R1": flags(12, (0, 0))}
    found = described(write_product(masks=masks))
    _, valid = read_block(found, ("B02",), EVERYTHING, WHOLE)
    expected = np.ones((12, 12), bool)
    expected[0, 0] = False
    expected[10:, 10:] = False
    np.testing.assert_array_equal(valid, expected)


RULED_OUT = [
    # Kind of mask, its number, the reason it gives (None: the pixel is fine).
    ("CLM", 1, "cloud"),
    ("CLM", 2, "cloud"),
    ("CLM", 32, "shadow"),
    ("CLM", 64, "shadow"),
    ("EDG", 1, "edge"),
    ("SAT_R1", 1, "saturation"),
    ("SAT_R1", 2, None),
    ("SAT_R2", 16, "saturation"),
    ("SAT_R2", 1, None),
    ("SCL", 0, "nodata"),
    ("SCL", 1, "saturation"),
    ("SCL", 2, "dark"),
    ("SCL", 3, "shadow"),
    ("SCL", 5, None),
    ("SCL", 6, None),
    ("SCL", 7, None),
    ("SCL", 8, "cloud"),
    ("SCL", 9, "cloud"),
    ("SCL", 10, "cloud"),
    ("SCL", 11, "snow"),
]


@pytest.mark.parametrize("reasons", [*[(one,) for one in REASONS], (), REASONS])
def test_each_reason_is_switched_by_itself(tmp_path: Path, reasons: tuple[str, ...]) -> None:
    """Coarse pixel k of the diagonal has the number of row k above, in the one mask it names."""
    count = len(RULED_OUT)
    coarse = {kind: np.zeros((count, count), np.uint8) for kind, _, _ in RULED_OUT}
    coarse["SCL"][:] = 4
    for k, (kind, number, _) in enumerate(RULED_OUT):
        coarse[kind][k, k] = number
    masks = {
        kind: mask if kind in ("SCL", "SAT_R2") else mask.repeat(2, 0).repeat(2, 1)
        for kind, mask in coarse.items()
    }
    bands = {
        "B02": np.full((2 * count, 2 * count), 5, np.int16),
        "B11": np.full((count, count), 5, np.int16),
    }
    found = write_acquisition(tmp_path, bands, masks)
    whole = Window(0, 0, 2 * count, 2 * count)
    _, valid = read_block(found, ("B02", "B11"), Masking(reasons), whole)
    out = {k for k, (_, _, reason) in enumerate(RULED_OUT) if reason in reasons}
    expected = np.ones((count, count), bool)
    expected[list(out), list(out)] = False
    np.testing.assert_array_equal(valid, expected.repeat(2, 0).repeat(2, 1))


@pytest.mark.parametrize("dilation_m", [0, 20])
def test_zero_everywhere_may_rule_all_out(tmp_path: Path, dilation_m: float) -> None:
    """Most masks say with 0 that all is well; the scene classification that there is nothing."""
    bands = {"B02": np.full((4, 4), 5, np.int16)}
    found = write_acquisition(tmp_path, bands, {"SCL": flags(2), "CLM": flags(4)})
    for reasons, usable in ((REASONS, False), (("cloud", "shadow"), True)):
        _, valid = read_block(found, ("B02",), Masking(reasons, dilation_m), Window(0, 0, 4, 4))
        assert valid.tolist() == [[usable] * 4] * 4


def test_a_20_m_pixel_that_a_mask_touches_is_not_mixed_in(write_product: WriteProduct) -> None:
    coarse = np.full((6, 6), 100, np.int16)
    coarse[0, 1] = 9000
    path = write_product(bands={"B11": coarse}, masks={"CLM_R1": flags(12, (0, 2))})
    block, valid = read_block(described(path), ("B11",), EVERYTHING, WHOLE)
    assert (block[0][valid] == 100).all()
    assert not valid[:2, 2:4].any()
    assert valid.sum() == 140
    # A 10 m band is not concerned by the other three pixels.
    assert read_block(described(path), ("B02",), EVERYTHING, WHOLE)[1].sum() == 143


@pytest.mark.parametrize("dilation_m", [0, 30])
@pytest.mark.parametrize(("band", "factor"), [("B02", 1), ("B11", 2)])
def test_what_stands_under_masks_does_not_matter(
    tmp_path: Path, band: str, factor: int, dilation_m: float
) -> None:
    found = cloudy(tmp_path)
    masking, whole = Masking(REASONS, dilation_m), Window(0, 0, SIDE, SIDE)
    block, valid = read_block(found, (band,), masking, whole)
    usable = valid[::factor, ::factor]
    with rasterio.open(found.bands[band], "r+") as dataset:
        stored = dataset.read(1)
        hidden = ~usable & (stored != NODATA)
        assert hidden.sum() >= 5
        stored[hidden] = np.random.default_rng(9).integers(-9999, 30000, hidden.sum())
        dataset.write(stored, 1)
    again, valid_again = read_block(found, (band,), masking, whole)
    np.testing.assert_array_equal(valid_again, valid)
    np.testing.assert_array_equal(again, block)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=15)
def test_nothing_unusable_is_mixed_into_a_20_m_band(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    """All usable 20 m pixels have one number, the others any: only that number may come out."""
    random = np.random.default_rng(seed)
    coarse = random.integers(-32000, 32000, (8, 8)).astype(np.int16)
    good = random.random((8, 8)) < 0.6
    coarse[good] = 777
    cloud = np.zeros((16, 16), np.uint8)
    for row, col in np.argwhere(~good & (random.random((8, 8)) < 0.7)):
        cloud[2 * row + random.integers(2), 2 * col + random.integers(2)] = 2
    touched = cloud.reshape(8, 2, 8, 2).any(axis=(1, 3))
    coarse[~good & ~touched] = NODATA
    found = write_acquisition(tmp_path_factory.mktemp("mixed"), {"B11": coarse}, {"CLM": cloud})
    block, valid = read_block(found, ("B11",), EVERYTHING, Window(0, 0, 16, 16))
    np.testing.assert_array_equal(valid, good.repeat(2, 0).repeat(2, 1))
    assert set(block[0][valid].tolist()) <= {777}
    assert set(block[0][~valid].tolist()) <= {0}


# Dilation


def near(flagged: np.ndarray, radius: float) -> np.ndarray:
    """Pixels within a radius of a flagged one, straight from the definition."""
    rows, cols = np.indices(flagged.shape)
    found = np.zeros(flagged.shape, bool)
    for row, col in np.argwhere(flagged):
        found |= (rows - row) ** 2 + (cols - col) ** 2 <= radius**2
    return found


@pytest.mark.parametrize("dilation_m", [0, 10, 20, 55, 100])
def test_clouds_and_shadows_are_dilated_and_nothing_else(tmp_path: Path, dilation_m: float) -> None:
    """By metres between the centres of the mask's own pixels, whatever their size."""
    bands = {"B02": np.full((SIDE, SIDE), 5, np.int16)}
    clouds = flags(SIDE, (2, 29), number=2) + flags(SIDE, (30, 4), number=32)
    classes = flags(SIDE // 2, (9, 8), number=3) + flags(SIDE // 2, (0, 0), number=11)
    masks = {"CLM": clouds, "SCL": np.where(classes == 0, 4, classes).astype(np.uint8),
             "EDG": flags(SIDE, (15, 30))}  # fmt: skip
    found = write_acquisition(tmp_path, bands, masks)
    masking = Masking(REASONS, dilation_m)
    _, valid = read_block(found, ("B02",), masking, Window(0, 0, SIDE, SIDE))
    coarse = near(classes == 3, dilation_m / 20) | (classes == 11)
    expected = near(clouds > 0, dilation_m / 10) | (masks["EDG"] > 0)
    np.testing.assert_array_equal(~valid, expected | coarse.repeat(2, 0).repeat(2, 1))


def test_only_reasons_that_count_are_dilated(tmp_path: Path) -> None:
    masks = {"CLM": flags(12, (2, 2), number=2) + flags(12, (9, 9), number=32)}
    found = write_acquisition(tmp_path, {"B02": np.full((12, 12), 5, np.int16)}, masks)
    _, valid = read_block(found, ("B02",), Masking(("shadow",), 10), WHOLE)
    assert sorted(zip(*(axis.tolist() for axis in np.nonzero(~valid)), strict=True)) == [
        (8, 9), (9, 8), (9, 9), (9, 10), (10, 9),
    ]  # fmt: skip


# Windows


@pytest.mark.parametrize("dilation_m", [0, 20, 55, 100])
def test_a_pixel_does_not_depend_on_the_window(tmp_path: Path, dilation_m: float) -> None:
    found = cloudy(tmp_path)
    bands, masking = tuple(found.bands), Masking(REASONS, dilation_m)
    block, valid = read_block(found, bands, masking, Window(0, 0, SIDE, SIDE))
    assert 0 < valid.sum() < valid.size

    @settings(max_examples=40, derandomize=True)
    @given(window=windows(SIDE))
    def check(window: Window) -> None:
        part, usable = read_block(found, bands, masking, window)
        np.testing.assert_array_equal(usable, valid[window.slices])
        np.testing.assert_array_equal(part, block[(slice(None), *window.slices)])

    check()


@pytest.mark.parametrize("dilation_m", [0, 55])
def test_parts_of_a_loaded_block_equal_the_whole(tmp_path: Path, dilation_m: float) -> None:
    found = cloudy(tmp_path)
    bands, masking = tuple(found.bands), Masking(REASONS, dilation_m)
    block, valid = read_block(found, bands, masking, Window(0, 0, SIDE, SIDE))
    outer = Window(3, 1, 24, 27)
    with AcquisitionReader(found, bands, masking) as reader:
        loaded = reader.load(outer)

    @settings(max_examples=100, derandomize=True)
    @given(inner=windows(24))
    def check(inner: Window) -> None:
        window = Window(inner.row + outer.row, inner.col + outer.col, *inner.shape)
        part = np.full((2, *window.shape), 4321, np.uint16)
        usable = loaded.resolve(window, part)
        np.testing.assert_array_equal(usable, valid[window.slices])
        np.testing.assert_array_equal(part * usable, block[(slice(None), *window.slices)])

    check()


@pytest.mark.parametrize("window", [Window(1, 2, 4, 4), Window(2, 1, 4, 4), Window(2, 2, 7, 4),
                                    Window(2, 2, 4, 7), Window(8, 2, 1, 1)])  # fmt: skip
def test_parts_that_leave_a_loaded_block_are_refused(
    write_product: WriteProduct, window: Window
) -> None:
    with AcquisitionReader(described(write_product()), ("B02",), EVERYTHING) as reader:
        loaded = reader.load(Window(2, 2, 6, 6))
    with pytest.raises(GridError, match=r"leaves Window\(row=2, .*which was loaded"):
        loaded.resolve(window, np.empty((1, *window.shape), np.uint16))


def test_one_reader_loads_block_after_block(tmp_path: Path) -> None:
    """The memory of a block is used for the next, of the same size or of another."""
    found = cloudy(tmp_path)
    bands, masking = tuple(found.bands), Masking(REASONS, 20)
    block, valid = read_block(found, bands, masking, Window(0, 0, SIDE, SIDE))
    places = [(0, 0, 12, 12), (16, 4, 12, 12), (20, 20, 12, 12), (3, 3, 8, 13), (16, 4, 12, 12)]
    with AcquisitionReader(found, bands, masking) as reader:
        for window in (Window(*place) for place in places):
            part = np.empty((2, *window.shape), np.uint16)
            usable = reader.load(window).resolve(window, part)
            np.testing.assert_array_equal(usable, valid[window.slices])
            np.testing.assert_array_equal(part * usable, block[(slice(None), *window.slices)])


@pytest.mark.parametrize("dtype", [np.float32, np.int32, np.uint32])
@pytest.mark.parametrize(("band", "size"), [("B02", 4), ("B11", 2)])
def test_a_band_of_another_type_is_refused(
    tmp_path: Path, band: str, size: int, dtype: type[np.generic]
) -> None:
    found = write_acquisition(tmp_path, {band: np.ones((size, size), dtype)})
    with pytest.raises(ProductError, match=rf"{band}\.tif holds numbers of type {dtype.__name__}"):
        read_block(found, (band,), EVERYTHING, Window(0, 0, 4, 4))


def test_a_band_of_bytes_is_read(tmp_path: Path) -> None:
    stored = np.array([[0, 1], [200, 255]], np.uint8)
    found = write_acquisition(tmp_path, {"B02": stored}, nodata=0)
    block, valid = read_block(found, ("B02",), EVERYTHING, Window(0, 0, 2, 2))
    np.testing.assert_array_equal(block[0], stored)
    np.testing.assert_array_equal(valid, stored > 0)


def test_a_resolved_part_does_not_change_the_next(tmp_path: Path) -> None:
    """Nodata of a band lies on top of the masks for that call alone."""
    found = write_acquisition(tmp_path, {"B02": noise(12, missing=0.5)})
    with AcquisitionReader(found, ("B02",), EVERYTHING) as reader:
        loaded = reader.load(WHOLE)
    out = np.empty((1, 12, 12), np.uint16)
    first = loaded.resolve(WHOLE, out)
    first[:] = False
    assert 40 < loaded.resolve(WHOLE, out).sum() < 110


def test_windows_and_bands_out_of_reach_are_refused(write_product: WriteProduct) -> None:
    found = described(write_product())
    for window in (Window(0, 1, 12, 12), Window(-1, 0, 2, 2), Window(12, 0, 1, 1)):
        with pytest.raises(GridError, match=r"leaves the grid of SENTINEL2A.* 12 x 12"):
            read_block(found, ("B02",), EVERYTHING, window)
    with pytest.raises(ProductError, match="listed without B08, with B02, B11"):
        read_block(found, ("B08",), EVERYTHING, WHOLE)


def test_a_grid_of_odd_size_is_read_to_its_edge(tmp_path: Path) -> None:
    stored = noise(13)
    found = write_acquisition(tmp_path, {"B02": stored}, {"CLM": flags(13, (12, 12), number=2)})
    block, valid = read_block(found, ("B02",), Masking(REASONS, 10), Window(0, 0, 13, 13))
    expected = stored != NODATA
    expected[12, 12] = expected[11, 12] = expected[12, 11] = False
    np.testing.assert_array_equal(valid, expected)
    np.testing.assert_array_equal(block[0][valid], stored[expected].clip(0))
    part, usable = read_block(found, ("B02",), Masking(REASONS, 10), Window(11, 10, 2, 3))
    np.testing.assert_array_equal(usable, valid[11:, 10:])
    np.testing.assert_array_equal(part, block[:, 11:, 10:])


# Files


def open_files(folder: Path) -> int:
    links = list(Path("/proc/self/fd").iterdir())
    return sum(str(folder) in str(link.readlink()) for link in links if link.is_symlink())


@pytest.mark.parametrize("stay_open", [True, False])
def test_files_stay_open_only_where_they_may(tmp_path: Path, stay_open: bool) -> None:
    found = cloudy(tmp_path)
    bands, window = tuple(found.bands), Window(4, 3, 9, 11)
    expected, usable = read_block(found, bands, EVERYTHING, window)
    reader = AcquisitionReader(found, bands, EVERYTHING, stay_open=stay_open)
    for _ in range(2):
        block = np.empty((2, *window.shape), np.uint16)
        valid = reader.load(window).resolve(window, block)
        np.testing.assert_array_equal(valid, usable)
        np.testing.assert_array_equal(block * valid, expected)
        assert open_files(tmp_path) == (5 if stay_open else 0)
    reader.close()
    assert open_files(tmp_path) == 0


def test_files_that_vanish_or_change_are_named(write_product: WriteProduct) -> None:
    found = described(write_product())
    shape = replace(found, grid=replace(found.grid, height=14))
    with pytest.raises(ProductError, match=r"B2\.tif has 12 x 12 pixels; expected 14 x 12"):
        read_block(replace(shape, masks={}), ("B02",), EVERYTHING, WHOLE)
    with pytest.raises(ProductError, match=r"CLM_R1\.tif has 12 x 12 pixels; expected 14 x 12"):
        read_block(shape, (), EVERYTHING, WHOLE)
    Path(found.bands["B02"]).unlink()
    with pytest.raises(ProductError, match=r"SENTINEL2A.*B2\.tif cannot be read .*download"):
        read_block(found, ("B02",), EVERYTHING, WHOLE)


def test_bands_under_clouds_are_not_read(write_product: WriteProduct) -> None:
    cloud = np.ones((12, 12), np.uint8)
    cloud[9:, 9:] = 0
    found = described(write_product(masks={"CLM_R1": cloud}))
    Path(found.bands["B02"]).unlink()
    block, valid = read_block(found, ("B02",), EVERYTHING, Window(0, 0, 8, 12))
    assert not valid.any()
    assert not block.any()
    with pytest.raises(ProductError, match="cannot be read"):
        read_block(found, ("B02",), EVERYTHING, Window(0, 0, 12, 12))


@pytest.mark.parametrize("value", [256, 1000, -1])
def test_a_mask_with_other_numbers_than_0_to_255_is_refused(tmp_path: Path, value: int) -> None:
    """Cut down to a byte, 256 would be no cloud at all."""
    mask = np.zeros((12, 12), np.int16)
    mask[7, 7] = value
    found = write_acquisition(tmp_path, {"B02": np.full((12, 12), 5, np.int16)}, {"CLM": mask})
    with pytest.raises(ProductError, match=r"CLM\.tif holds numbers from .* mask CLM has 0 to 255"):
        read_block(found, ("B02",), EVERYTHING, WHOLE)


@pytest.mark.parametrize("value", [2.0, 2.5, np.nan])
def test_a_mask_of_numbers_that_are_not_whole_is_refused(tmp_path: Path, value: float) -> None:
    mask = np.full((12, 12), value, np.float32)
    found = write_acquisition(tmp_path, {"B02": np.full((12, 12), 5, np.int16)}, {"CLM": mask})
    with pytest.raises(ProductError, match=r"CLM\.tif holds numbers of type float32; a mask has"):
        read_block(found, ("B02",), EVERYTHING, WHOLE)


def test_a_class_that_sen2cor_does_not_have_is_refused(tmp_path: Path) -> None:
    """It would pass for ground. Of Theia's bits any byte has a meaning."""
    bands = {"B02": np.full((12, 12), 5, np.int16)}
    for number in (12, 77, 255):
        mask = {"SCL": flags(6, (3, 3), number=number)}
        found = write_acquisition(tmp_path / str(number), bands, mask)
        with pytest.raises(
            ProductError, match=rf"SCL\.tif holds numbers from 0 to {number}; .* SCL has 0 to 11"
        ):
            read_block(found, ("B02",), EVERYTHING, WHOLE)
        with pytest.raises(ProductError, match="SCL has 0 to 11"):
            cloud_share(found, ("cloud",))
    for kind, number in (("SCL", 11), ("CLM", 255), ("EDG", 255), ("SAT_R1", 255)):
        mask = np.full((12, 12), 4 if kind == "SCL" else 0, np.uint8)
        mask[7, 7] = number
        found = write_acquisition(tmp_path / kind, bands, {kind: mask})
        _, valid = read_block(found, ("B02",), EVERYTHING, WHOLE)
        assert np.argwhere(~valid).tolist() == [[7, 7]]


def test_a_mask_of_a_wider_dtype_is_read(tmp_path: Path) -> None:
    mask = flags(12, (7, 7), number=129).astype(np.uint16)
    found = write_acquisition(tmp_path, {"B02": np.full((12, 12), 5, np.int16)}, {"CLM": mask})
    _, valid = read_block(found, ("B02",), EVERYTHING, WHOLE)
    assert np.argwhere(~valid).tolist() == [[7, 7]]


@pytest.mark.parametrize("kind", ["B02", "CLM"])
def test_a_damaged_block_is_named_when_it_is_read(tmp_path: Path, kind: str) -> None:
    """The file opens, its first and last blocks are whole, one in the middle is not."""
    random = np.random.default_rng(0)
    bands = {"B02": random.integers(0, 9000, (512, 512)).astype(np.int16)}
    masks = {"CLM": random.integers(0, 2, (512, 512)).astype(np.uint8)}
    found = write_acquisition(tmp_path, bands, masks)
    path = Path({**found.bands, **found.masks}[kind])
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 2000] = b"\xff" * 2000
    path.write_bytes(content)
    for row in (0, 400):
        read_block(found, ("B02",), EVERYTHING, Window(row, 0, 100, 512))
    with pytest.raises(ProductError, match=rf"{kind}\.tif cannot be read \(.*\); download"):
        read_block(found, ("B02",), EVERYTHING, Window(0, 0, 512, 512))


# Real products


def real_acquisitions(shared_data: Path) -> list[Acquisition]:
    request = Request(REAL_BANDS, ("cloud", "shadow", "nodata"))
    paths = sorted((shared_data / "theia_T31UFQ" / "products").iterdir())
    return [one.describe(request) for path in paths for one in recognise(path) or []]


def test_gdal_agrees_on_real_clear_products(shared_data: Path) -> None:
    compared = 0
    for found in real_acquisitions(shared_data):
        block, valid = read_block(found, REAL_BANDS, EVERYTHING, Window(0, 0, 80, 80))
        if not valid.all():
            continue
        compared += 1
        for values, band in zip(block, REAL_BANDS, strict=True):
            expected = np.empty((80, 80), np.float32)
            with rasterio.open(found.bands[band]) as dataset:
                rasterio.warp.reproject(
                    dataset.read(1).astype(np.float32),
                    expected,
                    src_transform=dataset.transform,
                    src_crs=dataset.crs,
                    dst_transform=found.grid.affine,
                    dst_crs=dataset.crs,
                    resampling=rasterio.warp.Resampling.bilinear,
                )
            np.testing.assert_allclose(values, expected.clip(0), atol=1)
    assert compared >= 8


def test_values_of_a_real_product_lie_at_their_place(shared_data: Path) -> None:
    """As `rio` shows them: 10 m bands at (0, 0) and (39, 39), a 20 m band in its own corners."""
    name = "SENTINEL2A_20160508-104027-456_L2A_T31UFQ_D_V1-1"
    path = shared_data / "theia_T31UFQ" / "products" / name
    found = read_product(path, Request(REAL_BANDS, ("cloud", "shadow", "nodata")))
    block, valid = read_block(found, REAL_BANDS, EVERYTHING, Window(0, 0, 80, 80))
    assert valid.all()
    assert block[:3, 0, 0].tolist() == [269, 600, 474]
    assert block[:3, 39, 39].tolist() == [83, 145, 78]
    assert block[:3, 10, 20].tolist() == [263, 547, 516]
    assert block[3:, 0, 0].tolist() == [3364, 2486, 1307]
    assert block[3:, 79, 79].tolist() == [1744, 752, 329]


def test_clouds_of_a_real_product_lie_at_their_place(shared_data: Path) -> None:
    """`products.csv` tells that 44.1 % of the pixels are flagged; all of them as clouds here."""
    name = "SENTINEL2A_20151230-105153-392_L2A_T31UFQ_D_V1-1"
    path = shared_data / "theia_T31UFQ" / "products" / name
    found = read_product(path, Request(REAL_BANDS, ("cloud", "shadow", "nodata")))
    _, valid = read_block(found, REAL_BANDS, EVERYTHING, Window(0, 0, 80, 80))
    assert (~valid).mean() == pytest.approx(0.441, abs=5e-4)
    assert valid[:2, :2].all()
    assert not valid[78:, 78:].any()
