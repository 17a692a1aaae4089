"""Charts of the data: acquisitions and clear dates."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from fgunet.report.accuracy_charts import MOST_TILES
from fgunet.report.gaps import LEVELS
from fgunet.report.style import (
    MUTED,
    RULE,
    WIDTH_IN,
    evenly_chosen,
    house_style,
    light_grid,
    method_colour,
    new_figure,
)
from fgunet.report.wording import day
from fgunet.sentinel2.selection import BROKEN, OUTSIDE, SUPERSEDED

_NOT_SHOWN = (OUTSIDE, SUPERSEDED)
# The clearer the day, the fuller the dot.
_CLOUDS = LinearSegmentedColormap.from_list("clouds", ["#005b8f", "#7fb3d2", "#ffffff"])
_DOTS: dict[str, Any] = {
    "cmap": _CLOUDS, "vmin": 0, "vmax": 1, "s": 22, "edgecolors": "#5c8fae", "linewidths": 0.6,
}  # fmt: skip
_LEFT_OUT: dict[str, Any] = {"ls": "", "marker": "x", "color": MUTED, "ms": 4, "mew": 0.9}
_BROKEN: dict[str, Any] = {"ls": "", "marker": "X", "color": "#c63a10", "ms": 6.5, "mew": 0}


def acquisition_calendar(
    listings: Sequence[Mapping[str, Any]], regular_dates: Sequence[str]
) -> Figure:
    """Which days each tile was seen and how cloudy, which were left out, and the regular dates.

    Products outside of the period and outdated versions are not shown.

    Parameters
    ----------
    listings : sequence of mapping
        One a tile: tile, kept [{time}], cloud_shares [0..1], excluded [{date, reason}].
    regular_dates : sequence of str
        Dates of the series, YYYYMMDD.
    """
    by_tile = {str(listing["tile"]): listing for listing in listings}
    names = sorted(by_tile)
    shown = evenly_chosen(names, MOST_TILES)
    with house_style():
        figure = new_figure(WIDTH_IN, 1.4 + 0.28 * len(shown))
        axes = figure.subplots()
        across = axes.get_xaxis_transform()
        axes.vlines(_days(regular_dates), 0, 1, transform=across, color=RULE, lw=0.8, zorder=0)
        for row, tile in enumerate(shown):
            _calendar_row(axes, row, by_tile[tile])
        axes.set_yticks(range(len(shown)), shown)
        axes.set_ylim(len(shown) - 0.5, -0.5)
        axes.tick_params(length=0)
        axes.spines["left"].set_visible(False)
        axes.set_title(f"Acquisitions{_of(shown, names)}")
        excluded = (entry for tile in shown for entry in by_tile[tile]["excluded"])
        _calendar_legend(axes, any(entry["reason"] == BROKEN for entry in excluded))
    return figure


def _calendar_row(axes: Axes, row: int, listing: Mapping[str, Any]) -> None:
    days = _days([entry["time"] for entry in listing["kept"]])
    axes.scatter(days, [row] * len(days), c=listing["cloud_shares"], **_DOTS)
    for broken, look in ((False, _LEFT_OUT), (True, _BROKEN)):
        out = [
            entry["date"]
            for entry in listing["excluded"]
            if entry["reason"] not in _NOT_SHOWN and (entry["reason"] == BROKEN) == broken
        ]
        axes.plot(_days(out), [row] * len(out), **look)


def _calendar_legend(axes: Axes, any_broken: bool) -> None:
    handles = [
        *(
            Line2D([], [], ls="", marker="o", ms=5, mew=0.6, mec=_DOTS["edgecolors"],
                   mfc=_CLOUDS(share), label=f"{100 * share:.0f} % clouds")
            for share in (0.0, 0.5, 1.0)
        ),
        Line2D([], [], **_LEFT_OUT, label="left out"),
        *([Line2D([], [], **_BROKEN, label="broken")] if any_broken else []),
        Line2D([], [], color=RULE, lw=1.5, label="regular date"),
    ]  # fmt: skip
    axes.legend(
        handles=handles,
        loc="lower right",
        bbox_to_anchor=(1, 1),
        ncols=len(handles),
        borderaxespad=0.2,
        handletextpad=0.3,
        columnspacing=1.2,
        handlelength=1.2,
    )


def _days(dates: Sequence[str]) -> NDArray[np.datetime64]:
    """Days of dates YYYYMMDD or times in ISO 8601."""
    return np.array([day(date) for date in dates], dtype="datetime64[D]")


def _of(shown: Sequence[str], every: Sequence[str]) -> str:
    return f" ({len(shown)} of {len(every)} tiles)" if len(shown) < len(every) else ""


def clear_dates(quantiles: Mapping[str, Mapping[str, float] | None]) -> Figure:
    """On how many days the pixels of each tile were clear.

    Parameters
    ----------
    quantiles : mapping
        Tile to {"5", "25", "50", "75", "95"}: percentiles of the count over its pixels that were
        clear at least once. None, where there is no such pixel, leaves the tile's row empty.
    """
    names = sorted(quantiles)
    shown = evenly_chosen(names, MOST_TILES)
    with house_style():
        figure = new_figure(WIDTH_IN, 1.2 + 0.26 * len(shown))
        axes = figure.subplots()
        rows = np.arange(len(shown))
        at = {
            str(level): [(quantiles[tile] or {}).get(str(level), np.nan) for tile in shown]
            for level in LEVELS
        }
        colour = method_colour(0)
        axes.hlines(rows, at["5"], at["95"], color=colour, lw=1.2, alpha=0.5)
        axes.hlines(rows, at["25"], at["75"], color=colour, lw=5, alpha=0.5)
        axes.plot(at["50"], rows, "o", color=colour, ms=5.5, mec="white", mew=0.7)
        axes.set_yticks(rows, shown)
        axes.set_ylim(len(shown) - 0.5, -0.5)
        axes.set_xlim(left=0)
        light_grid(axes, "x")
        axes.spines["left"].set_visible(False)
        axes.set_xlabel("clear days of a pixel: median, middle half, middle 90 %")
        axes.set_title(f"Clear days by tile{_of(shown, names)}")
    return figure
