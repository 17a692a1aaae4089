"""Describing a STAC item of Sentinel-2 L2A: who made it, when and where, and its files."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from fgunet.errors import MissingBandError, ProductError
from fgunet.grid import Grid
from fgunet.sentinel2.acquisition import Acquisition, Request
from fgunet.sentinel2.bands import BANDS
from fgunet.sentinel2.masks import MASK_KINDS
from fgunet.sentinel2.product_grid import ten_metre_grid
from fgunet.sentinel2.stac_assets import (
    SCENE_CLASSES,
    band_names,
    choose_assets,
    gdal_name,
    require_file,
)
from fgunet.sentinel2.stac_catalogues import Item
from fgunet.sentinel2.stac_numbers import processing_baseline, stored_numbers
from fgunet.sentinel2.stac_tiles import tile_crs, tile_name

_MGRS = ("utm_zone", "latitude_band", "grid_square")
_SEPARATORS = re.compile(r"[_.\-]")
_DAY = re.compile(r"(?<!\d)(\d{8})(?:T\d{6})?(?!\d)")
_MISSION_IN_NAME = re.compile(r"S2([A-D])_")
_TIMES_OF_MAKING = ("s2:generation_time", "processing:datetime", "created", "updated")
_SEQUENCE = re.compile(r"[0-9]{1,9}")
_SEQUENCE_IN_NAME = re.compile(r"_([0-9]{1,9})_L2A$")
_KEYS_NEEDED = (
    ". If the address asks for a login, set GDAL's environment variables (AWS_ACCESS_KEY_ID, ...; "
    "VSICURL_PC_URL_SIGNING=YES for the Planetary Computer)"
)
_LEVEL_1C = re.compile("MSI_?(?:L)?1C", re.IGNORECASE)


def is_sentinel2(item: Item) -> bool:
    """Whether an item is of Sentinel-2: by its platform, else by having a tile and its bands."""
    mission = item.properties.get("platform") or item.properties.get("constellation")
    if mission is None:
        return bool(tiles_named(item) and band_names(item))
    if not isinstance(mission, str):
        raise ProductError(
            f"item {item.id} ({item.place}) has the platform {mission!r}; expected a name, like "
            "sentinel-2a. Correct the item, or take it away"
        )
    return _plain(mission).startswith("SENTINEL2")


def tiles_named(item: Item) -> dict[str, str]:
    """The item's tile by where it is named; the most trusted place first."""
    properties = item.properties
    named = {name: properties.get(name) for name in ("grid:code", "s2:mgrs_tile")}
    for prefix in ("mgrs", "sentinel"):
        parts = [properties.get(f"{prefix}:{part}") for part in _MGRS]
        named[f"{prefix}:utm_zone ..."] = "".join(str(part) for part in parts)
    named["id"] = next((part for part in _SEPARATORS.split(item.id) if tile_name(part)), None)
    return {place: tile for place, text in named.items() if (tile := tile_name(text))}


def describe(item: Item, request: Request) -> Acquisition:
    """Open an item's files and say how they are read.

    Parameters
    ----------
    item : Item
        The item.
    request : Request
        Bands asked for, and what may make a pixel unusable.

    Raises
    ------
    ProductError
        If the item contradicts itself or its files, is no L2A product, or lacks a mask, the
        meaning of its numbers or all bands.
    MissingBandError
        If it lacks some of the bands asked for.
    """
    _require_consistent(item)
    keys = _band_keys(item, request)
    mask_keys = _mask_keys(item, request)
    tile = next(iter(tiles_named(item).values()))
    bands = {band: gdal_name(item, key) for band, key in keys.items()}
    masks = {kind: gdal_name(item, key) for kind, key in mask_keys.items()}
    grid = _checked_grid(item, keys, mask_keys)
    _require_same(item, tile, grid, keys)
    numbers = stored_numbers(item, keys)
    return Acquisition(
        product=item.id,
        family="stac",
        tile=tile,
        time=time_of(item).isoformat(timespec="milliseconds"),
        platform=_platform(item),
        version=_version(item),
        baseline=processing_baseline(item),
        grid=grid,
        bands=bands,
        masks=masks,
        scale=numbers.scale,
        offset=numbers.offset,
        nodata=numbers.nodata,
        nodata_declared=numbers.nodata_declared,
    )


def time_of(item: Item) -> datetime:
    """Its time in UTC, without zone."""
    return item.time.astimezone(UTC).replace(tzinfo=None)


def _require_consistent(item: Item) -> None:
    """Refuse Level-1C, and a tile or date that its name and its properties tell differently."""
    properties = item.properties
    level = [properties.get(name, "") for name in ("product:type", "s2:product_type")]
    if any(_LEVEL_1C.search(str(text)) for text in (item.id, *level)):
        raise ProductError(
            f"item {item.id} ({item.place}) is of Level-1C, reflectance at the top of the "
            "atmosphere; expected Level-2A. Take it out of products.folder"
        )
    tiles = tiles_named(item)
    if len(set(tiles.values())) > 1:
        told = ", ".join(f"{tile} ({place})" for place, tile in tiles.items())
        raise ProductError(
            f"item {item.id} ({item.place}) names several tiles: {told}. Correct it, or "
            "take it away"
        )
    day = _DAY.search(item.id)
    time = time_of(item)
    if day and not _same_day(day[1], time):
        raise ProductError(
            f"item {item.id} ({item.place}) is of {day[1]} by its id and of {time:%Y%m%d} by its "
            "datetime. Correct it, or take it away"
        )


def _same_day(day: str, time: datetime) -> bool:
    """Ids hold the start of the datatake, which may lie on the other side of midnight."""
    try:
        return abs((datetime.strptime(day, "%Y%m%d") - time).total_seconds()) < 2 * 86400
    except ValueError:
        return True


def _band_keys(item: Item, request: Request) -> dict[str, str]:
    keys = choose_assets(item, request.bands)
    missing = [band for band in request.bands if band not in keys]
    if missing:
        there = band_names(item)
        message = (
            f"item {item.id} ({item.place}) has no asset for {', '.join(missing)} at the band's "
            f"own resolution; it has {', '.join(there) or 'none'} among the assets "
            f"{', '.join(item.assets) or 'none'}. Take the product away, or list fewer bands under "
            "products.bands"
        )
        raise (MissingBandError if there else ProductError)(message)
    return keys


def _mask_keys(item: Item, request: Request) -> dict[str, str]:
    keys = choose_assets(item, [SCENE_CLASSES])
    if "cloud" in request.reasons and not keys:
        raise ProductError(
            f"item {item.id} ({item.place}) has no scene classification (asset SCL or scl, of 10 m "
            "or 20 m), so its clouds would pass for ground; take the product away, or switch "
            "products.masks.cloud off"
        )
    return keys if set(MASK_KINDS[SCENE_CLASSES]) & set(request.reasons) else {}


def _checked_grid(item: Item, keys: Mapping[str, str], mask_keys: Mapping[str, str]) -> Grid:
    """The 10 m grid; every file is opened."""
    paths = {key: gdal_name(item, key) for key in (*keys.values(), *mask_keys.values())}
    for key in paths:
        require_file(item, key)
    try:
        return ten_metre_grid(
            f"{item.id} ({item.place})",
            {band: paths[key] for band, key in keys.items()},
            {kind: paths[key] for kind, key in mask_keys.items()},
        )
    except ProductError as error:
        culprits = [key for key, path in paths.items() if path in str(error)]
        remote = any(paths[key].startswith("/vsi") for key in culprits)
        raise ProductError(
            f"asset {', '.join(culprits)} of item {item.id} ({item.place}): {error}"
            f"{_KEYS_NEEDED if remote else ''}"
        ) from error


def _require_same(item: Item, tile: str, grid: Grid, keys: Mapping[str, str]) -> None:
    """Refuse files of another coordinate system than the tile's, or of a grid not as stated."""
    if grid.crs != tile_crs(tile):
        raise ProductError(
            f"item {item.id} ({item.place}) is of tile {tile}, whose coordinate system is "
            f"{tile_crs(tile)}; its files lie in {grid.crs}. Correct the item, download the files "
            "again, or take it away"
        )
    for band, key in keys.items():
        found = _found_grid(grid.coarsened(BANDS[band].resolution_m // 10))
        for what, value in _stated_grid(item, key).items():
            if value != found[what]:
                raise ProductError(
                    f"asset {key} of item {item.id} ({item.place}): the item says that {what} is "
                    f"{value}, the file {gdal_name(item, key)} has {found[what]}. Correct the "
                    "item, or download the file again"
                )


def _found_grid(grid: Grid) -> dict[str, object]:
    return {
        "proj:code": grid.crs,
        "proj:shape": [grid.height, grid.width],
        "proj:transform": [float(value) for value in grid.transform],
    }


def _stated_grid(item: Item, key: str) -> dict[str, object]:
    """What the item says of an asset's grid; the asset's words go before the item's."""
    asset = item.assets[key]
    stated: dict[str, object] = {}
    for place in (item.properties, asset):
        if place.get("proj:epsg"):
            stated["proj:code"] = f"EPSG:{place['proj:epsg']}"
        if place.get("proj:code"):
            stated["proj:code"] = place["proj:code"]
    shape, transform = asset.get("proj:shape"), asset.get("proj:transform")
    if isinstance(shape, list):
        stated["proj:shape"] = shape
    if isinstance(transform, list):
        stated["proj:transform"] = transform[:6]
    return stated


def _platform(item: Item) -> str:
    """Satellite, spelled as in Theia's names."""
    properties = item.properties
    in_name = _MISSION_IN_NAME.match(item.id)
    by_name = f"SENTINEL2{in_name[1]}" if in_name else "SENTINEL2"
    return _plain(properties.get("platform") or by_name)


def _plain(mission: object) -> str:
    """One spelling for "sentinel-2a" and "Sentinel 2A"."""
    return re.sub(r"[\s_-]", "", str(mission)).upper()


def _version(item: Item) -> str:
    """Baseline, then the time of making or else the sequence number: "05.09_20231107T182159"."""
    return f"{processing_baseline(item) or '00.00'}_{_made(item.properties) or _sequence(item)}"


def _made(properties: Mapping[str, object]) -> str:
    for name in _TIMES_OF_MAKING:
        try:
            made = datetime.fromisoformat(str(properties.get(name)))
        except ValueError:
            continue
        return f"{made:%Y%m%dT%H%M%S}"
    return ""


def _sequence(item: Item) -> str:
    told = str(item.properties.get("s2:sequence"))
    if _SEQUENCE.fullmatch(told):
        return told
    match = _SEQUENCE_IN_NAME.search(item.id)
    return match[1] if match else "0"
