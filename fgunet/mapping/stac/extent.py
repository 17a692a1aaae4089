"""Where and when, as STAC tells it."""

from collections.abc import Sequence
from datetime import UTC, datetime, time
from typing import Any

import numpy as np
import shapely
from shapely.geometry.polygon import orient

from fgunet.grid import Grid

_DECIMALS = 7
"""Of longitudes and latitudes: a centimetre."""


def footprint(grid: Grid) -> shapely.Polygon:
    """The ground of a grid in longitude and latitude (degrees), counter-clockwise."""
    rounded = shapely.transform(grid.footprint("EPSG:4326"), lambda at: np.round(at, _DECIMALS))
    polygon: shapely.Polygon = orient(rounded)
    return polygon


def located(geometry: shapely.Polygon) -> dict[str, Any]:
    """Geometry and bounding box of an item, from a polygon in longitude and latitude."""
    return {"geometry": shapely.geometry.mapping(geometry), "bbox": list(geometry.bounds)}


def interval(dates: Sequence[str]) -> tuple[datetime, datetime]:
    """Begin of the first and end of the last of dates YYYYMMDD, rising, in UTC."""
    first, last = (datetime.strptime(date, "%Y%m%d") for date in (dates[0], dates[-1]))
    return first.replace(tzinfo=UTC), datetime.combine(last, time(23, 59, 59), UTC)
