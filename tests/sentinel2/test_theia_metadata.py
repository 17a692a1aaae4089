"""Metadata of Theia's products, and what they and the files say of nodata and scale."""

import re
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import rasterio

from fgunet.errors import ProductError
from fgunet.grid import Grid, Window
from fgunet.rasters import write_raster
from fgunet.sentinel2.acquisition import Request
from fgunet.sentinel2.bands import BANDS
from fgunet.sentinel2.masks import Masking
from fgunet.sentinel2.product_grid import read_product_grid
from fgunet.sentinel2.reading import read_block
from fgunet.sentinel2.theia import read_product
from fgunet.sentinel2.theia_metadata import TheiaMetadata, parse_metadata

WriteProduct = Callable[..., Path]
NAME = "SENTINEL2A_20180105-105432-457_L2A_T31TCJ_C_V2-2"
REQUEST = Request(("B02", "B11"), ("cloud", "nodata"))
STACK_ORDER = ("B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B11", "B12")
METADATA = f"""<?xml version="1.0" encoding="utf-8"?>
<Muscate_Metadata_Document>
  <Dataset_Identification>
    <GEOGRAPHICAL_ZONE type="Tile">T31TCJ</GEOGRAPHICAL_ZONE>
  </Dataset_Identification>
  <Product_Characteristics>
    <PRODUCT_ID>{NAME}</PRODUCT_ID>
    <ACQUISITION_DATE>2018-01-05T10:54:32.457Z</ACQUISITION_DATE>
    <PRODUCT_VERSION>2.2</PRODUCT_VERSION>
  </Product_Characteristics>
  <Radiometric_Informations>
    <REFLECTANCE_QUANTIFICATION_VALUE>10000</REFLECTANCE_QUANTIFICATION_VALUE>
    <Special_Values_List>
      <SPECIAL_VALUE name="water_vapor_content_nodata">0</SPECIAL_VALUE>
      <SPECIAL_VALUE name="nodata">-10000</SPECIAL_VALUE>
    </Special_Values_List>
  </Radiometric_Informations>
</Muscate_Metadata_Document>
"""


def edited(old: str, new: str) -> str:
    """The metadata with another text in one place."""
    assert METADATA.count(old) == 1
    return METADATA.replace(old, new)


def without(tag: str) -> str:
    """The metadata without the elements of a name."""
    text = re.sub(rf"<{tag}\b.*</{tag}>", "", METADATA)
    assert text != METADATA
    return text


# What the file says


def test_all_is_read_from_its_place() -> None:
    assert parse_metadata(METADATA.encode(), "here") == TheiaMetadata(
        source="here",
        product=NAME,
        tile="T31TCJ",
        time=datetime(2018, 1, 5, 10, 54, 32, 457000),
        version="2.2",
        quantification=10000.0,
        nodata=-10000,
    )


def test_what_is_not_there_is_not_told() -> None:
    root = b"<Muscate_Metadata_Document/>"
    assert parse_metadata(root, "here") == TheiaMetadata(source="here")


def test_times_of_other_zones_are_turned_into_utc() -> None:
    text = edited("10:54:32.457Z", "11:54:32.457+01:00")
    assert parse_metadata(text.encode(), "here").time == datetime(2018, 1, 5, 10, 54, 32, 457000)


@pytest.mark.parametrize(
    ("xml", "message"),
    [
        (METADATA[:500], "here is not XML"),
        ("", "here is not XML"),
        (METADATA.replace("utf-8", "utf-99"), "here is not XML"),
        ("<html/>", "here is a html; expected a Muscate_Metadata_Document"),
        (edited(">10000<", "><"), "REFLECTANCE_QUANTIFICATION_VALUE is ''; expected 10000, as"),
        (edited(">10000<", ">0.0001<"), "VALUE is '0.0001'; expected 10000, as"),
        (edited(">10000<", ">nan<"), "VALUE is 'nan'; expected 10000, as"),
        (edited(">10000<", ">inf<"), "VALUE is 'inf'; expected 10000, as"),
        (
            edited(
                "<Special_Values_List>",
                """<Special_Values_List>
                <SPECIAL_VALUE name="nodata">0</SPECIAL_VALUE>""",
            ),
            r"name='nodata'\] is '0, and again -10000'; expected one value",
        ),
        (edited(">-10000<", ">none<"), r"name='nodata'\] is 'none'; expected a whole number"),
        (edited(">-10000<", ">-0.5<"), r"name='nodata'\] is '-0.5'; expected a whole number"),
        (edited(">-10000<", ">inf<"), r"name='nodata'\] is 'inf'; expected a whole number"),
        (edited("2018-01-05T", "5 January, "), "ACQUISITION_DATE is '5 January.* expected a time"),
    ],
)
def test_malformed_metadata_is_refused(xml: str, message: str) -> None:
    with pytest.raises(ProductError, match=message):
        parse_metadata(xml.encode(), "here")


def test_broken_metadata_is_named(write_product: WriteProduct) -> None:
    path = write_product(metadata=METADATA[:500])
    with pytest.raises(ProductError, match=rf"{path}/{NAME}_MTD_ALL\.xml is not XML .*; download"):
        read_product(path, REQUEST)


# What becomes of it


def test_baseline_scale_and_nodata_come_from_the_metadata(write_product: WriteProduct) -> None:
    text = edited(">10000<", ">10000.0<").replace(">-10000<", ">-9999<")
    found = read_product(write_product(metadata=text), REQUEST)
    assert (found.baseline, found.version) == ("2.2", "C_V2-2")
    assert (found.scale, found.offset) == (1e-4, 0.0)
    assert (found.nodata, found.nodata_declared) == (-9999, True)


def test_what_the_metadata_does_not_tell_is_that_of_the_format(write_product: WriteProduct) -> None:
    found = read_product(
        write_product(metadata=without("REFLECTANCE_QUANTIFICATION_VALUE")), REQUEST
    )
    assert found.scale == 1e-4
    found = read_product(write_product(metadata=without("SPECIAL_VALUE")), REQUEST)
    assert (found.nodata, found.nodata_declared) == (-10000, False)


@pytest.mark.parametrize("nodata", [-10000, -9999, 0])
def test_files_declare_nodata(write_product: WriteProduct, nodata: int) -> None:
    found = read_product(write_product(nodata=nodata), REQUEST)
    assert (found.nodata, found.nodata_declared) == (nodata, True)


def test_files_and_metadata_may_declare_the_same(write_product: WriteProduct) -> None:
    found = read_product(write_product(nodata=-10000, metadata=METADATA), REQUEST)
    assert (found.nodata, found.nodata_declared) == (-10000, True)


def test_files_and_metadata_that_contradict_each_other_are_refused(
    write_product: WriteProduct,
) -> None:
    path = write_product(nodata=0, metadata=METADATA)
    with pytest.raises(
        ProductError, match=r"nodata is 0 by the files of its bands, but -10000 by .*_MTD_ALL\.xml;"
    ):
        read_product(path, REQUEST)


def test_bands_that_declare_different_nodata_are_refused(write_product: WriteProduct) -> None:
    path = write_product(nodata=-10000)
    write_product(names=("B11",), nodata=0)
    with pytest.raises(
        ProductError, match=r"different nodata: -10000 in .*B2\.tif, 0 in .*B11\.ti"
    ):
        read_product(path, REQUEST)


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        (
            edited(NAME, NAME.replace("TCJ", "TDJ")),
            rf"the product is {NAME} by its name, but {NAME.replace('TCJ', 'TDJ')} by",
        ),
        (
            edited(NAME, NAME.replace("2A_2018", "2B_2018")),
            rf"the product is {NAME} by its name, but SENTINEL2B_20180105",
        ),
        (edited(">T31TCJ<", ">T31TDJ<"), "the tile is T31TCJ by its name, but T31TDJ by"),
        (edited("2018-01-05T", "2018-01-15T"), "the time is 2018-01-05 .* but 2018-01-15 10:54:32"),
        (edited("32.457Z", "34.457Z"), "the time is .*:32.457000 by its name, but .*:34.457000 by"),
    ],
    ids=["product", "satellite", "tile", "day", "second"],
)
def test_metadata_of_another_product_is_refused(
    write_product: WriteProduct, metadata: str, message: str
) -> None:
    path = write_product(metadata=metadata)
    with pytest.raises(ProductError, match=rf"{path}: {message}.*_MTD_ALL\.xml; a file was"):
        read_product(path, REQUEST)


def test_versions_and_parts_of_a_second_may_differ(write_product: WriteProduct) -> None:
    text = edited(NAME, NAME.replace("V2-2", "V2-3")).replace("32.457Z", "32.999Z")
    found = read_product(write_product(metadata=text), REQUEST)
    assert (found.product, found.time) == (NAME, "2018-01-05T10:54:32.457")


# Real products, their stacks of ten bands split into the files that Theia delivers


def split_stack(source: Path, folder: Path) -> Path:
    """A real product in Theia's layout, with a clear cloud mask; the 20 m bands by every second
    pixel, as the stack has them all at 10 m."""
    product = folder / source.name
    with rasterio.open(source / f"{source.name}_FRE_STACK.tif") as dataset:
        stack = np.where(dataset.dataset_mask() == 0, -10000, dataset.read().astype(np.int16))
    fine = read_product_grid(str(source / f"{source.name}_FRE_STACK.tif"))
    for band, values in zip(STACK_ORDER, stack.astype(np.int16), strict=True):
        step = BANDS[band].resolution_m // 10
        path = product / f"{source.name}_FRE_{BANDS[band].theia_name}.tif"
        write_raster(path, values[::step, ::step].copy(), fine.coarsened(step), None)
    clear = np.zeros(fine.shape, np.uint8)
    write_raster(product / "MASKS" / f"{source.name}_CLM_R1.tif", clear, fine, None)
    shutil.copy(source / f"{source.name}_MTD_ALL.xml", product)
    return product


REAL = [
    ("T38KPD", "20170203-071245-541", "2017-02-03T07:12:45.541"),
    ("T38KPD", "20170223-071209-459", "2017-02-23T07:12:09.459"),
    ("T38KPE", "20170213-071209-461", "2017-02-13T07:12:09.461"),
    ("T38KPE", "20170223-071209-459", "2017-02-23T07:12:09.459"),
]


@pytest.mark.parametrize(("tile", "stamp", "time"), REAL)
def test_real_metadata_are_read(
    shared_data: Path, tmp_path: Path, tile: str, stamp: str, time: str
) -> None:
    name = f"SENTINEL2A_{stamp}_L2A_{tile}_C_V1-0"
    source = shared_data / "theia_mtd_T38KPD" / tile / name
    found = read_product(split_stack(source, tmp_path), Request(STACK_ORDER, ("cloud", "nodata")))
    assert (found.product, found.tile, found.platform) == (name, tile, "SENTINEL2A")
    assert (found.time, found.version, found.baseline) == (time, "C_V1-0", "1.0")
    assert (found.scale, found.offset) == (1e-4, 0.0)
    assert (found.nodata, found.nodata_declared) == (-10000, True)
    transform = (10.0, 0.0, 676800.0, 0.0, -10.0, 7895560.0)
    assert found.grid == Grid("EPSG:32738", transform, 256, 256)
    assert list(found.bands) == list(STACK_ORDER)
    with rasterio.open(source / f"{name}_FRE_STACK.tif") as dataset:
        blue = dataset.read(1)
    block, valid = read_block(found, ("B02",), Masking(("cloud", "nodata")), Window(0, 0, 256, 256))
    np.testing.assert_array_equal(valid, blue != 0)
    np.testing.assert_array_equal(block[0], blue)
    assert valid.any()


def test_real_metadata_of_the_other_tile_are_refused(shared_data: Path, tmp_path: Path) -> None:
    home = shared_data / "theia_mtd_T38KPD"
    name, other = (f"SENTINEL2A_20170223-071209-459_L2A_T38KP{end}_C_V1-0" for end in "DE")
    product = split_stack(home / "T38KPD" / name, tmp_path)
    shutil.copy(home / "T38KPE" / other / f"{other}_MTD_ALL.xml", product / f"{name}_MTD_ALL.xml")
    with pytest.raises(ProductError, match=rf"the product is {name} by its name, but {other} by"):
        read_product(product, REQUEST)
