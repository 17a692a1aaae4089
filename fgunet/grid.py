"""Grids and windows: where the pixels of a raster lie."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyproj
import shapely
from affine import Affine
from numpy.typing import NDArray

from fgunet.errors import GridError


@dataclass(frozen=True, order=True)
class Window:
    """A rectangle of pixels; row 0, column 0 is the upper left pixel of its grid."""

    row: int
    col: int
    height: int
    width: int

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width)."""
        return self.height, self.width

    @property
    def slices(self) -> tuple[slice, slice]:
        """Slices (rows, columns) that cut the window out of an array (..., y, x)."""
        return (
            slice(self.row, self.row + self.height),
            slice(self.col, self.col + self.width),
        )

    def expanded(self, margin: int, shape: tuple[int, int]) -> "Window":
        """The window grown by `margin` pixels on each side, cut at the edges of `shape`."""
        row, col = max(0, self.row - margin), max(0, self.col - margin)
        end_row = min(shape[0], self.row + self.height + margin)
        end_col = min(shape[1], self.col + self.width + margin)
        return Window(row, col, end_row - row, end_col - col)

    def relative_to(self, outer: "Window") -> "Window":
        """The same pixels, counted from the upper left pixel of `outer`."""
        return Window(self.row - outer.row, self.col - outer.col, self.height, self.width)


@dataclass(frozen=True)
class Grid:
    """Coordinate system, placement and shape of a raster (an immutable value).

    Attributes
    ----------
    crs : str
        Coordinate reference system, as authority and code ("EPSG:32631").
    transform : tuple of 6 float
        Affine coefficients (a, b, c, d, e, f) from (column, row) to CRS units, in the order of
        `affine.Affine`. North-up only: b = d = 0, a > 0, e < 0.
    height, width : int
        Rows and columns.

    Raises
    ------
    GridError
        If the shape is empty, the raster is rotated or not north-up, or lies nowhere.
    """

    crs: str
    transform: tuple[float, float, float, float, float, float]
    height: int
    width: int

    def __post_init__(self) -> None:
        a, b, _, d, e, _ = self.transform
        if not all(map(math.isfinite, self.transform)):
            raise GridError(
                f"a grid must lie somewhere, its transform is {self.transform}; give the raster "
                "its place with gdal_edit -a_ullr"
            )
        if b or d or a <= 0 or e >= 0:
            raise GridError(
                f"a grid must be north-up, its transform is {self.transform}; "
                "warp the raster with gdalwarp first"
            )
        if self.height < 1 or self.width < 1:
            raise GridError(f"a grid must have pixels, its shape is {self.shape}")

    @property
    def affine(self) -> Affine:
        """The transform as rasterio takes it."""
        return Affine(*self.transform)

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width)."""
        return self.height, self.width

    @property
    def resolution(self) -> tuple[float, float]:
        """Pixel size (x, y) in CRS units, both positive."""
        return self.transform[0], -self.transform[4]

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """(left, bottom, right, top) in CRS units."""
        a, _, c, _, e, f = self.transform
        return c, f + e * self.height, c + a * self.width, f

    def cut(self, window: Window) -> "Grid":
        """The grid of a window of this grid."""
        a, _, c, _, e, f = self.transform
        origin = (c + a * window.col, f + e * window.row)
        return Grid(self.crs, (a, 0.0, origin[0], 0.0, e, origin[1]), window.height, window.width)

    def coarsened(self, factor: int) -> "Grid":
        """The grid with pixels `factor` times larger and the same upper left corner.

        Raises
        ------
        GridError
            If the shape is not a multiple of `factor`.
        """
        if self.height % factor or self.width % factor:
            raise GridError(f"shape {self.shape} is not a multiple of {factor}")
        a, _, c, _, e, f = self.transform
        shape = self.height // factor, self.width // factor
        return Grid(self.crs, (a * factor, 0.0, c, 0.0, e * factor, f), *shape)

    def footprint(self, crs: str | None = None) -> shapely.Polygon:
        """The ground the grid covers, as a polygon in `crs` (by default its own).

        Edges are densified to 21 points a side before they are reprojected.
        """
        left, bottom, right, top = self.bounds
        box = shapely.box(left, bottom, right, top)
        if crs is None or crs == self.crs:
            return box
        side = max(right - left, top - bottom)
        return reproject_geometry(shapely.segmentize(box, side / 20), self.crs, crs)

    def to_dict(self) -> dict[str, Any]:
        """A value that JSON can hold; `from_dict` reads it."""
        return {
            "crs": self.crs,
            "transform": list(self.transform),
            "height": self.height,
            "width": self.width,
        }

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> "Grid":
        """The grid that `to_dict` wrote."""
        a, b, c, d, e, f = (float(number) for number in value["transform"])
        return cls(str(value["crs"]), (a, b, c, d, e, f), int(value["height"]), int(value["width"]))


def reproject_geometry(geometry: shapely.Polygon, source: str, target: str) -> shapely.Polygon:
    """`geometry` in the coordinate system `target` (x before y)."""
    transformer = pyproj.Transformer.from_crs(source, target, always_xy=True)

    def to_target(points: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(transformer.transform(points[:, 0], points[:, 1]))

    return shapely.transform(geometry, to_target)


def split_windows(shape: tuple[int, int], size: int) -> Iterator[Window]:
    """Windows of `size` x `size` pixels that tile `shape` by rows; the last ones are cut.

    Parameters
    ----------
    shape : tuple of int
        (height, width) in pixels.
    size : int
        Side of a window in pixels.
    """
    height, width = shape
    for row in range(0, height, size):
        for col in range(0, width, size):
            yield Window(row, col, min(size, height - row), min(size, width - col))
