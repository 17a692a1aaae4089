"""The metadata of ESA's level 2A products (MTD_MSIL2A.xml)."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from xml.etree.ElementTree import Element

from fgunet.errors import ProductError
from fgunet.sentinel2.metadata_xml import parse_xml
from fgunet.sentinel2.safe_format import (
    BAND_IDS,
    FIRST_BASELINE_WITH_OFFSET,
    FOLDER_ENDING,
    LEVELS,
    QUANTIFICATION,
    TOOLBOX_BASELINE,
)

_REMEDY = "download the product again, or take it away"


@dataclass(frozen=True)
class SafeMetadata:
    """What the metadata says about a product.

    Attributes
    ----------
    source : str
        The metadata file, for messages.
    product : str
        Name of the product, without ".SAFE".
    platform : str
        Satellite, spelt as Theia does ("SENTINEL2A").
    baseline : str
        Processing baseline ("02.14").
    datatake_start : datetime
        Start of the datatake, UTC.
    quantification : float
        Stored numbers of reflectance 1.
    offsets : dict
        What is to be added to the stored numbers, by band; empty where the metadata has none.
    nodata : int or None
        Stored number of a pixel without measurement, if the metadata tells it.
    """

    source: str
    product: str
    platform: str
    baseline: str
    datatake_start: datetime
    quantification: float
    offsets: dict[str, float]
    nodata: int | None

    def offset_of(self, bands: Sequence[str]) -> float:
        """What is to be added to the stored numbers of these bands, the same for all.

        Raises
        ------
        ProductError
            If the baseline has offsets and the metadata none, if it lacks a band's, if they
            differ, or if the baseline cannot have them.
        """
        if not self.offsets:
            if self.baseline >= FIRST_BASELINE_WITH_OFFSET:
                raise ProductError(
                    f"{self.source} has no BOA_ADD_OFFSET, but its processing baseline is "
                    f"{self.baseline}, and from {FIRST_BASELINE_WITH_OFFSET} on there is one: "
                    f"without it, reflectance would be 0.1 too bright; {_REMEDY}"
                )
            return 0.0
        missing = [band for band in bands if band not in self.offsets]
        if missing:
            raise ProductError(
                f"{self.source} has no BOA_ADD_OFFSET of {', '.join(missing)}, only of "
                f"{', '.join(self.offsets)}; {_REMEDY}"
            )
        found = {band: self.offsets[band] for band in bands}
        if len(set(found.values())) > 1:
            told = ", ".join(f"{offset:g} of {band}" for band, offset in found.items())
            raise ProductError(
                f"{self.source} has several BOA_ADD_OFFSET ({told}); expected the same for all "
                "bands. Take the product away, or list fewer bands under products.bands"
            )
        offset = next(iter(found.values()))
        self._require_offset_of_baseline(offset)
        return offset

    def _require_offset_of_baseline(self, offset: float) -> None:
        since = FIRST_BASELINE_WITH_OFFSET
        if self.baseline < since:
            fits, expected = offset == 0, f"none, or 0, before {since}"
        else:
            fits = offset < 0 or (offset == 0 and self.baseline == TOOLBOX_BASELINE)
            expected = f"one below 0, like -1000, from {since} on"
        if not fits:
            raise ProductError(
                f"{self.source} has a BOA_ADD_OFFSET of {offset:g}, but its processing baseline is "
                f"{self.baseline}; expected {expected}. Reflectance would be too dark or too "
                f"bright: {_REMEDY}"
            )


def parse_metadata(xml: bytes, source: str) -> SafeMetadata:
    """What a metadata file says.

    Elements are known by their names without the namespace, which each version of the format
    changes, and without the "L2A_" or "_2A" that products of 2017 and 2018 add.

    Parameters
    ----------
    xml : bytes
        Content of the file.
    source : str
        Its name, for messages.

    Raises
    ------
    ProductError
        If it is no XML, or lacks an element, has another value there than expected or several.
    """
    elements = _Elements(xml, source)
    _require_level(elements)
    return SafeMetadata(
        source=source,
        product=elements.text("PRODUCT_URI").removesuffix(FOLDER_ENDING),
        platform=elements.text("SPACECRAFT_NAME").replace("-", "").upper(),
        baseline=_baseline(elements),
        datatake_start=_datatake_start(elements),
        quantification=_quantification(elements),
        offsets=_offsets(elements),
        nodata=_nodata(elements),
    )


class _Elements:
    """The elements of a file by name."""

    def __init__(self, xml: bytes, source: str) -> None:
        self.source = source
        self._by_name: dict[str, list[Element]] = {}
        for element in parse_xml(xml, source).iter():
            self._by_name.setdefault(_plain_name(element), []).append(element)

    def all(self, name: str) -> list[Element]:
        return self._by_name.get(name, [])

    def text(self, name: str) -> str:
        """The one text that the elements of this name have."""
        texts = [text for element in self.all(name) if (text := (element.text or "").strip())]
        if not texts:
            raise ProductError(f"{self.source} has no {name}; {_REMEDY}")
        self.require_one(name, texts)
        return texts[0]

    def require_one(self, name: str, found: Sequence[object]) -> None:
        """Refuse a value that is told several times, and not the same each time."""
        other = [value for value in found if value != found[0]]
        if other:
            raise ProductError(
                f"{self.source} says {name} is {found[0]}, and again that it is {other[0]}; "
                f"expected one value: {_REMEDY}"
            )

    def unexpected(self, name: str, found: str, expected: str) -> ProductError:
        return ProductError(
            f"{self.source} says {name} is {found!r}; expected {expected}: {_REMEDY}"
        )


def _plain_name(element: Element) -> str:
    return element.tag.rpartition("}")[2].removeprefix("L2A_").removesuffix("_2A")


def _require_level(elements: _Elements) -> None:
    found = elements.text("PROCESSING_LEVEL")
    if found not in LEVELS:
        raise elements.unexpected("PROCESSING_LEVEL", found, " or ".join(LEVELS))


def _baseline(elements: _Elements) -> str:
    found = elements.text("PROCESSING_BASELINE")
    if not re.fullmatch(r"\d{2}\.\d{2}", found):
        raise elements.unexpected("PROCESSING_BASELINE", found, "two digits, a point, two digits")
    return found


def _datatake_start(elements: _Elements) -> datetime:
    found = elements.text("DATATAKE_SENSING_START")
    try:
        return datetime.fromisoformat(found).replace(tzinfo=None)
    except ValueError as error:
        raise elements.unexpected("DATATAKE_SENSING_START", found, "a time, ISO 8601") from error


def _quantification(elements: _Elements) -> float:
    found = elements.text("BOA_QUANTIFICATION_VALUE")
    number = _finite(found)
    if number != QUANTIFICATION:
        raise elements.unexpected(
            "BOA_QUANTIFICATION_VALUE", found, f"{QUANTIFICATION}, as all products have"
        )
    return number


def _offsets(elements: _Elements) -> dict[str, float]:
    offsets: dict[str, float] = {}
    for element in elements.all("BOA_ADD_OFFSET"):
        identity, found = element.get("band_id", ""), (element.text or "").strip()
        number = _finite(found)
        if number is None:
            raise elements.unexpected(f"BOA_ADD_OFFSET of band_id {identity}", found, "a number")
        if identity not in _BAND_OF:
            raise elements.unexpected(
                "band_id of a BOA_ADD_OFFSET", identity, f"a number from 0 to {len(BAND_IDS) - 1}"
            )
        band = _BAND_OF[identity]
        told = [f"{value:g}" for value in (offsets.get(band, number), number)]
        elements.require_one(f"BOA_ADD_OFFSET of band_id {identity}", told)
        offsets[band] = number
    return offsets


def _nodata(elements: _Elements) -> int | None:
    told: list[int] = []
    for element in elements.all("Special_Values"):
        value = {_plain_name(child): (child.text or "").strip() for child in element}
        if value.get("SPECIAL_VALUE_TEXT") == "NODATA":
            found = value.get("SPECIAL_VALUE_INDEX", "")
            if not re.fullmatch(r"[0-9]{1,5}", found):
                raise elements.unexpected(
                    "the special value NODATA", found, "a whole number of at most 5 digits"
                )
            told.append(int(found))
    elements.require_one("the special value NODATA", told)
    return told[0] if told else None


def _finite(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


_BAND_OF = {str(number): band for number, band in enumerate(BAND_IDS)}
