"""Which asset of a STAC item holds a band or the scene classification, and its GDAL name.

Asset keys seen: "B02" (Planetary Computer and many others), "blue" with "blue-jp2" beside it
(Earth Search v1), "B02_10m", "B02_20m", ... (Copernicus Data Space). Common names:
https://github.com/stac-extensions/eo
"""

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from fgunet.errors import ProductError
from fgunet.sentinel2.bands import BANDS
from fgunet.sentinel2.stac_catalogues import Item

Asset = Mapping[str, Any]

SCENE_CLASSES = "SCL"
"""Name of the scene classification."""

_COMMON_NAMES = {
    "blue": "B02",
    "green": "B03",
    "red": "B04",
    "rededge1": "B05",
    "rededge071": "B05",
    "rededge2": "B06",
    "rededge075": "B06",
    "rededge3": "B07",
    "rededge078": "B07",
    "nir": "B08",
    "nir08": "B8A",
    "swir16": "B11",
    "swir22": "B12",
    "scl": SCENE_CLASSES,
}
_BAND = re.compile(r"B0?(?P<number>\d{1,2}A?)", re.IGNORECASE)
_KEY = re.compile(r"(?P<name>.+?)(?:[_-](?P<metres>\d+)m)?(?:[_-](?:jp2|cog|tif))?", re.IGNORECASE)
_FORMATS = (("cloud-optimized",), ("tif",), ("jp2", "jpeg2000"))
_SCHEMES = {"http": "/vsicurl/{}", "https": "/vsicurl/{}", "s3": "/vsis3/{}", "gs": "/vsigs/{}"}


def choose_assets(item: Item, names: Iterable[str]) -> dict[str, str]:
    """The key of the asset that holds each name, of those there are.

    An asset with several bands (a picture) is no candidate, nor is one known to have other pixels
    than the band. A cloud-optimized GeoTIFF goes before a GeoTIFF, that before JPEG 2000.

    Parameters
    ----------
    item : Item
        The item.
    names : iterable of str
        Keys of `BANDS`, or `SCENE_CLASSES`.

    Raises
    ------
    ProductError
        If an asset's key and the band it describes name different bands.
    """
    chosen = {}
    for name in names:
        candidates = [
            (_rank(asset, key, name), key)
            for key, asset in item.assets.items()
            if _may_hold(item, key, name)
        ]
        if candidates:
            chosen[name] = min(candidates)[1]
    return chosen


def band_names(item: Item) -> list[str]:
    """Names of the bands that the item has, in the order of `BANDS`."""
    return list(choose_assets(item, BANDS))


def gdal_name(item: Item, key: str) -> str:
    """How GDAL opens an asset.

    An item on the network may not point to files of this machine, and none to GDAL's own places
    ("/vsi..."), which can be made to send a file elsewhere.

    Raises
    ------
    ProductError
        If the asset does, or lies at an address that cannot be read.
    """
    href = str(item.assets[key]["href"])
    scheme, _, path = href.partition("://")
    if scheme in _SCHEMES and path:
        return _SCHEMES[scheme].format(href if scheme.startswith("http") else path)
    local = unquote(urlsplit(href).path) if scheme == "file" else os.path.normpath(href)
    if (path and scheme != "file") or "://" in item.place or local.startswith("/vsi"):
        raise ProductError(
            f"asset {key} of item {item.id} ({item.place}) lies at {href}; addresses that can be "
            f"read start with {', '.join(_SCHEMES)}, or with file where the item is a file too. "
            "Copy the files, or take the item away"
        )
    return local


def require_file(item: Item, key: str) -> None:
    """Raise ProductError if an asset's file should lie on this machine and does not."""
    path = gdal_name(item, key)
    if not path.startswith("/vsi") and not Path(path).is_file():
        raise ProductError(
            f"asset {key} of item {item.id} ({item.place}) points to {item.assets[key]['href']}, "
            "where there is no file; download it there, correct its href, or take the item away"
        )


def pixel_size(asset: Asset, key: str) -> float | None:
    """Side of an asset's pixels in metres, or None if nothing tells.

    The key's ending tells before the transform, and that before the nominal `gsd`, which some
    catalogues repeat unchanged for resampled copies.
    """
    match = _KEY.fullmatch(key)
    if match and match["metres"]:
        return float(match["metres"])
    transform = asset.get("proj:transform")
    for value in (
        transform[0] if isinstance(transform, list) and transform else None,
        field(asset, "spatial_resolution", "raster:spatial_resolution"),
        field(asset, "gsd"),
    ):
        if isinstance(value, int | float) and value > 0:
            return float(value)
    return None


def field(asset: Asset, *names: str) -> object:
    """What an asset or its first band says under the first of these names that is there.

    The band's own words (`raster:bands`, `bands`, `eo:bands`) go before the asset's.
    """
    for place in (*_first_bands(asset), asset):
        for name in names:
            if place.get(name) is not None:
                return place[name]
    return None


def _first_bands(asset: Asset) -> list[Mapping[str, Any]]:
    lists = (asset.get(name) for name in ("raster:bands", "bands", "eo:bands"))
    return [bands[0] for bands in lists if isinstance(bands, list) and bands and bands[0]]


def _may_hold(item: Item, key: str, name: str) -> bool:
    asset = item.assets[key]
    if not _is_single_image(asset):
        return False
    by_key = _name_in(key)
    by_band = {_name_in(band.get("name")) for band in _first_bands(asset)} - {None}
    told = ({by_key} - {None}) | by_band or {_common_name(asset)}
    if name not in told or _wrong_pixels(asset, key, name):
        return False
    if len(told) > 1:
        raise ProductError(
            f"asset {key} of item {item.id} ({item.place}) describes its band as "
            f"{', '.join(sorted(str(band) for band in by_band))}; expected the band of its key. "
            "Correct the item, or take it away"
        )
    return True


def _is_single_image(asset: Asset) -> bool:
    """One band, in a format that holds measurements and not a picture of them."""
    lists = [asset.get(name) for name in ("raster:bands", "bands", "eo:bands")]
    if any(isinstance(bands, list) and len(bands) > 1 for bands in lists):
        return False
    if {"visual", "overview", "thumbnail"} & set(asset.get("roles") or ()):
        return False
    return _format(asset) is not None


def _format(asset: Asset) -> int | None:
    """Place of the asset's format in `_FORMATS`, by its media type or else its ending."""
    ending = urlsplit(str(asset["href"])).path.rpartition(".")[2]
    told = str(asset.get("type") or ending).lower()
    return next(
        (place for place, words in enumerate(_FORMATS) if any(word in told for word in words)), None
    )


def _name_in(text: object) -> str | None:
    """The name of `BANDS` (or `SCENE_CLASSES`) that a key or a band's name stands for."""
    match = _KEY.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return None
    name = match["name"].lower()
    band = _BAND.fullmatch(name)
    if band is None:
        return _COMMON_NAMES.get(name)
    return f"B{band['number'].upper():0>2}"


def _common_name(asset: Asset) -> str | None:
    """By the common name alone, "rededge" left out, which three bands share."""
    name = field(asset, "common_name", "eo:common_name")
    return _COMMON_NAMES.get(name) if isinstance(name, str) else None


def _wrong_pixels(asset: Asset, key: str, name: str) -> bool:
    metres = pixel_size(asset, key)
    fitting = (10, 20) if name == SCENE_CLASSES else (BANDS[name].resolution_m,)
    return metres is not None and metres not in fitting


def _rank(asset: Asset, key: str, name: str) -> tuple[bool, int, float]:
    """The lower the better: pixels known to fit, the better format, the smaller pixels."""
    metres = pixel_size(asset, key)
    return metres is None, _format(asset) or 0, metres or 0.0
