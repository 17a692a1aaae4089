"""STAC items and catalogues that point where they should not."""

import json
from pathlib import Path
from typing import Any

import pytest

from fgunet.errors import MissingAcquisitionError, ProductError
from fgunet.sentinel2 import stac
from fgunet.sentinel2.acquisition import Request
from fgunet.sentinel2.stac_catalogues import read_items
from fgunet.sentinel2.stac_items import describe
from tests.sentinel2.stac_products import plain_item
from tests.sentinel2.stac_server import serve

REQUEST = Request(("B02",), ())
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
    "link", ["file:///etc/hostname", "/etc/hostname", "/vsimem/../etc/hostname"]
)
def test_a_catalogue_on_the_network_cannot_link_to_a_file_here(tmp_path: Path, link: str) -> None:
    catalogue = {
        "type": "Catalog", "stac_version": "1.0.0", "id": "c", "description": "c",
        "links": [{"rel": "item", "href": link}],
    }  # fmt: skip
    (tmp_path / "catalog.json").write_text(json.dumps(catalogue))
    with (
        serve(tmp_path) as service,
        pytest.raises(
            (MissingAcquisitionError, ProductError), match=r"does not answer|there is no"
        ),
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
