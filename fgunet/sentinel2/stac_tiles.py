"""Names of Sentinel-2 tiles as catalogues spell them, and the ground of a tile.

A tile is a square of 100 km of the Military Grid Reference System (MGRS), grown to 109.8 km:
https://sentiwiki.copernicus.eu/web/s2-products, "tiling grid".
"""

import re
from typing import Any

import numpy as np
import pyproj
import shapely
from shapely import affinity

_NAME = re.compile(
    r"(?:MGRS-)?T?(?P<zone>0?[1-9]|[1-5]\d|60)(?P<band>[C-HJ-NP-X])"
    r"(?P<column>[A-HJ-NP-Z])(?P<row>[A-HJ-NP-V])"
)
_BANDS_OF_LATITUDE = "CDEFGHJKLMNPQRSTUVWX"
_COLUMNS = {1: "ABCDEFGH", 2: "JKLMNPQR", 0: "STUVWXYZ"}
_ROWS = "ABCDEFGHJKLMNPQRSTUV"
_SQUARE = 100_000.0
_OVERLAP = 9_800.0
_CYCLE = 2_000_000.0


def tile_name(text: object) -> str | None:
    """A tile's name in our spelling ("T05QKB"), or None if `text` does not name a tile.

    "MGRS-31UES", "31UES", "T31UES" and "5QKB" are understood.
    """
    match = _NAME.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return None
    return f"T{int(match['zone']):02}{match['band']}{match['column']}{match['row']}"


def spellings(tile: str) -> list[str]:
    """How catalogues spell a tile, without a prefix: "31UES"; "05QKB" and "5QKB"."""
    return [tile[1:]] if tile[1] != "0" else [tile[1:], tile[2:]]


def tile_crs(tile: str) -> str:
    """The coordinate system of a tile's files ("EPSG:32631"): UTM, of the north or the south."""
    return f"EPSG:{326 if tile[3] >= 'N' else 327}{tile[1:3]}"


def tile_ground(tile: str) -> dict[str, Any]:
    """The ground of a tile in longitude and latitude, degrees, as a GeoJSON geometry.

    A tile across the antimeridian gives two polygons. The letters of column and row repeat every
    three zones and every 2000 km; which repetition is meant, the band of latitude says.
    """
    zone = int(tile[1:3])
    left = (_COLUMNS[zone % 3].index(tile[4]) + 1) * _SQUARE
    letters_before = 0 if zone % 2 else 5
    bottom = ((_ROWS.index(tile[5]) - letters_before) % len(_ROWS)) * _SQUARE
    to_ground = pyproj.Transformer.from_crs("EPSG:4326", tile_crs(tile), always_xy=True)
    middle_lon = zone * 6 - 183
    _, middle = to_ground.transform(middle_lon, _middle_latitude(tile[3]))
    bottom += round((middle - bottom - _SQUARE / 2) / _CYCLE) * _CYCLE
    square = shapely.box(left, bottom - _OVERLAP, left + _SQUARE + _OVERLAP, bottom + _SQUARE)
    corners = shapely.get_coordinates(shapely.segmentize(square, _SQUARE / 4))
    lon, lat = to_ground.transform(*corners.T, direction="INVERSE")
    lon = middle_lon + (np.asarray(lon) - middle_lon + 180) % 360 - 180
    return _within_180(shapely.Polygon(np.column_stack([lon, lat])))


def _middle_latitude(band: str) -> float:
    south = -80 + 8 * _BANDS_OF_LATITUDE.index(band)
    return south + (6 if band == "X" else 4)


def _within_180(ground: shapely.Polygon) -> dict[str, Any]:
    """Cut at the antimeridian, as GeoJSON (RFC 7946, 3.1.9) wants it."""
    parts = [
        affinity.translate(part, xoff=-turn)
        for turn in (-360, 0, 360)
        if not (part := ground.intersection(shapely.box(turn - 180, -90, turn + 180, 90))).is_empty
    ]
    geometry: dict[str, Any] = shapely.geometry.mapping(shapely.union_all(parts))
    return geometry
