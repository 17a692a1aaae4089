"""Which dates and bands the forest decides by."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from fgunet.report.style import (
    INK,
    MUTED,
    WIDTH_IN,
    house_style,
    light_grid,
    method_label,
    new_figure,
)
from fgunet.report.wording import day
from fgunet.sentinel2.bands import BANDS

# Pale where nothing is; the darkest tenth, which the eye cannot tell apart, is left out.
_COLOURS = ListedColormap(colormaps["magma_r"](np.linspace(0, 0.9, 256)))
_BAR = "#9a8dba"
_EVEN: dict[str, Any] = {"color": INK, "lw": 0.8, "ls": (0, (4, 3))}
_MOST_MONTHS = 14
"""Most labels of months on the time axis."""

_FEWEST_DAYS = 10
"""Days of a month on the time axis below which it is not named."""

_FINEST = 1 / 150
"""Share of the time axis below which white rims would hide a cell."""


def feature_importance(
    importances: Sequence[Sequence[float]] | None, dates: Sequence[str], bands: Sequence[str]
) -> Figure:
    """Heat map of the importance of each channel, with its sums by date and by band.

    Parameters
    ----------
    importances : sequence of sequence of float, (date, band), or None
        Shares that sum to 1. None, or all 0, where the classifier tells none: the figure then
        says so.
    dates : sequence of str
        Dates of the series, YYYYMMDD, rising.
    bands : sequence of str
        Names of the bands, drawn from top to bottom.
    """
    title = f"Importance of dates and bands to the {method_label('forest')}"
    with house_style():
        if importances is None or not np.any(importances):
            return _in_words(title)
        percent = 100 * np.asarray(importances, dtype=np.float64)
        figure = new_figure(WIDTH_IN, 2.2 + 0.3 * len(bands))
        (above, corner), (heat, right) = figure.subplots(
            2,
            2,
            sharex="col",
            sharey="row",
            gridspec_kw={"width_ratios": [5, 1], "height_ratios": [1, 0.3 * len(bands)]},
        )
        edges = _edges(dates)
        rims = 0.6 if np.diff(edges).min() >= _FINEST * (edges[-1] - edges[0]) else 0
        mesh = _heat_map(heat, edges, percent, bands, rims)
        _by_date(above, edges, percent.sum(axis=1), rims)
        _by_band(right, percent.sum(axis=0))
        _legend(corner, mesh)
        above.set_title(title)
    return figure


def _in_words(title: str) -> Figure:
    figure = new_figure(WIDTH_IN, 0.9)
    axes = figure.subplots()
    axes.set_axis_off()
    axes.set_title(title)
    text = "The classifier of this run does not tell how much each date and band counts."
    axes.text(0, 0.5, text, va="center", color=MUTED)
    return figure


def _edges(dates: Sequence[str]) -> NDArray[np.float64]:
    """Where the cells of the dates meet, halfway between them, in days from 1970."""
    days = _numbered(np.array([day(date) for date in dates], dtype="datetime64[D]"))
    gaps = np.diff(days) if days.size > 1 else np.array([30.0])
    between = days[:-1] + gaps[: days.size - 1] / 2
    return np.concatenate([[days[0] - gaps[0] / 2], between, [days[-1] + gaps[-1] / 2]])


def _numbered(days: NDArray[np.datetime64]) -> NDArray[np.float64]:
    return days.astype("datetime64[D]").astype(np.float64)


def _heat_map(
    axes: Axes,
    edges: NDArray[np.float64],
    percent: NDArray[np.float64],
    bands: Sequence[str],
    rims: float,
) -> QuadMesh:
    rows = np.arange(len(bands) + 1) - 0.5
    mesh = axes.pcolormesh(
        edges, rows, percent.T, cmap=_COLOURS, vmin=0, edgecolors="white", linewidth=rims
    )
    axes.set_yticks(range(len(bands)), [_band_label(band) for band in bands])
    axes.set_ylim(len(bands) - 0.5, -0.5)
    axes.set_xlim(edges[0], edges[-1])
    _month_axis(axes, edges[0], edges[-1])
    axes.tick_params(axis="y", length=0)
    axes.spines[:].set_visible(False)
    return mesh


def _band_label(band: str) -> str:
    known = BANDS.get(band)
    return f"{band}, {known.wavelength_nm} nm" if known else band


def _month_axis(axes: Axes, first: float, last: float) -> None:
    """Ticks where months begin, and their names between; the year with its first name."""
    from_month, to_month = np.array([first, last], "datetime64[D]").astype("datetime64[M]")
    months = np.arange(from_month, to_month + 2)
    bounds = _numbered(months).clip(first, last)
    days = np.diff(bounds)
    shown = np.flatnonzero(days >= min(_FEWEST_DAYS, days.max()))
    shown = shown[:: -(-shown.size // _MOST_MONTHS)]
    named = months[shown].tolist()
    years = [None, *(month.year for month in named)]
    labels = [
        f"{month:%b}" if month.year == year else f"{month:%b}\n{month:%Y}"
        for month, year in zip(named, years, strict=False)
    ]
    axes.set_xticks(bounds[shown] + days[shown] / 2, labels)
    axes.set_xticks(bounds[1:-1], minor=True)
    axes.tick_params(axis="x", which="major", length=0, pad=6)
    axes.tick_params(axis="x", which="minor", length=4, width=0.6)


def _by_date(
    axes: Axes, edges: NDArray[np.float64], percent: NDArray[np.float64], rims: float
) -> None:
    widths = np.diff(edges)
    axes.bar(edges[:-1], percent, widths, align="edge", color=_BAR, edgecolor="white", lw=rims)
    axes.axhline(percent.mean(), **_EVEN)
    axes.yaxis.set_major_formatter("{x:g} %")
    axes.set_ylim(bottom=0)
    axes.locator_params(axis="y", nbins=4)
    axes.set_ylabel("by date")
    light_grid(axes, "y")
    axes.tick_params(axis="x", which="both", length=0, labelbottom=False)
    axes.spines["left"].set_visible(False)


def _by_band(axes: Axes, percent: NDArray[np.float64]) -> None:
    """Bars in the left half, their numbers in a column beside them."""
    axes.barh(range(percent.size), percent, 0.86, color=_BAR)
    axes.axvline(percent.mean(), **_EVEN)
    for row, value in enumerate(percent):
        axes.text(
            1,
            row,
            f"{value:.1f} %",
            transform=axes.get_yaxis_transform(),
            ha="right",
            va="center_baseline",
        )
    axes.set_xlim(0, 1.8 * percent.max())
    axes.set_xticks([])
    axes.set_xlabel("by band", loc="left")
    axes.tick_params(axis="y", length=0, labelleft=False)
    axes.spines["bottom"].set_visible(False)


def _legend(corner: Axes, mesh: QuadMesh) -> None:
    corner.set_axis_off()
    place = corner.inset_axes((0.06, 0.62, 0.92, 0.14))
    bar = corner.figure.colorbar(mesh, cax=place, orientation="horizontal", format="{x:g} %")
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0, pad=2, labelsize=8)
    bar.ax.locator_params(nbins=3)
    bar.ax.set_title("one date and band", size=8, weight="normal", pad=4)
    corner.legend(
        handles=[Line2D([], [], **_EVEN, label="equal shares")],
        loc="lower left",
        bbox_to_anchor=(0.02, -0.06),
        borderaxespad=0,
        handlelength=2.4,
        fontsize=8,
    )
