"""What the page's map viewer shows of a tile: the whole, and a piece of it at full resolution."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fgunet.grid import Window, split_windows
from fgunet.rasters import Series
from fgunet.report.overview import Picture, picture_detail
from fgunet.report.viewer import MOST_BYTES, Layer, detail_view, picture_bytes, tile_view

SIDE = 256
"""Side of the piece that is shown at full resolution, in pixels."""

_DETAIL_SHARE = 0.5


def tile_views(
    tile: str,
    series: Series,
    picture: Picture,
    read: Callable[..., Sequence[Layer]],
    read_reference: Callable[[Window], NDArray[np.uint8]],
    *,
    step: int,
    most: int = MOST_BYTES,
) -> list[dict[str, Any]]:
    """The views of a tile: the whole, and a detail where the whole is shown smaller than it is.

    Parameters
    ----------
    tile : str
        Its name.
    series : Series
        Its series.
    picture : Picture
        Image of the whole: every `step`-th pixel.
    read : callable
        Gives the layers, as `overview_layers` does: of a step, and of a window if one is given.
    read_reference : callable
        Gives the reference of a window, uint8 (y, x), 0 without polygon.
    step : int
        How many times smaller the whole is shown, at least.
    most : int
        Bytes that all pictures take together at most, as text.

    Returns
    -------
    list of dict
        As `tile_view` and `detail_view` tell them. The first one has the grid of its detail.
    """
    if step == 1:
        return [tile_view(tile, series.grid, picture, read, step, most=most)]
    square = densest_square(read_reference, series.grid.shape)
    detail = detail_view(
        f"{tile}, detail",
        series.grid.cut(square),
        picture_detail(series, picture, square),
        read(1, window=square),
        most=int(most * _DETAIL_SHARE),
    )
    left = most - picture_bytes(detail)
    whole = tile_view(tile, series.grid, picture, read, step, most=left)
    return [{**whole, "detail": detail["grid"]}, detail]


def densest_square(
    read: Callable[[Window], NDArray[np.uint8]], shape: tuple[int, int], side: int = SIDE
) -> Window:
    """The square of a tile with the most reference pixels; the first one where several have.

    Squares lie side by side, by rows; the last ones reach back, so that all are whole. A tile
    that is narrower has squares of its own width.

    Parameters
    ----------
    read : callable
        Gives the reference of a window, uint8 (y, x), 0 without polygon.
    shape : tuple of int
        (height, width) of the tile.
    side : int
        Side of a square in pixels.
    """
    return max(_squares(shape, side), key=lambda square: np.count_nonzero(read(square)))


def _squares(shape: tuple[int, int], side: int) -> Iterator[Window]:
    height, width = (min(side, length) for length in shape)
    for window in split_windows(shape, side):
        row, col = min(window.row, shape[0] - height), min(window.col, shape[1] - width)
        yield Window(row, col, height, width)
