"""Roads: centre lines with a width, painted as they are."""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import shapely
import shapely.ops
from numpy.typing import NDArray
from rasterio.features import rasterize

from fgunet.grid import Grid
from fgunet.simulate.canvas import Canvas


@dataclass(frozen=True)
class Road:
    """A section of road: centre line in the world's CRS, width in metres, BD TOPO attributes.

    A road with `cover` None is not seen from above (a tunnel) and is not painted.
    """

    line: shapely.LineString
    width_m: float
    cover: str | None
    nature: str
    importance: str
    ground: str = "0"


def cut_line(line: shapely.LineString, section_m: float) -> list[shapely.LineString]:
    """Cut a line into equal sections of about `section_m` metres."""
    count = max(1, round(line.length / section_m))
    ends = np.linspace(0, line.length, count + 1)
    pieces = [shapely.ops.substring(line, start, end) for start, end in pairwise(ends)]
    return [piece for piece in pieces if isinstance(piece, shapely.LineString)]


def winding_line(
    rng: np.random.Generator,
    start: tuple[float, float],
    heading: float,
    bounds: tuple[float, float, float, float],
    bend: float,
) -> shapely.LineString:
    """A line from `start` that wanders in direction `heading` (radians) until it leaves `bounds`.

    Parameters
    ----------
    bend : float
        Standard deviation of the change of direction every 40 m, in radians.
    """
    left, bottom, right, top = bounds
    points = [start]
    turn = 0.0
    while left <= points[-1][0] <= right and bottom <= points[-1][1] <= top and len(points) < 2000:
        turn = 0.8 * turn + bend * rng.standard_normal()
        angle = heading + turn
        x, y = points[-1]
        points.append((x + 40 * np.cos(angle), y + 40 * np.sin(angle)))
    if len(points) < 2:
        points.append((start[0] + 1, start[1]))
    return shapely.LineString(points)


def country_roads(
    rng: np.random.Generator,
    grid: Grid,
    *,
    centre: tuple[float, float],
    reach_m: float,
    count: int,
    style: dict[str, Any],
) -> list[Road]:
    """Roads that leave a town of radius `reach_m` around `centre` in about equal angles."""
    offset = rng.uniform(0, 2 * np.pi)
    roads = []
    for i in range(count):
        heading = offset + 2 * np.pi * i / count + rng.uniform(-0.3, 0.3)
        start = centre[0] + reach_m * np.cos(heading), centre[1] + reach_m * np.sin(heading)
        line = winding_line(rng, start, heading, grid.bounds, 0.10)
        roads += _sections(rng, line, style["country_roads"], style["section_m"])
    return roads


def motorway(
    rng: np.random.Generator, grid: Grid, centre: tuple[float, float], style: dict[str, Any]
) -> list[Road]:
    """A motorway past a town, right across the ground; some sections run in a tunnel.

    Tunnels have the level -1 and are not painted.
    """
    heading = rng.uniform(0, np.pi)
    line = shapely.LineString(
        [
            *list(winding_line(rng, centre, heading + np.pi, grid.bounds, 0.03).coords)[::-1],
            *list(winding_line(rng, centre, heading, grid.bounds, 0.03).coords)[1:],
        ]
    )
    sections = _sections(rng, line, style["motorways"], style["section_m"])
    return [
        replace(road, cover=None, ground="-1")
        if rng.random() < style["motorways"]["tunnels"]
        else road
        for road in sections
    ]


def on_land(roads: list[Road], land: NDArray[np.bool_], grid: Grid) -> list[Road]:
    """The sections that run over land for the most part; the others, into the sea, are left out.

    Parameters
    ----------
    land : bool (y, x)
        True where roads may lead, on `grid`.
    """
    kept = []
    for road in roads:
        points = shapely.get_coordinates(road.line.segmentize(2 * grid.resolution[0]))
        cols, rows = ~grid.affine @ (points[:, 0], points[:, 1])
        inside = (rows >= 0) & (cols >= 0) & (rows < grid.height) & (cols < grid.width)
        if not inside.any():
            continue
        cells = rows[inside].astype(np.int64), cols[inside].astype(np.int64)
        if land[cells].mean() > 0.6:
            kept.append(road)
    return kept


def _sections(
    rng: np.random.Generator, line: shapely.LineString, style: dict[str, Any], section_m: float
) -> list[Road]:
    low, high = style["width_m"]
    width = float(rng.integers(low, high + 1))
    return [
        Road(piece, width, style["cover"], style["nature"], style["importance"])
        for piece in cut_line(line, section_m)
    ]


def paint_roads(canvas: Canvas, grid: Grid, roads: list[Road]) -> None:
    """Paint all roads that have a cover: cells whose centre lies within half the width."""
    painted = [road for road in roads if road.cover is not None]
    if not painted:
        return
    first = canvas.new_ids(len(painted))
    shapes = [
        (road.line.buffer(road.width_m / 2, cap_style="flat"), first + i)
        for i, road in enumerate(painted)
    ]
    ids = rasterize(shapes, out_shape=grid.shape, transform=grid.affine, fill=0, dtype="uint32")
    where = ids > 0
    canvas.unit[where] = ids[where]
    canvas.thing[where] = ids[where]
    covers = np.array([canvas.catalogue.cover_numbers[str(r.cover)] for r in painted])
    canvas.cover[where] = covers[ids[where].astype(np.int64) - first]
    for number in np.unique(covers):
        material = next(iter(canvas.catalogue.covers[number].materials))
        chosen = where & (canvas.cover == number)
        canvas.material[chosen] = canvas.catalogue.material_numbers[material]
