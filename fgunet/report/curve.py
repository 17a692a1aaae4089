"""Learning curves: accuracy against the number of training polygons."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from fgunet.report.style import (
    WIDTH_IN,
    house_style,
    light_grid,
    method_colour,
    method_label,
    method_marker,
    new_figure,
)
from fgunet.report.wording import score_name, whole

_CLOSE = 0.12
"""What is nearer than this share of an axis would be written over one another."""


def learning_curves(curve: pd.DataFrame, methods: Sequence[str], focus_group: str | None) -> Figure:
    """Kappa, and the F-score of the focus group, by the number of training polygons.

    Parameters
    ----------
    curve : pandas.DataFrame
        budget, method, polygons, kappa with kappa_lower and kappa_upper, and group_f likewise
        where there is a focus group. NaN is not drawn.
    methods : sequence of str
        Methods, in the order of their colours.
    focus_group : str or None
        Name of the group.
    """
    scores = ["kappa", *(["group_f"] if "group_f" in curve else [])]
    with house_style():
        figure = new_figure(WIDTH_IN, 3.6)
        for axes, score in zip(
            figure.subplots(1, len(scores), squeeze=False)[0], scores, strict=True
        ):
            frames = [curve[curve["method"] == m].sort_values("polygons") for m in methods]
            for place, frame in enumerate(frames):
                _curve(axes, frame, score, place)
            _label_ends(axes, frames, score, methods)
            _ticks(axes, frames[0])
            light_grid(axes, "y")
            axes.set_title(score_name(score, focus_group))
            axes.set_xlabel("training polygons, and the share of each class")
    return figure


def _curve(axes: Axes, frame: pd.DataFrame, score: str, place: int) -> None:
    colour, x = method_colour(place), frame["polygons"]
    axes.fill_between(
        x, frame[f"{score}_lower"], frame[f"{score}_upper"], color=colour, alpha=0.14, lw=0
    )
    axes.plot(
        x,
        frame[score],
        color=colour,
        lw=1.8,
        marker=method_marker(place),
        markersize=5.5,
        markeredgecolor="white",
        markeredgewidth=0.6,
    )


def _label_ends(
    axes: Axes, frames: Sequence[pd.DataFrame], score: str, methods: Sequence[str]
) -> None:
    """Name each curve right of its last point, moved apart where two end close together."""
    ends = np.array([float(frame[score].iloc[-1]) for frame in frames])
    low, high = axes.get_ylim()
    for place, method in enumerate(methods):
        gaps = ends[place] - np.delete(ends, place)
        near = gaps[np.abs(gaps) < _CLOSE * (high - low)]
        # Where they are equal, the first one goes up.
        up = np.sign(near).sum() or near.size * (1 if place == 0 else -1)
        axes.annotate(
            method_label(method),
            (frames[place]["polygons"].iloc[-1], ends[place]),
            xytext=(8, 7 * np.sign(up)),
            textcoords="offset points",
            va="center",
            color=method_colour(place),
            weight="bold",
        )


def _ticks(axes: Axes, frame: pd.DataFrame) -> None:
    """A tick a budget, with its polygons and its share, on a logarithmic axis."""
    axes.set_xscale("log")
    axes.minorticks_off()
    polygons = frame["polygons"].to_numpy(dtype=float)
    shares = frame["budget"].to_numpy(dtype=float)
    shown = _apart(np.log(polygons))
    labels = [f"{whole(polygons[i])}\n{100 * shares[i]:.3g} %" for i in shown]
    axes.set_xticks(polygons[shown], labels)


def _apart(places: NDArray[np.float64]) -> list[int]:
    """Indices of places, from the last one down, that are not too close to one another."""
    chosen = [len(places) - 1]
    span = np.ptp(places)
    for place in range(len(places) - 2, -1, -1):
        if places[chosen[-1]] - places[place] > _CLOSE * span:
            chosen.append(place)
    return chosen[::-1]
