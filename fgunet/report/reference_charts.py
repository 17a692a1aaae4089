"""Charts of the reference: polygons, shares of the splits, distances from test to training."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fgunet.nomenclature import Nomenclature
from fgunet.report.accuracy_charts import MOST_TILES
from fgunet.report.style import (
    INK,
    MUTED,
    WIDTH_IN,
    evenly_chosen,
    halo,
    house_style,
    light_grid,
    new_figure,
)

SPLIT_COLOURS = {"training": "#1b4965", "validation": "#62a5c4", "test": "#e0a030"}


def reference_polygons(rows: Sequence[Mapping[str, Any]], nomenclature: Nomenclature) -> Figure:
    """Stacked bars: hectares of each class by split, and how many polygons they are.

    Parameters
    ----------
    rows : sequence of mapping
        code, split, polygons, hectares (by source too; they are added up).
    nomenclature : Nomenclature
        Names and order; classes without polygons are not drawn.
    """
    found = {row["code"] for row in rows}
    codes = [code for code in nomenclature.codes if code in found]
    area = {split: np.zeros(len(codes)) for split in SPLIT_COLOURS}
    polygons = np.zeros(len(codes), dtype=int)
    for row in rows:
        if row["split"] in area and row["code"] in codes:
            area[row["split"]][codes.index(row["code"])] += row["hectares"]
            polygons[codes.index(row["code"])] += row["polygons"]
    with house_style():
        figure = new_figure(WIDTH_IN, 1.2 + 0.29 * len(codes))
        axes = figure.subplots()
        _stacked(axes, area)
        total = np.sum(list(area.values()), axis=0)
        for place, (end, count) in enumerate(zip(total, polygons, strict=True)):
            axes.annotate(
                f"{count:,} polygons" if place == 0 else f"{count:,}",
                (end, place),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                size=8,
                color=MUTED,
            )
        _rows(axes, [nomenclature.names[code] for code in codes])
        axes.margins(x=0.12)
        axes.set_xlim(left=0)
        light_grid(axes, "x")
        axes.set_xlabel("hectares")
        axes.set_title("Reference by class and split")
        axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=3, borderaxespad=0.2)
    return figure


def split_shares(
    counts: Mapping[str, Any],
    nomenclature: Nomenclature,
    *,
    test_share: float,
    validation_share: float,
) -> Figure:
    """Bars of 100 %: the splits' shares of the area by class and by tile, and the shares asked for.

    Parameters
    ----------
    counts : mapping
        `classes` and `tiles`, each with the hectares of training, validation and test.
    nomenclature : Nomenclature
        Names and order of the classes.
    test_share, validation_share : float
        Shares that the configuration asks for: of all, and of what is not test (0..1).
    """
    classes = {
        nomenclature.names[code]: counts["classes"][str(code)]
        for code in nomenclature.codes
        if str(code) in counts["classes"]
    }
    chosen = evenly_chosen(sorted(counts["tiles"]), MOST_TILES)
    tiles = {tile: counts["tiles"][tile] for tile in chosen}
    targets = (1 - test_share) * (1 - validation_share), 1 - test_share
    most = max(len(classes), len(tiles))
    of = f" ({len(chosen)} of {len(counts['tiles'])})" if len(chosen) < len(counts["tiles"]) else ""
    with house_style():
        figure = new_figure(WIDTH_IN, 1.5 + 0.29 * most)
        for axes, title, rows in zip(
            figure.subplots(1, 2), ("By class", f"By tile{of}"), (classes, tiles), strict=True
        ):
            shares = {split: _shares(rows, split) for split in SPLIT_COLOURS}
            _stacked(axes, shares, 0.66 * len(rows) / most)
            for target in targets:
                line = axes.axvline(100 * target, color=INK, lw=1, ls=(0, (4, 2)))
                line.set_path_effects(halo())
            for place, share in enumerate(shares["test"]):
                if np.isfinite(share):
                    axes.text(102, place, f"{share:.1f}", va="center", size=8, color=MUTED)
            _rows(axes, list(rows))
            axes.set_xlim(0, 100)
            axes.set_xlabel("% of the area; right: test")
            axes.set_title(title)
        handles, labels = axes.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper right", ncols=3)
    return figure


def _shares(rows: Mapping[str, Mapping[str, Any]], split: str) -> Any:
    """Percent of the area (row,); NaN where there is none."""
    own = np.array([row[split]["hectares"] for row in rows.values()], dtype=float)
    total = np.array(
        [sum(row[name]["hectares"] for name in SPLIT_COLOURS) for row in rows.values()]
    )
    return 100 * np.divide(own, total, out=np.full(len(own), np.nan), where=total > 0)


def nearest_training(distances: Mapping[str, Any]) -> Figure:
    """Bars: how many test polygons lie how far from the nearest training polygon.

    Parameters
    ----------
    distances : mapping
        `histogram`: edges_m and counts, the last count beyond the last edge; `percentiles`.
    """
    edges, counts = distances["histogram"]["edges_m"], distances["histogram"]["counts"]
    total = max(1, sum(counts))
    with house_style():
        figure = new_figure(WIDTH_IN, 2.9)
        axes = figure.subplots()
        axes.bar(range(len(counts)), counts, width=0.94, color=SPLIT_COLOURS["test"])
        for place, count in enumerate(counts):
            if count:
                share = 100 * count / total
                text = f"{share:.0f} %" if share >= 0.5 else "< 1 %"
                axes.annotate(
                    text, (place, count), xytext=(0, 2), textcoords="offset points",
                    ha="center", size=8, color=MUTED,
                )  # fmt: skip
        axes.set_xticks(np.arange(len(edges)) - 0.5, [_metres(edge) for edge in edges])
        axes.margins(x=0.01, y=0.12)
        light_grid(axes, "y")
        axes.set_ylabel("test polygons")
        axes.set_xlabel("distance to the nearest training polygon, between nearest edges")
        axes.set_title("From test to training")
    return figure


def _metres(value: float) -> str:
    return f"{value / 1000:g} km" if value >= 1000 else f"{value:g} m"


def _stacked(axes: Axes, values: Mapping[str, Any], height: float = 0.66) -> None:
    left: Any = 0
    for split, colour in SPLIT_COLOURS.items():
        widths = np.nan_to_num(values[split])
        axes.barh(range(len(widths)), widths, left=left, color=colour, height=height, label=split)
        left = left + widths


def _rows(axes: Axes, names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
