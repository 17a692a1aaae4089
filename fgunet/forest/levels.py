"""Values sorted into few levels, so that trees find their thresholds in less time."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fgunet.errors import ModelError

_VALUES = 1 << 16


@dataclass(frozen=True)
class Levels:
    """What the levels of each channel stand for.

    Attributes
    ----------
    thresholds : ndarray float64
        The values that part a level from the next, channel by channel: the middle between the
        greatest value below and the least value above that occur.
    first : ndarray (channel,) int64
        Where those of each channel begin.
    """

    thresholds: NDArray[np.float64]
    first: NDArray[np.int64]

    def restore(self, tree: Any) -> None:
        """Change the thresholds of a tree that was grown on levels into values, in place.

        Parameters
        ----------
        tree : sklearn.tree._tree.Tree
            Grown on what `to_levels` gave.
        """
        inner = tree.children_left != -1
        level = tree.threshold[inner].astype(np.int64)
        tree.threshold[inner] = self.thresholds[self.first[tree.feature[inner]] + level]


def to_levels(
    values: NDArray[np.uint16], count: int | None
) -> tuple[NDArray[np.float32], Levels | None]:
    """Sort the values of each channel into levels that hold about as many pixels each.

    A tree looks for its thresholds by sorting the pixels of each node by one channel after
    another, which takes the less time the fewer values there are. A split between two levels is
    a split between two values; splits within a level are lost.

    Parameters
    ----------
    values : ndarray (pixel, channel) uint16
        Training pixels.
    count : int or None
        Levels of a channel at most, 2 to 65536; None leaves the values as they are.

    Returns
    -------
    levels : ndarray (pixel, channel) float32
        Numbers of levels from 0, or the values; channel by channel in memory, as trees read them.
    thresholds : Levels or None
        What turns levels into values again.

    Raises
    ------
    ModelError
        If the count is out of range.
    """
    if count is not None and not 2 <= count <= _VALUES:
        raise ModelError(f"forest.levels is {count}; it must be 2 to {_VALUES}, or null")
    out = np.empty(values.shape, dtype=np.float32, order="F")
    if count is None:
        out[:] = values
        return out, None
    thresholds = []
    for channel in range(values.shape[1]):
        level_of, parting = _channel_levels(values[:, channel], count)
        out[:, channel] = level_of[values[:, channel]]
        thresholds.append(parting)
    counts = [len(parting) for parting in thresholds]
    return out, Levels(np.concatenate(thresholds), np.cumsum([0, *counts[:-1]]))


def _channel_levels(
    values: NDArray[np.uint16], count: int
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """The level of each value that occurs, by value, and what parts the levels."""
    pixels = np.bincount(values, minlength=_VALUES)
    occurring = np.flatnonzero(pixels)
    before = np.cumsum(pixels[occurring]) - pixels[occurring]
    share = before * count // max(1, values.size)
    if len(occurring) <= count:
        share = np.arange(len(occurring))
    begins = np.flatnonzero(np.diff(share)) + 1
    level = np.zeros(len(occurring))
    level[begins] = 1
    level_of = np.zeros(_VALUES, dtype=np.float32)
    level_of[occurring] = np.cumsum(level)
    return level_of, (occurring[begins - 1] + occurring[begins]) / 2
