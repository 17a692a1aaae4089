"""A tile's maps as a STAC item."""

from collections.abc import Mapping, Sequence

import pystac

from fgunet.grid import Grid
from fgunet.mapping.stac.assets import (
    PROCESSING,
    MapFile,
    PathLike,
    add_file,
    add_map,
    describe_bands,
    describe_grid,
)
from fgunet.mapping.stac.extent import footprint, interval, located
from fgunet.mapping.stac.models import model_id
from fgunet.nomenclature import Nomenclature
from fgunet.rasters import read_grid, require_same_grid


def tile_item(
    tile: str,
    maps: Sequence[MapFile],
    folder: PathLike,
    *,
    clear_count: PathLike,
    sheet: PathLike,
    labels: Mapping[str, str],
    nomenclature: Nomenclature,
    dates: Sequence[str],
    version: str,
) -> pystac.Item:
    """Describe the maps of a tile.

    Parameters
    ----------
    tile : str
        Its name, the item's id.
    maps : sequence of MapFile
        Products of all methods; the rasters share one grid.
    folder : path
        Folder that the item's file will lie in, beside those of the models.
    clear_count, sheet : path
        Clear days of each pixel, and the picture of the tile (PNG).
    labels : mapping of str to str
        Name of each method, for readers.
    nomenclature : Nomenclature
        Classes of the maps.
    dates : sequence of str
        Dates of the series, YYYYMMDD, rising.
    version : str
        Of this library.

    Returns
    -------
    pystac.Item
        With the file, projection, raster, classification and processing extensions, and a link
        ``derived_from`` to the item of each model.

    Raises
    ------
    GridError
        If the rasters lie on several grids.
    """
    item = _empty_item(tile, _grid_of([clear_count, *(file.path for file in maps)]), dates)
    item.properties["processing:lineage"] = lineage(dates, list(labels.values()))
    item.properties["processing:software"] = {"fgunet": version}
    hrefs = {method: f"../{model_id(method)}/{model_id(method)}.json" for method in labels}
    for method, href in hrefs.items():
        geojson = pystac.MediaType.GEOJSON
        item.add_link(pystac.Link("derived_from", href, geojson, labels[method]))
    for file in maps:
        add_map(
            item,
            file,
            folder,
            label=labels[file.method],
            nomenclature=nomenclature,
            model_href=hrefs[file.method],
        )
    _add_clear_count(item, clear_count, folder)
    add_file(item, "sheet", sheet, folder, title="Sheet of the tile", roles=["overview"])
    return item


def _grid_of(paths: Sequence[PathLike]) -> Grid:
    """The one grid of those that are rasters."""
    names = [name for name in map(str, paths) if name.endswith(".tif")]
    return require_same_grid((name, read_grid(name)) for name in names)


def _empty_item(tile: str, grid: Grid, dates: Sequence[str]) -> pystac.Item:
    first, last = interval(dates)
    item = pystac.Item(
        tile,
        **located(footprint(grid)),
        datetime=None,
        # Results of an analysis of data that were measured.
        properties={"title": tile, "processing:level": "L4"},
        start_datetime=first,
        end_datetime=last,
        stac_extensions=[PROCESSING],
    )
    describe_grid(item, grid)
    return item


def _add_clear_count(item: pystac.Item, path: PathLike, folder: PathLike) -> None:
    asset = add_file(
        item,
        "clear_count",
        path,
        folder,
        title="Clear days",
        description="Days on which each pixel was seen clear.",
        roles=["data"],
    )
    describe_bands(asset, path, unit="d")


def lineage(dates: Sequence[str], labels: Sequence[str]) -> str:
    """How the maps were made, in a sentence."""
    first, last = (f"{moment:%Y-%m-%d}" for moment in interval(dates))
    return (
        f"Series of {len(dates)} dates, {first} to {last}, classified by {' and by '.join(labels)}."
    )
