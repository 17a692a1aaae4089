"""One look for all figures: quiet axes, two method colours that colour-blind readers tell apart."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, cast

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import Stroke, withStroke

from fgunet.files import atomic_path

INK = "#1f2a33"
MUTED = "#66737d"
RULE = "#dfe4e8"
SHADE = "#f3f5f7"
WIDTH_IN = 9.0
"""Width of a chart in inches."""

_METHOD_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")
_MARKERS = ("o", "D", "s", "^")
_FOREST: ContextVar[str] = ContextVar("name of the forest", default="Random Forest")
_CLASSIFIERS = {
    "sklearn.ensemble.RandomForestClassifier": "Random Forest",
    "sklearn.ensemble.ExtraTreesClassifier": "Extremely Randomised Trees",
}

_RC: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    # A name with two $ is no formula.
    "text.parse_math": False,
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.6,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": False,
    "axes.axisbelow": True,
    "grid.color": RULE,
    "grid.linewidth": 0.7,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "legend.frameon": False,
    "hatch.linewidth": 0.5,
    # Glyphs as outlines: the same letters whatever fonts the reader has.
    "svg.fonttype": "path",
    "svg.hashsalt": "fgunet",
    "date.converter": "concise",
    "pdf.fonttype": 42,
}


def method_label(method: str) -> str:
    """Name of a method as readers know it."""
    return {"fgunet": "FG-UNET", "forest": _FOREST.get()}.get(method, method)


@contextmanager
def forest_named(classifier: str) -> Iterator[None]:
    """Within, the method "forest" has the name of what is in its place.

    Parameters
    ----------
    classifier : str
        Import path of its class.
    """
    name = _CLASSIFIERS.get(classifier, classifier.rpartition(".")[2])
    before = _FOREST.set(name)
    try:
        yield
    finally:
        _FOREST.reset(before)


def method_colour(place: int) -> str:
    """Colour of the method at `place` in the run's list."""
    return _METHOD_COLOURS[place % len(_METHOD_COLOURS)]


def method_marker(place: int) -> str:
    """Marker of the method at `place`: the colour is not needed to tell methods apart."""
    return _MARKERS[place % len(_MARKERS)]


@contextmanager
def house_style() -> Iterator[None]:
    """Draw in the look of the report."""
    with mpl.rc_context(cast(Any, _RC)):
        yield


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of `width` x `height` inches."""
    return Figure(figsize=(width, height), layout="constrained", facecolor="white")


def light_grid(axes: Axes, axis: str) -> None:
    """Draw light lines across one axis ("x" or "y") and take its ticks away."""
    axes.grid(visible=True, axis="x" if axis == "x" else "y")
    axes.tick_params(length=0)


def halo() -> list[Stroke]:
    """White rim for text and lines over an image."""
    return [withStroke(linewidth=2.2, foreground="white")]


def save_figure(figure: Figure, path: str | os.PathLike[str], dpi: int = 180) -> None:
    """Write a figure as PNG or SVG (by the suffix of `path`), atomically, without time stamps."""
    stamps: dict[str, Any] = {
        ".png": {"Software": None},
        ".svg": {"Date": None, "Creator": None},
    }
    with house_style(), atomic_path(path) as part:
        figure.savefig(part, dpi=dpi, metadata=stamps.get(part.suffix))


def save_charts(charts: Mapping[str, Figure], paths: Iterable[str | os.PathLike[str]]) -> None:
    """Write each chart to the paths that have its name: ``{name}.svg``, ``{name}.png``."""
    for path in paths:
        save_figure(charts[Path(path).stem], path)


def evenly_chosen(items: Sequence[str], count: int) -> list[str]:
    """At most `count` of `items`, spread evenly over them, in their order."""
    if len(items) <= count:
        return list(items)
    places = np.linspace(0, len(items) - 1, count).round().astype(int)
    return [items[place] for place in np.unique(places)]
