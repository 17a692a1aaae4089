"""Towns: districts between streets, placed and turned on the ground."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from fgunet.grid import Grid
from fgunet.simulate.blocks import NOTHING, Plan, draw_district
from fgunet.simulate.canvas import Canvas
from fgunet.simulate.countryside import Rectangle, split_rectangles
from fgunet.simulate.roads import Road, cut_line


@dataclass(frozen=True)
class Frame:
    """Where a town's plan lies: its centre in the world's CRS, its direction, its cells."""

    centre: tuple[float, float]
    angle: float
    size: int
    cell_m: float

    def to_plan(
        self, x: NDArray[np.float64], y: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(row, column) on the plan, in cells, of points of the world."""
        east, north = x - self.centre[0], y - self.centre[1]
        cos, sin = np.cos(self.angle), np.sin(self.angle)
        col = (east * cos + north * sin) / self.cell_m + self.size / 2
        row = (east * sin - north * cos) / self.cell_m + self.size / 2
        return row, col

    def to_world(self, row: float, col: float) -> tuple[float, float]:
        """The point of the world at (row, column) of the plan."""
        along, down = (value - self.size / 2 for value in (col, row))
        cos, sin = np.cos(self.angle), np.sin(self.angle)
        return (
            float(self.centre[0] + self.cell_m * (along * cos + down * sin)),
            float(self.centre[1] + self.cell_m * (along * sin - down * cos)),
        )


def choose_frame(
    rng: np.random.Generator,
    canvas: Canvas,
    grid: Grid,
    tile: Grid,
    recipe: dict[str, Any],
) -> Frame:
    """The best of several places near the middle of a tile, where most ground can be built on."""
    side_m = recipe["side"] * tile.width * tile.resolution[0]
    centre = tile.footprint(grid.crs).centroid
    free = buildable(canvas, recipe)
    best, best_share = None, -1.0
    for _ in range(24):
        shift = rng.uniform(-0.17, 0.17, 2) * tile.width * tile.resolution[0]
        place = centre.x + shift[0], centre.y + shift[1]
        share = _share_around(free, grid, place, side_m / 2)
        if share > best_share:
            best, best_share = place, share
    angle = float(rng.uniform(0, np.pi / 2))
    return Frame(best or (centre.x, centre.y), angle, round(side_m / canvas.cell_m), canvas.cell_m)


def buildable(canvas: Canvas, recipe: dict[str, Any]) -> NDArray[np.bool_]:
    """Cells (y, x) on which the `town` of a landscape recipe may stand."""
    height = canvas.height
    within = (height >= recipe["from"]) & (height <= recipe["to"])
    return np.asarray(canvas.open_ground() & ~canvas.built & within)


def _share_around(
    free: NDArray[np.bool_], grid: Grid, place: tuple[float, float], reach_m: float
) -> float:
    col, row = ~grid.affine @ place
    reach = reach_m / grid.resolution[0]
    box = free[
        max(0, int(row - reach)) : int(row + reach), max(0, int(col - reach)) : int(col + reach)
    ]
    return float(box.mean()) if box.size else 0.0


def build_town(
    rng: np.random.Generator,
    canvas: Canvas,
    grid: Grid,
    *,
    frame: Frame,
    recipe: dict[str, Any],
    style: dict[str, Any],
) -> list[Road]:
    """Build a town on the canvas; give its streets, which are painted later.

    Districts lie between main streets. The nearest to the centre are dense, those of one
    sector are industrial, the others diffuse; where less than half of a district can be
    built on, it stays as it was.
    """
    plan = Plan.empty(canvas.catalogue, frame.cell_m, frame.size)
    low, high = (side / frame.cell_m for side in style["districts"]["size_m"])
    districts = split_rectangles(rng, (0, 0, frame.size, frame.size), (low, high))
    rows, cols, target = _overlay(grid, frame)
    ground = np.zeros(plan.cover.shape, dtype=bool)
    ground[rows, cols] = buildable(canvas, recipe)[target]
    kept = [d for d in districts if _share_of(ground, d) >= 0.5]
    kept = _round_off(rng, kept, frame.size)
    kinds = _district_kinds(rng, kept, frame.size, recipe)
    for district, kind in zip(kept, kinds, strict=True):
        draw_district(rng, plan, district, style[kind])
    _transfer(canvas, plan, (rows, cols, target), buildable(canvas, recipe))
    return _streets(rng, kept, frame, style)


def _round_off(rng: np.random.Generator, districts: list[Rectangle], size: int) -> list[Rectangle]:
    """Leave out most districts in the corners, so that the town is no square."""
    limits = size / 2 * rng.normal(1.05, 0.12, len(districts))
    return [
        (row, col, end_row, end_col)
        for (row, col, end_row, end_col), limit in zip(districts, limits, strict=True)
        if np.hypot((row + end_row - size) / 2, (col + end_col - size) / 2) < limit
    ]


def _share_of(ground: NDArray[np.bool_], box: Rectangle) -> float:
    row, col, end_row, end_col = box
    return float(ground[row:end_row, col:end_col].mean())


def _district_kinds(
    rng: np.random.Generator, districts: list[Rectangle], size: int, recipe: dict[str, Any]
) -> list[str]:
    """Name the kind of each district: shares of their area, as the recipe asks."""
    if not districts:
        return []
    boxes = np.array(districts, dtype=float)
    middle = np.stack([boxes[:, 0] + boxes[:, 2], boxes[:, 1] + boxes[:, 3]]) / 2 - size / 2
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    jitter = rng.normal(0, 0.16 * size, len(boxes))
    nearness = np.hypot(*middle) + jitter
    kinds = np.full(len(boxes), "diffuse", dtype=object)
    dense = _first_share(nearness, area, recipe["dense"])
    kinds[dense] = "dense"
    sector = rng.uniform(0, 2 * np.pi)
    towards = middle[0] * np.sin(sector) + middle[1] * np.cos(sector) + jitter
    rest = np.where(dense, -np.inf, towards)
    kinds[_first_share(-rest, area, recipe["industrial"])] = "industrial"
    return [str(kind) for kind in kinds]


def _first_share(
    order: NDArray[np.float64], area: NDArray[np.float64], share: float
) -> NDArray[np.bool_]:
    """The first in `order` that together cover about `share` of the area; at least one."""
    ranking = np.argsort(order, kind="stable")
    before = np.cumsum(area[ranking]) - area[ranking] / 2
    chosen = np.zeros(len(order), dtype=bool)
    chosen[ranking[before < share * area.sum()]] = True
    chosen[ranking[0]] = True
    return chosen


Overlay = tuple[NDArray[np.int64], NDArray[np.int64], tuple[NDArray[np.int64], NDArray[np.int64]]]


def _overlay(grid: Grid, frame: Frame) -> Overlay:
    """Cells of the ground that lie on the plan: their plan row and column, and their place."""
    rows, cols = np.indices(grid.shape)
    a, _, c, _, e, f = grid.transform
    plan_rows, plan_cols = frame.to_plan(c + a * (cols + 0.5), f + e * (rows + 0.5))
    inside = (plan_rows >= 0) & (plan_cols >= 0)
    inside &= (plan_rows < frame.size) & (plan_cols < frame.size)
    row, col = np.nonzero(inside)
    return plan_rows[inside].astype(np.int64), plan_cols[inside].astype(np.int64), (row, col)


def _transfer(canvas: Canvas, plan: Plan, overlay: Overlay, free: NDArray[np.bool_]) -> None:
    """Copy the plan to the ground, with identifiers that nothing else has."""
    rows, cols, (row, col) = overlay
    built = (plan.cover[rows, cols] != NOTHING) & free[row, col]
    rows, cols, row, col = rows[built], cols[built], row[built], col[built]
    offset = canvas.new_ids(plan.last_id) - 1
    canvas.built[row, col] = True
    canvas.cover[row, col] = plan.cover[rows, cols]
    canvas.material[row, col] = plan.material[rows, cols]
    canvas.unit[row, col] = plan.unit[rows, cols] + np.uint32(offset)
    canvas.thing[row, col] = plan.thing[rows, cols] + np.uint32(offset)


def _streets(
    rng: np.random.Generator, districts: list[Rectangle], frame: Frame, style: dict[str, Any]
) -> list[Road]:
    """Main streets along the borders of the districts, each stretch once."""
    edges = [_border(district) for district in districts]
    network = shapely.line_merge(shapely.union_all(edges)) if edges else shapely.MultiLineString()
    lines = [line for line in shapely.get_parts(network) if line.length * frame.cell_m > 25]
    streets = []
    for line in lines:
        width = float(rng.choice(style["districts"]["street_m"]))
        world = shapely.LineString([frame.to_world(row, col) for col, row in line.coords])
        importance = str(rng.choice(style["streets"]["importance"]))
        streets += [
            Road(piece, width, style["streets"]["cover"], style["streets"]["nature"], importance)
            for piece in cut_line(world, style["section_m"])
        ]
    return streets


def _border(box: Rectangle) -> shapely.LineString:
    row, col, end_row, end_col = box
    return shapely.LineString(
        [(col, row), (end_col, row), (end_col, end_row), (col, end_row), (col, row)]
    )
