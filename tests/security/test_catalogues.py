"""STAC items and catalogues that point where they should not."""

import contextlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fgunet.errors import MissingAcquisitionError, ProductError
from fgunet.sentinel2 import stac
from fgunet.sentinel2.acquisition import Request
from fgunet.sentinel2.selection import BROKEN, Criteria, select_acquisitions
from fgunet.sentinel2.stac_catalogues import read_items, told_of
from fgunet.sentinel2.stac_items import describe
from tests.sentinel2.stac_products import plain_item, save_catalogue, save_item
from tests.sentinel2.stac_server import serve

REQUEST = Request(("B02",), ())
YEAR = Criteria("20180101", "20181231", strict=False)
HEADERS = "/vsicurl?header_file=/etc/hostname&url=http://127.0.0.1:9/B02.tif"


@pytest.fixture
def item(tmp_path: Path) -> dict[str, Any]:
    """An item that is right; its files lie beside where `write` puts it."""
    return plain_item(tmp_path)


def write(folder: Path, item: dict[str, Any]) -> Path:
    path = folder / "S2A_MSIL2A_20180804T105022_N0208_R051_T31UES_20180804T140000" / "item.json"
    path.write_text(json.dumps(item))
    return path


@pytest.mark.parametrize(
    "href",
    [HEADERS, "/vsistdin/", "/vsizip//a.zip/B02.tif", "file:///vsistdin/", "ftp://a/B02.tif"],
)
def test_an_item_may_not_name_a_place_of_gdal(
    tmp_path: Path, item: dict[str, Any], href: str
) -> None:
    item["assets"]["B02"]["href"] = href
    [found] = read_items(str(write(tmp_path, item)))
    with pytest.raises(ProductError, match=r"asset B02 of item .* can be read start with http"):
        describe(found, REQUEST)


def test_an_item_on_the_network_may_not_name_a_file_here(
    tmp_path: Path, item: dict[str, Any]
) -> None:
    local = tmp_path / item["id"] / "B02.tif"
    item["assets"]["B02"]["href"] = local.as_uri()
    path = write(tmp_path, item)
    assert describe(read_items(str(path))[0], REQUEST).bands == {"B02": str(local)}
    with serve(tmp_path) as service:
        [found] = read_items(f"{service.address}/files/{path.relative_to(tmp_path)}")
    with pytest.raises(ProductError, match=r"start with http.* where the item is a file too"):
        describe(found, REQUEST)


@pytest.mark.parametrize("own", ["/etc/item.json", "file:///etc/item.json", "/vsimem/item.json"])
def test_an_item_on_the_network_cannot_say_that_it_lies_here(
    tmp_path: Path, item: dict[str, Any], own: str
) -> None:
    item["links"] = [{"rel": "self", "href": own}]
    item["assets"]["B02"]["href"] = "hostname"
    item["assets"]["B02"]["type"] = "image/tiff"
    (tmp_path / "all.json").write_text(
        json.dumps({"type": "FeatureCollection", "stac_version": "1.0.0", "features": [item]})
    )
    with serve(tmp_path) as service:
        [found] = read_items(f"{service.address}/files/all.json")
        href = str(found.assets["B02"]["href"])
    assert "://" in found.place
    assert href.startswith((service.address, "file://"))
    if href.startswith("file://"):
        with pytest.raises(ProductError, match="start with http"):
            describe(found, REQUEST)


@pytest.mark.parametrize(
    ("link", "message"),
    [
        ("file:///etc/hostname", "links to file:///etc/hostname; .* may not name files here"),
        ("x:///../etc/hostname", "links to x:///../etc/hostname; .* may not name files here"),
        ("/etc/hostname", "127.0.0.1.*/etc/hostname does not answer .*404"),
        ("/vsimem/../etc/hostname", "does not answer .*404"),
    ],
)
def test_a_catalogue_on_the_network_cannot_link_to_a_file_here(
    tmp_path: Path, link: str, message: str
) -> None:
    catalogue = {
        "type": "Catalog", "stac_version": "1.0.0", "id": "c", "description": "c",
        "links": [{"rel": "item", "href": link}],
    }  # fmt: skip
    (tmp_path / "catalog.json").write_text(json.dumps(catalogue))
    with (
        serve(tmp_path) as service,
        pytest.raises((MissingAcquisitionError, ProductError), match=message),
    ):
        read_items(f"{service.address}/files/catalog.json")


@pytest.mark.parametrize(
    "name", ["../../escaped", "/etc/x", "a b", "=1+1", "-rf", "a\nb", "$(touch pwned)", "", "<b>"]
)
def test_an_id_that_is_no_plain_name_is_refused(
    tmp_path: Path, item: dict[str, Any], name: str
) -> None:
    with pytest.raises(ProductError, match=r"id .* expected letters, digits"):
        stac.recognise(write(tmp_path, item | {"id": name}))


@pytest.mark.parametrize(
    "about",
    [
        {"roles": 5},
        {"roles": [["data"]]},
        {"eo:bands": [5]},
        {"bands": ["B02"]},
        {"raster:bands": ["x"]},
        {"raster:bands": [[1]]},
        {"raster:bands": [{"scale": 10**400}]},
        {"raster:bands": [{"scale": 1e-4, "offset": -(10**400)}]},
        {"raster:bands": [{"scale": 1e-4, "nodata": 10**400}]},
        {"href": "http://[::1/a.tif"},
        {"href": "file://[::1/a.tif"},
        {"href": "a" * 5000 + ".tif"},
    ],
)
def test_an_asset_that_makes_no_sense_breaks_its_product_alone(
    tmp_path: Path, item: dict[str, Any], about: dict[str, Any]
) -> None:
    whole = plain_item(tmp_path, "whole")
    item["assets"]["B02"].update(about)
    products = [
        product
        for path in (write(tmp_path, item), save_item(tmp_path, whole))
        for product in stac.recognise(path) or []
    ]
    selection = select_acquisitions(products, REQUEST, YEAR)
    assert [kept.product for kept in selection.kept] == ["whole"]
    [broken] = selection.excluded
    assert (broken.product, broken.reason) == (item["id"], BROKEN)
    assert item["id"] in broken.detail
    assert "take it away" in broken.detail


def test_lack_of_memory_is_not_told_as_a_fault_of_the_item() -> None:
    with pytest.raises(MemoryError), told_of("item.json"):
        raise MemoryError


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
def test_a_time_out_of_the_calendar_is_refused(
    tmp_path: Path, item: dict[str, Any], time: str
) -> None:
    item["properties"]["datetime"] = time
    with pytest.raises(ProductError, match=r"item S2A.*item\.json\) is not valid STAC .*Overflow"):
        stac.recognise(write(tmp_path, item))


@pytest.mark.parametrize("platform", [5, ["sentinel-2a"], {"name": "sentinel-2a"}])
def test_a_platform_that_is_no_name_is_refused(
    tmp_path: Path, item: dict[str, Any], platform: object
) -> None:
    item["properties"]["platform"] = platform
    with pytest.raises(ProductError, match=r"item S2A.* has the platform .*expected a name"):
        stac.recognise(write(tmp_path, item))


@pytest.mark.parametrize("sequence", ["\u00b2", "9" * 5000, [1], None])
def test_a_sequence_that_is_no_number_does_not_count(
    tmp_path: Path, item: dict[str, Any], sequence: object
) -> None:
    item["properties"]["s2:sequence"] = sequence
    [product] = stac.recognise(write(tmp_path, item)) or []
    assert product.describe(REQUEST).version_key == (2, 8, 0)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"type": "FeatureCollection", "features": 5, "stac_version": "1.0.0"}', "TypeError"),
        ('{"type": "FeatureCollection", "features": null, "stac_version": "1.0.0"}', "TypeError"),
        ('{"type": "FeatureCollection", "stac_version": "1.0.0"}', "KeyError: 'features'"),
        ('{"type": "feature", "stac_version": "1.0.0"}', "its type is 'feature'; expected"),
        ('{"type": ["Feature"], "stac_version": "1.0.0"}', r"its type is \['Feature'\]; expected"),
        ('{"stac_version": "1.0.0", "x": ' + "[" * 100_000, "RecursionError"),
        ('{"stac_version": "1.0.0", "x": ' + "[" * 5000 + "]" * 5000 + "}", "RecursionError"),
        ('{"stac_version": "1.0.0", "x": ' + "9" * 5000 + "}", "ValueError"),
    ],
)
def test_a_file_that_claims_to_be_stac_is_refused(
    tmp_path: Path, content: str, message: str
) -> None:
    path = tmp_path / "x.json"
    path.write_text(content)
    with pytest.raises(ProductError, match=rf"x\.json is not.* STAC.*{message}"):
        stac.recognise(path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32"])
def test_an_item_in_any_encoding_of_unicode_is_found(
    tmp_path: Path, item: dict[str, Any], encoding: str
) -> None:
    path = write(tmp_path, item)
    path.write_text(path.read_text(), encoding=encoding)
    assert [product.name for product in stac.recognise(path) or []] == [item["id"]]


def test_an_item_in_latin_1_is_refused(tmp_path: Path, item: dict[str, Any]) -> None:
    path = write(tmp_path, item)
    text = json.dumps(item | {"title": "\u00e9"}, ensure_ascii=False)
    path.write_text(text, encoding="latin-1")
    with pytest.raises(ProductError, match=r"item\.json is not valid STAC \(UnicodeDecodeError"):
        stac.recognise(path)


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    for name in ("x.json", "catalog.json"):
        os.mkfifo(tmp_path / name)
    assert stac.recognise(tmp_path) is None
    assert stac.recognise(tmp_path / "x.json") is None
    linking = save_catalogue(tmp_path / "linking" / "catalog.json", ["../x.json"])
    with pytest.raises(ProductError, match=r"there is no file .*x\.json"):
        stac.recognise(linking)


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that fails to read")
def test_a_file_that_cannot_be_read_is_not_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.symlink_to("/proc/self/mem")  # opens, and fails with an input/output error
    with pytest.raises(ProductError, match=r"x\.json is not valid STAC \(OSError: .*take it away"):
        stac.recognise(path)


def test_a_long_chain_of_catalogues_is_followed_to_its_end(tmp_path: Path) -> None:
    last = save_item(tmp_path, plain_item(tmp_path))
    for number in range(1500):
        save_catalogue(tmp_path / f"c{number}.json", [], [f"c{number + 1}.json"])
    save_catalogue(tmp_path / "c1500.json", [last])
    [product] = stac.recognise(tmp_path / "c0.json") or []
    assert product.path == str(last)


JSON_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(10**400),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)


def set_property(item: dict[str, Any], name: str, value: object) -> None:
    item["properties"][name] = value


def set_in_asset(item: dict[str, Any], name: str, value: object) -> None:
    item["assets"]["B02"][name] = value


def set_in_band(item: dict[str, Any], name: str, value: object) -> None:
    item["assets"]["B02"]["raster:bands"][0][name] = value


@given(
    place=st.one_of(
        st.tuples(st.just(dict.__setitem__), st.sampled_from(
            ["type", "stac_version", "stac_extensions", "id", "geometry", "bbox", "properties",
             "links", "assets", "collection"])),
        st.tuples(st.just(set_property), st.sampled_from(
            ["datetime", "start_datetime", "platform", "constellation", "grid:code", "s2:mgrs_tile",
             "proj:epsg", "proj:code", "s2:processing_baseline", "s2:product_uri", "s2:sequence",
             "s2:generation_time", "created", "product:type", "earthsearch:boa_offset_applied"])),
        st.tuples(st.just(set_in_asset), st.sampled_from(
            ["href", "type", "roles", "gsd", "bands", "eo:bands", "raster:bands", "proj:shape",
             "proj:transform", "proj:epsg", "nodata", "raster:scale", "common_name"])),
        st.tuples(st.just(set_in_band), st.sampled_from(
            ["name", "scale", "offset", "nodata", "spatial_resolution", "common_name"])),
    ),
    value=JSON_VALUE,
)  # fmt: skip
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_value_anywhere_gives_a_product_or_a_refusal(
    tmp_path: Path,
    item: dict[str, Any],
    place: tuple[Callable[[dict[str, Any], str, object], None], str],
    value: object,
) -> None:
    changed = json.loads(json.dumps(item))
    change, name = place
    change(changed, name, value)
    with contextlib.suppress(ProductError):
        for product in stac.recognise(write(tmp_path, changed)) or []:
            found = product.describe(REQUEST)
            assert (found.tile, found.product) == (product.tile, product.name)
            json.dumps([found.to_dict(), found.version_key], allow_nan=False)
