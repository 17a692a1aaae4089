"""Where the tiles lie: footprints over a graticule, with their class maps around them."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pyproj
import shapely
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import ConnectionPatch
from numpy.typing import NDArray

from fgunet.nomenclature import Nomenclature
from fgunet.report.cartography import class_colours, scale_bar, show_picture
from fgunet.report.style import INK, MUTED, RULE, halo, house_style, method_colour, new_figure

MOST_THUMBNAILS = 12
"""Most tiles that get a picture beside the map."""

_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20)


def location_map(
    footprints: Mapping[str, shapely.Polygon],
    thumbnails: Mapping[str, NDArray[np.uint8]],
    nomenclature: Nomenclature,
    crs: str,
) -> Figure:
    """Draw tile footprints in the mosaic's coordinate system, with thumbnails beside.

    Scattered tiles are specks at the scale of a country: a marker shows where each lies, a line
    leads to a picture of it.

    Parameters
    ----------
    footprints : mapping of str to Polygon
        Ground of each tile, in `crs`.
    thumbnails : mapping of str to ndarray of uint8, (y, x)
        Class codes of the tiles that get a picture, each on its own grid.
    nomenclature : Nomenclature
        Colours.
    crs : str
        Coordinate system of the footprints, in metres.
    """
    columns = _columns(footprints, [tile for tile in footprints if tile in thumbnails])
    rows = max(1, *(len(column) for column in columns))
    bounds = _padded(shapely.union_all(list(footprints.values())).bounds)
    with house_style():
        figure = new_figure(10.5, max(4.5, 1.5 * rows))
        layout = figure.add_gridspec(rows, 3, width_ratios=[1.1, 4.4, 1.1])
        axes = figure.add_subplot(layout[:, 1])
        _base(axes, bounds, crs)
        for footprint in footprints.values():
            x, y = footprint.exterior.xy
            axes.fill(x, y, facecolor="#c9dcea", edgecolor=method_colour(0), lw=0.8, alpha=0.8)
        for side, column in enumerate(columns):
            for row, tile in enumerate(column):
                picture = figure.add_subplot(layout[row, 2 * side])
                show_picture(picture, class_colours(thumbnails[tile], nomenclature), tile)
                picture.title.set_fontsize(8)
                _lead(figure, axes, picture, footprints[tile], side)
        few = len(footprints) <= 30
        for tile, footprint in footprints.items():
            _mark(axes, tile if few else "", footprint)
    return figure


def _columns(
    footprints: Mapping[str, shapely.Polygon], tiles: Sequence[str]
) -> tuple[list[str], list[str]]:
    """The western half of the tiles and the eastern half, each from north to south."""
    centre = {tile: footprints[tile].centroid for tile in tiles}
    by_x = sorted(tiles, key=lambda tile: (centre[tile].x, tile))
    half = (len(by_x) + 1) // 2

    def southward(chosen: Sequence[str]) -> list[str]:
        return sorted(chosen, key=lambda tile: (-centre[tile].y, tile))

    return southward(by_x[:half]), southward(by_x[half:])


def _padded(
    bounds: tuple[float, float, float, float],
) -> tuple[float, float, float, float]:
    left, bottom, right, top = bounds
    side = max(right - left, top - bottom)
    pad = max(0.12 * side, 5_000.0)
    x, y = (left + right) / 2, (bottom + top) / 2
    half_x = max(right - left, 0.6 * side) / 2 + pad
    half_y = max(top - bottom, 0.6 * side) / 2 + pad
    return x - half_x, y - half_y, x + half_x, y + half_y


def _base(axes: Axes, bounds: tuple[float, float, float, float], crs: str) -> None:
    """Frame, graticule and scale bar."""
    left, bottom, right, top = bounds
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
    axes.set_aspect("equal")
    axes.set_facecolor("#fbfcfd")
    for spine in axes.spines.values():
        spine.set_visible(True)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_title(f"Tiles, in {crs}")
    to_degrees = pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    west, south, east, north = to_degrees.transform_bounds(*bounds)
    step = next((s for s in _STEPS if max(east - west, north - south) / s <= 8), _STEPS[-1])
    for longitude in np.arange(math.ceil(west / step) * step, east, step):
        _graticule(axes, to_degrees, np.full(80, longitude), np.linspace(south, north, 80), "x")
    for latitude in np.arange(math.ceil(south / step) * step, north, step):
        _graticule(axes, to_degrees, np.linspace(west, east, 80), np.full(80, latitude), "y")
    scale_bar(axes, right - left, right=True)


def _graticule(
    axes: Axes,
    to_degrees: pyproj.Transformer,
    longitudes: NDArray[np.float64],
    latitudes: NDArray[np.float64],
    axis: str,
) -> None:
    """Draw one meridian ("x") or parallel ("y") and write its degrees at the frame."""
    x, y = to_degrees.transform(longitudes, latitudes, direction="INVERSE")
    axes.plot(x, y, color=RULE, lw=0.7, zorder=0.5)
    (low_x, high_x), (low_y, high_y) = axes.get_xlim(), axes.get_ylim()
    if axis == "x":
        at = float(np.interp(low_y, y, x))
        value, names, inside = longitudes[0], "EW", low_x < at < high_x
        x_text, y_text, offset, sides = at, low_y, (0.0, -3.0), ("center", "top")
    else:
        at = float(np.interp(low_x, x, y))
        value, names, inside = latitudes[0], "NS", low_y < at < high_y
        x_text, y_text, offset, sides = low_x, at, (-3.0, 0.0), ("right", "center")
    if inside:
        side = "" if abs(value) < 1e-9 else f" {names[0] if value > 0 else names[1]}"
        axes.annotate(
            f"{abs(value):.3g}°{side}",
            (x_text, y_text),
            xytext=offset,
            textcoords="offset points",
            ha=sides[0],
            va=sides[1],
            size=7,
            color=MUTED,
        )


def _mark(axes: Axes, tile: str, footprint: shapely.Polygon) -> None:
    x, y = footprint.centroid.x, footprint.centroid.y
    axes.plot(x, y, "s", color=method_colour(0), ms=5, mec="white", mew=0.8, zorder=4)
    axes.annotate(
        tile,
        (x, y),
        xytext=(0, 6),
        textcoords="offset points",
        ha="center",
        size=8,
        weight="bold",
        color=INK,
        path_effects=halo(),
        zorder=5,
    )


def _lead(figure: Figure, axes: Axes, picture: Axes, footprint: shapely.Polygon, side: int) -> None:
    """Draw a thin line from a tile to its picture, at the left (0) or the right (1)."""
    line = ConnectionPatch(
        xyA=(footprint.centroid.x, footprint.centroid.y),
        coordsA=axes.transData,
        xyB=(1.0 - side, 0.5),
        coordsB=picture.transAxes,
        color=MUTED,
        lw=0.6,
        alpha=0.7,
    )
    line.set_zorder(3)
    figure.add_artist(line)
