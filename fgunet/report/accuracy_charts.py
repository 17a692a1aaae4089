"""Charts of accuracy: kappa by tile, F-score by class, confusion matrices."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import PatchCollection
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from fgunet.nomenclature import Nomenclature
from fgunet.report.cartography import class_ticks
from fgunet.report.style import (
    MUTED,
    RULE,
    SHADE,
    WIDTH_IN,
    evenly_chosen,
    house_style,
    light_grid,
    method_colour,
    method_label,
    method_marker,
    new_figure,
)

MOST_TILES = 60
"""Most rows of a chart by tile."""

MOST_BESIDE = 20
"""Most classes of confusion matrices that stand beside one another."""

MOST_NAMES = 40
"""Most classes of a confusion matrix with names, and with figures in its cells."""

LEAST_PERCENT = 0.5
"""A confusion matrix shows what is above this share."""

_SEQUENTIAL = LinearSegmentedColormap.from_list(
    "shares", ["#eef5f9", "#cfe3ef", "#7fb3d3", "#2f7fb0", "#0b3f66"]
)
# Not INK and white, which the page changes on a dark screen: these lie on cells that stay.
_ON_LIGHT, _ON_DARK = "#1e2a34", "#fdfdfd"


def kappa_by_tile(summary: pd.DataFrame, methods: Sequence[str]) -> Figure:
    """Dot plot of kappa with its interval: a row a tile, all tiles together at the bottom.

    Parameters
    ----------
    summary : pandas.DataFrame
        tile ("pooled" included), method, pixels, kappa, kappa_lower, kappa_upper; NaN is not
        drawn, and a tile without any kappa says why.
    methods : sequence of str
        Methods, in the order of their colours.

    Returns
    -------
    matplotlib.figure.Figure
    """
    every = [tile for tile in summary["tile"].unique() if tile != "pooled"]
    tiles = evenly_chosen(sorted(every), MOST_TILES)
    rows = [*tiles, "pooled"]
    with house_style():
        figure = new_figure(WIDTH_IN, 1.3 + 0.34 * len(rows))
        axes = figure.subplots()
        axes.axhspan(len(rows) - 1.5, len(rows) - 0.5, color=SHADE, zorder=0)
        for place, method in enumerate(methods):
            of_method = summary[summary["method"] == method].set_index("tile").reindex(rows)
            _dots(axes, of_method, "kappa", methods, place)
        for row, tile in enumerate(rows):
            of_tile = summary[summary["tile"] == tile]
            if of_tile["kappa"].isna().all():
                tested = of_tile["pixels"].any()
                _tell(axes, row, "one class only: undefined" if tested else "no test pixels")
        if summary["kappa"].isna().all():
            axes.set_xlim(0, 1)
        axes.set_yticks(range(len(rows)), [*tiles, "all tiles"])
        axes.get_yticklabels()[-1].set_fontweight("bold")
        axes.set_ylim(len(rows) - 0.5, -0.5)
        light_grid(axes, "x")
        axes.set_xlabel("Cohen's kappa on the test polygons, with 95 % interval by polygon")
        shown = f" ({len(tiles)} of {len(every)} tiles)" if len(tiles) < len(every) else ""
        axes.set_title(f"Kappa by tile{shown}")
        _legend_above(axes)
    return figure


def _dots(axes: Axes, frame: pd.DataFrame, score: str, methods: Sequence[str], place: int) -> None:
    """Draw values and intervals of one of the methods, a little above or below the row's middle."""
    y = np.arange(len(frame)) + (place - (len(methods) - 1) / 2) * 0.26
    colour = method_colour(place)
    axes.hlines(
        y, frame[f"{score}_lower"], frame[f"{score}_upper"], color=colour, lw=1.6, alpha=0.45
    )
    axes.plot(
        frame[score],
        y,
        method_marker(place),
        color=colour,
        markersize=5.5,
        markeredgecolor="white",
        markeredgewidth=0.6,
        label=method_label(methods[place]),
    )


def _tell(axes: Axes, row: int, text: str) -> None:
    """Words in the middle of a row that has nothing to draw."""
    place = axes.get_yaxis_transform()
    axes.text(0.5, row, text, ha="center", va="center", color=MUTED, transform=place)


def _legend_above(axes: Axes) -> None:
    axes.spines["left"].set_visible(False)
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=4, borderaxespad=0.2)


def f_by_class(
    classes: pd.DataFrame,
    methods: Sequence[str],
    nomenclature: Nomenclature,
    focus_group: str | None,
) -> Figure:
    """F-score of each class over all tiles, the methods joined by a line, the group shaded.

    Parameters
    ----------
    classes : pandas.DataFrame
        Rows of "pooled": method, code, polygons, f_score, f_score_lower, f_score_upper.
    methods : sequence of str
        Methods, in the order of their colours.
    nomenclature : Nomenclature
        Names and colours.
    focus_group : str or None
        Group to shade.
    """
    codes = list(nomenclature.codes)
    pooled = classes[classes["tile"] == "pooled"]
    frames = [pooled[pooled["method"] == m].set_index("code").reindex(codes) for m in methods]
    group = nomenclature.group(focus_group) if focus_group else ()
    with house_style():
        figure = new_figure(WIDTH_IN, 1.3 + 0.36 * len(codes))
        axes = figure.subplots()
        for row, code in enumerate(codes):
            if code in group:
                axes.axhspan(row - 0.5, row + 0.5, color=SHADE, zorder=0)
        values = np.array([frame["f_score"].to_numpy(dtype=float) for frame in frames])
        axes.hlines(np.arange(len(codes)), values.min(axis=0), values.max(axis=0), color=RULE, lw=4)
        for row in np.flatnonzero(np.isnan(values).all(axis=0)):
            _tell(axes, row, "no test pixels")
        for place, frame in enumerate(frames):
            _dots(axes, frame, "f_score", methods, place)
        class_ticks(axes, nomenclature.classes)
        axes.set_xlim(-0.02, 1.02)
        light_grid(axes, "x")
        shaded = f"; shaded: {focus_group}" if group else ""
        axes.set_xlabel(f"F-score on the test polygons, with 95 % interval by polygon{shaded}")
        axes.set_title("F-score by class, all tiles")
        _legend_above(axes)
    return figure


def confusion_matrices(
    matrices: Mapping[str, NDArray[Any]], nomenclature: Nomenclature, *, by_column: bool = False
) -> Figure:
    """Confusions of each method in percent, a panel a method.

    Parameters
    ----------
    matrices : mapping of str to ndarray (n, n)
        Pixels of each method; rows reference, columns map.
    nomenclature : Nomenclature
        Names of rows and columns; above `MOST_NAMES` classes their codes stand instead, and the
        cells carry no figures.
    by_column : bool
        Whether the shares are of the mapped class (the diagonal is the user's accuracy), not of
        the reference class (the diagonal is the producer's).
    """
    n = len(nomenclature.classes)
    names = [c.name if n <= MOST_NAMES else str(c.code) for c in nomenclature.classes]
    # A few classes fit beside one another on a page; many need its whole width.
    beside = n <= MOST_BESIDE
    across, down = (len(matrices), 1) if beside else (1, len(matrices))
    side = max(2.0, 0.29 * n) if beside else max(WIDTH_IN, 0.13 * n)  # inches of a panel
    lettering = 0.6 + 0.078 * max(len(name) for name in names)
    with house_style():
        size = lettering + (side + 0.2) * across, (side + lettering + 0.2) * down
        figure = new_figure(*size)
        figure.set_layout_engine("compressed")  # the panels are squares
        panels = figure.subplots(down, across, sharey=beside, squeeze=False).ravel()
        for axes, (method, matrix) in zip(panels, matrices.items(), strict=True):
            _matrix_panel(axes, np.asarray(matrix, dtype=float), names, by_column)
            axes.set_title(method_label(method))
            axes.set_xlabel("mapped as (each column: 100 %)" if by_column else "mapped as")
        for axes in panels[: 1 if beside else None]:
            axes.set_ylabel("reference" if by_column else "reference (each row: 100 %)")
        if n > MOST_NAMES:
            scale = ScalarMappable(Normalize(0, 100), _SEQUENTIAL)
            figure.colorbar(
                scale, ax=list(panels), location="top", shrink=0.4, pad=0.01, label="percent"
            )
    return figure


def _matrix_panel(
    axes: Axes, matrix: NDArray[np.float64], names: Sequence[str], by_column: bool
) -> None:
    n = len(names)
    total = matrix.sum(axis=0 if by_column else 1, keepdims=True)
    shares = np.divide(100 * matrix, total, out=np.zeros_like(matrix), where=total > 0)
    for line in range(n):
        if total.flat[line]:
            corner = (line - 0.5, line - 0.5)
            axes.add_patch(Rectangle(corner, 1, 1, fill=False, edgecolor=MUTED, lw=0.6, zorder=2))
        else:
            mapped_elsewhere = by_column and matrix.any()
            text = "not mapped" if mapped_elsewhere else "no test pixels"
            _empty_line(axes, line, n, by_column, text)
    _cells(axes, shares, lettered=n <= MOST_NAMES)
    axes.set_xlim(-0.5, n - 0.5)
    axes.set_ylim(n - 0.5, -0.5)
    axes.set_box_aspect(1)
    size = 9 if n <= MOST_NAMES else 6
    axes.set_xticks(range(n), names, rotation=90, size=size)
    axes.set_yticks(range(n), names, size=size)
    axes.set_xticks(np.arange(-0.5, n), minor=True)
    axes.set_yticks(np.arange(-0.5, n), minor=True)
    axes.grid(visible=True, which="minor", color=RULE, linewidth=0.4)
    axes.tick_params(which="both", length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _cells(axes: Axes, shares: NDArray[np.float64], *, lettered: bool) -> None:
    """The cells that are not blank, each in the colour of its share."""
    rows, columns = np.nonzero(shares > LEAST_PERCENT)
    shown = shares[rows, columns]
    squares = [Rectangle((x - 0.5, y - 0.5), 1, 1) for x, y in zip(columns, rows, strict=True)]
    colours = _SEQUENTIAL(shown / 100)
    axes.add_collection(PatchCollection(squares, facecolors=colours, edgecolors="none"))
    if lettered:
        for x, y, share in zip(columns, rows, shown, strict=True):
            colour = _ON_DARK if share > 55 else _ON_LIGHT
            axes.text(x, y, f"{share:.0f}", ha="center", va="center", color=colour, size=7)


def _empty_line(axes: Axes, line: int, n: int, by_column: bool, text: str) -> None:
    """A row without reference, or a column without mapped pixels, and words that say so."""
    middle = (n - 1) / 2
    x, y, across, down = (line, middle, 1, n) if by_column else (middle, line, n, 1)
    corner = (x - across / 2, y - down / 2)
    axes.add_patch(Rectangle(corner, across, down, facecolor=SHADE, edgecolor="none"))
    axes.text(
        x,
        y,
        text,
        ha="center",
        va="center",
        color=MUTED,
        size=9 if n <= MOST_BESIDE else 6,
        rotation=90 if by_column else 0,
    )
