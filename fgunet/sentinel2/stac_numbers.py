"""How the stored numbers of a STAC item are to be read: scale, offset, nodata.

Raster extension (1.x `raster:bands`, 2.0 `raster:scale`):
https://github.com/stac-extensions/raster
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from fgunet.errors import ProductError
from fgunet.sentinel2.product_grid import declared_nodata
from fgunet.sentinel2.stac_assets import field, gdal_name
from fgunet.sentinel2.stac_catalogues import Item

SCALE = 1e-4
"""Of L2A products; `OFFSET` goes with it from baseline `OFFSET_SINCE` on (2022-01-25):
https://sentiwiki.copernicus.eu/web/s2-processing"""
OFFSET = -0.1
OFFSET_SINCE = (4, 0)
NODATA = 0

_BASELINE_PROPERTIES = (
    "s2:processing_baseline",
    "processing:version",
    "sentinel:processing_baseline",
)
_BASELINE = re.compile(r"N?(\d{1,2})\.(\d{1,2})")
_BASELINE_IN_NAME = re.compile(r"_N(\d{2})(\d{2})_")
_MADE_BY_USER = "99.99"
_APPLIED = ("earthsearch:boa_offset_applied", "sentinel:boa_offset_applied")

Value = TypeVar("Value")


@dataclass(frozen=True)
class Numbers:
    """Reflectance = stored number * scale + offset; `nodata` is a pixel without measurement."""

    scale: float
    offset: float
    nodata: int
    nodata_declared: bool


def processing_baseline(item: Item) -> str:
    """Processing baseline as the item states it ("05.09"), from its name ("_N0509_"), or ""."""
    for name in _BASELINE_PROPERTIES:
        text = str(item.properties.get(name, ""))
        if _BASELINE.fullmatch(text):
            return text
    match = _BASELINE_IN_NAME.search(item.id) or _BASELINE_IN_NAME.search(
        str(item.properties.get("s2:product_uri", ""))
    )
    text = f"{match[1]}.{match[2]}" if match else ""
    return "" if text == _MADE_BY_USER else text


def stored_numbers(item: Item, assets: Mapping[str, str]) -> Numbers:
    """Scale, offset and nodata that the bands of an item share.

    Where an item says nothing of scale and offset, they follow from the processing baseline.

    Earth Search takes the offset off the pixels of its `sentinel-2-l2a` collection, yet leaves
    "-0.1" in `raster:bands`: its property `earthsearch:boa_offset_applied` overrules the bands.

    Parameters
    ----------
    item : Item
        The item.
    assets : mapping
        Asset key of each band.

    Raises
    ------
    ProductError
        If the bands differ, a number is none, or nothing tells scale and offset.
    """
    scale, offset = _shared(item, assets, "scale and offset", lambda key: _scaling(item, key))
    told = {
        band: key for band, key in assets.items() if field(item.assets[key], "nodata") is not None
    }
    if told:
        nodata = _shared(item, told, "nodata", lambda key: _number(item, key, "nodata"))
        if nodata is None or not nodata.is_integer():
            raise ProductError(
                f"item {item.id} ({item.place}) declares nodata {nodata}; expected a whole number. "
                "Correct the item, or take it away"
            )
        return Numbers(scale, offset, int(nodata), nodata_declared=True)
    in_files = declared_nodata(gdal_name(item, key) for key in assets.values())
    declared = in_files is not None
    return Numbers(scale, offset, NODATA if in_files is None else in_files, declared)


def _shared(
    item: Item, assets: Mapping[str, str], what: str, value_of: Callable[[str], Value]
) -> Value:
    """What all bands have, or ProductError."""
    bands: dict[Value, list[str]] = {}
    for band, key in assets.items():
        bands.setdefault(value_of(key), []).append(band)
    if len(bands) > 1:
        told = "; ".join(f"{value} of {', '.join(names)}" for value, names in bands.items())
        raise ProductError(
            f"the bands of item {item.id} ({item.place}) differ in {what}: {told}. Expected the "
            "same of all bands; correct the item, or take it away"
        )
    return next(iter(bands))


def _scaling(item: Item, key: str) -> tuple[float, float]:
    """Scale and offset of one asset."""
    scale = _number(item, key, "scale")
    offset = _number(item, key, "offset")
    applied = any(item.properties.get(name) is True for name in _APPLIED)
    if scale is None and offset is None:
        return SCALE, 0.0 if applied else _offset_by_baseline(item, key)
    if scale is None:
        raise ProductError(
            f"asset {key} of item {item.id} ({item.place}) states no scale with its offset "
            f"{offset}; expected one, like {SCALE}. Correct the item, or take it away"
        )
    return scale, 0.0 if applied or offset is None else offset


def _offset_by_baseline(item: Item, key: str) -> float:
    match = _BASELINE.fullmatch(processing_baseline(item))
    if match is None:
        raise ProductError(
            f"item {item.id} ({item.place}) tells neither scale and offset of asset {key} "
            "(raster:bands, or raster:scale and raster:offset) nor its processing baseline "
            "(s2:processing_baseline or processing:version), so its reflectance is unknown; add "
            "one of them to the item, or take it away"
        )
    return OFFSET if (int(match[1]), int(match[2])) >= OFFSET_SINCE else 0.0


def _number(item: Item, key: str, name: str) -> float | None:
    """A number that an asset states, or None."""
    value = field(item.assets[key], f"raster:{name}", name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ProductError(
            f"asset {key} of item {item.id} ({item.place}) states {name} {value!r}; expected a "
            "number. Correct the item, or take it away"
        )
    return float(value)
