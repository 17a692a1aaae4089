"""The metadata of Theia's products (<name>_MTD_ALL.xml)."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from xml.etree.ElementTree import Element

from fgunet.errors import ProductError
from fgunet.sentinel2.metadata_xml import parse_xml
from fgunet.sentinel2.theia_format import SCALE

_ROOT = "Muscate_Metadata_Document"
_REMEDY = "download the product again, or take it away"


@dataclass(frozen=True)
class TheiaMetadata:
    """What the metadata says about a product; None, or "", where it does not say it.

    Attributes
    ----------
    source : str
        The metadata file, for messages.
    product : str
        Name of the product.
    tile : str
        Name of the tile ("T38KPE").
    time : datetime or None
        Time of sensing, UTC.
    version : str
        Version of the product, as a number ("1.0").
    quantification : float or None
        Stored numbers of reflectance 1.
    nodata : int or None
        Stored number of a pixel without measurement.
    """

    source: str = ""
    product: str = ""
    tile: str = ""
    time: datetime | None = None
    version: str = ""
    quantification: float | None = None
    nodata: int | None = None


def parse_metadata(xml: bytes, source: str) -> TheiaMetadata:
    """What a metadata file says.

    Places of the elements: version 1.16 of METADATA_MUSCATE, as products of 2017 have it.

    Parameters
    ----------
    xml : bytes
        Content of the file.
    source : str
        Its name, for messages.

    Raises
    ------
    ProductError
        If it is no XML of this format, or an element has another value than expected or several.
    """
    root = parse_xml(xml, source)
    if root.tag != _ROOT:
        raise ProductError(f"{source} is a {root.tag}; expected a {_ROOT}: {_REMEDY}")
    elements = _Elements(root, source)
    return TheiaMetadata(
        source=source,
        product=elements.text("Product_Characteristics/PRODUCT_ID") or "",
        tile=elements.text("Dataset_Identification/GEOGRAPHICAL_ZONE[@type='Tile']") or "",
        time=_time(elements),
        version=elements.text("Product_Characteristics/PRODUCT_VERSION") or "",
        quantification=_quantification(elements),
        nodata=_nodata(elements),
    )


class _Elements:
    """The elements of a file by their places."""

    def __init__(self, root: Element, source: str) -> None:
        self._root, self._source = root, source

    def text(self, place: str) -> str | None:
        """The one text that the elements at a place have, or None if there is none."""
        texts = [(element.text or "").strip() for element in self._root.findall(place)]
        for other in texts:
            if other != texts[0]:
                raise self.unexpected(place, f"{texts[0]}, and again {other}", "one value")
        return texts[0] if texts else None

    def unexpected(self, place: str, found: str, expected: str) -> ProductError:
        name = place.rpartition("/")[2]
        return ProductError(
            f"{self._source} says {name} is {found!r}; expected {expected}: {_REMEDY}"
        )


def _time(elements: _Elements) -> datetime | None:
    place = "Product_Characteristics/ACQUISITION_DATE"
    found = elements.text(place)
    if found is None:
        return None
    try:
        time = datetime.fromisoformat(found)
        return (time.astimezone(UTC) if time.tzinfo else time).replace(tzinfo=None)
    except (ValueError, OverflowError) as error:
        raise elements.unexpected(place, found, "a time, ISO 8601") from error


def _quantification(elements: _Elements) -> float | None:
    place = "Radiometric_Informations/REFLECTANCE_QUANTIFICATION_VALUE"
    found = elements.text(place)
    if found is None:
        return None
    number = _number(found)
    # MAJA's other format writes the inverse (0.0001) under the same name.
    if number != 1 / SCALE:
        raise elements.unexpected(place, found, f"{1 / SCALE:.0f}, as all products have")
    return number


def _nodata(elements: _Elements) -> int | None:
    place = "Radiometric_Informations/Special_Values_List/SPECIAL_VALUE[@name='nodata']"
    found = elements.text(place)
    if found is None:
        return None
    number = _number(found)
    if not number.is_integer():
        raise elements.unexpected(place, found, "a whole number")
    return int(number)


def _number(text: str) -> float:
    """The number that a text is, or NaN."""
    try:
        return float(text)
    except ValueError:
        return math.nan
