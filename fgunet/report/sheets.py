"""The sheet of one tile: image, reference, class maps and confidence side by side."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from fgunet.nomenclature import NODATA_CONFIDENCE, Nomenclature
from fgunet.report.cartography import (
    class_colours,
    class_legend,
    codes_present,
    north_arrow,
    scale_bar,
    show_picture,
)
from fgunet.report.style import INK, MUTED, house_style, method_label, new_figure

_TEST = 3


@dataclass(frozen=True)
class Sheet:
    """What a tile's sheet shows; all pictures have the same shape (y, x).

    Attributes
    ----------
    tile, subtitle : str
        Heading of the sheet.
    image : ndarray of float, (y, x, 3)
        Colours 0 to 1.
    image_title : str
        Date and bands of the image.
    reference, split : ndarray of uint8, (y, x)
        Class codes and splits (1 training, 2 validation, 3 test; 0 none).
    maps : mapping of str to ndarray of uint8, (y, x)
        Class codes of each method; 0 is without class.
    confidences : mapping of str to ndarray of uint8, (y, x)
        Percent; 255 is without class. The first one is shown.
    width_m : float
        Ground that the pictures cover from west to east, in metres.
    """

    tile: str
    subtitle: str
    image: NDArray[np.float64]
    image_title: str
    reference: NDArray[np.uint8]
    split: NDArray[np.uint8]
    maps: Mapping[str, NDArray[np.uint8]]
    confidences: Mapping[str, NDArray[np.uint8]]
    width_m: float


def tile_sheet(sheet: Sheet, nomenclature: Nomenclature) -> Figure:
    """Draw the sheet of a tile: a panel a picture, and a legend of the classes that occur."""
    panels = 2 + len(sheet.maps) + bool(sheet.confidences)
    rows = -(-(panels + 1) // 3)
    height, width = sheet.reference.shape
    with house_style():
        figure = new_figure(10.5, 0.75 + rows * (0.35 + 3.3 * height / width))
        figure.suptitle(sheet.tile, x=0.004, ha="left", weight="bold", size=14)
        figure.text(0.99, 0.992, sheet.subtitle, ha="right", va="top", color=MUTED, size=8.5)
        axes = list(figure.subplots(rows, 3).flat)
        show_picture(axes[0], sheet.image, sheet.image_title)
        scale_bar(axes[0], sheet.width_m)
        north_arrow(axes[0])
        _reference_panel(axes[1], sheet, nomenclature)
        for panel, (method, codes) in zip(axes[2:], sheet.maps.items(), strict=False):
            show_picture(panel, class_colours(codes, nomenclature), method_label(method))
        legend = axes[panels]
        if sheet.confidences:
            _confidence_panel(axes[panels - 1], legend, sheet)
        for empty in axes[panels:]:
            empty.set_axis_off()
        legend.set_box_aspect(height / width)
        legend.set_title("Classes on this sheet", size=9)
        present = codes_present([sheet.reference, *sheet.maps.values()])
        class_legend(legend, present, nomenclature)
        _outline_legend(legend)
    return figure


def _reference_panel(axes: Axes, sheet: Sheet, nomenclature: Nomenclature) -> None:
    show_picture(axes, class_colours(sheet.reference, nomenclature), "Reference polygons")
    # Margins of 0 close the outlines of polygons at the edge of the picture.
    for chosen, colour, width in (
        ((sheet.split > 0) & (sheet.split != _TEST), MUTED, 0.5),
        (sheet.split == _TEST, INK, 1.0),
    ):
        if chosen.any():
            padded = np.pad(chosen.astype(float), 1)
            height, across = chosen.shape
            x, y = np.arange(-1, across + 1), np.arange(-1, height + 1)
            axes.contour(x, y, padded, levels=[0.5], colors=[colour], linewidths=width)
    axes.set_xlim(-0.5, sheet.split.shape[1] - 0.5)
    axes.set_ylim(sheet.split.shape[0] - 0.5, -0.5)


def _confidence_panel(axes: Axes, legend: Axes, sheet: Sheet) -> None:
    method, values = next(iter(sheet.confidences.items()))
    title = f"{method_label(method)} confidence"
    show_picture(axes, np.full((*values.shape, 3), 0.95), title)
    shown = np.where(values == NODATA_CONFIDENCE, np.nan, values.astype(np.float64))
    image = axes.imshow(shown, cmap="cividis", vmin=0, vmax=100, interpolation="nearest")
    inset = legend.inset_axes((0.02, 0.2, 0.42, 0.028))
    bar = legend.figure.colorbar(image, cax=inset, orientation="horizontal", ticks=[0, 50, 100])
    bar.outline.set_visible(False)
    inset.set_title(f"{title}, %", size=8, weight="normal", pad=3)
    inset.tick_params(length=0, pad=2, labelsize=7)


def _outline_legend(axes: Axes) -> None:
    lines = [
        Line2D([], [], color=INK, lw=1.4, label="test polygon"),
        Line2D([], [], color=MUTED, lw=0.8, label="training or validation polygon"),
    ]
    axes.legend(handles=lines, loc="lower left", bbox_to_anchor=(0, 0), borderaxespad=0, fontsize=8)
