"""Finding the items of static STAC catalogues, item collections and single item files.

Specification: https://github.com/radiantearth/stac-spec (1.0 and 1.1).
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from fgunet.errors import FgunetError, ProductError
from fgunet.sentinel2.stac_network import LIMITS, Listing

if TYPE_CHECKING:
    import pystac

SUFFIXES = (".json", ".geojson")
"""Endings of STAC files."""

_CATALOGUES = ("catalog.json", "collection.json")
_HEAD = 1 << 20
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+-]*")
_WITH_LINKS = ("Catalog", "Collection")
_KINDS = (*_WITH_LINKS, "Feature", "FeatureCollection")


@dataclass(frozen=True)
class Item:
    """One STAC item.

    Attributes
    ----------
    id : str
        Its identifier.
    place : str
        File or address it was read from.
    time : datetime
        Its time (or start of its time), UTC.
    properties : mapping
        Its properties.
    assets : mapping
        What it says of each asset by key; "href" is absolute.
    """

    id: str
    place: str
    time: datetime
    properties: Mapping[str, Any]
    assets: Mapping[str, Mapping[str, Any]]


def find_catalogues(path: Path) -> list[Path]:
    """The STAC files that a path stands for: itself, or the catalogue at the top of a folder.

    A file counts if it ends in .json or .geojson and the first MiB names a STAC version, so that
    other JSON costs little, and what it holds never fails.
    """
    if path.is_dir():
        candidates = [path / name for name in _CATALOGUES]
    elif path.suffix.lower() in SUFFIXES:
        candidates = [path]
    else:
        return []
    return [candidate for candidate in candidates if _is_stac(candidate)]


def read_items(place: str) -> list[Item]:
    """All items of a STAC file: of a catalogue those at any depth, of an item file itself.

    Parameters
    ----------
    place : str
        File or http(s) address of a catalogue, collection, item or item collection.

    Raises
    ------
    ProductError
        If this file, or one that a catalogue links to, is missing, malformed or too large, or if
        links lead to ever more.
    MissingAcquisitionError
        If an address does not answer, or answers with an error or without end.
    """
    if "://" not in place:
        place = os.path.abspath(place)  # noqa: PTH100 - links stay as the user named them
    items = []
    for item in _read(place):
        items.append(item)
        _require_end(len(items), place)
    return items


def make_item(item: "pystac.Item", place: str) -> Item:
    """What is needed of an item; relative hrefs start from `place`."""
    if not _ID.fullmatch(item.id):
        raise ProductError(
            f"{place} has an item with the id {item.id!r}, which is to be the product's name; "
            "expected letters, digits and . _ - : + alone, a letter or digit first. Correct it, or "
            "take the item away"
        )
    time = item.datetime or item.common_metadata.start_datetime
    if time is None:
        raise ProductError(f"item {item.id} of {place} has neither datetime nor start_datetime")
    assets = {
        key: {**asset.to_dict(), "href": _absolute(asset.href, place)}
        for key, asset in item.assets.items()
    }
    return Item(item.id, place, time, dict(item.properties), assets)


def own_place(item: "pystac.Item", place: str) -> str:
    """Where an item that came with others from `place` lies by its own account, or else `place`."""
    return _absolute(item.get_self_href() or place, place)


def _absolute(href: str, place: str) -> str:
    """Where an href in the file or at the address `place` leads.

    pystac takes "#" and "?" in a local path for parts of an address, so it is not asked.
    """
    if "://" in href:
        return href
    scheme, on_the_net, rest = place.partition("://")
    if on_the_net:
        return scheme + urljoin(f"http://{rest}", href).removeprefix("http")
    return os.path.normpath(Path(place).parent / href)


def _is_stac(path: Path) -> bool:
    """Whether a file is STAC, or claims to be; what cannot be read may be.

    What is no file (a pipe, say) is not: opening it could take for ever.
    """
    if not os.path.isfile(path):  # noqa: PTH113 - False too in a folder that may not be entered
        return False
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
            if b'"stac_version"' not in head.replace(b"\0", b""):  # UTF-16 has them
                return False
            if os.fstat(file.fileno()).st_size > LIMITS.file_bytes:
                return True
            content = json.loads(head + file.read())
    except (OSError, ValueError, RecursionError):
        return True
    if not isinstance(content, dict):
        return False
    # Catalogues before STAC 1.0 have no type; their items are found by themselves.
    return content.get("type") in _KINDS or {"type", "stac_version"} <= content.keys()


def _read(place: str) -> Iterator[Item]:
    """Items at or below a place; each file is read once, so links may loop."""
    waiting, seen, listing = [place], {place}, Listing()
    while waiting:
        place = waiting.pop()
        with told_of(place):
            content = json.loads(_content(place, listing))
        kind = content.get("type") if isinstance(content, dict) else None
        if kind == "FeatureCollection":
            yield from _of_collection(content, place)
        elif kind == "Feature":
            with told_of(place):
                item = _parse_item(content, place)
            yield item
        elif kind in _WITH_LINKS:
            with told_of(place):
                targets = [one for one in _targets(content, place) if one not in seen]
            seen.update(targets)
            _require_end(len(seen), place)
            waiting += reversed(targets)
        else:
            raise ProductError(
                f"{place} is not STAC: its type is {kind!r}; expected {', '.join(_KINDS)}. "
                "Correct its type, products.folder, or the link in the catalogue"
            )


def _content(place: str, listing: Listing) -> str | bytes:
    if "://" in place:
        return listing.fetch_text(place)
    path = Path(place)
    if not path.is_file():
        raise FileNotFoundError(place)
    if (size := path.stat().st_size) > LIMITS.file_bytes:
        raise ProductError(
            f"{place} has {size} bytes; expected at most {LIMITS.file_bytes} of a STAC file. Split "
            "it, if it is an item collection, download it again, or take it away"
        )
    return path.read_bytes()


def _require_end(number: int, place: str) -> None:
    """Refuse a listing that may have none: links may lead to ever other names of a folder."""
    if number > LIMITS.listing_items:
        raise ProductError(
            f"{place} leads to more than {LIMITS.listing_items} items and catalogues, and may have "
            "no end; expected fewer. Correct its links, or give smaller catalogues"
        )


def _require_reachable(target: str, place: str) -> None:
    """Refuse a link to what is no place for STAC. Raises ProductError."""
    if "://" not in target or target.lower().startswith(("http://", "https://")):
        return
    expected = (
        "an http(s) address, as an address of the network may not name files here"
        if "://" in place
        else "a path or an http(s) address"
    )
    raise ProductError(
        f"{place} links to {target}; expected {expected}. Correct the link, or take it out of the "
        "catalogue"
    )


def _parse_item(content: dict[str, Any], place: str) -> Item:
    import pystac  # noqa: PLC0415  0.2 s, and most runs need it not

    return make_item(pystac.Item.from_dict(content, href=place, preserve_dict=False), place)


def _of_collection(content: dict[str, Any], place: str) -> Iterator[Item]:
    """Items of an item collection; relative hrefs start from the collection's own place.

    An item's own address, where it names one, is kept: there its files lie.
    """
    import pystac  # noqa: PLC0415  0.2 s, and most runs need it not

    with told_of(place):
        features = list(content["features"])
    for number, feature in enumerate(features):
        with told_of(f"feature {number} of {place}"):
            item = pystac.Item.from_dict(feature, preserve_dict=False)
            made = make_item(item, own_place(item, place))
        yield made


def _targets(content: dict[str, Any], place: str) -> list[str]:
    """Absolute addresses of the items and children that a catalogue links to, each once."""
    import pystac  # noqa: PLC0415  0.2 s, and most runs need it not

    kind = pystac.Collection if content["type"] == "Collection" else pystac.Catalog
    catalogue: pystac.Catalog = kind.from_dict(
        content, href=place, migrate=True, preserve_dict=False
    )
    links = [*catalogue.get_item_links(), *catalogue.get_child_links()]
    targets = list(dict.fromkeys(_absolute(str(link.target), place) for link in links))
    for target in targets:
        _require_reachable(target, place)
    return targets


@contextmanager
def told_of(place: str) -> Iterator[None]:
    """Tell errors as ours. Content may be anything, so bad content raises errors of any type."""
    try:
        yield
    except (FgunetError, MemoryError):
        raise
    except FileNotFoundError as error:
        raise ProductError(
            f"there is no file {place}, which a STAC catalogue links to; copy the missing "
            "file, or take its link out of the catalogue"
        ) from error
    except Exception as error:
        raise ProductError(
            f"{place} is not valid STAC ({type(error).__name__}: {error}); mend it, download it "
            "again, or take it away"
        ) from error
