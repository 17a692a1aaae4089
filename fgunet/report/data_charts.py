"""Charts of the data: acquisitions, clear dates, reference polygons."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from fgunet.nomenclature import Nomenclature
from fgunet.report.accuracy_charts import MOST_TILES
from fgunet.report.style import (
    INK,
    MUTED,
    RULE,
    WIDTH_IN,
    evenly_chosen,
    house_style,
    light_grid,
    method_colour,
    new_figure,
)

SPLIT_COLOURS = {"training": "#1b4965", "validation": "#62a5c4", "test": "#e0a030"}


def acquisition_date(entry: Mapping[str, Any]) -> datetime | None:
    """Day of an acquisition, from its time or else from its product's name."""
    found = re.search(r"(?<!\d)(\d{4})-?(\d{2})-?(\d{2})", str(entry.get("time", "")))
    found = found or re.search(r"(?<!\d)(20\d{2})(\d{2})(\d{2})(?!\d)", str(entry["product"]))
    try:
        return datetime(*map(int, found.groups())) if found else None  # type: ignore[arg-type]
    except ValueError:
        return None


def acquisition_calendar(
    listings: Sequence[Mapping[str, Any]], regular_dates: Sequence[str]
) -> Figure:
    """Which days each tile was seen, which products were left out, and the regular dates.

    Parameters
    ----------
    listings : sequence of mapping
        One a tile: tile, kept [{product, time}], excluded [{product, reason}].
    regular_dates : sequence of str
        Dates of the series, YYYYMMDD.
    """
    names = sorted(str(listing["tile"]) for listing in listings)
    shown = evenly_chosen(names, MOST_TILES)
    by_tile = {str(listing["tile"]): listing for listing in listings}
    with house_style():
        figure = new_figure(WIDTH_IN, 1.4 + 0.26 * len(shown))
        axes = figure.subplots()
        regular = np.array([_day(date) for date in regular_dates], dtype="datetime64[D]")
        across = axes.get_xaxis_transform()
        axes.vlines(regular, 0, 1, transform=across, color=RULE, lw=0.8, zorder=0)
        for kind, marker in (("kept", "o"), ("excluded", "x")):
            points = [
                (day, row)
                for row, tile in enumerate(shown)
                for entry in by_tile[tile][kind]
                if (day := acquisition_date(entry)) is not None
            ]
            days = np.array([day for day, _ in points], dtype="datetime64[D]")
            rows = [row for _, row in points]
            colour = method_colour(0) if kind == "kept" else "#a33b20"
            axes.plot(days, rows, marker, ls="", color=colour, ms=3.6, mew=0.9, label=kind)
        axes.set_yticks(range(len(shown)), shown)
        axes.set_ylim(len(shown) - 0.5, -0.5)
        axes.tick_params(length=0)
        axes.spines["left"].set_visible(False)
        axes.set_title(f"Acquisitions{_of(shown, names)}")
        axes.plot([], [], color=RULE, lw=1.5, label="regular date")
        axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=3, borderaxespad=0.2)
    return figure


def _day(date: str) -> datetime:
    return datetime(int(date[:4]), int(date[4:6]), int(date[6:8]))


def _of(shown: Sequence[str], every: Sequence[str]) -> str:
    return f" ({len(shown)} of {len(every)} tiles)" if len(shown) < len(every) else ""


def clear_dates(quantiles: Mapping[str, Mapping[str, float]]) -> Figure:
    """How many clear dates the pixels of each tile have.

    Parameters
    ----------
    quantiles : mapping
        Tile to {"5", "25", "50", "75", "95"}: percentiles of the count over its pixels.
    """
    names = sorted(quantiles)
    shown = evenly_chosen(names, MOST_TILES)
    with house_style():
        figure = new_figure(WIDTH_IN, 1.2 + 0.26 * len(shown))
        axes = figure.subplots()
        rows = np.arange(len(shown))
        at = {
            q: [float(quantiles[tile][q]) for tile in shown] for q in ("5", "25", "50", "75", "95")
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
        axes.set_xlabel("clear dates of a pixel: median, middle half, middle 90 %")
        axes.set_title(f"Clear dates by tile{_of(shown, names)}")
    return figure


def reference_polygons(rows: Sequence[Mapping[str, Any]], nomenclature: Nomenclature) -> Figure:
    """Stacked bars: polygons of each class by split.

    Parameters
    ----------
    rows : sequence of mapping
        code, split, polygons (by source too; they are added up).
    nomenclature : Nomenclature
        Names and order.
    """
    codes = list(nomenclature.codes)
    counts = {split: np.zeros(len(codes)) for split in SPLIT_COLOURS}
    for row in rows:
        if row["split"] in counts and row["code"] in codes:
            counts[row["split"]][codes.index(row["code"])] += row["polygons"]
    with house_style():
        figure = new_figure(WIDTH_IN, 1.2 + 0.29 * len(codes))
        axes = figure.subplots()
        left = np.zeros(len(codes))
        for split, colour in SPLIT_COLOURS.items():
            axes.barh(
                range(len(codes)), counts[split], left=left, color=colour, height=0.62, label=split
            )
            left += counts[split]
        for place, total in enumerate(left):
            axes.annotate(
                f"{total:,.0f}",
                (total, place),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                size=8,
                color=MUTED if total else INK,
            )
        axes.set_yticks(range(len(codes)), [nomenclature.names[code] for code in codes])
        axes.set_ylim(len(codes) - 0.5, -0.5)
        light_grid(axes, "x")
        axes.spines["left"].set_visible(False)
        axes.set_xlabel("polygons")
        axes.set_title("Reference polygons by class and split")
        axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=3, borderaxespad=0.2)
    return figure
