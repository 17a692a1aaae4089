"""Patches of a map: pixels of one code that are connected by their sides."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fgunet.compiled import compiled
from fgunet.mapping.outlines import corners
from fgunet.nomenclature import NODATA_CODE


@dataclass(frozen=True)
class Patches:
    """Patches, by where their last pixel lies, counted by rows.

    Attributes
    ----------
    code : ndarray (n,) uint8
        Their codes, 1..255.
    pixels : ndarray (n,) int64
        How many pixels they have.
    total : ndarray (n,) int64
        Sum of the values of their pixels.
    last : ndarray (n,) int64
        Their last pixels, counted by rows from the upper left of the map.
    place : ndarray (corners,) int64
        Their corners (see `outlines.corners`), patch by patch.
    starts : ndarray (n + 1,) int64
        First corner of each.
    """

    code: NDArray[np.uint8]
    pixels: NDArray[np.int64]
    total: NDArray[np.int64]
    last: NDArray[np.int64]
    place: NDArray[np.int64]
    starts: NDArray[np.int64]


def find_patches(
    strips: Iterable[tuple[NDArray[np.uint8], NDArray[np.uint8]]], width: int
) -> Iterator[Patches]:
    """Patches of a map that is read strip by strip.

    They come as soon as they end; what is kept is the patches that reach the last row, with their
    corners. Joined together, the result does not depend on the strips.

    Parameters
    ----------
    strips : iterable of (ndarray, ndarray)
        Rows of the map, from the top: codes (y, x) uint8, 0 = nodata, and values to add up
        (y, x) uint8.
    width : int
        Columns of the map.

    Yields
    ------
    Patches
        Those that end in the strip before; there may be none. At the end those that reach the
        bottom of the map.
    """
    unfinished = _Unfinished(width)
    for codes, values in strips:
        yield unfinished.add(codes, values)
    # Nothing goes on in a row of nodata.
    beyond = np.full((1, width), NODATA_CODE, np.uint8)
    yield unfinished.add(beyond, beyond)


class _Unfinished:
    """Patches that reach the last row; label 0 is none."""

    def __init__(self, width: int) -> None:
        self._row = 0
        self._codes = np.full((1, width), NODATA_CODE, np.uint8)
        self._labels = np.zeros(width, np.int32)
        self._table = np.zeros((4, 1), np.int64)
        self._corner_label = np.empty(0, np.int32)
        self._place = np.empty(0, np.int64)

    def add(self, codes: NDArray[np.uint8], values: NDArray[np.uint8]) -> Patches:
        """Go on with a strip; the patches that end above its last row."""
        block = np.concatenate([self._codes, codes])
        labels, number = _label(block, self._labels)
        table = np.zeros((4, int(number.max()) + 1), np.int64)
        known = number[: self._table.shape[1]]
        _merge(self._table, known, table)
        values = np.require(values, np.uint8, ["C", "A", "W"])
        _measure(labels, block, values, self._row, table)
        corner_label, place = corners(block, labels, self._row)
        corner_label = np.concatenate([known[self._corner_label], corner_label])
        place = np.concatenate([self._place, place])

        reaching = np.zeros(table.shape[1], bool)
        reaching[labels[-1]] = True
        reaching[0] = True
        going_on = reaching[corner_label]
        ended = _sorted_patches(table, ~reaching, corner_label[~going_on], place[~going_on])

        label = (np.cumsum(reaching) - 1).astype(np.int32)
        self._row += codes.shape[0]
        self._codes, self._labels = block[-1:], label[labels[-1]]
        self._table = table[:, reaching]
        self._corner_label, self._place = label[corner_label[going_on]], place[going_on]
        return ended


def _sorted_patches(
    table: NDArray[np.int64],
    chosen: NDArray[np.bool_],
    corner_label: NDArray[np.int32],
    place: NDArray[np.int64],
) -> Patches:
    labels = np.flatnonzero(chosen)
    labels = labels[np.argsort(table[3, labels])]
    rank = np.zeros(chosen.size, np.int64)
    rank[labels] = np.arange(labels.size)
    rank_of_corner = rank[corner_label]
    starts = np.zeros(labels.size + 1, np.int64)
    np.cumsum(np.bincount(rank_of_corner, minlength=labels.size), out=starts[1:])
    code, pixels, total, last = table[:, labels]
    # Stable: the corners of a patch stay in the order of rows.
    place = place[np.argsort(rank_of_corner, kind="stable")]
    return Patches(code.astype(np.uint8), pixels, total, last, place, starts)


def _merge(table: NDArray[np.int64], label: NDArray[np.int32], into: NDArray[np.int64]) -> None:
    """Add a table of code, pixels, total and last pixel to another, where patches have merged."""
    into[0, label] = table[0]
    np.add.at(into[1], label, table[1])
    np.add.at(into[2], label, table[2])
    np.maximum.at(into[3], label, table[3])


@compiled
def _measure(
    labels: NDArray[np.int32],
    codes: NDArray[np.uint8],
    values: NDArray[np.uint8],
    row: int,
    table: NDArray[np.int64],
) -> None:
    """Add the pixels of a strip to the table; `labels` and `codes` begin a row before it."""
    height, width = values.shape
    for y in range(height):
        for x in range(width):
            label = labels[y + 1, x]
            if label:
                table[0, label] = codes[y + 1, x]
                table[1, label] += 1
                table[2, label] += values[y, x]
                table[3, label] = max(table[3, label], (row + y) * width + x)


@compiled
def _label(
    codes: NDArray[np.uint8], above: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Patch of each pixel, numbered from 1, and which patch each label of before now is of.

    The first row is the last one of before, with the labels `above`. (Two passes, with a
    union-find between them: Rosenfeld and Pfaltz 1966, doi 10.1145/321356.321357.)
    """
    height, width = codes.shape
    labels = np.zeros((height, width), np.int32)
    labels[0] = above
    count = above.max()
    parent = np.arange(count + (height - 1) * width + 1, dtype=np.int32)
    for y in range(1, height):
        for x in range(width):
            code = codes[y, x]
            up = labels[y - 1, x] if codes[y - 1, x] == code else 0
            left = labels[y, x - 1] if x > 0 and codes[y, x - 1] == code else 0
            if code == NODATA_CODE:
                continue
            if up == left == 0:
                count += 1
                labels[y, x] = count
            else:
                labels[y, x] = _join(parent, up, left)
    number = _number(parent[: count + 1])
    for y in range(height):
        for x in range(width):
            labels[y, x] = number[labels[y, x]]
    return labels, number


@compiled
def _join(parent: NDArray[np.int32], up: int, left: int) -> int:
    """Make one patch of two labels; a label of it. One may be 0, none."""
    if up == 0 or left == 0:
        return max(up, left)
    first, second = _root(parent, up), _root(parent, left)
    # A root has the smallest label of its patch.
    parent[max(first, second)] = min(first, second)
    return up


@compiled
def _number(parent: NDArray[np.int32]) -> NDArray[np.int32]:
    """Number the patches from 1, by their roots."""
    number = np.zeros(parent.size, np.int32)
    patches = 0
    for label in range(1, parent.size):
        root = _root(parent, label)
        if root == label:
            patches += 1
            number[label] = patches
        number[label] = number[root]
    return number


@compiled
def _root(parent: NDArray[np.int32], label: int) -> int:
    while parent[label] != label:
        parent[label] = parent[parent[label]]
        label = parent[label]
    return label
