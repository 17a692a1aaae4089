from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fgunet.errors import MissingAcquisitionError, ProductError
from fgunet.grid import Grid
from fgunet.rasters import write_raster
from fgunet.sentinel2.acquisition import Acquisition
from fgunet.sentinel2.families import FAMILIES, count_missing_masks, find_acquisitions
from fgunet.sentinel2.theia import find_products, list_products, read_product

WriteProduct = Callable[..., Path]
OTHER_TILE = "SENTINEL2A_20180105-105432-457_L2A_T31TDJ_C_V2-2"
GRID = Grid("EPSG:32631", (10.0, 0.0, 600000.0, 0.0, -10.0, 5e6), 12, 12)


def test_products_are_found_at_any_depth_by_tile(tmp_path: Path, write_product: WriteProduct):
    deep = write_product(folder="products/2018/january")
    write_product(OTHER_TILE)
    (tmp_path / "products" / f"{deep.name}.zip").touch()
    assert find_products(tmp_path / "products", "T31TCJ") == [deep]
    by_tile = list_products(tmp_path / "products")
    assert {tile: len(paths) for tile, paths in by_tile.items()} == {"T31TCJ": 1, "T31TDJ": 1}
    assert list_products(tmp_path / "nowhere") == {}


def test_linked_folders_are_searched_and_loops_end(tmp_path: Path, write_product: WriteProduct):
    write_product(folder="archive/a")
    (tmp_path / "products").mkdir()
    (tmp_path / "products" / "linked").symlink_to(tmp_path / "archive")
    (tmp_path / "archive" / "loop").symlink_to(tmp_path / "archive")
    assert len(find_products(tmp_path / "products", "T31TCJ")) == 1


def test_a_missing_folder_or_tile_is_named(tmp_path: Path, write_product: WriteProduct):
    with pytest.raises(MissingAcquisitionError, match=r"no folder .*nowhere"):
        find_products(tmp_path / "nowhere", "T31TCJ")
    write_product()
    with pytest.raises(MissingAcquisitionError, match=r"products holds no .* T32ULU"):
        find_products(tmp_path / "products", "T32ULU")


def test_a_product_is_described(write_product: WriteProduct):
    path = write_product()
    found = read_product(path, reflectance="FRE", bands=("B11", "B02"))
    assert (found.tile, found.platform, found.date) == ("T31TCJ", "SENTINEL2A", "20180105")
    assert found.time == "2018-01-05T10:54:32.457"
    assert (found.version, found.version_key) == ("C_V2-2", (2, 2))
    assert list(found.bands) == ["B11", "B02"]
    assert found.bands["B11"].endswith("_FRE_B11.tif")
    assert list(found.masks) == ["CLM"]
    assert found.grid == GRID
    assert (found.scale, found.offset, found.nodata) == (1e-4, 0.0, -10000)
    assert Acquisition.from_dict(found.to_dict()) == found


def test_the_grid_is_refined_where_only_20_m_bands_are_asked(write_product: WriteProduct):
    assert read_product(write_product(), reflectance="FRE", bands=("B11",)).grid == GRID


def test_10_m_masks_are_preferred_and_missing_ones_counted(write_product: WriteProduct):
    fine, coarse = np.zeros((12, 12), np.uint8), np.zeros((6, 6), np.uint8)
    path = write_product(
        masks={"CLM_R1": fine, "CLM_R2": coarse, "EDG_R2": coarse, "SAT_R2": coarse}
    )
    found = read_product(path, reflectance="FRE", bands=("B02",))
    endings = {kind: Path(file).stem[-6:] for kind, file in found.masks.items()}
    assert endings == {"CLM": "CLM_R1", "EDG": "EDG_R2", "SAT_R2": "SAT_R2"}
    assert count_missing_masks([found, found]) == {"SAT_R1": 2}


def test_a_product_without_cloud_mask_is_refused(write_product: WriteProduct):
    with pytest.raises(ProductError, match="no cloud mask"):
        read_product(write_product(masks={}), reflectance="FRE", bands=("B02",))


def test_missing_bands_are_named_with_those_there(write_product: WriteProduct):
    path = write_product()
    with pytest.raises(ProductError, match=r"lacks FRE of B08, B12; it has B02, B11\. Take") as e:
        read_product(path, reflectance="FRE", bands=("B02", "B08", "B12"))
    assert str(path) in str(e.value)
    with pytest.raises(ProductError, match="lacks SRE of B02; it has none"):
        read_product(path, reflectance="SRE", bands=("B02",))


@pytest.mark.parametrize(
    ("reflectance", "bands", "message"),
    [
        ("TOA", ("B02",), "one of FRE, SRE"),
        ("FRE", ("B01",), "lists B01"),
        ("FRE", (), "lists no band"),
    ],
)
def test_bad_settings_are_refused(write_product, reflectance, bands, message):
    with pytest.raises(ProductError, match=message):
        read_product(write_product(), reflectance=reflectance, bands=bands)


def test_a_folder_of_another_name_is_refused(tmp_path: Path):
    with pytest.raises(ProductError, match="not named like"):
        read_product(tmp_path, reflectance="FRE", bands=("B02",))


@pytest.mark.parametrize(
    ("left", "cells"), [(600010.0, 6), (600000.0, 5)], ids=["shifted", "smaller"]
)
def test_a_20_m_file_off_the_10_m_grid_is_refused(write_product, left, cells):
    path = write_product()
    file = path / f"{path.name}_FRE_B11.tif"
    grid = Grid("EPSG:32631", (20.0, 0.0, left, 0.0, -20.0, 5e6), cells, cells)
    write_raster(file, np.zeros(grid.shape, np.int16), grid, None)
    with pytest.raises(ProductError, match=r"B11\.tif lies on Grid.* 10 m grid is Grid.*Download"):
        read_product(path, reflectance="FRE", bands=("B02", "B11"))


def test_a_broken_file_is_named(write_product: WriteProduct):
    path = write_product()
    (path / f"{path.name}_FRE_B2.tif").write_bytes(b"nothing")
    with pytest.raises(ProductError, match=r"FRE_B2\.tif cannot be read"):
        read_product(path, reflectance="FRE", bands=("B02",))


def test_acquisitions_come_by_time_and_unknown_families_are_refused(tmp_path, write_product):
    write_product("SENTINEL2A_20180105-105432-457_L2A_T31TCJ_C_V2-2")
    write_product("SENTINEL2B_20180104-105432-457_L2A_T31TCJ_C_V2-2")
    chosen = {"tile": "T31TCJ", "reflectance": "FRE", "bands": ("B02",)}
    found = find_acquisitions(tmp_path / "products", family="theia", **chosen)
    assert [a.date for a in found] == ["20180104", "20180105"]
    with pytest.raises(ProductError, match=r"'peps'; products\.family must be one of theia"):
        find_acquisitions(tmp_path, family="peps", **chosen)
    assert all(a.family in FAMILIES for a in found)
