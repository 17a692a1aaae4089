"""The map of a tile's clear days beside that of its longest gaps."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, Colormap, ListedColormap, Normalize, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from fgunet.report.cartography import north_arrow, scale_bar, show_picture
from fgunet.report.gaps import Gaps
from fgunet.report.style import MUTED, WIDTH_IN, house_style, new_figure

NEVER = "#b4bbc1"
"""Colour of pixels that were never clear."""

# Blue up to the limit and warm above it; the nearer to the limit, the paler.
_WITHIN = ("#1b4965", "#3f7ea3", "#8db9d1", "#d3e5ee")
_ABOVE = ("#fbdcb4", "#f2a65a", "#d5561c")
_LONGEST = "#7d1d0f"
_WITHIN_LIMIT = (0.25, 0.5, 0.75, 1)
_TIMES_LIMIT = (1.5, 2, 3)

Extend = Literal["neither", "both", "min", "max"]


@dataclass(frozen=True)
class Scale:
    """Which colours stand for which numbers, and the ticks of its legend (None: the usual)."""

    colours: Colormap
    norm: Normalize
    extend: Extend
    ticks: tuple[int, ...] | None = None


def gap_maps(tile: str, subtitle: str, gaps: Gaps, max_gap_days: int, width_m: float) -> Figure:
    """Draw the clear days and the longest gap of each pixel of a tile.

    Parameters
    ----------
    tile, subtitle : str
        Heading.
    gaps : Gaps
        The pictures.
    max_gap_days : int
        Days of a gap above which a date counts as bridged; the colours turn there.
    width_m : float
        Ground that the pictures cover from west to east, in metres.
    """
    never = gaps.clear_count == 0
    height, width = never.shape
    with house_style():
        figure = new_figure(WIDTH_IN, 1.1 + WIDTH_IN / 2 * height / width)
        figure.suptitle(tile, x=0.004, ha="left", weight="bold", size=12)
        figure.text(0.994, 0.99, subtitle, ha="right", va="top", color=MUTED, size=8.5)
        left, right = figure.subplots(1, 2)
        counts = scale_of_counts(gaps.clear_count[~never])
        _panel(left, gaps.clear_count, never, counts, "Clear days")
        longest = f"Longest gap, days (warm colours: above {max_gap_days})"
        _panel(right, gaps.longest_gap, never, scale_of_gaps(max_gap_days), longest)
        scale_bar(left, width_m)
        north_arrow(left)
        if never.any():
            handle = Rectangle((0, 0), 1, 1, facecolor=NEVER, edgecolor=MUTED, linewidth=0.4)
            figure.legend([handle], ["never clear"], loc="outside lower right", fontsize=8)
    return figure


def _panel(
    axes: Axes, values: NDArray[np.uint16], never: NDArray[np.bool_], scale: Scale, title: str
) -> None:
    """A map with its legend below."""
    picture = scale.colours(scale.norm(values))[..., :3]
    picture[never] = to_rgb(NEVER)
    show_picture(axes, picture, title)
    bar = axes.figure.colorbar(
        ScalarMappable(scale.norm, scale.colours),
        ax=axes,
        location="bottom",
        extend=scale.extend,
        shrink=0.8,
        aspect=34,
        pad=0.02,
    )
    bar.outline.set_visible(False)
    bar.minorticks_off()
    bar.ax.tick_params(length=0, pad=3, labelsize=8)
    if scale.ticks is None:
        bar.locator = MaxNLocator(6, integer=True)
        bar.update_ticks()
    else:
        bar.set_ticks([tick + 0.5 for tick in scale.ticks], labels=[f"{t}" for t in scale.ticks])


def scale_of_counts(counts: NDArray[np.uint16]) -> Scale:
    """The scale of clear days: nearly all pixels within, so that few odd ones do not flatten it.

    Parameters
    ----------
    counts : ndarray of uint16, any shape
        Of the pixels that were clear at least once.
    """
    colours = colormaps["viridis"]
    if not counts.size:
        return Scale(colours, Normalize(0, 1), "neither")
    low, high = np.percentile(counts, [2, 98])
    low, high = math.floor(low), max(math.ceil(high), math.floor(low) + 1)
    below, above = bool(counts.min() < low), bool(counts.max() > high)
    extend: dict[tuple[bool, bool], Extend] = {
        (False, False): "neither", (True, False): "min", (False, True): "max", (True, True): "both",
    }  # fmt: skip
    return Scale(colours, Normalize(low, high), extend[below, above])


def scale_of_gaps(limit: int) -> Scale:
    """The scale of gaps in days: steps up to the limit in blue, and above it in warm colours."""
    within = sorted({math.ceil(limit * share) for share in _WITHIN_LIMIT})
    above = sorted({math.ceil(limit * times) for times in _TIMES_LIMIT} - {limit})
    ticks = (*within, *above)
    colours = ListedColormap([*_WITHIN[-len(within) :], *_ABOVE[: len(above)]])
    # A gap that equals a tick belongs to the step below it.
    norm = BoundaryNorm([-0.5, *(tick + 0.5 for tick in ticks)], colours.N)
    return Scale(colours.with_extremes(over=_LONGEST), norm, "max", ticks)
