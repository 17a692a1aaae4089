"""The chart of class areas: as they are mapped, and as a sample tells them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from fgunet.nomenclature import Nomenclature
from fgunet.report.cartography import class_ticks
from fgunet.report.style import (
    INK,
    MUTED,
    WIDTH_IN,
    house_style,
    light_grid,
    method_colour,
    method_label,
    method_marker,
    new_figure,
)
from fgunet.report.wording import whole

_WIDE = 100
"""Largest area / smallest, from which on the axis is logarithmic."""


def class_areas(table: pd.DataFrame, methods: Sequence[str], nomenclature: Nomenclature) -> Figure:
    """Mapped and estimated area of each class, the largest at the top.

    Parameters
    ----------
    table : pandas.DataFrame
        As `fgunet.accuracy.areas.summarise` makes it; NaN is not drawn.
    methods : sequence of str
        Methods, in the order of their colours.
    nomenclature : Nomenclature
        Names and colours.
    """
    every = table.drop_duplicates("code").set_index("code")
    every = every.sort_values("area_ha", ascending=False, kind="stable")
    by_code = {land_cover.code: land_cover for land_cover in nomenclature.classes}
    with house_style():
        figure = new_figure(WIDTH_IN, 1.5 + 0.36 * len(every))
        axes = figure.subplots()
        axes.set_xlabel("hectares")
        _scale(axes, table)
        y = np.arange(len(every))
        bars = axes.plot(
            every[["area_ha_lower", "area_ha_upper"]].T,
            [y, y],
            color=MUTED,
            lw=5,
            alpha=0.4,
            solid_capstyle="butt",
        )
        values = axes.plot(every["area_ha"], y, "|", color=INK, ms=9, mew=1.8, zorder=3)
        handles: dict[str, Any] = {"estimated from the sample, 95 % interval": (bars[0], values[0])}
        # Above and below the estimate, so that neither hides the other.
        offsets = np.linspace(-0.27, 0.27, len(methods))
        for place, (method, offset) in enumerate(zip(methods, offsets, strict=True)):
            mapped = table[table["method"] == method].set_index("code")["mapped_area_ha"]
            handles[f"mapped by {method_label(method)}"] = axes.plot(
                mapped.reindex(every.index).where(lambda area: area > 0),
                y + offset,
                method_marker(place),
                color=method_colour(place),
                markersize=5.5,
                markeredgecolor="white",
                markeredgewidth=0.6,
            )[0]
        class_ticks(axes, [by_code[code] for code in every.index])
        axes.set_title("Class areas")
        # The smallest areas are at the bottom: nothing is drawn in that corner.
        axes.legend(list(handles.values()), list(handles), loc="lower right")
    return figure


def _scale(axes: Axes, table: pd.DataFrame) -> None:
    """Hectares, on a logarithmic axis where areas differ much."""
    areas = table[["area_ha", "mapped_area_ha"]].to_numpy()
    known = areas[areas > 0]
    light_grid(axes, "x")
    axes.spines["left"].set_visible(False)
    if known.max() > _WIDE * known.min():
        axes.set_xscale("log", nonpositive="clip")
        axes.xaxis.set_major_locator(LogLocator(10, subs=(1, 2, 5)))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xlabel("hectares (logarithmic)")
        axes.set_xlim(known.min() / 2, known.max() * 1.6)
    else:
        axes.set_xlim(0, 1.05 * max(known.max(), table["area_ha_upper"].max(skipna=True) or 0))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda area, _: _hectares(area)))


def _hectares(area: float) -> str:
    return whole(area).replace("\u202f", " ") if area >= 1 or area == 0 else f"{area:g}"
