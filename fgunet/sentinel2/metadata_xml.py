"""XML of products, without document types: no entity is expanded, no other file is looked at."""

from xml.etree import ElementTree as ET

from fgunet.errors import ProductError

MOST_PARTS = 1 << 17
"""Elements and attributes that are read at most; real products have less than a twentieth."""


def parse_xml(xml: bytes, source: str) -> ET.Element:
    """The root element of a metadata file.

    Metadata of Sentinel-2 have no document type declaration, the only place where XML can define
    entities or name further files; one is refused before anything of it is read.

    Parameters
    ----------
    xml : bytes
        Content of the file.
    source : str
        Its name, for messages.

    Raises
    ------
    ProductError
        If it is no XML, has a document type declaration, or far more elements than metadata have.
    """
    try:
        root = ET.fromstring(xml, ET.XMLParser(target=_Plain()))  # noqa: S314  see `_Plain`
    except (ET.ParseError, LookupError, ValueError) as error:
        raise ProductError(
            f"{source} is not XML ({error}); download the product again, or take it away"
        ) from error
    return root


class _Plain(ET.TreeBuilder):
    """Stops at a document type declaration, which the parser tells of before it reads it.

    It stops too where a small file would fill the memory with elements.
    """

    _parts = 0

    def start(self, tag: str, attributes: dict[str, str]) -> ET.Element:
        self._parts += 1 + len(attributes)
        if self._parts > MOST_PARTS:
            raise ValueError(f"it has more than {MOST_PARTS} elements and attributes")
        return super().start(tag, attributes)

    def doctype(self, name: str, public: str | None, system: str | None) -> None:
        raise ValueError("it has a document type declaration, expected none")
