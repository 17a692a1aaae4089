"""Ground that the grids of two tiles share."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import shapely
from numpy.typing import NDArray

from fgunet.grid import Grid, Window
from fgunet.reference.rasterisation import STRIP

ReadSplit = Callable[[Window], NDArray[np.uint8]]
"""Splits (y, x), uint8, 0 none, in a window of a tile."""


def shared_windows(first: Grid, second: Grid) -> tuple[Window, Window] | None:
    """The windows of two grids that show the same pixels.

    Returns
    -------
    tuple of Window, or None
        In the first and in the second grid; None if their coordinate systems or pixel sizes
        differ, their pixels do not fall together, or they share no ground.
    """
    if first.crs != second.crs or first.resolution != second.resolution:
        return None
    a, _, left, _, e, top = first.transform
    across, down = (second.transform[2] - left) / a, (second.transform[5] - top) / e
    if across != round(across) or down != round(down):
        return None
    col, row = round(across), round(down)
    start_row, start_col = max(0, row), max(0, col)
    height = min(first.height, row + second.height) - start_row
    width = min(first.width, col + second.width) - start_col
    if height <= 0 or width <= 0:
        return None
    window = Window(start_row, start_col, height, width)
    return window, Window(start_row - row, start_col - col, height, width)


def pairs_that_share(grids: Mapping[str, Grid]) -> Iterator[tuple[str, str]]:
    """Names of the pairs of grids of one coordinate system whose ground meets, each pair once."""
    for crs in sorted({grid.crs for grid in grids.values()}):
        names = sorted(name for name, grid in grids.items() if grid.crs == crs)
        boxes = np.array([shapely.box(*grids[name].bounds) for name in names], dtype=object)
        first, second = shapely.STRtree(boxes).query(boxes, predicate="intersects")
        once = first < second
        pairs = sorted(zip(first[once].tolist(), second[once].tolist(), strict=True))
        yield from ((names[one], names[other]) for one, other in pairs)


def compare_shared_ground(
    grids: Mapping[str, Grid], read: Mapping[str, ReadSplit], strip: int = STRIP
) -> dict[str, int]:
    """Compare the splits of tiles pixel by pixel where their grids share ground.

    Parameters
    ----------
    grids : mapping
        Grid of each tile.
    read : mapping
        Reader of each tile's splits.
    strip : int
        Rows that are read at once.

    Returns
    -------
    dict
        `pixels_on_two_sides`: of one split in one tile and of another in the other;
        `pixels_in_one_tile_only`: labelled in one of the two, where an edge runs through the
        centre and sums are rounded apart; `pixels_compared`. Grids whose pixels do not fall
        together are not compared.
    """
    two_sides = one_only = compared = 0
    for one, other in pairs_that_share(grids):
        shared = shared_windows(grids[one], grids[other])
        if shared is None:
            continue
        first, second = shared
        for row in range(0, first.height, strip):
            height = min(strip, first.height - row)
            left, right = (
                read[tile](Window(window.row + row, window.col, height, window.width))
                for tile, window in ((one, first), (other, second))
            )
            apart = left != right
            both = apart & (left > 0) & (right > 0)
            two_sides += int(both.sum())
            one_only += int((apart & ~both).sum())
            compared += left.size
    return {
        "pixels_on_two_sides": two_sides,
        "pixels_in_one_tile_only": one_only,
        "pixels_compared": compared,
    }
