"""Blocks of a town: what stands where between the streets.

Dense, diffuse and industrial blocks are made of the same materials; the sizes and places of
the roofs, yards and gardens tell them apart.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fgunet.simulate.canvas import draw_index
from fgunet.simulate.catalogue import Catalogue
from fgunet.simulate.countryside import Rectangle, split_rectangles

NOTHING = 255
"""Cover of a plan's cells on which nothing is built."""


@dataclass
class Plan:
    """A town in its own frame: square cells, streets along rows and columns.

    The rasters (uint8 and uint32, (row, column)) are those of a canvas; `cover` is NOTHING
    outside the town; `unit` and `thing` count from 1.
    """

    catalogue: Catalogue
    cell_m: float
    cover: NDArray[np.uint8]
    material: NDArray[np.uint8]
    unit: NDArray[np.uint32]
    thing: NDArray[np.uint32]
    last_id: int = 0

    @classmethod
    def empty(cls, catalogue: Catalogue, cell_m: float, size: int) -> "Plan":
        """A plan of `size` x `size` cells without a house."""
        shape = size, size
        return cls(
            catalogue,
            cell_m,
            np.full(shape, NOTHING, dtype=np.uint8),
            np.zeros(shape, dtype=np.uint8),
            np.zeros(shape, dtype=np.uint32),
            np.zeros(shape, dtype=np.uint32),
        )

    def new_id(self) -> int:
        """An identifier that nothing else has."""
        self.last_id += 1
        return self.last_id

    def fill(self, box: Rectangle, material: str) -> None:
        """Fill a box with one new thing."""
        row, col, end_row, end_col = box
        self.material[row:end_row, col:end_col] = self.catalogue.material_numbers[material]
        self.thing[row:end_row, col:end_col] = self.new_id()

    def mix(
        self, rng: np.random.Generator, box: Rectangle, weights: Mapping[str, float], grain_m: float
    ) -> None:
        """Fill a box with patches of several materials, one new thing."""
        row, col, end_row, end_col = box
        shape = end_row - row, end_col - col
        if shape[0] < 1 or shape[1] < 1:
            return
        numbers = np.array([self.catalogue.material_numbers[name] for name in weights])
        if grain_m > self.cell_m:
            step = max(1, round(grain_m / self.cell_m))
            coarse = draw_index(rng, weights, (shape[0] // step + 1) * (shape[1] // step + 1))
            coarse = coarse.reshape(shape[0] // step + 1, -1)
            places = np.kron(coarse, np.ones((step, step), dtype=np.int64))
            places = places[: shape[0], : shape[1]]
        else:
            places = draw_index(rng, weights, shape[0] * shape[1]).reshape(shape)
        self.material[row:end_row, col:end_col] = numbers[places]
        self.thing[row:end_row, col:end_col] = self.new_id()


def draw_name(rng: np.random.Generator, weights: Mapping[str, float]) -> str:
    """Draw one key of `weights`, by weight."""
    return list(weights)[int(draw_index(rng, weights, 1)[0])]


def draw_district(
    rng: np.random.Generator, plan: Plan, district: Rectangle, style: dict[str, Any]
) -> None:
    """Build a district: blocks with a lane on two sides, each block a mapping unit."""
    low, high = (length / plan.cell_m for length in style["block_m"])
    for block in split_rectangles(rng, district, (low, high)):
        row, col, end_row, end_col = block
        plan.cover[row:end_row, col:end_col] = plan.catalogue.cover_numbers[style["cover"]]
        plan.unit[row:end_row, col:end_col] = plan.new_id()
        plan.fill(block, style["lane"])
        lane = round(float(rng.choice(style["lane_m"])) / plan.cell_m)
        inside = row, col, end_row - lane, end_col - lane
        if inside[2] - row < 2 or inside[3] - col < 2:
            continue
        lots = split_rectangles(
            rng, inside, (style["lot_m"][0] / plan.cell_m, style["lot_m"][1] / plan.cell_m)
        )
        for lot in lots:
            _build_lot(rng, plan, lot, style)


def _build_lot(rng: np.random.Generator, plan: Plan, lot: Rectangle, style: dict[str, Any]) -> None:
    if "garden" in style:
        _build_house(rng, plan, lot, style)
    elif "yard" in style:
        _build_hall(rng, plan, lot, style)
    elif rng.random() < style["open_share"]:
        plan.mix(rng, lot, style["open"], 0.0)
    else:
        plan.fill(lot, draw_name(rng, style["roofs"]))


def _build_house(
    rng: np.random.Generator, plan: Plan, lot: Rectangle, style: dict[str, Any]
) -> None:
    """One house somewhere in its garden."""
    row, col, end_row, end_col = lot
    plan.mix(rng, lot, style["garden"], 0.0)
    low, high = (round(side / plan.cell_m) for side in style["house_m"])
    height = min(int(rng.integers(low, high + 1)), end_row - row)
    width = min(int(rng.integers(low, high + 1)), end_col - col)
    top = row + int(rng.integers(0, end_row - row - height + 1))
    left = col + int(rng.integers(0, end_col - col - width + 1))
    plan.fill((top, left, top + height, left + width), draw_name(rng, style["roofs"]))


def _build_hall(
    rng: np.random.Generator, plan: Plan, lot: Rectangle, style: dict[str, Any]
) -> None:
    """One large roof and a yard around it."""
    row, col, end_row, end_col = lot
    plan.mix(rng, lot, style["yard"], style["yard_grain_m"])
    share = np.sqrt(rng.uniform(*style["building"]))
    height, width = round((end_row - row) * share), round((end_col - col) * share)
    top = row + int(rng.integers(0, end_row - row - height + 1))
    left = col + int(rng.integers(0, end_col - col - width + 1))
    plan.fill((top, left, top + height, left + width), draw_name(rng, style["roofs"]))
