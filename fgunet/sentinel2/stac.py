"""Products described by STAC items: in local catalogues, on the web, and in search services."""

import logging
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from fgunet.errors import MissingAcquisitionError, ProductError
from fgunet.sentinel2.acquisition import Acquisition, Product, Request
from fgunet.sentinel2.stac_catalogues import (
    SUFFIXES,
    Item,
    find_catalogues,
    read_items,
    told_of,
)
from fgunet.sentinel2.stac_items import describe, is_sentinel2, tiles_named, time_of
from fgunet.sentinel2.stac_services import Search, search_items

__all__ = ["Search", "find_remote", "is_address", "recognise"]

_log = logging.getLogger(__name__)


def recognise(path: Path) -> list[Product] | None:
    """The products of a STAC file, or of the catalogue at the top of a folder.

    Parameters
    ----------
    path : Path
        A folder with catalog.json or collection.json: all its items, at any depth. A .json or
        .geojson file that is a catalogue, collection, item or item collection.

    Returns
    -------
    list of Product or None
        None if it is nothing of STAC.

    Raises
    ------
    ProductError
        If what is STAC cannot be read, or an item has no time or no tile.
    """
    catalogues = find_catalogues(path)
    if not catalogues:
        return None
    return [
        product for catalogue in catalogues for product in _products(read_items(str(catalogue)))
    ]


def is_address(location: str) -> bool:
    """Whether a location is an address on the network (http, https or s3) and not a path."""
    return location.startswith(("http://", "https://", "s3://"))


def find_remote(location: str, search: Search | None) -> list[Product]:
    """The products of a catalogue or service on the network.

    Parameters
    ----------
    location : str
        An address that ends in .json or .geojson is a static catalogue or item collection, whose
        items of the tiles and days asked for are taken (all collections); any other is the
        landing page of a STAC service.
    search : Search or None
        What is asked. None: nothing, and the network is left alone.

    Raises
    ------
    MissingAcquisitionError
        If the address does not answer, or the service lacks a collection.
    ProductError
        If what it answers is malformed.
    """
    if search is None:
        return []
    if location.startswith("s3://"):
        raise MissingAcquisitionError(
            f"{location}: STAC cannot be read from s3:// (only its assets can); give the https "
            "address of the catalogue in products.folder"
        )
    is_file = location.partition("?")[0].lower().endswith(SUFFIXES)
    items = read_items(location) if is_file else search_items(location, search)
    return [
        product
        for product in _products(items)
        if product.tile in search.tiles and search.first_date <= product.date <= search.last_date
    ]


def _products(items: Iterable[Item]) -> list[Product]:
    """Products of items, each once; items of other satellites are left out and counted."""
    products: list[Product] = []
    others: list[str] = []
    for item in items:
        with told_of(_name(item)):
            if is_sentinel2(item):
                products.append(_product(item))
            else:
                others.append(item.id)
    if others:
        _log.warning("%d STAC items are not of Sentinel-2: %s, ...", len(others), others[0])
    return products


def _product(item: Item) -> Product:
    tiles = tiles_named(item)
    if not tiles:
        raise ProductError(
            f"{_name(item)} names no tile; expected grid:code (MGRS-31UES) or "
            "s2:mgrs_tile. Add it to the item, or take the item away"
        )
    return Product(
        name=item.id,
        family="stac",
        tile=next(iter(tiles.values())),
        date=f"{time_of(item):%Y%m%d}",
        path=item.place,
        describe=partial(_describe, item),
    )


def _describe(item: Item, request: Request) -> Acquisition:
    with told_of(_name(item)):
        return describe(item, request)


def _name(item: Item) -> str:
    return f"item {item.id} ({item.place})"
