"""Charts of accuracy in its context, and of how far the maps' confidence can be believed."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from fgunet.accuracy.context import BORDER, CLEAR_DAYS, EDGES, TRAINING_DISTANCE
from fgunet.accuracy.context_tables import END_POLYGONS
from fgunet.report.style import (
    INK,
    MUTED,
    RULE,
    WIDTH_IN,
    house_style,
    light_grid,
    method_colour,
    method_label,
    method_marker,
    new_figure,
)
from fgunet.report.wording import decimals, signed, span

_PANELS = {
    BORDER: ("Border of the polygon", "distance to it, m"),
    CLEAR_DAYS: ("Clear days", "days that the pixel was clear"),
    TRAINING_DISTANCE: ("Nearest training polygon", "distance to it, m"),
}
_STEP = 0.3
"""Distance between the dots of two methods; a bin is 1 wide."""


def accuracy_in_context(table: pd.DataFrame, methods: Sequence[str]) -> Figure:
    """Accuracy of each method by border distance, clear days and distance to the training.

    Parameters
    ----------
    table : pandas.DataFrame
        As `fgunet.accuracy.context_tables.context_table` gives it, of the three covariates.
    methods : sequence of str
        Methods, in the order of their colours.

    Returns
    -------
    matplotlib.figure.Figure
        A panel a covariate: dots with 95 % intervals, hollow where the bin has few polygons, and
        below it the share of the test pixels in each bin.
    """
    shown = {name: _drawn_edges(table, name) for name in _PANELS}
    with house_style():
        figure = new_figure(WIDTH_IN, 4.2)
        figure.get_layout_engine().set(wspace=0.06)  # type: ignore[union-attr,call-arg]
        panels = figure.subplots(
            2,
            len(shown),
            sharex="col",
            sharey="row",
            height_ratios=[4, 1],
            width_ratios=[max(2, len(edges)) for edges in shown.values()],
        )
        for (above, below), (name, edges) in zip(panels.T, shown.items(), strict=True):
            of_panel = table[table["covariate"] == name]
            for place, method in enumerate(methods):
                _method(above, of_panel[of_panel["method"] == method], edges, place, len(methods))
            _shares(below, of_panel[of_panel["method"] == methods[0]], edges)
            title, label = _PANELS[name]
            above.set_title(title)
            below.set_xlabel(label)
            below.set_xticks(range(len(edges)), [_edge(edge) for edge in edges], fontsize=7.5)
        panels[0, 0].set_ylabel("test pixels that are right, %")
        panels[1, 0].set_ylabel("share, %", color=MUTED)
        handles = [
            Line2D([], [], label=method_label(method), **_look(place))
            for place, method in enumerate(methods)
        ]
        figure.legend(handles=handles, loc="outside upper right", ncols=4, handletextpad=0.1)
    return figure


def _drawn_edges(table: pd.DataFrame, covariate: str) -> list[float]:
    """Edges from the first bin that has pixels to the last."""
    of_panel = table[table["covariate"] == covariate]
    low, high = of_panel["lower"].min(), of_panel["upper"].max()
    return [edge for edge in EDGES[covariate] if low <= edge <= high]


def _edge(edge: float) -> str:
    return f"{edge:.0f}" if np.isfinite(edge) else "more"


def _method(
    axes: Axes, frame: pd.DataFrame, edges: Sequence[float], place: int, count: int
) -> None:
    """Dots and intervals of one method, a little left or right of the bin's middle."""
    frame = frame.set_index("lower").reindex(list(edges[:-1]))
    x = np.arange(len(frame)) + 0.5 + (place - (count - 1) / 2) * _STEP
    _points(axes, x, frame, place)
    light_grid(axes, "y")
    axes.set_xlim(0, max(1, len(frame)))
    axes.spines["left"].set_visible(False)


def _points(axes: Axes, x: NDArray[Any], frame: pd.DataFrame, place: int) -> None:
    """Accuracy and its interval at `x`, hollow where it rests on few polygons."""
    colour, y = method_colour(place), 100 * frame["accuracy"].to_numpy(dtype=float)
    lower, upper = (100 * frame[f"accuracy_{bound}"] for bound in ("lower", "upper"))
    axes.vlines(x, lower, upper, color=colour, lw=1.6, alpha=0.5)
    few = (frame["polygons"] < END_POLYGONS).to_numpy()
    for chosen, face, rim in ((~few, colour, "white"), (few, "white", colour)):
        # Without a point, what is not clipped would still claim room.
        if chosen.any():
            look = _look(place) | {"markerfacecolor": face, "markeredgecolor": rim}
            axes.plot(x[chosen], y[chosen], clip_on=False, **look)


def _look(place: int) -> dict[str, Any]:
    return {
        "linestyle": "",
        "marker": method_marker(place),
        "color": method_colour(place),
        "markeredgecolor": "white",
        "markeredgewidth": 0.8,
        "markersize": 5.5,
    }


def _shares(axes: Axes, frame: pd.DataFrame, edges: Sequence[float]) -> None:
    """Bars of the share of the pixels in each bin, told above the bar."""
    shares = 100 * frame.set_index("lower")["pixels"] / frame["pixels"].sum()
    for place, (lower, _) in enumerate(pairwise(edges)):
        share = shares.get(lower, 0.0)
        axes.bar(place + 0.5, share, width=0.86, color=RULE)
        text = "<1" if 0 < share < 1 else f"{share:.0f}"
        axes.text(place + 0.5, share, text, ha="center", va="bottom", color=MUTED, fontsize=7)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.margins(y=0.3)


def reliability(bins: pd.DataFrame, calibration: pd.DataFrame, methods: Sequence[str]) -> Figure:
    """Reliability diagram: how often each method's map is right, by its own confidence.

    Parameters
    ----------
    bins, calibration : pandas.DataFrame
        Of all methods, as `fgunet.accuracy.context_tables.reliability_table` gives them.
    methods : sequence of str
        Methods, in the order of their colours.

    Returns
    -------
    matplotlib.figure.Figure
        A panel a method: dots with 95 % intervals, the diagonal, the calibration error; and below
        it the share of the test pixels in each bin of confidence.
    """
    columns = max(2, len(methods))
    with house_style():
        figure = new_figure(WIDTH_IN, WIDTH_IN / columns + 0.9)
        panels = figure.subplots(2, columns, sharex=True, sharey="row", height_ratios=[4, 1])
        for unused in panels[:, len(methods) :].flat:
            unused.remove()
        for place, method in enumerate(methods):
            above, below = panels[:, place]
            of_method = bins[bins["method"] == method]
            _diagonal(above, of_method, place)
            _told(above, calibration[calibration["method"] == method].iloc[0])
            _histogram(below, of_method)
            above.set_title(method_label(method))
            below.set_xlabel("confidence of the map, %")
        panels[0, 0].set_ylabel("test pixels that are right, %")
        panels[1, 0].set_ylabel("share, %", color=MUTED)
    return figure


def _diagonal(axes: Axes, frame: pd.DataFrame, place: int) -> None:
    axes.plot([0, 100], [0, 100], color=MUTED, lw=0.9, ls=(0, (4, 3)))
    _points(axes, 100 * frame["confidence"].to_numpy(dtype=float), frame, place)
    axes.set(xlim=(0, 100), ylim=(0, 100), xticks=range(0, 101, 20), yticks=range(0, 101, 20))
    axes.grid(visible=True)
    axes.tick_params(length=0)
    axes.text(4, 95, "right more often than it says", color=MUTED, fontsize=8, va="top")


def _told(axes: Axes, row: pd.Series) -> None:
    """The calibration error and the over-confidence, below the diagonal."""
    lines = [
        f"calibration error {decimals(100 * row['ece'], 1)} %",
        f"({span(100 * row['ece_lower'], 100 * row['ece_upper'], 1)})",
        f"confidence less accuracy {signed(100 * row['over_confidence'], 1)} %",
    ]
    axes.text(97, 4, "\n".join(lines), ha="right", va="bottom", color=INK, linespacing=1.4)


def _histogram(axes: Axes, frame: pd.DataFrame) -> None:
    shares = 100 * frame["pixels"] / frame["pixels"].sum()
    width = frame["upper"] - frame["lower"]
    axes.bar(frame["lower"] + width / 2, shares, width=0.9 * width, color=RULE)
    for middle, share in zip(frame["lower"] + width / 2, shares, strict=True):
        text = "<1" if share < 1 else f"{share:.0f}"
        axes.text(middle, share, text, ha="center", va="bottom", color=MUTED, fontsize=7)
    axes.set_yticks([])
    axes.tick_params(length=0)
    axes.spines["left"].set_visible(False)
    axes.margins(y=0.3)
