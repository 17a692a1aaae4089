"""Metadata that define entities, or name other files."""

import zipfile
from pathlib import Path

import pytest

from fgunet.errors import ProductError
from fgunet.sentinel2 import safe_metadata, theia_metadata
from fgunet.sentinel2.acquisition import Request
from fgunet.sentinel2.metadata_xml import MOST_PARTS, parse_xml
from fgunet.sentinel2.safe import read_product
from tests.sentinel2.safe_products import pack, write_safe

LEVELS = "".join(f'<!ENTITY e{level} "{f"&e{level - 1};" * 10}">' for level in range(1, 12))
LAUGHS = f'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY e0 "ha">{LEVELS}]><a>&e11;</a>'
ONE_FILE = '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/hostname">]><a>&e;</a>'
PARAMETER = '<!DOCTYPE a [<!ENTITY % e SYSTEM "http://127.0.0.1:9/x.dtd"> %e;]><a/>'
OUTSIDE = '<!DOCTYPE a SYSTEM "http://127.0.0.1:9/x.dtd"><a/>'
HOSTILE = pytest.mark.parametrize("xml", [LAUGHS, ONE_FILE, PARAMETER, OUTSIDE])


@HOSTILE
@pytest.mark.parametrize("parse", [safe_metadata.parse_metadata, theia_metadata.parse_metadata])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_document_type_is_refused(xml: str, parse: object, encoding: str) -> None:
    assert callable(parse)
    with pytest.raises(ProductError, match=r"MTD\.xml is not XML .*document type.*take it away"):
        parse(xml.encode(encoding), "MTD.xml")


@HOSTILE
def test_a_product_with_such_metadata_is_broken(tmp_path: Path, xml: str) -> None:
    product = write_safe(tmp_path, edit=lambda _: xml)
    for path in (product, pack(product, compression=zipfile.ZIP_DEFLATED)):
        with pytest.raises(ProductError, match=r"MTD_MSIL2A\.xml is not XML"):
            read_product(path, Request(("B02",), ()))


def test_the_same_metadata_without_pass(tmp_path: Path) -> None:
    product = write_safe(tmp_path)
    assert read_product(product, Request(("B02",), ())).baseline == "05.00"


@pytest.mark.parametrize("kind", ["elements", "attributes"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_small_file_of_many_elements_is_refused(kind: str, encoding: str) -> None:
    """Each would take a hundred times its own size in memory."""

    def xml(parts: int) -> bytes:
        attributes = " ".join(f'a{n}=""' for n in range(parts))
        inner = f"<b {attributes}/>" if kind == "attributes" else "<b/>" * parts
        return f"<a>{inner}</a>".encode(encoding)

    # Beside the parts there are one or two elements.
    assert parse_xml(xml(MOST_PARTS - 2), "MTD.xml").tag == "a"
    with pytest.raises(ProductError, match=rf"MTD\.xml is not XML \(it has more than {MOST_PARTS}"):
        parse_xml(xml(MOST_PARTS), "MTD.xml")
