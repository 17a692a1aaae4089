"""All maps of a run as a STAC collection, and its files."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import pystac
from pystac.extensions.classification import ClassificationExtension

from fgunet.errors import CatalogueError
from fgunet.files import write_json
from fgunet.mapping.stac.assets import (
    PROCESSING,
    MapFile,
    PathLike,
    add_file,
    add_map,
    classes_of,
    describe_grid,
    slug,
)
from fgunet.mapping.stac.models import model_id
from fgunet.nomenclature import Nomenclature
from fgunet.rasters import read_grid

_log = logging.getLogger(__name__)
# What other items do not share.
_OF_ONE_ITEM = ("href", "file:size", "processing:expression")


def make_collection(
    title: str,
    tiles: Sequence[pystac.Item],
    models: Sequence[pystac.Item],
    nomenclature: Nomenclature,
) -> pystac.Collection:
    """Join the items of all tiles and models.

    Parameters
    ----------
    title : str
        Of the run; the collection's id is made of it.
    tiles : sequence of pystac.Item
        From `fgunet.mapping.stac.tiles.tile_item`, at least one.
    models : sequence of pystac.Item
        From `fgunet.mapping.stac.models.model_item`.
    nomenclature : Nomenclature
        Classes of the maps.

    Returns
    -------
    pystac.Collection
        Self-contained, its items linked; its extent is that of the tiles, its ``item_assets`` are
        those of the first.

    Raises
    ------
    CatalogueError
        If there is no tile.
    """
    if not tiles:
        raise CatalogueError("a catalogue needs at least one tile")
    collection = pystac.Collection(
        slug(title) or "land_cover",
        f"Land cover of {len(tiles)} tiles. {tiles[0].properties['processing:lineage']} "
        f"Classes: {nomenclature.name}.",
        _extent(tiles),
        title,
        [PROCESSING],
        license="other",
        keywords=["land cover", "classification"],
        catalog_type=pystac.CatalogType.SELF_CONTAINED,
        summaries=_summaries(tiles),
    )
    found = ClassificationExtension.summaries(collection, add_if_missing=True)
    found.classes = classes_of(nomenclature)
    collection.item_assets = {
        key: {name: value for name, value in asset.to_dict().items() if name not in _OF_ONE_ITEM}
        for key, asset in tiles[0].assets.items()
    }
    for item in (*tiles, *models):
        collection.add_item(item, title=item.properties["title"])
    return collection


def _extent(tiles: Sequence[pystac.Item]) -> pystac.Extent:
    about = tiles[0].common_metadata
    return pystac.Extent(
        pystac.SpatialExtent([list(bbox_of(tiles))]),
        pystac.TemporalExtent([[about.start_datetime, about.end_datetime]]),
    )


def bbox_of(items: Sequence[pystac.Item]) -> tuple[float, float, float, float]:
    """West, south, east and north of items, in degrees."""
    west, south, east, north = zip(*(item.bbox for item in items if item.bbox), strict=True)
    return min(west), min(south), max(east), max(north)


def _summaries(tiles: Sequence[pystac.Item]) -> pystac.Summaries:
    """The values that the tiles take."""
    codes = sorted({tile.properties["proj:code"] for tile in tiles})
    keys = "processing:level", "processing:lineage", "processing:software"
    return pystac.Summaries(
        {"proj:code": codes} | {key: [tiles[0].properties[key]] for key in keys},
        # Longer lists would be left out, and classes are summed up too.
        maxcount=256,
    )


def add_mosaic(
    collection: pystac.Collection,
    file: MapFile,
    folder: PathLike,
    *,
    label: str,
    nomenclature: Nomenclature,
) -> None:
    """Give the collection a method's mosaic, with its own grid; as `add_map` does for a tile."""
    href = f"./{model_id(file.method)}/{model_id(file.method)}.json"
    asset = add_map(
        collection, file, folder, label=label, nomenclature=nomenclature, model_href=href
    )
    asset.title = f"{asset.title}, all tiles"
    describe_grid(asset, read_grid(file.path))


def add_documents(
    collection: pystac.Collection,
    folder: PathLike,
    *,
    report: PathLike,
    overlaps: Mapping[str, PathLike],
    styles: Sequence[PathLike],
) -> None:
    """Give the collection what helps to read the maps.

    Parameters
    ----------
    collection : pystac.Collection
        What to add to.
    folder : path
        Folder that ``collection.json`` will lie in.
    report : path
        The report (HTML).
    overlaps : mapping of str to path
        Where tiles overlap, how often they agree (CSV), by the method's name for readers.
    styles : sequence of path
        Styles of the maps (QML, SLD), named after the product.
    """
    add_file(collection, "report", report, folder, title="Report", roles=["metadata"])
    for label, path in overlaps.items():
        title = f"{label}: agreement where tiles overlap"
        key = f"{Path(path).parent.name}_overlap"
        add_file(collection, key, path, folder, title=title, roles=["metadata"])
    for path in map(Path, styles):
        kind = path.suffix.removeprefix(".")
        title = f"{kind.upper()} style: {path.stem.replace('_', ' ')}"
        key = f"style_{path.stem}_{kind}"
        add_file(collection, key, path, folder, title=title, roles=["style"])


def write_collection(collection: pystac.Collection, folder: PathLike) -> None:
    """Write ``collection.json`` and ``{id}/{id}.json`` of each item, each atomically.

    The collection comes last, so that a collection that exists has all its items. Addresses are
    relative: the folder may be moved together with the files that it tells of.
    """
    # Whatever the root, all that is written is relative to it.
    collection.normalize_hrefs("/")
    items = list(collection.get_items())
    for item in items:
        content = item.to_dict(include_self_link=False)
        write_json(Path(folder, item.id, f"{item.id}.json"), content)
    write_json(Path(folder, "collection.json"), collection.to_dict(include_self_link=False))
    _log.info("%s tells of %d tiles and models", Path(folder, "collection.json"), len(items))
