"""Scale, offset and nodata that no reflectance has, in each family of products."""

import math
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fgunet.errors import ProductError
from fgunet.sentinel2 import safe, stac, theia
from fgunet.sentinel2.acquisition import Request
from tests.sentinel2.safe_products import write_safe
from tests.sentinel2.stac_products import plain_item, save_item
from tests.sentinel2.test_theia_metadata import METADATA
from tests.sentinel2.written_acquisitions import write_acquisition

REQUEST = Request(("B02", "B11"), ())
EXPECTED = r"of 1e-06 to 0\.01 .* of -1 to 1 .* -32768 to 65535"


@pytest.mark.parametrize(
    "numbers",
    [
        {"scale": 1e-6},
        {"scale": 1 / 100},
        {"offset": -1.0},
        {"offset": 1.0},
        {"nodata": -32768},
        {"nodata": 65535},
    ],
)
def test_what_reflectance_may_have(tmp_path: Path, numbers: dict[str, Any]) -> None:
    found = write_acquisition(tmp_path, {"B02": np.zeros((2, 2), np.uint16)})
    assert replace(found, **numbers).to_dict().items() >= numbers.items()


@pytest.mark.parametrize(
    "numbers",
    [
        *[{"scale": value} for value in (0.0, -1e-4, 1.0, 1e-9, 1e-320, math.inf, math.nan)],
        *[{"offset": value} for value in (5.0, -5.0, 1e308, math.inf, math.nan)],
        *[{"nodata": value} for value in (-32769, 65536, int(1e300))],
    ],
)
def test_what_it_cannot_have(tmp_path: Path, numbers: dict[str, Any]) -> None:
    found = write_acquisition(tmp_path, {"B02": np.zeros((2, 2), np.uint16)})
    with pytest.raises(ProductError, match=rf"product \({tmp_path}.*{EXPECTED}"):
        replace(found, **numbers)


def test_stac_items(tmp_path: Path) -> None:
    for numbers in ({"scale": 1}, {"scale": 0}, {"offset": -5}, {"nodata": 70000}):
        item = plain_item(tmp_path)
        for band in ("B02", "B11"):
            item["assets"][band]["raster:bands"][0].update(numbers)
        [product] = stac.recognise(save_item(tmp_path, item)) or []
        with pytest.raises(ProductError, match=EXPECTED):
            product.describe(REQUEST)


@pytest.mark.parametrize(
    ("old", "absurd"),
    [
        (">10000<", ">1<"),
        (">10000<", ">1000<"),
        (">10000<", ">1e9<"),
        (">10000<", ">1e-320<"),
        (">-1000<", ">-50000<"),
        ("INDEX>0<", "INDEX>70000<"),
    ],
)
def test_safe_products(tmp_path: Path, old: str, absurd: str) -> None:
    def edit(xml: str) -> str:
        assert old in xml
        return xml.replace(old, absurd)

    expected = {
        ">10000<": r"QUANTIFICATION_VALUE is '.*'; expected 10000, as all products have",
        ">-1000<": EXPECTED,
        "INDEX>0<": r"B02_10m\.jp2 holds numbers of type uint16, which cannot be 70000, .* ground",
    }
    with pytest.raises(ProductError, match=expected[old]):
        safe.read_product(write_safe(tmp_path, edit=edit), REQUEST)


def test_nodata_of_too_many_digits(tmp_path: Path) -> None:
    path = write_safe(tmp_path, edit=lambda xml: xml.replace("INDEX>0<", f"INDEX>{'9' * 5000}<"))
    with pytest.raises(
        ProductError, match=r"NODATA .* expected a whole number of at most 5 digits"
    ):
        safe.read_product(path, REQUEST)


@pytest.mark.parametrize("absurd", ["2", "1000", "100000", "1e9"])
def test_quantification_of_theia_products(write_product: Callable[..., Path], absurd: str) -> None:
    path = write_product(metadata=METADATA.replace(">10000<", f">{absurd}<"))
    with pytest.raises(
        ProductError, match=rf"MTD_ALL\.xml says .*VALUE is '{absurd}'; expected 10000"
    ):
        theia.read_product(path, REQUEST)


@pytest.mark.parametrize(
    ("dtype", "nodata"), [("int16", "1e+300"), ("int16", "40000"), ("uint16", "-10000")]
)
def test_nodata_that_the_files_cannot_hold(
    write_product: Callable[..., Path], dtype: str, nodata: str
) -> None:
    bands = {"B02": np.ones((12, 12), dtype), "B11": np.ones((6, 6), dtype)}
    told = METADATA.replace(">-10000<", f">{nodata}<")
    path = write_product(bands=bands, metadata=told)
    held = re.escape(f"{dtype}, which cannot be {nodata}, the number of")
    with pytest.raises(ProductError, match=rf"B2\.tif holds numbers of type {held}"):
        theia.read_product(path, REQUEST)


def test_nodata_of_the_format_that_the_files_cannot_hold(
    write_product: Callable[..., Path],
) -> None:
    """Nothing tells it, so -10000 would count, and what the files have for it be ground."""
    bands = {"B02": np.ones((12, 12), np.uint16), "B11": np.ones((6, 6), np.uint16)}
    with pytest.raises(ProductError, match="uint16, which cannot be -10000"):
        theia.read_product(write_product(bands=bands), REQUEST)
    found = theia.read_product(write_product(bands=bands, nodata=0), REQUEST)
    assert (found.nodata, found.nodata_declared) == (0, True)


@pytest.mark.parametrize("dtype", ["uint8", "int32", "float32"])
def test_types_that_theia_does_not_have(write_product: Callable[..., Path], dtype: str) -> None:
    bands = {"B11": np.ones((6, 6), dtype)}
    with pytest.raises(
        ProductError, match=rf"B11\.tif holds numbers of type {dtype}; .* have int16 or uint16\."
    ):
        theia.read_product(write_product(bands=bands), REQUEST)


def test_a_mask_of_theia_that_is_not_whole(write_product: Callable[..., Path]) -> None:
    path = write_product(masks={"CLM_R1": np.full((12, 12), 2.5, np.float32)})
    with pytest.raises(ProductError, match=r"CLM_R1\.tif holds numbers of type float32; a mask"):
        theia.read_product(path, Request(("B02",), ("cloud",)))


@pytest.mark.parametrize("dtype", ["uint8", "int16"])
def test_types_that_esa_does_not_have(tmp_path: Path, dtype: str) -> None:
    path = write_safe(tmp_path, bands={"B02": np.full((12, 12), 100, dtype)})
    with pytest.raises(
        ProductError, match=rf"B02_10m\.jp2 holds numbers of type {dtype}; .* have uint16\."
    ):
        safe.read_product(path, REQUEST)


def test_nodata_that_files_declare(write_product: Callable[..., Path]) -> None:
    bands = {"B02": np.ones((12, 12), np.int32), "B11": np.ones((6, 6), np.int32)}
    with pytest.raises(ProductError, match="type int32"):
        theia.read_product(write_product(bands=bands, nodata=1_000_000), REQUEST)
