"""Charts of accuracy: kappa by tile, F-score by class, confusion matrices."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from fgunet.nomenclature import Nomenclature
from fgunet.report.style import (
    INK,
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

_SEQUENTIAL = LinearSegmentedColormap.from_list(
    "shares", ["#ffffff", "#cfe3ef", "#7fb3d3", "#2f7fb0", "#0b3f66"]
)


def kappa_by_tile(summary: pd.DataFrame, methods: Sequence[str]) -> Figure:
    """Dot plot of kappa with its interval: a row a tile, all tiles together at the bottom.

    Parameters
    ----------
    summary : pandas.DataFrame
        tile ("pooled" included), method, kappa, kappa_lower, kappa_upper; NaN is not drawn.
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
            _dots(axes, of_method, "kappa", place, len(methods))
        axes.set_yticks(range(len(rows)), [*tiles, "all tiles"])
        axes.get_yticklabels()[-1].set_fontweight("bold")
        axes.set_ylim(len(rows) - 0.5, -0.5)
        light_grid(axes, "x")
        axes.set_xlabel("Cohen's kappa on the test polygons, with 95 % interval by polygon")
        shown = f" ({len(tiles)} of {len(every)} tiles)" if len(tiles) < len(every) else ""
        axes.set_title(f"Kappa by tile{shown}")
        _legend_above(figure, axes)
    return figure


def _dots(axes: Axes, frame: pd.DataFrame, score: str, place: int, count: int) -> None:
    """Draw values and intervals of one method, a little above or below the row's middle."""
    y = np.arange(len(frame)) + (place - (count - 1) / 2) * 0.26
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
        label=method_label(str(frame["method"].dropna().iloc[0])),
    )


def _legend_above(figure: Figure, axes: Axes) -> None:
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
        for place, frame in enumerate(frames):
            _dots(axes, frame, "f_score", place, len(frames))
        _class_ticks(axes, nomenclature)
        axes.set_ylim(len(codes) - 0.5, -0.5)
        axes.set_xlim(-0.02, 1.02)
        light_grid(axes, "x")
        shaded = f"; shaded: {focus_group}" if group else ""
        axes.set_xlabel(f"F-score on the test polygons, with 95 % interval by polygon{shaded}")
        axes.set_title("F-score by class, all tiles")
        _legend_above(figure, axes)
    return figure


def _class_ticks(axes: Axes, nomenclature: Nomenclature) -> None:
    """Class names on the left axis, each with a swatch of its map colour."""
    labels = [c.name for c in nomenclature.classes]
    axes.set_yticks(range(len(labels)), labels)
    axes.tick_params(axis="y", length=0, pad=17)
    for row, land_cover in enumerate(nomenclature.classes):
        axes.annotate(
            "",
            (0, row),
            xycoords=("axes fraction", "data"),
            xytext=(-10, 0),
            textcoords="offset points",
            annotation_clip=False,
        )
        axes.plot(
            [-0.012],
            [row],
            "s",
            transform=axes.get_yaxis_transform(),
            color=np.array(land_cover.colour) / 255,
            markeredgecolor=MUTED,
            markeredgewidth=0.4,
            markersize=8,
            clip_on=False,
        )


def confusion_matrices(matrices: Mapping[str, NDArray[Any]], nomenclature: Nomenclature) -> Figure:
    """Confusions of each method as shares of the reference class, in percent.

    Parameters
    ----------
    matrices : mapping of str to ndarray (n, n)
        Pixels of each method; rows reference, columns map.
    nomenclature : Nomenclature
        Names of rows and columns.
    """
    names = [c.name for c in nomenclature.classes]
    n = len(names)
    side = max(2.0, 0.29 * n)  # inches of a panel
    lettering = 0.6 + 0.078 * max(len(name) for name in names)
    with house_style():
        figure = new_figure(lettering + (side + 0.2) * len(matrices), side + lettering + 0.5)
        panels = figure.subplots(1, len(matrices), sharey=True, squeeze=False)[0]
        for place, (method, matrix) in enumerate(matrices.items()):
            axes = panels[place]
            _matrix_panel(axes, np.asarray(matrix, dtype=float), names)
            axes.set_title(method_label(method))
            axes.set_xlabel("mapped as")
        panels[0].set_ylabel("reference")
    return figure


def _matrix_panel(axes: Axes, matrix: NDArray[np.float64], names: Sequence[str]) -> None:
    n = len(names)
    total = matrix.sum(axis=1, keepdims=True)
    shares = np.divide(100 * matrix, total, out=np.full_like(matrix, np.nan), where=total > 0)
    axes.imshow(shares, cmap=_SEQUENTIAL, vmin=0, vmax=100, aspect="auto")
    axes.set_box_aspect(1)
    size = 7 if n <= 20 else 4.5
    for row in range(n):
        if not total[row, 0]:
            axes.add_patch(Rectangle((-0.5, row - 0.5), n, 1, facecolor=SHADE, edgecolor="none"))
            axes.text((n - 1) / 2, row, "no test pixels", ha="center", va="center", color=MUTED)
            continue
        for column in np.flatnonzero(shares[row] >= 0.5):
            colour = "white" if shares[row, column] > 55 else INK
            text = f"{shares[row, column]:.0f}"
            axes.text(column, row, text, ha="center", va="center", color=colour, size=size)
    for row in range(n):
        axes.add_patch(
            Rectangle((row - 0.5, row - 0.5), 1, 1, fill=False, edgecolor=MUTED, linewidth=0.6)
        )
    axes.set_xticks(range(n), names, rotation=90)
    axes.set_yticks(range(n), names)
    axes.set_xticks(np.arange(-0.5, n), minor=True)
    axes.set_yticks(np.arange(-0.5, n), minor=True)
    axes.grid(visible=True, which="minor", color=RULE, linewidth=0.4)
    axes.tick_params(which="both", length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
