"""Folders of Theia: recognising and describing them."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from fgunet.errors import MissingBandError, ProductError
from fgunet.grid import Grid
from fgunet.rasters import write_raster
from fgunet.sentinel2.acquisition import Acquisition, Request
from fgunet.sentinel2.masks import REASONS
from fgunet.sentinel2.theia import OPTIONAL_MASKS, read_product, recognise

WriteProduct = Callable[..., Path]
NAME = "SENTINEL2A_20180105-105432-457_L2A_T31TCJ_C_V2-2"
GRID = Grid("EPSG:32631", (10.0, 0.0, 600000.0, 0.0, -10.0, 5e6), 12, 12)
REQUEST = Request(("B02", "B11"), ("cloud", "shadow", "nodata"))
FINE, COARSE = np.zeros((12, 12), np.uint8), np.zeros((6, 6), np.uint8)
ALL_MASKS = {
    f"{kind}_{group}": mask
    for kind in ("CLM", "EDG", "SAT")
    for group, mask in (("R1", FINE), ("R2", COARSE))
}


def endings(files: Mapping[str, str]) -> dict[str, str]:
    return {kind: Path(file).stem.removeprefix(f"{NAME}_") for kind, file in files.items()}


# Recognising


def test_a_folder_is_recognised_by_its_name_alone(tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.mkdir()
    found = recognise(path)
    assert found is not None
    [product] = found
    assert (product.name, product.family, product.tile, product.date, product.path) == (
        NAME, "theia", "T31TCJ", "20180105", str(path),
    )  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [
        "products",
        f"{NAME}.SAFE",
        f"{NAME}.tar",
        f"{NAME}_FRE_B2.tif",
        NAME.replace("L2A", "L1C"),
        NAME.replace("SENTINEL2A", "VENUS-XS"),
        NAME.removesuffix("_V2-2"),
    ],
)
@pytest.mark.parametrize("make", [Path.mkdir, Path.touch], ids=["folder", "file"])
def test_other_names_are_nothing_of_the_family(
    tmp_path: Path, name: str, make: Callable[[Path], None]
) -> None:
    make(tmp_path / name)
    assert recognise(tmp_path / name) is None


def test_a_path_of_another_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProductError, match=r"is no folder or archive of a Theia product"):
        read_product(tmp_path, REQUEST)


def test_a_product_of_another_zone_than_its_tile_is_refused(write_product: WriteProduct) -> None:
    path = write_product(NAME.replace("T31TCJ", "T30TWT"))
    with pytest.raises(ProductError, match=r"of tile T30TWT, .* EPSG:32630; its files lie in"):
        read_product(path, REQUEST)


# Describing


def test_a_product_is_described(write_product: WriteProduct) -> None:
    path = write_product(names=("B02", "B03", "B11"))
    found = read_product(path, Request(("B11", "B02"), ("cloud",)))
    assert found == Acquisition(
        product=NAME,
        family="theia",
        tile="T31TCJ",
        time="2018-01-05T10:54:32.457",
        platform="SENTINEL2A",
        version="C_V2-2",
        baseline="",
        grid=GRID,
        bands={
            "B11": str(path / f"{NAME}_FRE_B11.tif"),
            "B02": str(path / f"{NAME}_FRE_B2.tif"),
        },
        masks={"CLM": str(path / "MASKS" / f"{NAME}_CLM_R1.tif")},
        scale=1e-4,
        offset=0.0,
        nodata=-10000,
        nodata_declared=False,
    )
    assert list(found.bands) == ["B11", "B02"]
    assert (found.date, found.version_key) == ("20180105", (2, 2))
    assert Acquisition.from_dict(found.to_dict()) == found


def test_what_was_recognised_describes_itself(write_product: WriteProduct) -> None:
    path = write_product()
    found = recognise(path)
    assert found is not None
    assert found[0].describe(REQUEST) == read_product(path, REQUEST)


def test_a_folder_that_was_unzipped_into_one_of_its_name_is_read(
    write_product: WriteProduct,
) -> None:
    path = write_product(folder=f"products/{NAME}")
    assert read_product(path.parent, REQUEST) == read_product(path, REQUEST)


def test_hidden_files_are_passed_over(write_product: WriteProduct) -> None:
    path = write_product()
    (path / f"._{NAME}_FRE_B2.tif").write_bytes(b"a Macintosh was here")
    assert endings(read_product(path, REQUEST).bands) == {"B02": "FRE_B2", "B11": "FRE_B11"}


def test_the_grid_is_refined_where_only_20_m_bands_are_asked(write_product: WriteProduct) -> None:
    assert read_product(write_product(), Request(("B11",), ())).grid == GRID


def test_a_time_that_never_was_is_refused(write_product: WriteProduct) -> None:
    path = write_product(NAME.replace("20180105", "20180231"))
    with pytest.raises(ProductError, match=r"T31TCJ_C_V2-2: 20180231-105432 in its name is no day"):
        read_product(path, REQUEST)


# Bands


def test_missing_bands_are_named_with_those_there(write_product: WriteProduct) -> None:
    path = write_product()
    with pytest.raises(
        MissingBandError, match=r"lacks FRE of B08, B12; it has B02, B11\. Take .* fewer bands"
    ) as error:
        read_product(path, Request(("B02", "B08", "B12"), ()))
    assert str(path) in str(error.value)


def test_the_reflectance_is_chosen(write_product: WriteProduct) -> None:
    path = write_product(reflectance="SRE")
    found = read_product(path, Request(("B02",), (), "SRE"))
    assert endings(found.bands) == {"B02": "SRE_B2"}
    write_product(reflectance="FRE")
    for reflectance in ("FRE", "SRE"):
        found = read_product(path, Request(("B02",), (), reflectance))
        assert endings(found.bands) == {"B02": f"{reflectance}_B2"}


@pytest.mark.parametrize(("there", "asked"), [("SRE", "FRE"), ("FRE", "SRE")])
def test_the_other_reflectance_is_named_where_it_would_do(
    write_product: WriteProduct, there: str, asked: str
) -> None:
    path = write_product(reflectance=there)
    with pytest.raises(
        MissingBandError,
        match=rf"lacks {asked} of B02; it has none\. It has {there} of all: set "
        rf"products\.reflectance to {there}",
    ):
        read_product(path, Request(("B02",), (), asked))
    with pytest.raises(MissingBandError, match=r"of B02, B12; it has none\. Take"):
        read_product(path, Request(("B02", "B12"), (), asked))


def test_a_product_without_any_band_is_broken(tmp_path: Path, write_product: WriteProduct) -> None:
    path = write_product(names=())
    with pytest.raises(
        ProductError,
        match=rf"lacks FRE of B02, B11; it has none, only MASKS/{NAME}_CLM_R1\.tif: do",
    ) as error:
        read_product(path, REQUEST)
    assert not isinstance(error.value, MissingBandError)
    empty = tmp_path / NAME
    empty.mkdir()
    with pytest.raises(ProductError, match=r"it has none, nor any other file: download"):
        read_product(empty, REQUEST)


@pytest.mark.parametrize(
    ("left", "cells"), [(600010.0, 6), (600000.0, 5)], ids=["shifted", "smaller"]
)
def test_a_20_m_file_off_the_10_m_grid_is_refused(
    write_product: WriteProduct, left: float, cells: int
) -> None:
    path = write_product()
    grid = Grid("EPSG:32631", (20.0, 0.0, left, 0.0, -20.0, 5e6), cells, cells)
    write_raster(path / f"{NAME}_FRE_B11.tif", np.zeros(grid.shape, np.int16), grid, None)
    with pytest.raises(ProductError, match=r"B11\.tif lies on Grid.* 10 m grid is Grid.*Download"):
        read_product(path, REQUEST)


@pytest.mark.parametrize("file", [f"{NAME}_FRE_B2.tif", f"MASKS/{NAME}_CLM_R1.tif"])
def test_a_broken_file_is_named(write_product: WriteProduct, file: str) -> None:
    path = write_product()
    (path / file).write_bytes(b"nothing")
    with pytest.raises(ProductError, match=rf"{file} cannot be read .*; download"):
        read_product(path, REQUEST)


# Names


@pytest.mark.parametrize(
    "other",
    [
        NAME.replace("T31TCJ", "T31TDJ"),
        NAME.replace("20180105", "20180115"),
        NAME.replace("105432", "105433"),
        NAME.replace("2A_2018", "2B_2018"),
        NAME.replace("V2-2", "V1-4"),
        "mosaic",
    ],
    ids=["tile", "day", "time", "satellite", "version", "none"],
)
def test_files_of_another_product_are_refused_with_both_names(
    write_product: WriteProduct, other: str
) -> None:
    path = write_product(inside=other)
    with pytest.raises(
        ProductError, match=rf"\.tif is of product {other} by its name, but {path} of {NAME};"
    ):
        read_product(path, REQUEST)


def test_one_file_of_another_product_is_enough(write_product: WriteProduct) -> None:
    path = write_product()
    other = NAME.replace("20180105", "20180115")
    (path / f"{NAME}_FRE_B11.tif").rename(path / f"{other}_FRE_B11.tif")
    with pytest.raises(ProductError, match=rf"{other}_FRE_B11\.tif is of product {other}"):
        read_product(path, REQUEST)


def test_a_file_that_is_there_twice_is_refused(write_product: WriteProduct) -> None:
    path = write_product()
    write_product(folder=f"products/{NAME}/again")
    with pytest.raises(ProductError, match=rf"has CLM_R1 twice, MASKS/{NAME}_CLM_R1\.tif and aga"):
        read_product(path, REQUEST)


# Masks


@pytest.mark.parametrize(
    ("reasons", "bands", "expected"),
    [
        ((), ("B02", "B11"), set()),
        (("nodata", "snow", "dark"), ("B02", "B11"), set()),
        (("cloud",), ("B02", "B11"), {"CLM"}),
        (("shadow",), ("B02", "B11"), {"CLM"}),
        (("edge",), ("B02", "B11"), {"EDG"}),
        (("saturation",), ("B02", "B11"), {"SAT_R1", "SAT_R2"}),
        (("saturation",), ("B02",), {"SAT_R1"}),
        (("saturation",), ("B11",), {"SAT_R2"}),
        (REASONS, ("B02", "B11"), {"CLM", "EDG", "SAT_R1", "SAT_R2"}),
    ],
)
def test_only_masks_that_tell_what_is_asked_are_taken(
    write_product: WriteProduct,
    reasons: tuple[str, ...],
    bands: tuple[str, ...],
    expected: set[str],
) -> None:
    path = write_product(masks=ALL_MASKS)
    assert set(read_product(path, Request(bands, reasons)).masks) == expected


def test_10_m_masks_are_preferred(write_product: WriteProduct) -> None:
    found = read_product(write_product(masks=ALL_MASKS), Request(("B02", "B11"), REASONS))
    assert endings(found.masks) == {
        "CLM": "CLM_R1", "EDG": "EDG_R1", "SAT_R1": "SAT_R1", "SAT_R2": "SAT_R2",
    }  # fmt: skip


def test_20_m_masks_do_where_there_are_no_others(write_product: WriteProduct) -> None:
    path = write_product(masks={"CLM_R2": COARSE, "EDG_R2": COARSE, "SAT_R2": COARSE})
    found = read_product(path, Request(("B02", "B11"), REASONS))
    assert endings(found.masks) == {"CLM": "CLM_R2", "EDG": "EDG_R2", "SAT_R2": "SAT_R2"}


def test_optional_masks_may_be_missing(write_product: WriteProduct) -> None:
    assert OPTIONAL_MASKS == ("EDG", "SAT_R1", "SAT_R2")
    assert set(read_product(write_product(), Request(("B02", "B11"), REASONS)).masks) == {"CLM"}


@pytest.mark.parametrize(
    ("reasons", "message"),
    [
        (("cloud",), r"so its clouds would pass for ground; .* products\.masks\.cloud off"),
        (("shadow", "edge"), r"so its shadows would .* switch products\.masks\.shadow off"),
        (("cloud", "shadow"), r"clouds and shadows .*\.masks\.cloud and products\.masks\.shadow o"),
    ],
)
def test_a_product_without_cloud_mask_is_refused(
    write_product: WriteProduct, reasons: tuple[str, ...], message: str
) -> None:
    path = write_product(masks={"EDG_R1": FINE})
    with pytest.raises(ProductError, match=rf"{NAME} has no cloud mask .*{message}"):
        read_product(path, Request(("B02",), reasons))


def test_a_product_without_cloud_mask_does_where_clouds_do_not_count(
    write_product: WriteProduct,
) -> None:
    path = write_product(masks={"EDG_R1": FINE})
    assert set(read_product(path, Request(("B02",), ("edge", "nodata"))).masks) == {"EDG"}


# Real products


def test_every_real_product_is_described(shared_data: Path) -> None:
    request = Request(("B02", "B03", "B04", "B8A", "B11", "B12"), REASONS)
    folders = sorted((shared_data / "theia_T31UFQ" / "products").iterdir())
    found = [product for folder in folders for product in recognise(folder) or []]
    described = [product.describe(request) for product in found]
    assert len(described) == 55
    assert [one.product for one in described] == [folder.name for folder in folders]
    assert [one.date for one in described] == [product.date for product in found]
    assert {one.tile for one in described} == {"T31UFQ"}
    assert {one.version for one in described} == {"C_V2-2", "D_V1-1", "D_V1-4"}
    assert {one.grid.shape for one in described} == {(80, 80)}
    assert {kind for one in described for kind in one.masks} == {"CLM"}
    assert {(one.nodata, one.nodata_declared, one.baseline) for one in described} == {
        (-10000, False, "")
    }


def test_a_real_product_without_single_bands_is_refused(shared_data: Path) -> None:
    folders = sorted((shared_data / "theia_mtd_T38KPD").glob("*/SENTINEL2A_*"))
    assert len(folders) == 4
    for folder in folders:
        with pytest.raises(ProductError, match=r"lacks FRE of B02, B11; .* only .*_FRE_STACK\.tif"):
            read_product(folder, REQUEST)
