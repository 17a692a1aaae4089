"""Finding items by asking a STAC API.

The services differ in how they name a tile: Earth Search v1 and the Copernicus Data Space write
`grid:code` ("MGRS-31UES"), the Planetary Computer `s2:mgrs_tile` ("31UES"), and a filter by a
property that a service does not know finds nothing, without an error. So each search asks for the
ground of the tile, which all understand, and where the service offers the query extension also for
one of these properties, until one finds something; the ground alone is asked last. The ground
brings in the neighbours, which overlap: whoever asked keeps the items of its tile.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fgunet.errors import MissingAcquisitionError
from fgunet.sentinel2.stac_catalogues import Item, make_item, own_place, told_of
from fgunet.sentinel2.stac_network import asking, open_session
from fgunet.sentinel2.stac_tiles import spellings, tile_ground

if TYPE_CHECKING:
    from pystac_client import Client

_ITEMS_A_PAGE = 100
_TILE_PROPERTIES = {"grid:code": "MGRS-", "s2:mgrs_tile": ""}


@dataclass(frozen=True)
class Search:
    """What is asked of a STAC service.

    Attributes
    ----------
    tiles : tuple of str
        Names of the tiles ("T31TCJ").
    first_date, last_date : str
        First and last day of sensing, YYYYMMDD, both included.
    collections : tuple of str
        Collections of the service that are searched ("sentinel-2-l2a").
    """

    tiles: tuple[str, ...]
    first_date: str
    last_date: str
    collections: tuple[str, ...]


def search_items(address: str, search: Search) -> list[Item]:
    """Items on the ground of the tiles, of the days asked for; all pages are followed.

    Parameters
    ----------
    address : str
        Landing page of the service ("https://earth-search.aws.element84.com/v1").
    search : Search
        What is asked.

    Returns
    -------
    list of Item
        Items of the tiles, and possibly of their neighbours.

    Raises
    ------
    MissingAcquisitionError
        If the service does not answer, answers with an error or without end, or has no such
        collection.
    ProductError
        If an item of its answer is malformed.
    """
    if not search.collections:
        raise MissingAcquisitionError(
            f"the STAC service {address} is asked for no collection; list the collections to "
            'search under products.collections, like "sentinel-2-l2a"'
        )
    items: dict[tuple[str, str], Item] = {}
    client = _open(address)
    for collection in search.collections:
        found = [
            i for tile in search.tiles for i in _find(client, address, collection, tile, search)
        ]
        if not found:
            _require_collection(client, address, collection)
        items.update({(collection, item.id): item for item in found})
    return list(items.values())


def _open(address: str) -> "Client":
    """The service. What is no service fails here, or says that it offers no search."""
    from pystac_client import Client  # noqa: PLC0415  slow, and seldom needed

    with told_of(address), asking(address):
        client = Client.open(address, stac_io=open_session())
    if client.get_search_link() is None:
        raise MissingAcquisitionError(
            f"{address} offers no item search; give the address of a STAC service, or that of a "
            "static catalogue, which ends in .json"
        )
    return client


def _find(client: "Client", address: str, collection: str, tile: str, search: Search) -> list[Item]:
    """Items of one tile and collection by the first search that finds any."""
    first, last = (
        f"{day[:4]}-{day[4:6]}-{day[6:]}" for day in (search.first_date, search.last_date)
    )
    for query in _queries(client, tile):
        answer = client.search(
            collections=[collection],
            datetime=f"{first}T00:00:00Z/{last}T23:59:59Z",
            intersects=tile_ground(tile),
            query=query,
            limit=_ITEMS_A_PAGE,
        )
        with told_of(f"the answer of {address}"), asking(address):
            items = [make_item(item, own_place(item, address)) for item in answer.items()]
        if items:
            return items
    return []


def _queries(client: "Client", tile: str) -> Iterator[dict[str, Any] | None]:
    """Ways to narrow a search to a tile; None is by its ground alone."""
    if client.conforms_to("QUERY"):
        for name, prefix in _TILE_PROPERTIES.items():
            names = [f"{prefix}{spelling}" for spelling in spellings(tile)]
            yield {name: {"eq": names[0]} if len(names) == 1 else {"in": names}}
    yield None


def _require_collection(client: "Client", address: str, collection: str) -> None:
    """Tell a search that rightly finds nothing from one of a collection that does not exist."""
    with told_of(f"the answer of {address}"), asking(address):
        names = sorted(found.id for found in client.get_collections())
    if names and collection not in names:
        alike = [name for name in names if "sentinel-2" in name.lower()] or names
        raise MissingAcquisitionError(
            f"the STAC service {address} has no collection {collection}; it has "
            f"{', '.join(alike)}. Correct products.collections"
        )
