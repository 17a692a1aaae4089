import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
import rasterio.warp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fgunet.errors import GridError, ProductError
from fgunet.grid import Window
from fgunet.sentinel2.acquisition import Acquisition
from fgunet.sentinel2.families import find_acquisitions
from fgunet.sentinel2.masks import MASK_RULES
from fgunet.sentinel2.reading import holds_data, read_block
from fgunet.sentinel2.theia import read_product

WriteProduct = Callable[..., Path]
WHOLE = Window(0, 0, 12, 12)
REAL_BANDS = ("B02", "B03", "B04", "B8A", "B11", "B12")


def described(path: Path, *bands: str) -> Acquisition:
    return read_product(path, reflectance="FRE", bands=bands or ("B02", "B11"))


def noisy(seed: int = 0) -> dict[str, np.ndarray]:
    """Bands with random values and some nodata."""
    random = np.random.default_rng(seed)
    bands = {
        "B02": random.integers(-200, 9000, (12, 12)).astype(np.int16),
        "B11": random.integers(-200, 9000, (6, 6)).astype(np.int16),
    }
    for values in bands.values():
        values[random.random(values.shape) < 0.2] = -10000
    return bands


def test_reflectance_is_clipped_and_nodata_is_not_valid(write_product: WriteProduct):
    fine = np.full((12, 12), 500, np.int16)
    fine[0, :3] = -10000, -30, 0
    block, valid = read_block(described(write_product(bands={"B02": fine})), ("B02",), WHOLE)
    assert block.dtype == np.uint16
    assert block[0, 0, :4].tolist() == [0, 0, 0, 500]
    assert valid[0, :4].tolist() == [False, True, True, True]
    assert valid.sum() == 143


def test_bands_come_in_the_order_asked(write_product: WriteProduct):
    coarse = np.full((6, 6), 7, np.int16)
    found = described(write_product(bands={"B11": coarse}))
    block, _ = read_block(found, ("B11", "B02"), WHOLE)
    assert block[:, 5, 5].tolist() == [7, 1000]


def test_scale_and_offset_give_reflectance_by_ten_thousand(write_product: WriteProduct):
    """An offset of -1000 stored steps, as products of another origin carry it."""
    found = described(write_product(value=2345))
    block, _ = read_block(replace(found, offset=-0.1), ("B02", "B11"), WHOLE)
    assert np.unique(block).tolist() == [1345]
    block, _ = read_block(replace(found, scale=2e-4), ("B02",), WHOLE)
    assert np.unique(block).tolist() == [4690]


def test_masks_of_both_resolutions_rule_pixels_out(write_product: WriteProduct):
    edge, coarse = np.zeros((12, 12), np.uint8), np.zeros((6, 6), np.uint8)
    edge[0, 0] = 1
    coarse[5, 5] = 16
    path = write_product(masks={"CLM_R2": coarse, "EDG_R1": edge})
    _, valid = read_block(described(path), ("B02",), WHOLE)
    expected = np.ones((12, 12), bool)
    expected[0, 0] = False
    expected[10:, 10:] = False
    np.testing.assert_array_equal(valid, expected)


def test_a_20_m_pixel_that_a_mask_touches_is_not_mixed_in(write_product: WriteProduct):
    cloud, coarse = np.zeros((12, 12), np.uint8), np.full((6, 6), 100, np.int16)
    cloud[0, 2] = 1
    coarse[0, 1] = 9000
    path = write_product(bands={"B11": coarse}, masks={"CLM_R1": cloud})
    block, valid = read_block(described(path), ("B11",), WHOLE)
    assert (block[0][valid] == 100).all()
    assert not valid[:2, 2:4].any()
    assert valid.sum() == 140
    # A 10 m band is not concerned by the other three pixels.
    assert read_block(described(path), ("B02",), WHOLE)[1].sum() == 143


def test_saturation_counts_for_the_bands_asked_for():
    fine, coarse = np.array([0, 1, 2, 8], np.uint8), np.array([0, 1, 8, 32], np.uint8)
    assert MASK_RULES["SAT_R1"](fine, ("B03", "B11")).tolist() == [False, False, True, False]
    assert MASK_RULES["SAT_R2"](coarse, ("B03", "B12")).tolist() == [False, False, False, True]
    assert MASK_RULES["SAT_R2"](coarse, ("B05", "B8A")).tolist() == [False, True, True, False]


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_a_pixel_does_not_depend_on_the_window(write_product, data):
    cloud = np.zeros((12, 12), np.uint8)
    cloud[3, 4:9] = 1
    found = described(write_product(bands=noisy(), masks={"CLM_R1": cloud}))
    block, valid = read_block(found, ("B02", "B11"), WHOLE)
    row, col = data.draw(st.integers(0, 11)), data.draw(st.integers(0, 11))
    height, width = data.draw(st.integers(1, 12 - row)), data.draw(st.integers(1, 12 - col))
    window = Window(row, col, height, width)
    rows, cols = window.slices
    part, usable = read_block(found, ("B02", "B11"), window)
    np.testing.assert_array_equal(part, block[:, rows, cols])
    np.testing.assert_array_equal(usable, valid[rows, cols])


def test_windows_and_bands_out_of_reach_are_refused(write_product: WriteProduct):
    found = described(write_product())
    for window in (Window(0, 1, 12, 12), Window(-1, 0, 2, 2)):
        with pytest.raises(GridError, match=r"leaves the grid of SENTINEL2A.* 12 x 12"):
            read_block(found, ("B02",), window)
    with pytest.raises(ProductError, match="listed without B08, with B02, B11"):
        read_block(found, ("B08",), WHOLE)


def test_files_that_vanish_or_change_are_named(write_product: WriteProduct):
    found = described(write_product())
    shape = replace(found, grid=replace(found.grid, height=14))
    with pytest.raises(ProductError, match="has 12 x 12 pixels; expected 14 x 12"):
        read_block(shape, ("B02",), WHOLE)
    Path(found.bands["B02"]).unlink()
    with pytest.raises(ProductError, match=r"B2\.tif of product SENTINEL2A.* cannot be read"):
        read_block(found, ("B02",), WHOLE)


def real_acquisitions(shared_data: Path) -> tuple[Path, list[Acquisition]]:
    folder = shared_data / "theia_T31UFQ"
    found = find_acquisitions(
        folder, family="theia", tile="T31UFQ", reflectance="FRE", bands=REAL_BANDS
    )
    return folder, found


def test_real_products_without_data_are_those_known(shared_data: Path):
    folder, found = real_acquisitions(shared_data)
    with (folder / "products.csv").open() as file:
        empty = {row["product"] for row in csv.DictReader(file) if float(row["nodata_frac"]) == 1}
    assert len(found) == 55
    assert {a.product for a in found if not holds_data(a)} == empty


def test_gdal_agrees_on_real_clear_products(shared_data: Path):
    compared = 0
    for found in real_acquisitions(shared_data)[1]:
        block, valid = read_block(found, REAL_BANDS, Window(0, 0, 80, 80))
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
