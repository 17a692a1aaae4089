"""Charts of the comparison: where two methods differ, and what that goes with."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import ScaledTranslation

from fgunet.accuracy.differences import ALL, CLASS, TILE
from fgunet.accuracy.urban import DIFFERENCE, Line, lines_of
from fgunet.nomenclature import Nomenclature
from fgunet.report.accuracy_charts import MOST_TILES
from fgunet.report.cartography import class_ticks
from fgunet.report.differences import LEVEL
from fgunet.report.style import (
    INK,
    MUTED,
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

_BESIDE_PT = 2.5
"""How far the points of a tile stand apart, one a method, in points."""

_UNDEFINED = "undefined"


def differences(table: pd.DataFrame, methods: Sequence[str], nomenclature: Nomenclature) -> Figure:
    """The first method less the second: kappa by tile, F-score by class.

    Parameters
    ----------
    table : pandas.DataFrame
        What `fgunet.accuracy.differences.difference_table` gives; NaN is not drawn.
    methods : sequence of str
        Methods of the run, the two compared ones first.
    nomenclature : Nomenclature
        Names and colours of the classes.

    Returns
    -------
    matplotlib.figure.Figure
        Markers in the colour of the better method, filled where p after Holm is below 0.05.
    """
    kappa = table[table["score"] == "kappa"]
    every = kappa[kappa["scope"] == TILE].sort_values("tile")
    chosen = evenly_chosen(every["tile"].tolist(), MOST_TILES)
    # Over all tiles there is one test, which needs no correction.
    whole = kappa[kappa["scope"] == ALL]
    whole = whole.assign(p_adjusted=whole["p_value"])
    tiles = pd.concat([every[every["tile"].isin(chosen)], whole])
    classes = table[table["scope"] == CLASS].set_index("code").reindex(nomenclature.codes)
    with house_style():
        figure = new_figure(WIDTH_IN, 1.7 + 0.3 * max(len(tiles), len(classes)))
        left, right = figure.subplots(1, 2)
        left.axhspan(len(tiles) - 1.5, len(tiles) - 0.5, color=SHADE, zorder=0)
        left.set_yticks(range(len(tiles)), [*chosen, "all tiles"])
        left.get_yticklabels()[-1].set_fontweight("bold")
        class_ticks(right, nomenclature.classes)
        shown = f" ({len(chosen)} of {len(every)} tiles)" if len(chosen) < len(every) else ""
        for axes, rows, title in (
            (left, tiles, f"Kappa by tile{shown}"),
            (right, classes, "F-score by class, all tiles"),
        ):
            _forest(axes, rows, methods)
            axes.set_title(title, pad=22)
        _legend(figure)
    return figure


def _forest(axes: Axes, rows: pd.DataFrame, methods: Sequence[str]) -> None:
    """A dot and an interval a row, about a line of no difference."""
    y = np.arange(len(rows))
    axes.axvline(0, color=INK, lw=0.9, zorder=1)
    clear = rows["p_adjusted"].to_numpy(dtype=float) < LEVEL
    difference = rows["difference"].to_numpy(dtype=float)
    bounds = rows[["lower", "upper"]].to_numpy(dtype=float)
    for place, better in ((0, difference > 0), (1, difference < 0), (None, difference == 0)):
        colour = MUTED if place is None else method_colour(place)
        marker = "o" if place is None else method_marker(place)
        axes.hlines(y[better], *bounds[better].T, color=colour, lw=1.6, alpha=0.55)
        for filled in (True, False):
            at = better & (clear == filled)
            axes.plot(
                difference[at], y[at], marker, color=colour, markersize=5.8, markeredgewidth=1.3,
                markerfacecolor=colour if filled else "white", markeredgecolor=colour,
            )  # fmt: skip
    for row in np.flatnonzero(np.isnan(difference)):
        axes.text(0, row, _UNDEFINED, ha="center", va="center", color=MUTED, size=8,
                  backgroundcolor="white")  # fmt: skip
    axes.set_ylim(len(rows) - 0.5, -0.5)
    reach = 1.08 * np.nanmax(np.abs([*bounds.ravel(), *difference, 1e-3]))
    axes.set_xlim(-reach, reach)
    axes.xaxis.set_major_locator(MaxNLocator(5, symmetric=True))
    axes.spines["left"].set_visible(False)
    light_grid(axes, "x")
    axes.set_xlabel(f"{method_label(methods[0])} less {method_label(methods[1])}")
    for place, (x, side, text) in enumerate(
        ((1, "right", "{} better →"), (0, "left", "← {} better"))
    ):
        axes.annotate(
            text.format(method_label(methods[place])),
            (x, 1),
            xycoords="axes fraction",
            xytext=(0, 5),
            textcoords="offset points",
            ha=side,
            color=method_colour(place),
            size=8,
        )


def _legend(figure: Figure) -> None:
    figure.supxlabel(
        f"Filled: p < {LEVEL:g} after Holm’s correction. Lines: 95 % interval by polygon.",
        size=8.5,
        color=MUTED,
    )


def urban_share(table: pd.DataFrame, methods: Sequence[str], focus_group: str | None) -> Figure:
    """Kappa of each tile against its share of the focus group, and the difference likewise.

    Parameters
    ----------
    table : pandas.DataFrame
        What `fgunet.accuracy.urban.kappa_by_share` gives; NaN is not drawn.
    methods : sequence of str
        Methods, in the order of their colours.
    focus_group : str or None
        Name of the group.

    Returns
    -------
    matplotlib.figure.Figure
        One panel where the table has no difference.
    """
    lines = lines_of(table)
    panels = [list(methods), *([[DIFFERENCE]] if DIFFERENCE in lines else [])]
    with house_style():
        figure = new_figure(WIDTH_IN, 3.9)
        for axes, quantities in zip(
            figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True
        ):
            for place, quantity in enumerate(quantities):
                rows = table[table["quantity"] == quantity]
                aside = _BESIDE_PT * (place - (len(quantities) - 1) / 2)
                _cloud(axes, rows, lines[quantity], aside, _look(quantity, place))
            light_grid(axes, "y")
            axes.set_xlabel(f"{focus_group} share of the tile’s reference pixels, %")
            axes.margins(x=0.04)
        axes = figure.axes[0]
        axes.set_title("Kappa of each tile")
        axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, borderaxespad=0.2)
        if DIFFERENCE in lines:
            axes = figure.axes[1]
            axes.axhline(0, color=INK, lw=0.9, zorder=1)
            first, second = (method_label(method) for method in methods[:2])
            axes.set_title(f"{first} less {second}")
    return figure


def _look(quantity: str, place: int) -> dict[str, Any]:
    if quantity == DIFFERENCE:
        return {"color": INK, "marker": "o", "label": None}
    return {
        "color": method_colour(place),
        "marker": method_marker(place),
        "label": method_label(quantity),
    }


def _cloud(
    axes: Axes, rows: pd.DataFrame, line: Line, aside: float, look: Mapping[str, Any]
) -> None:
    """Points with intervals, and the line through them with its band, where it has one."""
    x = 100 * rows["share"].to_numpy(dtype=float)
    colour = look["color"]
    faint = 0.4 * min(1, MOST_TILES / max(len(rows), 1))
    inches = axes.figure.dpi_scale_trans
    beside = axes.transData + ScaledTranslation(aside / 72, 0, inches)
    axes.vlines(
        x, rows["lower"], rows["upper"], color=colour, lw=1.1, alpha=faint, transform=beside
    )
    axes.plot(
        x, rows["value"], linestyle="", markersize=5.5, markeredgecolor="white",
        markeredgewidth=0.6, transform=beside, **look,
    )  # fmt: skip
    # What is drawn beside its place does not widen the axes by itself.
    for column in ("lower", "value", "upper"):
        axes.update_datalim(np.column_stack([x, rows[column]]))
    known = x[~np.isnan(x) & rows["value"].notna().to_numpy()]
    if line.reason is None:
        across = np.linspace(known.min(), known.max(), 100)
        value, lower, upper = line.at(across / 100)
        axes.plot(across, value, color=colour, lw=1.5)
        axes.fill_between(across, lower, upper, color=colour, alpha=0.12, lw=0)
