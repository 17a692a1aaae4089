"""What the manifest of a product of ESA says of its images.

Format: XFDU (CCSDS 661.0-B-1), as the Sentinel-2 Products Specification Document uses it. A file
is a ``byteStream`` with its size, its place from the manifest on and a checksum: MD5 until 2021,
SHA3-256 since.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from xml.etree.ElementTree import Element

from fgunet.sentinel2.acquisition import Acquisition
from fgunet.sentinel2.contents import Contents
from fgunet.sentinel2.metadata_xml import parse_xml
from fgunet.sentinel2.safe_format import IMAGES_FOLDER, MANIFEST_FILE

_ALGORITHMS = {
    name.replace("_", ""): name
    for name in ("md5", "sha1", "sha256", "sha512", "sha3_256", "sha3_512")
}
"""Names that hashlib knows, by how they are compared."""


@dataclass(frozen=True)
class Listed:
    """What a manifest says of a file.

    Attributes
    ----------
    manifest : str
        Path of the manifest, for messages.
    size : int or None
        Size in bytes; None where it states none.
    algorithm, checksum : str
        Checksum in lower case, and the name by which hashlib knows its kind; "" both where it
        states none, or one of a kind that is not known.
    """

    manifest: str
    size: int | None
    algorithm: str
    checksum: str


def listed_images(acquisition: Acquisition) -> dict[str, Listed]:
    """What manifests say of the files of an acquisition, by path, bands before masks.

    Files that no manifest lists are left out, as are those in archives, which have checksums of
    their own.

    Raises
    ------
    ProductError
        If a manifest is there and cannot be read.
    """
    manifests: dict[Path, dict[str, Listed]] = {}
    found: dict[str, Listed] = {}
    for path in (*acquisition.bands.values(), *acquisition.masks.values()):
        top = _top_folder(path)
        # Of what lies in an archive or is far, the path is no place of this machine's.
        if top is None or not os.path.lexists(top / MANIFEST_FILE):
            continue
        if top not in manifests:
            manifests[top] = dict(_read(top))
        about = manifests[top].get(Path(path).relative_to(top).as_posix())
        if about is not None:
            found[path] = about
    return found


def _top_folder(image: str) -> Path | None:
    """The folder that a manifest of this image would lie in, or None if it lies otherwise."""
    above = Path(image).parents
    return above[4] if len(above) > 4 and above[3].name == IMAGES_FOLDER else None


def _read(top: Path) -> Iterator[tuple[str, Listed]]:
    """Each file that a manifest lists: its name from the manifest on, and what is said of it."""
    source = str(top / MANIFEST_FILE)
    root = parse_xml(Contents(top).read_bytes(MANIFEST_FILE), source)
    for file in root.iterfind(".//{*}byteStream"):
        location = file.find("{*}fileLocation")
        if location is not None:
            place = PurePosixPath(location.get("href", "")).as_posix()
            yield place, Listed(source, _size(file), *_checksum(file))


def _size(file: Element) -> int | None:
    try:
        return int(file.get("size", ""))
    except ValueError:
        return None


def _checksum(file: Element) -> tuple[str, str]:
    """Name and value, as `Listed` has them."""
    element = file.find("{*}checksum")
    told = element.get("checksumName", "") if element is not None else ""
    name = _ALGORITHMS.get("".join(c for c in told.lower() if c.isalnum()), "")
    value = (element.text or "").strip().lower() if element is not None else ""
    return (name, value) if name and value else ("", "")
