"""Parts of maps: classes as colours, legends, scale bars, north arrows."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from fgunet.nomenclature import NODATA_CODE, LandCoverClass, Nomenclature
from fgunet.report.style import INK, MUTED, halo

NO_CLASS = (244, 245, 246)
"""Colour of pixels without class."""


def class_colours(codes: NDArray[np.uint8], nomenclature: Nomenclature) -> NDArray[np.uint8]:
    """Colours (..., 3) uint8 of class codes (any shape, uint8; 0 is without class)."""
    table = np.full((256, 3), NO_CLASS, dtype=np.uint8)
    for code, colour in nomenclature.colours.items():
        table[code] = colour
    return table[codes]


def codes_present(arrays: Iterable[NDArray[np.uint8]]) -> list[int]:
    """Codes that occur in any of the arrays, rising, without nodata."""
    found: set[int] = set()
    for array in arrays:
        found.update(np.unique(array).tolist())
    return sorted(found - {NODATA_CODE})


def round_length(length: float) -> float:
    """The largest 1, 2 or 5 times a power of ten that is not above `length`."""
    power = 10.0 ** math.floor(math.log10(length))
    return max(factor * power for factor in (1, 2, 5) if factor * power <= length)


def scale_bar(axes: Axes, width_m: float, *, right: bool = False) -> None:
    """Draw a scale bar at the lower left or right; the axes show `width_m` metres across."""
    length = round_length(width_m * 0.3)
    share = length / width_m
    x, y = (0.96 - share if right else 0.04), 0.05
    text = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"
    for part, colour in ((0, INK), (1, "white")):
        axes.add_patch(
            Rectangle(
                (x + part * share / 2, y),
                share / 2,
                0.016,
                transform=axes.transAxes,
                facecolor=colour,
                edgecolor=INK,
                linewidth=0.7,
                path_effects=halo() if part == 0 else None,
                zorder=5,
            )
        )
    axes.text(
        x,
        y + 0.03,
        text,
        transform=axes.transAxes,
        size=7.5,
        weight="bold",
        path_effects=halo(),
        zorder=6,
    )


def north_arrow(axes: Axes) -> None:
    """Draw an arrow to grid north at the upper right."""
    axes.annotate(
        "N",
        xy=(0.94, 0.965),
        xytext=(0.94, 0.84),
        xycoords="axes fraction",
        textcoords="axes fraction",
        ha="center",
        va="center",
        size=8,
        weight="bold",
        path_effects=halo(),
        arrowprops={
            "arrowstyle": "-|>,head_width=0.28,head_length=0.5",
            "color": INK,
            "linewidth": 1.2,
            "path_effects": halo(),
        },
    )


def show_picture(axes: Axes, picture: NDArray[Any], title: str) -> None:
    """Show an image (y, x, 3) with a thin frame and no ticks."""
    axes.imshow(picture, interpolation="nearest")
    axes.set_title(title, size=9)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(True)
        spine.set_color(MUTED)
        spine.set_linewidth(0.6)


def class_legend(axes: Axes, codes: Iterable[int], nomenclature: Nomenclature) -> None:
    """List classes with their colours in empty axes, in as many columns as they need."""
    chosen = [c for c in nomenclature.classes if c.code in set(codes)]
    columns = 1 if len(chosen) <= 9 else 2
    handles = [
        Rectangle((0, 0), 1, 1, facecolor=np.array(c.colour) / 255, edgecolor=MUTED, linewidth=0.4)
        for c in chosen
    ]
    legend = axes.legend(
        handles,
        [_wrapped(c.name) for c in chosen],
        loc="upper left",
        bbox_to_anchor=(0, 1),
        ncols=columns,
        borderaxespad=0,
        handlelength=1.5,
        handleheight=1.1,
        columnspacing=1.2,
        labelspacing=0.55,
        fontsize=8,
    )
    axes.add_artist(legend)


def class_ticks(axes: Axes, classes: Sequence[LandCoverClass]) -> None:
    """Class names on the left axis, from the top down, each with a swatch of its map colour."""
    axes.set_yticks(range(len(classes)), [land_cover.name for land_cover in classes])
    axes.tick_params(axis="y", length=0, pad=17)
    axes.set_ylim(len(classes) - 0.5, -0.5)
    for row, land_cover in enumerate(classes):
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


def _wrapped(name: str) -> str:
    """Break a long name once, near its middle."""
    if len(name) <= 20:
        return name
    spaces = [place for place, letter in enumerate(name) if letter == " "]
    if not spaces:
        return name
    middle = min(spaces, key=lambda place: abs(place - len(name) / 2))
    return f"{name[:middle]}\n{name[middle + 1 :]}"
