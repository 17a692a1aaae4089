"""Outlines of patches of pixels, from the corners of patches to polygons."""

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from fgunet.compiled import compiled
from fgunet.grid import Grid
from fgunet.nomenclature import NODATA_CODE

# Pixels around a point are 0 upper left, 1 upper right, 2 lower left, 3 lower right. A code that is
# held by one or three of them has one corner there, one held by two that touch at the point alone
# has two. Which pixels hold it is written as a sum of 1, 2, 4 and 8.
_RISING, _FALLING = 6, 9
_CORNERS = tuple(2 if held in (_RISING, _FALLING) else held.bit_count() % 2 for held in range(16))


def corners(
    codes: NDArray[np.uint8], labels: NDArray[np.int32], row: int
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Corners of patches, between the rows of a strip.

    Parameters
    ----------
    codes : ndarray (y, x) uint8
        Codes, 0 = nodata: the last row before a strip, and the strip.
    labels : ndarray (y, x) int32
        Patch of each pixel, 0 = none, as far as it is known.
    row : int
        First row of the strip, in pixels from the top of the map.

    Returns
    -------
    label : ndarray (n,) int32
        Patch of each corner, by rows.
    place : ndarray (n,) int64
        Twice the number of its point, counted by rows over the points between pixels, of which a
        row of the map has one more than pixels. Where two pixels of a code touch at a point alone,
        it is there twice: first for the left one, then for the right one, which may turn out to be
        of one patch; 1 is added to both if the left one is the upper one.
    """
    beside = ((0, 0), (1, 1))
    padded = np.pad(codes, beside), np.pad(labels, beside)
    count = _find_corners(*padded, row, np.empty(0, np.int32), np.empty(0, np.int64))
    label, place = np.empty(count, np.int32), np.empty(count, np.int64)
    _find_corners(*padded, row, label, place)
    return label, place


@compiled
def _find_corners(
    codes: NDArray[np.uint8],
    labels: NDArray[np.int32],
    row: int,
    label: NDArray[np.int32],
    place: NDArray[np.int64],
) -> int:
    """Count the corners, and write them if there is room; a column of nodata is on each side."""
    points = codes.shape[1] - 1
    found = 0
    for y in range(1, codes.shape[0]):
        for x in range(points):
            if codes[y - 1, x] == codes[y - 1, x + 1] and codes[y, x] == codes[y, x + 1]:
                continue
            for pixel in range(4):
                held = _held(codes, y, x, pixel)
                for corner in range(_CORNERS[held]):
                    if place.size:
                        owner = _owner(held, pixel, corner)
                        label[found] = labels[y - 1 + owner // 2, x + owner % 2]
                        place[found] = 2 * ((row + y - 1) * points + x) + (held == _FALLING)
                    found += 1
    return found


@compiled
def _held(codes: NDArray[np.uint8], y: int, x: int, first: int) -> int:
    """Which pixels around a point have the code of one; 0 if an earlier one has it, or nodata."""
    code = codes[y - 1 + first // 2, x + first % 2]
    if code == NODATA_CODE:
        return 0
    held = 0
    for pixel in range(4):
        if codes[y - 1 + pixel // 2, x + pixel % 2] == code:
            if pixel < first:
                return 0
            held |= 1 << pixel
    return held


@compiled
def _owner(held: int, pixel: int, corner: int) -> int:
    """The pixel that a corner is of: where there are two corners, first the left one."""
    if held == _RISING:
        return 2 - corner
    if held == _FALLING:
        return 3 * corner
    return pixel


def outlines(place: NDArray[np.int64], starts: NDArray[np.int64], grid: Grid) -> NDArray[Any]:
    """Polygons of patches, along the edges of pixels.

    Parameters
    ----------
    place : ndarray (n,) int64
        Corners as `corners` gives them: those of a patch one after another, and by rows.
    starts : ndarray (patches + 1,) int64
        First corner of each patch; at the end n.
    grid : Grid
        Grid of the map.

    Returns
    -------
    ndarray (patches,) object
        Valid polygons in the coordinate system of the grid, with a point at each corner and no
        others; outer rings run counterclockwise, holes clockwise (OGC 06-103r4, 6.1.11.1).
    """
    along, ring_starts, polygon_starts = _walk(place, starts, grid.width)
    y, x = np.divmod(place[along] >> 1, grid.width + 1)
    a, _, c, _, e, f = grid.transform
    points = np.column_stack([c + a * x, f + e * y])
    polygons: NDArray[Any] = shapely.from_ragged_array(
        shapely.GeometryType.POLYGON, points, (ring_starts, polygon_starts)
    )
    return polygons


@compiled
def _walk(
    place: NDArray[np.int64], starts: NDArray[np.int64], width: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Corners in the order of rings, where rings start there, and which is a patch's first ring.

    In a row of points, the first corner of a patch is joined to the second, the third to the
    fourth; so corner i to i ^ 1, as every patch has an even number.
    """
    vertical = _vertical_neighbours(place, starts, width)
    # A ring has four corners at least, and comes back to its first.
    along = np.empty(place.size + place.size // 4, np.int64)
    ring_starts = np.zeros(place.size // 4 + 1, np.int64)
    polygon_starts = np.zeros(starts.size, np.int64)
    done = np.zeros(place.size, np.bool_)
    rings = end = 0
    for patch in range(starts.size - 1):
        for first in range(starts[patch], starts[patch + 1]):
            if done[first]:
                continue
            # The uppermost left corner: down from there is counterclockwise. A patch's first
            # corner is one of its outer ring, and a patch has no second outer ring.
            down, corner = first == starts[patch], first
            while not done[corner]:
                done[corner] = True
                along[end] = corner
                corner = vertical[corner] if down else corner ^ 1
                down = not down
                end += 1
            along[end] = first
            end += 1
            rings += 1
            ring_starts[rings] = end
        polygon_starts[patch + 1] = rings
    return along[:end], ring_starts[: rings + 1], polygon_starts


@compiled
def _vertical_neighbours(
    place: NDArray[np.int64], starts: NDArray[np.int64], width: int
) -> NDArray[np.int64]:
    """The corner above or below that each corner is joined to.

    Where a patch touches itself, the first of the two corners is joined to the left, the second to
    the right. They are joined upwards and downwards so that the pixels of the patch stay together
    there: what they enclose then is a hole that touches the outer ring. The other way the outer
    ring would touch itself, which no valid polygon does.
    """
    joined = np.empty(place.size, np.int64)
    open_above = np.full(width + 1, -1, np.int64)
    for patch in range(starts.size - 1):
        corner = starts[patch]
        while corner < starts[patch + 1]:
            x = (place[corner] >> 1) % (width + 1)
            twice = corner + 1 < starts[patch + 1] and place[corner] == place[corner + 1]
            upwards = corner + 1 if twice and place[corner] & 1 else corner
            above = open_above[x]
            if above < 0:
                open_above[x] = corner
            else:
                joined[above], joined[upwards] = upwards, above
                open_above[x] = 2 * corner + 1 - upwards if twice else -1
            corner += 2 if twice else 1
    return joined
