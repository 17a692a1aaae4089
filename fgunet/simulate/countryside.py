"""Countryside: relief, fields, woods, shores, rivers."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from fgunet.errors import ConfigError
from fgunet.simulate.canvas import Canvas
from fgunet.simulate.noise import ranks, smooth_noise, voronoi

Rectangle = tuple[int, int, int, int]
"""(row, column, end row, end column), in cells; ends excluded."""


def make_relief(
    rng: np.random.Generator, shape: tuple[int, int], cell_m: float, recipe: dict[str, Any]
) -> NDArray[np.float32]:
    """Heights as ranks 0..1, float32 (y, x), by the `relief` of a landscape recipe.

    Raises
    ------
    ConfigError
        If the recipe names an unknown shape.
    """
    noise = recipe["noise"] * smooth_noise(rng, shape, recipe["length_m"] / cell_m, 4)
    rows, cols = (axis - size / 2 for axis, size in zip(np.indices(shape), shape, strict=True))
    # The slope runs across the long side, so that each tile of the site has low and high ground.
    along_rows = shape[0] >= shape[1]
    angle = rng.uniform(-0.5, 0.5) + (np.pi / 2 if along_rows else 0.0)
    distance = (rows * np.cos(angle) + cols * np.sin(angle)) / (min(shape) / 3.5)
    if recipe["shape"] == "hills":
        form = np.zeros(shape)
    elif recipe["shape"] == "slope":
        form = distance * rng.choice([-1.0, 1.0])
    elif recipe["shape"] == "valley":
        form = np.abs(distance)
    else:
        raise ConfigError(f"unknown relief {recipe['shape']!r}; use hills, slope or valley")
    return ranks(form + noise)


def split_rectangles(
    rng: np.random.Generator, whole: Rectangle, side: tuple[float, float]
) -> list[Rectangle]:
    """Cut a rectangle, each time across its longer side, until pieces are small enough.

    Parameters
    ----------
    whole : Rectangle
        What to cut.
    side : tuple of float
        Least and most of the largest side that a piece may keep, in cells; drawn for each.
    """
    waiting, done = [whole], []
    while waiting:
        row, col, end_row, end_col = waiting.pop()
        height, width = end_row - row, end_col - col
        longest = max(height, width)
        if longest <= rng.uniform(*side) * 1.25 or longest < 4:
            done.append((row, col, end_row, end_col))
            continue
        cut = round(longest * rng.uniform(0.36, 0.64))
        if height >= width:
            waiting += [(row, col, row + cut, end_col), (row + cut, col, end_row, end_col)]
        else:
            waiting += [(row, col, end_row, col + cut), (row, col + cut, end_row, end_col)]
    return done


def field_mosaic(
    rng: np.random.Generator, shape: tuple[int, int], side: tuple[float, float], warp: float
) -> tuple[NDArray[np.int64], int]:
    """Fields: rectangles turned by some angle, their borders bent.

    Returns
    -------
    numbers : int64 (y, x)
        Number of the field, 0 .. count - 1.
    count : int
        Number of fields.
    """
    reach = int(np.hypot(*shape) + 8 * warp) + 8
    fields = split_rectangles(rng, (0, 0, reach, reach), side)
    plan = np.zeros((reach, reach), dtype=np.int64)
    for number, (row, col, end_row, end_col) in enumerate(fields):
        plan[row:end_row, col:end_col] = number
    angle = rng.uniform(0, np.pi)
    rows, cols = (axis - size / 2 for axis, size in zip(np.indices(shape), shape, strict=True))
    u = rows * np.cos(angle) - cols * np.sin(angle) + warp * smooth_noise(rng, shape, 12 * warp, 2)
    v = rows * np.sin(angle) + cols * np.cos(angle) + warp * smooth_noise(rng, shape, 12 * warp, 2)
    place = [np.clip(axis + reach / 2, 0, reach - 1).astype(np.int64) for axis in (u, v)]
    return plan[place[0], place[1]], len(fields)


def paint_layer(rng: np.random.Generator, canvas: Canvas, layer: dict[str, Any]) -> None:
    """Paint one layer of a landscape recipe; see the comments in landscapes.yaml.

    Raises
    ------
    ConfigError
        If the recipe names an unknown shape.
    """
    cell, shape = canvas.cell_m, canvas.shape
    if layer["shape"] == "mosaic":
        _paint_mosaic(rng, canvas, layer)
        return
    if layer["shape"] == "heights":
        where = (canvas.height >= layer["from"]) & (canvas.height < layer["to"])
    elif layer["shape"] == "blobs":
        where = ranks(smooth_noise(rng, shape, layer["length_m"] / cell)) >= 1 - layer["share"]
        where &= canvas.open_ground()
    elif layer["shape"] == "rivers":
        where = _rivers(rng, canvas, layer)
    else:
        raise ConfigError(f"unknown layer {layer['shape']!r}; use mosaic, heights, blobs or rivers")
    parts, count = voronoi(rng, shape, layer["stand_m"] / cell)
    canvas.paint(rng, where, parts, count, layer["covers"])


def _paint_mosaic(rng: np.random.Generator, canvas: Canvas, layer: dict[str, Any]) -> None:
    """Two mosaics of different directions, each where a smooth field favours it."""
    low, high = layer["parcel_m"]
    side = low / canvas.cell_m, high / canvas.cell_m
    warp = layer["warp_m"] / canvas.cell_m
    favoured = smooth_noise(rng, canvas.shape, 1000 / canvas.cell_m) > 0
    for where in (favoured, ~favoured):
        fields, count = field_mosaic(rng, canvas.shape, side, warp)
        canvas.paint(rng, where, fields, count, layer["covers"])


def _rivers(rng: np.random.Generator, canvas: Canvas, layer: dict[str, Any]) -> NDArray[np.bool_]:
    """Rivers follow the level line of a smooth field, so they wind and never cross themselves."""
    where = np.zeros(canvas.shape, dtype=bool)
    rows, cols = np.indices(canvas.shape)
    for _ in range(layer["count"]):
        angle = rng.uniform(0, np.pi)
        along = rows * np.cos(angle) + cols * np.sin(angle)
        bends = smooth_noise(rng, canvas.shape, 900 / canvas.cell_m, 2)
        level = along + 55 / canvas.cell_m * bends
        level -= np.quantile(level, rng.uniform(0.25, 0.75))
        slope = np.hypot(*np.gradient(ndimage.gaussian_filter(level, 1.0)))
        width = rng.uniform(*layer["width_m"]) / canvas.cell_m
        where |= np.abs(level) < width / 2 * np.maximum(slope, 0.3)
    return where & canvas.open_ground()
